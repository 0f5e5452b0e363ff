"""Work orders, their clocks and their steps."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from rules.ledger.tables.base import instant_columns, metadata

NOT_OVER = text("state NOT IN ('closed', 'void')")
"""Written out, not bound: so the databases see that the index below serves."""

# Instants that something is measured from are kept whole; all others are µs UTC.
work_order = Table(
    "work_order",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("source", Text, nullable=False, server_default="alarm"),
    Column("equipment", Text, nullable=False),
    Column("equipment_name", JSON, nullable=False),
    Column("area", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("category_name", JSON, nullable=False),
    Column("title", JSON, nullable=False),
    Column("description", Text),
    Column("cause_key", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Whoever made it in person; null: a rule or a round did.
    Column("created_by", Text),
    # What its own rule allows; null: what the time limits say.
    Column("complete_within", BigInteger),
    Column("close_after", BigInteger, nullable=False),
    Column("assigned_at", BigInteger),
    # Who has it or is to take it.
    Column("assigned_to", Text),
    Column("accepted_at", BigInteger),
    Column("accepted_by", Text),
    Column("arrived_at", BigInteger),
    Column("started_at", BigInteger),
    Column("suspended_why", Text),
    # Why one crew alone cannot go on with it; null: it can.
    Column("both_crews", Text),
    *instant_columns("completed", nullable=True),
    Column("completed_by", Text),
    Column("note", Text),
    Column("cause_code", Text),
    Column("remedy_code", Text),
    # A list of {name, quantity, unit, price}.
    Column("materials", JSON, nullable=False, server_default="[]"),
    Column("labour_minutes", Integer),
    # Yuan, as agreed with who asked for it.
    Column("cost", Double),
    Column("verified_at", BigInteger),
    # Null: telemetry has shown it.
    Column("verified_by", Text),
    Column("visited_at", BigInteger),
    Column("visited_by", Text),
    Column("visit_how", Text),
    Column("satisfied", Boolean),
    Column("closed_at", BigInteger),
    Column("voided_at", BigInteger),
    Column("voided_by", Text),
    # {name, phone, place} of who asked for it.
    Column("requester", JSON(none_as_null=True)),
    Column("promised_until", BigInteger),
    Column("promised_by", Text),
    Column("promise_postponed", Boolean, nullable=False, server_default=false()),
    Column("promise_reason", Text),
    # The role that has heard of it.
    Column("escalated_to", Text),
    # Of a round, where one opened this order; an alarm knows its order by itself.
    Column("finding", Text),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("site_id", "number"),
    CheckConstraint(
        "state IN ('open', 'assigned', 'accepted', 'on_site', 'in_progress', 'suspended', "
        "'completed', 'verified', 'closed', 'void')",
        name="state",
    ),
    CheckConstraint(
        "source IN ('alarm', 'finding', 'request', 'person', 'plan')",
        name="source",
    ),
    Index(None, "site_id", "assigned_to"),
    Index(
        "uq_work_order_one_per_cause",
        "site_id",
        "equipment",
        "cause_key",
        unique=True,
        sqlite_where=NOT_OVER,
        postgresql_where=NOT_OVER,
    ),
)

# What a clock of an order is made of. The rest of it is computed; "due" is what its timer waits
# for, null where nothing has been reckoned yet. "started" null: it waits to be accepted.
# "steps_taken": of its escalation.
order_clock = Table(
    "order_clock",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("limit", BigInteger, nullable=False),
    Column("calendar", Text, nullable=False),
    *instant_columns("started", nullable=True),
    *instant_columns("due", nullable=True),
    *instant_columns("stopped", nullable=True),
    Column("breached_at", BigInteger),
    Column("steps_taken", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "order_id", "name"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    CheckConstraint("name IN ('respond', 'arrive', 'complete')", name="name"),
    CheckConstraint("calendar IN ('always', 'working_time')", name="calendar"),
    Index(
        "ix_order_clock_running",
        "site_id",
        sqlite_where=text("stopped_wall IS NULL"),
        postgresql_where=text("stopped_wall IS NULL"),
    ),
)

# When none of the clocks of an order ran; of what is not over, "to" is null.
order_pause = Table(
    "order_pause",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    *instant_columns("from"),
    *instant_columns("to", nullable=True),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "order_id", "number"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    # Every commit asks whether a clock before a restart has put one of them into the future.
    Index("ix_order_pause_from", "site_id", "from_wall"),
    Index("ix_order_pause_to", "site_id", "to_wall"),
)

order_event = Table(
    "order_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    Index(None, "site_id", "order_id"),
)

# How far telemetry has shown that a rule of the order's alarms stays quiet since the work was done;
# "ended_at" null: it is under way. "began_at": another one means that it began anew.
order_proof = Table(
    "order_proof",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("hours_needed", BigInteger, nullable=False),
    Column("cycles_needed", Integer),
    Column("in_band", BigInteger, nullable=False),
    Column("cycles", Integer, nullable=False),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
    Column("stand", Text, nullable=False),
    Column("judged_at", BigInteger),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("site_id", "order_id", "rule", "equipment"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    CheckConstraint("stand IN ('in_band', 'not_judged', 'no_data', 'breaching')", name="stand"),
    # Every commit asks what is under way.
    Index(
        "ix_order_proof_under_way",
        "site_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

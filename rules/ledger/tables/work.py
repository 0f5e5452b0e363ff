"""Where the rules are, alarms, orders, timers, messages, changes."""

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
    text,
)

from rules.ledger.tables.base import instant_columns, metadata

# One row a site: its writers take it first, so that they follow one another on PostgreSQL too,
# and change ids become visible in the order in which they were given out. "audit_…": the last
# row of the audit, so that a last row which was taken out is missed.
counter = Table(
    "counter",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("order_number", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("audit_number", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("site_id"),
)

# One row an epoch: the one with the highest ordinal is in force, the others say how far a spool
# was read that has been replaced, and may come back. "at": when that was committed.
cursor = Table(
    "cursor",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    *instant_columns("at"),
    PrimaryKeyConstraint("site_id", "gateway", "epoch"),
)

condition = Table(
    "condition",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("state", Text, nullable=False),
    *instant_columns("since"),
    Column("first_wall", BigInteger, nullable=False),
    Column("first_value", Double),
    Column("value", Double),
    # Of the first gate of the rule; of the others, a list.
    Column("gate_value", Double),
    Column("more_gate_values", JSON),
    Column("test", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "rule", "equipment"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("equipment_name", JSON, nullable=False),
    Column("area", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("cause_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("limit", Double, nullable=False),
    Column("unit", Text, nullable=False),
    Column("guidance", JSON, nullable=False),
    Column("first_reading_at", BigInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("note", Text),
    Column("order_id", Text),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    CheckConstraint(
        "state IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'closed')",
        name="state",
    ),
    Index(None, "site_id", "raised_at", "id"),
    Index(None, "site_id", "order_id"),
    Index(
        "ix_alarm_not_closed",
        "site_id",
        "state",
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
)

alarm_event = Table(
    "alarm_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("alarm_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "alarm_id"], ["alarm.site_id", "alarm.id"]),
    # No event happens twice to one occurrence.
    UniqueConstraint("site_id", "alarm_id", "event"),
)

work_order = Table(
    "work_order",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("equipment_name", JSON, nullable=False),
    Column("area", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("category_name", JSON, nullable=False),
    Column("title", JSON, nullable=False),
    Column("cause_key", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("limit", BigInteger, nullable=False),
    *instant_columns("due"),
    Column("close_after", BigInteger, nullable=False),
    Column("breached_at", BigInteger),
    Column("accepted_at", BigInteger),
    Column("accepted_by", Text),
    *instant_columns("completed", nullable=True),
    Column("completed_by", Text),
    Column("note", Text),
    Column("closed_at", BigInteger),
    # Of a round, where one opened this order; an alarm knows its order by itself.
    Column("finding", Text),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("site_id", "number"),
    CheckConstraint("state IN ('open', 'accepted', 'completed', 'closed')", name="state"),
    Index(
        "uq_work_order_one_per_cause",
        "site_id",
        "equipment",
        "cause_key",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
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

# What is outstanding; a timer that has fired is gone in the transaction of its effect.
timer = Table(
    "timer",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    *instant_columns("due"),
    PrimaryKeyConstraint("site_id", "kind", "subject"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("address", Text, nullable=False),
    # 0: the most urgent.
    Column("rank", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    # While waiting: not to be tried before. While claimed: held by the claimant until.
    *instant_columns("until"),
    Column("claimed_by", Text),
    Column("attempts", Integer, nullable=False),
    # An earlier attempt ended without an answer: it may have arrived.
    Column("doubtful", Boolean, nullable=False),
    Column("sent_at", BigInteger),
    Column("last_error", Text),
    PrimaryKeyConstraint("site_id", "notice", "address"),
    CheckConstraint("state IN ('waiting', 'claimed', 'sent')", name="state"),
    Index(
        "ix_outbox_outstanding",
        "site_id",
        "address",
        sqlite_where=text("state <> 'sent'"),
        postgresql_where=text("state <> 'sent'"),
    ),
)

change = Table(
    "change",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint("kind IN ('alarm', 'order', 'round', 'roster')", name="kind"),
)

# What a request with this key has done, so that a repeated one does nothing.
idempotency = Table(
    "idempotency",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "by", "key"),
)

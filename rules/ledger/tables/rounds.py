"""Due rounds, their items, what was entered, and what was found."""

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
    text,
)

from rules.ledger.tables.base import metadata

# Since when a regime is in force in an area ("" for the whole site): nothing from before is due.
round_duty = Table(
    "round_duty",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("regime", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "regime", "area"),
)

# A regime's file as it was in force from "since" to "seen_at", when the calendar was last compared
# with it. Rounds name the version that they were planned by.
regime_version = Table(
    "regime_version",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("regime", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "regime", "version"),
)

# The id is made of regime, area and period, so that no restart and no second worker makes
# another. Only what was done is here: due, late and missed follow from the times.
round_ = Table(
    "round",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("regime", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("form", JSON),
    Column("level", Text, nullable=False),
    Column("area", Text),
    Column("area_name", JSON),
    Column("period", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("countersign_role", Text),
    Column("statement", JSON),
    Column("patience", BigInteger, nullable=False),
    Column("opens_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("late_until", BigInteger, nullable=False),
    Column("planned_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),
    Column("started_at", BigInteger),
    Column("done_at", BigInteger),
    Column("done_by", Text),
    Column("done_note", Text),
    Column("countersigned_at", BigInteger),
    Column("countersigned_by", Text),
    Column("countersign_note", Text),
    Column("void_at", BigInteger),
    # Of the regime's file; none of rounds from before versions were kept.
    Column("version", Text),
    # What follows when it is late or missed, and at which of these moments something does next.
    Column("consequences", JSON, nullable=False),
    Column("follows_at", BigInteger),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint(
        "level IN ('shift', 'daily', 'weekly', 'half_monthly', 'monthly', 'quarterly', "
        "'half_yearly', 'yearly')",
        name="level",
    ),
    Index(None, "site_id", "due_at", "id"),
    Index(None, "site_id", "level", "period"),
    Index(
        "ix_round_not_done",
        "site_id",
        "opens_at",
        sqlite_where=text("done_at IS NULL AND void_at IS NULL"),
        postgresql_where=text("done_at IS NULL AND void_at IS NULL"),
    ),
    Index(
        "ix_round_follows",
        "site_id",
        "follows_at",
        sqlite_where=text("follows_at IS NOT NULL"),
        postgresql_where=text("follows_at IS NOT NULL"),
    ),
)

# The line as the regime had it when the round opened, what telemetry said of it then, and how
# it stands with the newest entry.
round_item = Table(
    "round_item",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("section", JSON),
    Column("name", JSON, nullable=False),
    Column("guidance", JSON),
    Column("proof", Text),
    Column("points", JSON, nullable=False),
    Column("counted", Double),
    Column("answer", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("equals", Double),
    Column("choices", JSON, nullable=False),
    Column("severity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_name", JSON, nullable=False),
    Column("equipment", Text),
    Column("area", Text),
    Column("cause_key", Text, nullable=False),
    Column("terms", JSON),
    Column("source", Text, nullable=False),
    # The same in Chinese; null: it is said in one language.
    Column("source_zh", Text),
    # What it asks for beside an answer; null: nothing.
    Column("proving", JSON),
    Column("state", Text, nullable=False),
    Column("why", JSON),
    Column("reading", JSON),
    PrimaryKeyConstraint("site_id", "round_id", "key"),
    ForeignKeyConstraint(["site_id", "round_id"], ["round.site_id", "round.id"]),
    CheckConstraint("state IN ('waiting', 'passed', 'failed', 'handed_over')", name="state"),
    Index(
        "ix_round_item_failed",
        "site_id",
        "round_id",
        sqlite_where=text("state = 'failed'"),
        postgresql_where=text("state = 'failed'"),
    ),
)

# Only ever added to; the newest of an item counts. The id is made by the client.
round_entry = Table(
    "round_entry",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("value", JSON, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("note", Text),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    # By the client's clock, where it says so.
    Column("taken_at", BigInteger),
    Column("received_at", BigInteger, nullable=False),
    # The area or the equipment whose code was scanned, and when by the client's clock.
    Column("scanned", Text),
    Column("scanned_at", BigInteger),
    # A number by hand against the sensor.
    Column("compared", JSON),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(
        ["site_id", "round_id", "item"],
        ["round_item.site_id", "round_item.round_id", "round_item.key"],
    ),
    Index(None, "site_id", "round_id", "item", "change"),
    Index(
        "ix_round_entry_scanned",
        "site_id",
        "scanned_at",
        sqlite_where=text("scanned_at IS NOT NULL"),
        postgresql_where=text("scanned_at IS NOT NULL"),
    ),
)

# When a round of a level last looked at equipment, and who did; null: telemetry. It follows from
# lines and entries, and lies here because those of thousands of rounds would have to be read.
equipment_check = Table(
    "equipment_check",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text),
    PrimaryKeyConstraint("site_id", "equipment", "level"),
    ForeignKeyConstraint(["site_id", "round_id"], ["round.site_id", "round.id"]),
    Index(None, "site_id", "round_id"),
)

# The id is made of round and item: an item is found to be wrong once.
round_finding = Table(
    "round_finding",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("text", JSON, nullable=False),
    Column("order_id", Text),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(
        ["site_id", "round_id", "item"],
        ["round_item.site_id", "round_item.round_id", "round_item.key"],
    ),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    Index(None, "site_id", "round_id"),
)

# What who countersigns has looked at again; the newest of an item counts.
round_spot_check = Table(
    "round_spot_check",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("agrees", Boolean, nullable=False),
    Column("note", Text),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(
        ["site_id", "round_id", "item"],
        ["round_item.site_id", "round_item.round_id", "round_item.key"],
    ),
    Index(None, "site_id", "round_id"),
)

round_event = Table(
    "round_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("round_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "round_id"], ["round.site_id", "round.id"]),
    Index(None, "site_id", "round_id"),
)

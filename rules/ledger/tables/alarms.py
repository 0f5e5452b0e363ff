"""Alarms and their steps; what is put aside, and what is out of service."""

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

from rules.ledger.tables.base import metadata

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
    Column("value", Double),
    Column("limit", Double),
    Column("unit", Text, nullable=False),
    Column("guidance", JSON, nullable=False),
    Column("first_reading_at", BigInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("note", Text),
    Column("order_id", Text),
    # The newest occurrence that it took; the first one is its id.
    Column("occurrence", Text, nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),
    Column("last_raised_at", BigInteger),
    Column("life_safety", Boolean, nullable=False, server_default=false()),
    Column("latches", Boolean, nullable=False, server_default=false()),
    # µs that an acknowledgement holds.
    Column("holds", BigInteger),
    # Id of the alarm that explains it, or did.
    Column("explained_by", Text),
    # Where nobody was called when its condition returned: the state that it was in.
    Column("closed_from", Text),
    # When a step was last written down, and how many have not been since: one that flaps steps
    # more often than anybody can read.
    Column("told_at", BigInteger, nullable=False, server_default="0"),
    Column("untold", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("site_id", "occurrence"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    CheckConstraint(
        "state IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'latched', "
        "'shelved', 'suppressed', 'out_of_service', 'closed')",
        name="state",
    ),
    Index(None, "site_id", "raised_at", "id"),
    Index(None, "site_id", "order_id"),
    Index(None, "site_id", "equipment", "rule", "raised_at"),
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
    Index(None, "site_id", "alarm_id"),
)

# Until when is the timer's; both are gone together.
shelf = Table(
    "shelf",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "rule", "equipment"),
)

# Equipment that is out of service. Until when is the timer's; without one, until somebody says so.
service_break = Table(
    "service_break",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "equipment"),
)

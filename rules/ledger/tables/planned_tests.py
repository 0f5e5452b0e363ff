"""Planned tests: their sheets, what they have held, their steps."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from rules.ledger.tables.base import instant_columns, metadata

# "starts_at", "ends_at": as planned. When it really did is "started_at" and "ended_at".
planned_test = Table(
    "planned_test",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("tester", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint(
        "state IN ('planned', 'running', 'passed', 'failed', 'cancelled')", name="state"
    ),
    Index(None, "site_id", "state"),
    Index(None, "site_id", "starts_at", "id"),
)

# An alarm that is expected; "alarm_id" and "came_at": the first that came.
planned_test_row = Table(
    "planned_test_row",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("test_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("came_at", BigInteger),
    Column("alarm_id", Text),
    PrimaryKeyConstraint("site_id", "test_id", "equipment", "rule"),
    ForeignKeyConstraint(["site_id", "test_id"], ["planned_test.site_id", "planned_test.id"]),
)

# What a test has made of an alarm. While it is held, until when: there is no timer to lose.
alarm_test = Table(
    "alarm_test",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("alarm_id", Text, nullable=False),
    Column("test_id", Text, nullable=False),
    Column("hold", Text, nullable=False),
    *instant_columns("until"),
    Column("confirmed_at", BigInteger),
    Column("confirmed_by", Text),
    PrimaryKeyConstraint("site_id", "alarm_id"),
    ForeignKeyConstraint(
        ["site_id", "alarm_id"], ["alarm.site_id", "alarm.id"], name="fk_alarm_test_alarm_id"
    ),
    ForeignKeyConstraint(
        ["site_id", "test_id"],
        ["planned_test.site_id", "planned_test.id"],
        name="fk_alarm_test_test_id",
    ),
    CheckConstraint("hold IN ('held', 'confirmed', 'called', 'returned')", name="hold"),
    Index(
        "ix_alarm_test_waiting",
        "site_id",
        "test_id",
        sqlite_where=text("hold IN ('held', 'confirmed')"),
        postgresql_where=text("hold IN ('held', 'confirmed')"),
    ),
)

planned_test_event = Table(
    "planned_test_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("test_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "test_id"], ["planned_test.site_id", "planned_test.id"]),
    Index(None, "site_id", "test_id"),
)

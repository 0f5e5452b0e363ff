"""Maintenance plans: since when each is in force, what is due of them and which steps of it are
done, how far counters grew."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
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

_NOT_OVER = text("done_at IS NULL AND missed_at IS NULL AND void_at IS NULL")

# Where a plan is in force; "subject": equipment, area or site.
plan_duty = Table(
    "plan_duty",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "plan", "subject"),
)

# One that is due carries its own words, so a changed plan does not change what was done. "day",
# "opens_at" and what follows: null where only a counter knows. "number": of those that count from
# the last time. "done_at": recorded by somebody without an order; of one with an order its order
# says when it was done.
plan_due = Table(
    "plan_due",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("category", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_name", JSON, nullable=False),
    Column("area", Text),
    Column("equipment", Text),
    # The day as the plan says it, or a number.
    Column("period", Text, nullable=False),
    Column("number", Integer),
    Column("trigger", Text, nullable=False),
    Column("original_day", Date),
    Column("day", Date),
    Column("notice_at", BigInteger),
    Column("opens_at", BigInteger),
    Column("due_at", BigInteger),
    Column("overdue_at", BigInteger),
    # {category_name, steps, materials, duration, doer, advance, source}
    Column("content", JSON, nullable=False),
    Column("planned_at", BigInteger, nullable=False),
    Column("noticed_at", BigInteger),
    Column("opened_at", BigInteger),
    Column("order_id", Text),
    Column("postponed", Integer, nullable=False, server_default="0"),
    Column("done_at", BigInteger),
    Column("done_by", Text),
    Column("done_note", Text),
    # Why it was finished without every step that is required.
    Column("unticked_why", Text),
    # What recording it said was used, and how long it took; an order says its own.
    Column("materials", JSON),
    Column("labour_minutes", Integer),
    Column("missed_at", BigInteger),
    Column("void_at", BigInteger),
    # Null: its plan no longer has it.
    Column("void_by", Text),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    CheckConstraint("trigger IN ('schedule', 'completion', 'counter')", name="trigger"),
    Index(None, "site_id", "plan", "subject"),
    Index(None, "site_id", "day"),
    Index(None, "site_id", "order_id"),
    Index(
        "ix_plan_due_not_over",
        "site_id",
        sqlite_where=_NOT_OVER,
        postgresql_where=_NOT_OVER,
    ),
)

# A step that somebody has done, by its number from 1.
plan_tick = Table(
    "plan_tick",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("due_id", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "due_id", "step"),
    ForeignKeyConstraint(["site_id", "due_id"], ["plan_due.site_id", "plan_due.id"]),
)

# How far a counter has grown for the one that is named. "fallen": from where it fell, as long as
# it has not counted on since; "turns": how often it was set back, or belonged to another device.
plan_counter = Table(
    "plan_counter",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("due_id", Text, nullable=False),
    Column("grown", Double, nullable=False),
    Column("last", Double),
    Column("last_at", BigInteger),
    Column("fallen", Double),
    Column("fallen_at", BigInteger),
    Column("turns", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "plan", "subject", "point"),
    ForeignKeyConstraint(["site_id", "due_id"], ["plan_due.site_id", "plan_due.id"]),
)

plan_event = Table(
    "plan_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("due_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "due_id"], ["plan_due.site_id", "plan_due.id"]),
    Index(None, "site_id", "due_id"),
)

"""Limits that a site has set for one piece of equipment; long jobs."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

# "limit" and "delay" (µs) take the place of what the file says; NULL leaves it.
limit_override = Table(
    "limit_override",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("limit", Double),
    Column("delay", BigInteger),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "rule", "equipment"),
    CheckConstraint('"limit" IS NOT NULL OR delay IS NOT NULL', name="something"),
    CheckConstraint("delay >= 0", name="delay"),
)

# "params": what was asked for. "progress": of 1. "cancel": somebody wants it to end. "heard_at":
# when its process last said something.
job = Table(
    "job",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("progress", Double, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("params", JSON, nullable=False),
    Column("result", JSON),
    Column("detail", Text),
    Column("by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint(
        "state IN ('running', 'done', 'failed', 'cancelled', 'interrupted')", name="state"
    ),
    CheckConstraint("(state = 'running') = (ended_at IS NULL)", name="ended"),
    Index(None, "site_id", "created_at", "id"),
)

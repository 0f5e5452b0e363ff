"""Commands to devices: what somebody asked for, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

# "before": the reading when it was proposed; "read_back": what the device said afterwards.
command = Table(
    "command",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("before", Double),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("read_back", Double),
    Column("why", Text),
    Column("detail", Text),
    CheckConstraint("state IN ('proposed', 'sent', 'done', 'refused', 'unknown')", name="state"),
    PrimaryKeyConstraint("site_id", "id"),
    Index(None, "site_id", "proposed_at", "id"),
)

"""Places where a code hangs by which anybody can ask for a repair (报修)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from rules.ledger.tables.base import metadata

place = Table(
    "place",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("area", Text, nullable=False),
    # Nobody can guess it; another one takes its place where it is misused.
    Column("code", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "area"),
    UniqueConstraint("code"),
)

"""Screens on a wall that may look and nothing else (看板)."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from rules.ledger.tables.base import metadata

# "id" may be shown, the link's key and the screen's token never: of them there are only hashes.
# The key opens the screen; it is gone with the first use of the token that it was given for.
kiosk = Table(
    "kiosk",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("key_hash", Text),
    Column("token_hash", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("opened_at", BigInteger),
    Column("last_seen_at", BigInteger),
    Column("address", Text),
    Column("agent", Text),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("site_id", "name"),
    UniqueConstraint("key_hash"),
    UniqueConstraint("token_hash"),
)

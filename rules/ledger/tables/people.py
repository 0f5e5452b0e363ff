"""Users, their sessions, and the audit of every write."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

user = Table(
    "user",
    metadata,
    Column("username", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("username"),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", Text, nullable=False),
    Column("username", Text, ForeignKey("user.username"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("token_hash"),
    Index(None, "username"),
)

# Only ever added to; each row carries the hash over itself and the row before it.
audit = Table(
    "audit",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "number"),
    Index(None, "site_id", "subject"),
)

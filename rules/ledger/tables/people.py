"""Users, what they are at each site, their sessions, machines' tokens, and the audit."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from rules.ledger.tables.base import metadata

# The person, the same at every site. Without a password nobody logs in with it.
user = Table(
    "user",
    metadata,
    Column("username", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text),
    Column("pin_hash", Text),
    Column("phone", Text),
    Column("mention", Text),
    Column("contractor", Boolean, nullable=False),
    Column("skills", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("username"),
)

certificate = Table(
    "certificate",
    metadata,
    Column("username", Text, ForeignKey("user.username"), nullable=False),
    Column("name", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("expires_on", Date),
    PrimaryKeyConstraint("username", "name", "number"),
)

# What a person is at one site; "areas" empty: everywhere on it.
membership = Table(
    "membership",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("username", Text, ForeignKey("user.username"), nullable=False),
    Column("role", Text, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("can_log_in", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("site_id", "username"),
)

# "id" may be shown, the token never: of it there is only the hash.
session = Table(
    "session",
    metadata,
    Column("token_hash", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("username", Text, ForeignKey("user.username"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    PrimaryKeyConstraint("token_hash"),
    UniqueConstraint("id"),
    Index(None, "site_id", "username"),
)

# Where a person has logged in from; a guesser elsewhere does not keep them out there.
known_address = Table(
    "known_address",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("username", Text, ForeignKey("user.username"), nullable=False),
    Column("address", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "username", "address"),
)

machine_token = Table(
    "machine_token",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("expires_on", Date),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_used_at", BigInteger),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("site_id", "name"),
    UniqueConstraint("token_hash"),
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

"""Messages to people, one row a notice and channel; and how each channel is doing."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from rules.ledger.tables.base import instant_columns, metadata

OUTSTANDING = text("state IN ('waiting', 'held', 'claimed')")
"""Written out, not bound: so the databases see that the index below serves."""
_GATHERED = text("digest IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # -1: fire and entrapment; 0: the most urgent of the others.
    Column("rank", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    # User names of those who are meant.
    Column("people", JSON, nullable=False, server_default="[]"),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    # While waiting or held: not to be tried before. While claimed: held by the claimant until.
    *instant_columns("until"),
    Column("claimed_by", Text),
    Column("attempts", Integer, nullable=False),
    # An earlier attempt ended without an answer: it may have arrived.
    Column("doubtful", Boolean, nullable=False),
    # Of several people those who certainly have it.
    Column("reached", JSON, nullable=False, server_default="[]"),
    Column("sent_at", BigInteger),
    Column("last_error", Text),
    # The notice into which this one was gathered, and how many are gathered in this one.
    Column("digest", Text),
    Column("gathered", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("site_id", "notice", "channel"),
    CheckConstraint(
        "state IN ('waiting', 'held', 'claimed', 'sent', 'in_digest', 'dropped')", name="state"
    ),
    Index(
        "ix_outbox_outstanding",
        "site_id",
        "channel",
        "rank",
        "created_at",
        sqlite_where=OUTSTANDING,
        postgresql_where=OUTSTANDING,
    ),
    Index(
        "ix_outbox_digest",
        "site_id",
        "digest",
        sqlite_where=_GATHERED,
        postgresql_where=_GATHERED,
    ),
    Index(None, "site_id", "created_at"),
)

# How the attempts by one channel ended. "tries": when the last ones were, for a sender that
# takes over must not use the robot more than it lets itself be used.
channel = Table(
    "channel",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("sent_at", BigInteger),
    Column("failing_since", BigInteger),
    Column("last_error", Text),
    Column("tries", JSON, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
)

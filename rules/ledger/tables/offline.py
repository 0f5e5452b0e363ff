"""What phones wrote down without signal: every entry as it came, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from rules.ledger.tables.base import metadata

_WAITING = "outcome <> 'applied' AND resolved_at IS NULL"

# Only ever added to, but for the decision. The id is made by the phone. It refers to no round and
# no order: what was written is kept, also about something that is not there.
offline_entry = Table(
    "offline_entry",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    # In the order of their arrival: those of one batch have one time.
    Column("number", BigInteger, nullable=False),
    # Of all that was sent with it: the same id with another one is another entry.
    Column("digest", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # A round or an order; the line of a round; where that is.
    Column("subject", Text, nullable=False),
    Column("item", Text),
    Column("area", Text),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("device", Text, nullable=False),
    # What the person saw.
    Column("version", Text, nullable=False),
    # By the phone's clock, and by ours.
    Column("entered_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
    # Of a photograph, which may belong to nothing else.
    Column("sha256", Text),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("notes", JSON, nullable=False),
    # What stood in its way, as it was then.
    Column("theirs", JSON(none_as_null=True)),
    Column("waits_for", Text),
    # The site's last change when it was applied: what the person has seen from then on.
    Column("change", BigInteger),
    Column("resolved_at", BigInteger),
    Column("resolved_by", Text),
    Column("kept", Text),
    Column("resolve_reason", Text),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint("outcome IN ('applied', 'conflict', 'refused')", name="outcome"),
    CheckConstraint("kept IN ('mine', 'theirs')", name="kept"),
    Index(None, "site_id", "subject", "by"),
    UniqueConstraint("site_id", "number"),
    Index(
        "ix_offline_entry_waiting",
        "site_id",
        "number",
        sqlite_where=text(_WAITING),
        postgresql_where=text(_WAITING),
    ),
)

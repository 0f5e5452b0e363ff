"""Photographs, signatures and documents that belong to a thing. The bytes lie in files that are
named by their hash (``rules.attached_files``); there is no row whose file was not safe before."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

attachment = Table(
    "attachment",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    # What it belongs to: "order" or "equipment", and its id.
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # As the bytes themselves say.
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("caption", Text),
    # Whose signature it is.
    Column("signed_by", Text),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    # Struck out: it stays, and no longer counts.
    Column("struck_at", BigInteger),
    Column("struck_by", Text),
    Column("struck_why", Text),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint("kind IN ('photo', 'signature', 'document')", name="kind"),
    Index(None, "site_id", "subject_kind", "subject"),
)

"""Links by which a contractor, who does not log in, works on one order (外包维修链接)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from rules.ledger.tables.base import metadata

# "id" may be told, the token never: of it there is only the hash.
contractor_link = Table(
    "contractor_link",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("revoked_by", Text),
    PrimaryKeyConstraint("site_id", "id"),
    UniqueConstraint("token_hash"),
    ForeignKeyConstraint(["site_id", "order_id"], ["work_order.site_id", "work_order.id"]),
    Index(
        "uq_contractor_link_one_per_order",
        "site_id",
        "order_id",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

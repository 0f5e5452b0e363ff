"""Photographs and signatures of orders, and links for contractors."""

import sqlalchemy as sa
from alembic import op

revision = "v0013"
down_revision = "v0012"


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text()),
        sa.Column("signed_by", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("struck_at", sa.BigInteger()),
        sa.Column("struck_by", sa.Text()),
        sa.Column("struck_why", sa.Text()),
        sa.CheckConstraint(
            "kind IN ('photo', 'signature', 'document')", name=op.f("ck_attachment_kind")
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_attachment")),
    )
    op.create_index(
        op.f("ix_attachment_site_id_subject_kind_subject"),
        "attachment",
        ["site_id", "subject_kind", "subject"],
    )
    op.create_table(
        "contractor_link",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("revoked_by", sa.Text()),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_contractor_link_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_contractor_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_contractor_link_token_hash")),
    )
    op.create_index(
        "uq_contractor_link_one_per_order",
        "contractor_link",
        ["site_id", "order_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )

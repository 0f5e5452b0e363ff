"""Screens that may only look."""

import sqlalchemy as sa
from alembic import op

revision = "v0021"
down_revision = "v0020"


def upgrade() -> None:
    op.create_table(
        "kiosk",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("key_hash", sa.Text()),
        sa.Column("token_hash", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger()),
        sa.Column("last_seen_at", sa.BigInteger()),
        sa.Column("address", sa.Text()),
        sa.Column("agent", sa.Text()),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_kiosk")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_kiosk_site_id_name")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_kiosk_key_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_kiosk_token_hash")),
    )

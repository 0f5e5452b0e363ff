"""What a phone wrote without signal."""

import sqlalchemy as sa
from alembic import op

revision = "v0020"
down_revision = "v0019"

_WAITING = "outcome <> 'applied' AND resolved_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "offline_entry",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("item", sa.Text()),
        sa.Column("area", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("theirs", sa.JSON(none_as_null=True)),
        sa.Column("waits_for", sa.Text()),
        sa.Column("change", sa.BigInteger()),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("resolved_by", sa.Text()),
        sa.Column("kept", sa.Text()),
        sa.Column("resolve_reason", sa.Text()),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_offline_entry")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_offline_entry_site_id_number")),
        sa.CheckConstraint(
            "outcome IN ('applied', 'conflict', 'refused')", name=op.f("ck_offline_entry_outcome")
        ),
        sa.CheckConstraint("kept IN ('mine', 'theirs')", name=op.f("ck_offline_entry_kept")),
    )
    op.create_index(
        op.f("ix_offline_entry_site_id_subject_by"),
        "offline_entry",
        ["site_id", "subject", "by"],
        unique=False,
    )
    op.create_index(
        "ix_offline_entry_waiting",
        "offline_entry",
        ["site_id", "number"],
        unique=False,
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )

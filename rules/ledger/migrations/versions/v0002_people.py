"""People: the audit of every write; rounds and roster become changes that are told."""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"), "kind IN ('alarm', 'order', 'round', 'roster')"
        )
    op.create_table(
        "audit",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_site_id_subject"), "audit", ["site_id", "subject"])

"""Limits that a site has set for one piece of equipment; long jobs."""

import sqlalchemy as sa
from alembic import op

revision = "v0010"
down_revision = "v0009"


def upgrade() -> None:
    op.create_table(
        "limit_override",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("delay", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            '"limit" IS NOT NULL OR delay IS NOT NULL', name=op.f("ck_limit_override_something")
        ),
        sa.CheckConstraint("delay >= 0", name=op.f("ck_limit_override_delay")),
        sa.PrimaryKeyConstraint("site_id", "rule", "equipment", name=op.f("pk_limit_override")),
    )
    op.create_table(
        "job",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed', 'cancelled', 'interrupted')",
            name=op.f("ck_job_state"),
        ),
        sa.CheckConstraint("(state = 'running') = (ended_at IS NULL)", name=op.f("ck_job_ended")),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_job")),
    )
    op.create_index(
        op.f("ix_job_site_id_created_at_id"), "job", ["site_id", "created_at", "id"], unique=False
    )

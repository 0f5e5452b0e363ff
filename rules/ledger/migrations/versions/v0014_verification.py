"""How work is shown to be good."""

import sqlalchemy as sa
from alembic import op

revision = "v0014"
down_revision = "v0013"


def upgrade() -> None:
    op.create_table(
        "order_proof",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("hours_needed", sa.BigInteger(), nullable=False),
        sa.Column("cycles_needed", sa.Integer(), nullable=True),
        sa.Column("in_band", sa.BigInteger(), nullable=False),
        sa.Column("cycles", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("stand", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "stand IN ('in_band', 'not_judged', 'no_data', 'breaching')",
            name=op.f("ck_order_proof_stand"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_order_proof_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "order_id", "rule", "equipment", name=op.f("pk_order_proof")
        ),
    )
    op.create_index(
        "ix_order_proof_under_way",
        "order_proof",
        ["site_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    # What waited for its time to pass is looked at anew: readings have to show it.
    op.execute(
        "UPDATE timer SET kind = 'prove', due_wall = 0, due_mono = 0, allowed = 0 "
        "WHERE kind = 'close'"
    )

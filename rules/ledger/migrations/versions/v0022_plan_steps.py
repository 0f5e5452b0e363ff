"""The steps of what is due of a plan are ticked; what recording it said of materials and time."""

import sqlalchemy as sa
from alembic import op

revision = "v0022"
down_revision = "v0021"


def upgrade() -> None:
    with op.batch_alter_table("plan_due") as due:
        due.add_column(sa.Column("unticked_why", sa.Text(), nullable=True))
        due.add_column(sa.Column("materials", sa.JSON(), nullable=True))
        due.add_column(sa.Column("labour_minutes", sa.Integer(), nullable=True))
    op.create_table(
        "plan_tick",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("due_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "due_id"],
            ["plan_due.site_id", "plan_due.id"],
            name=op.f("fk_plan_tick_site_id_due_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "due_id", "step", name=op.f("pk_plan_tick")),
    )

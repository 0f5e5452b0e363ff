"""Every level of regime, and which version of it a round was made by."""

import sqlalchemy as sa
from alembic import op

from rules.ledger.rebuilding import aside

revision = "v0016"
down_revision = "v0015"

_FOLLOWS = sa.text("follows_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "regime_version",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "regime", "version", name=op.f("pk_regime_version")),
    )
    with (
        aside("round_entry", "round_finding", "round_item", "round_event"),
        op.batch_alter_table("round") as of_round,
    ):
        of_round.add_column(sa.Column("version", sa.Text(), nullable=True))
        of_round.add_column(
            sa.Column("consequences", sa.JSON(), nullable=False, server_default="{}")
        )
        of_round.add_column(sa.Column("follows_at", sa.BigInteger(), nullable=True))
        of_round.drop_constraint(op.f("ck_round_level"), type_="check")
        of_round.create_check_constraint(
            op.f("ck_round_level"),
            "level IN ('shift', 'daily', 'weekly', 'half_monthly', 'monthly', 'quarterly', "
            "'half_yearly', 'yearly')",
        )
    op.create_index(
        "ix_round_follows",
        "round",
        ["site_id", "follows_at"],
        unique=False,
        sqlite_where=_FOLLOWS,
        postgresql_where=_FOLLOWS,
    )

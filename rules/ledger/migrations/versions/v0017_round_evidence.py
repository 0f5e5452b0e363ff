"""What a line of a round was judged by: windows, evidence, comparison with the sensor."""

import sqlalchemy as sa
from alembic import op

revision = "v0017"
down_revision = "v0016"


def upgrade() -> None:
    op.add_column("round_item", sa.Column("proving", sa.JSON()))
    op.add_column("round_entry", sa.Column("scanned", sa.Text()))
    op.add_column("round_entry", sa.Column("scanned_at", sa.BigInteger()))
    op.add_column("round_entry", sa.Column("compared", sa.JSON()))
    op.create_table(
        "round_spot_check",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id", "item"],
            ["round_item.site_id", "round_item.round_id", "round_item.key"],
            name=op.f("fk_round_spot_check_site_id_round_id_item"),
        ),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_round_spot_check")),
    )
    op.create_index(
        op.f("ix_round_spot_check_site_id_round_id"), "round_spot_check", ["site_id", "round_id"]
    )

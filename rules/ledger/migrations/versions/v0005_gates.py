"""A rule may have several gates: what is known of those after the first."""

import sqlalchemy as sa
from alembic import op

revision = "v0005"
down_revision = "v0004"


def upgrade() -> None:
    op.add_column("condition", sa.Column("more_gate_values", sa.JSON(), nullable=True))

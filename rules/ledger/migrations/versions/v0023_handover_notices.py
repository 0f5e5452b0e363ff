"""Who was told of a handover that is late, exactly what a manager let pass, and orders that need
both crews."""

import sqlalchemy as sa
from alembic import op

revision = "v0023"
down_revision = "v0022"


def upgrade() -> None:
    op.add_column("work_order", sa.Column("both_crews", sa.Text(), nullable=True))
    _make_notices()
    _make_overrides_again()


def _make_notices() -> None:
    op.create_table(
        "handover_notice",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('stopped', 'overdue', 'escalated')", name=op.f("ck_handover_notice_kind")
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_notice_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "handover_id", "kind", name=op.f("pk_handover_notice")),
    )


def _make_overrides_again() -> None:
    """Those from before say of which condition they were, not what it said then: they stay, and
    let nothing pass any more."""
    bind = op.get_bind()
    kept = bind.execute(sa.text("SELECT * FROM handover_override")).mappings().all()
    op.drop_table("handover_override")
    made = op.create_table(
        "handover_override",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_override_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "handover_id", "found", name=op.f("pk_handover_override")
        ),
    )
    told = {"text": {"zh": "", "en": ""}}
    rows = [{**row, **told, "found": f"{row['block']} {row['subject']}"} for row in kept]
    if rows:
        op.bulk_insert(made, rows)

"""Rounds: what is due, its items, what was entered and found; orders that findings raise."""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"


def upgrade() -> None:
    op.create_table(
        "round",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("area_name", sa.JSON(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("countersign_role", sa.Text(), nullable=True),
        sa.Column("statement", sa.JSON(), nullable=True),
        sa.Column("patience", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("late_until", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("done_note", sa.Text(), nullable=True),
        sa.Column("countersigned_at", sa.BigInteger(), nullable=True),
        sa.Column("countersigned_by", sa.Text(), nullable=True),
        sa.Column("countersign_note", sa.Text(), nullable=True),
        sa.Column("void_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("level IN ('daily', 'weekly', 'monthly')", name=op.f("ck_round_level")),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_round")),
    )
    op.create_index(
        "ix_round_not_done",
        "round",
        ["site_id", "opens_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL AND void_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL AND void_at IS NULL"),
    )
    op.create_index(
        op.f("ix_round_site_id_due_at_id"), "round", ["site_id", "due_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_round_site_id_level_period"), "round", ["site_id", "level", "period"], unique=False
    )
    op.create_table(
        "round_duty",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "regime", "area", name=op.f("pk_round_duty")),
    )
    op.create_table(
        "round_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id"],
            ["round.site_id", "round.id"],
            name=op.f("fk_round_event_site_id_round_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_round_event")),
    )
    op.create_index(
        op.f("ix_round_event_site_id_round_id"),
        "round_event",
        ["site_id", "round_id"],
        unique=False,
    )
    op.create_table(
        "round_item",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.JSON(), nullable=True),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("guidance", sa.JSON(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("counted", sa.Double(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("equals", sa.Double(), nullable=True),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.JSON(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("reading", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'passed', 'failed', 'handed_over')",
            name=op.f("ck_round_item_state"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id"],
            ["round.site_id", "round.id"],
            name=op.f("fk_round_item_site_id_round_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "round_id", "key", name=op.f("pk_round_item")),
    )
    op.create_table(
        "round_entry",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id", "item"],
            ["round_item.site_id", "round_item.round_id", "round_item.key"],
            name=op.f("fk_round_entry_site_id_round_id_item"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_round_entry")),
    )
    op.create_index(
        op.f("ix_round_entry_site_id_round_id_item_change"),
        "round_entry",
        ["site_id", "round_id", "item", "change"],
        unique=False,
    )
    op.create_table(
        "round_finding",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_round_finding_site_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id", "item"],
            ["round_item.site_id", "round_item.round_id", "round_item.key"],
            name=op.f("fk_round_finding_site_id_round_id_item"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_round_finding")),
    )
    op.create_index(
        op.f("ix_round_finding_site_id_round_id"),
        "round_finding",
        ["site_id", "round_id"],
        unique=False,
    )
    op.add_column("work_order", sa.Column("finding", sa.Text(), nullable=True))

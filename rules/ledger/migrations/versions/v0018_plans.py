"""Maintenance plans and what is due of them; a change of one is told."""

import sqlalchemy as sa
from alembic import op

revision = "v0018"
down_revision = "v0017"

_NOT_OVER = sa.text("done_at IS NULL AND missed_at IS NULL AND void_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"),
            "kind IN ('alarm', 'order', 'round', 'roster', 'planned_test', 'aside', 'register', "
            "'plan')",
        )
    op.create_table(
        "plan_duty",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "plan", "subject", name=op.f("pk_plan_duty")),
    )
    _make_dues()
    _make_what_belongs_to_them()


def _make_dues() -> None:
    op.create_table(
        "plan_due",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.JSON(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("equipment", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("original_day", sa.Date(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("notice_at", sa.BigInteger(), nullable=True),
        sa.Column("opens_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("noticed_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("postponed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("done_note", sa.Text(), nullable=True),
        sa.Column("missed_at", sa.BigInteger(), nullable=True),
        sa.Column("void_at", sa.BigInteger(), nullable=True),
        sa.Column("void_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_plan_due")),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_plan_due_site_id_order_id"),
        ),
        sa.CheckConstraint(
            "trigger IN ('schedule', 'completion', 'counter')", name=op.f("ck_plan_due_trigger")
        ),
    )
    op.create_index(
        op.f("ix_plan_due_site_id_plan_subject"), "plan_due", ["site_id", "plan", "subject"]
    )
    op.create_index(op.f("ix_plan_due_site_id_day"), "plan_due", ["site_id", "day"])
    op.create_index(op.f("ix_plan_due_site_id_order_id"), "plan_due", ["site_id", "order_id"])
    op.create_index(
        "ix_plan_due_not_over",
        "plan_due",
        ["site_id"],
        sqlite_where=_NOT_OVER,
        postgresql_where=_NOT_OVER,
    )


def _make_what_belongs_to_them() -> None:
    op.create_table(
        "plan_counter",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("point", sa.Text(), nullable=False),
        sa.Column("due_id", sa.Text(), nullable=False),
        sa.Column("grown", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("fallen", sa.Double(), nullable=True),
        sa.Column("fallen_at", sa.BigInteger(), nullable=True),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "plan", "subject", "point", name=op.f("pk_plan_counter")
        ),
        _of_due("fk_plan_counter_site_id_due_id"),
    )
    op.create_table(
        "plan_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("due_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_plan_event")),
        _of_due("fk_plan_event_site_id_due_id"),
    )
    op.create_index(op.f("ix_plan_event_site_id_due_id"), "plan_event", ["site_id", "due_id"])


def _of_due(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["site_id", "due_id"], ["plan_due.site_id", "plan_due.id"], name=op.f(name)
    )

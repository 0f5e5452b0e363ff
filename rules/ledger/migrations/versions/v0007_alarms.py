"""Alarms that are shelved, explained, latched; acknowledgements that expire."""

import sqlalchemy as sa
from alembic import op

from rules.ledger.rebuilding import aside

revision = "v0007"
down_revision = "v0006"


def upgrade() -> None:
    with aside("alarm_event"):
        _extend_alarms()
        # What flaps comes and goes more than once.
        with op.batch_alter_table("alarm_event") as event:
            event.drop_constraint(op.f("uq_alarm_event_site_id_alarm_id_event"), type_="unique")
            event.create_index(op.f("ix_alarm_event_site_id_alarm_id"), ["site_id", "alarm_id"])
    _shelves()
    _conditions()


def _extend_alarms() -> None:
    with op.batch_alter_table("alarm") as alarm:
        alarm.drop_constraint(op.f("ck_alarm_state"), type_="check")
        alarm.create_check_constraint(
            op.f("ck_alarm_state"),
            "state IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'latched', "
            "'shelved', 'suppressed', 'out_of_service', 'closed')",
        )
        alarm.alter_column("value", existing_type=sa.Double(), nullable=True)
        alarm.alter_column("limit", existing_type=sa.Double(), nullable=True)
        alarm.add_column(sa.Column("occurrence", sa.Text(), nullable=True))
        alarm.add_column(sa.Column("count", sa.Integer(), nullable=False, server_default="1"))
        alarm.add_column(sa.Column("last_raised_at", sa.BigInteger(), nullable=True))
        for flag in ("life_safety", "latches"):
            alarm.add_column(
                sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        alarm.add_column(sa.Column("holds", sa.BigInteger(), nullable=True))
        alarm.add_column(sa.Column("explained_by", sa.Text(), nullable=True))
        alarm.add_column(sa.Column("closed_from", sa.Text(), nullable=True))
        alarm.add_column(sa.Column("told_at", sa.BigInteger(), nullable=False, server_default="0"))
        alarm.add_column(sa.Column("untold", sa.Integer(), nullable=False, server_default="0"))
    # Every alarm so far is its own and only occurrence.
    op.execute("UPDATE alarm SET occurrence = id")
    with op.batch_alter_table("alarm") as alarm:
        alarm.alter_column("occurrence", existing_type=sa.Text(), nullable=False)
        alarm.create_unique_constraint(
            op.f("uq_alarm_site_id_occurrence"), ["site_id", "occurrence"]
        )
        alarm.create_index(
            op.f("ix_alarm_site_id_equipment_rule_raised_at"),
            ["site_id", "equipment", "rule", "raised_at"],
        )


def _shelves() -> None:
    op.create_table(
        "shelf",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rule", "equipment", name=op.f("pk_shelf")),
    )
    op.create_table(
        "service_break",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "equipment", name=op.f("pk_service_break")),
    )


def _conditions() -> None:
    with op.batch_alter_table("condition") as condition:
        condition.add_column(sa.Column("memory", sa.JSON(), nullable=True))

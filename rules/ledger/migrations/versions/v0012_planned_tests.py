"""Planned tests: their sheets, what they hold, their steps; a change of one is told."""

import sqlalchemy as sa
from alembic import op

revision = "v0012"
down_revision = "v0011"

_WAITING = sa.text("hold IN ('held', 'confirmed')")


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"),
            "kind IN ('alarm', 'order', 'round', 'roster', 'planned_test', 'aside')",
        )
    _make_tests()
    _make_what_they_hold()


def _make_tests() -> None:
    op.create_table(
        "planned_test",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("tester", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_planned_test")),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'passed', 'failed', 'cancelled')",
            name=op.f("ck_planned_test_state"),
        ),
    )
    op.create_index(op.f("ix_planned_test_site_id_state"), "planned_test", ["site_id", "state"])
    op.create_index(
        op.f("ix_planned_test_site_id_starts_at_id"),
        "planned_test",
        ["site_id", "starts_at", "id"],
    )
    op.create_table(
        "planned_test_row",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("test_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("came_at", sa.BigInteger(), nullable=True),
        sa.Column("alarm_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "site_id", "test_id", "equipment", "rule", name=op.f("pk_planned_test_row")
        ),
        _of_test("fk_planned_test_row_site_id"),
    )
    op.create_table(
        "planned_test_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("test_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_planned_test_event")),
        _of_test("fk_planned_test_event_site_id"),
    )
    op.create_index(
        op.f("ix_planned_test_event_site_id_test_id"), "planned_test_event", ["site_id", "test_id"]
    )


def _make_what_they_hold() -> None:
    op.create_table(
        "alarm_test",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("test_id", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("until_wall", sa.BigInteger(), nullable=False),
        sa.Column("until_mono", sa.BigInteger(), nullable=False),
        sa.Column("until_boot", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "alarm_id", name=op.f("pk_alarm_test")),
        sa.ForeignKeyConstraint(
            ["site_id", "alarm_id"],
            ["alarm.site_id", "alarm.id"],
            name=op.f("fk_alarm_test_alarm_id"),
        ),
        _of_test("fk_alarm_test_test_id"),
        sa.CheckConstraint(
            "hold IN ('held', 'confirmed', 'called', 'returned')",
            name=op.f("ck_alarm_test_hold"),
        ),
    )
    op.create_index(
        "ix_alarm_test_waiting",
        "alarm_test",
        ["site_id", "test_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def _of_test(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["site_id", "test_id"], ["planned_test.site_id", "planned_test.id"], name=op.f(name)
    )

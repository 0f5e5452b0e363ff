"""Teams, shifts, the rotation, overrides, leave, and the site's own calendar."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    _make_teams()
    _make_rotation()
    _make_exceptions()
    _make_calendar()


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _make_teams() -> None:
    op.create_table(
        "team",
        _text("site_id"),
        _text("id"),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        _text("leader", nullable=True),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_team")),
    )
    op.create_table(
        "team_member",
        _text("site_id"),
        _text("team"),
        _text("username"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "team"],
            ["team.site_id", "team.id"],
            name=op.f("fk_team_member_site_id_team"),
        ),
        sa.PrimaryKeyConstraint("site_id", "team", "username", name=op.f("pk_team_member")),
    )


def _make_rotation() -> None:
    op.create_table(
        "shift",
        _text("site_id"),
        _text("id"),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_shift")),
    )
    op.create_table(
        "rotation",
        _text("site_id"),
        sa.Column("anchor", sa.Date(), nullable=False),
        sa.Column("pattern", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_rotation")),
    )


def _make_exceptions() -> None:
    op.create_table(
        "roster_override",
        _text("site_id"),
        _text("id"),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        _text("shift"),
        _text("instead_of", nullable=True),
        _text("username", nullable=True),
        _text("reason"),
        _text("by"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "instead_of IS NOT NULL OR username IS NOT NULL",
            name=op.f("ck_roster_override_somebody"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_roster_override")),
    )
    op.create_index(op.f("ix_roster_override_site_id_date"), "roster_override", ["site_id", "date"])
    op.create_table(
        "leave",
        _text("site_id"),
        _text("id"),
        _text("username"),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        _text("kind"),
        _text("reason"),
        _text("by"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_leave_order")),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_leave")),
    )
    op.create_index(op.f("ix_leave_site_id_username"), "leave", ["site_id", "username"])


def _make_calendar() -> None:
    op.create_table(
        "calendar_day",
        _text("site_id"),
        sa.Column("date", sa.Date(), nullable=False),
        _text("kind"),
        sa.Column("name", sa.JSON(), nullable=True),
        _text("reason"),
        _text("by"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('working', 'weekend', 'holiday', 'make_up_working')",
            name=op.f("ck_calendar_day_kind"),
        ),
        sa.PrimaryKeyConstraint("site_id", "date", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "working_hours",
        _text("site_id"),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts < ends", name=op.f("ck_working_hours_order")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_working_hours")),
    )

"""The log of every shift, and how one shift is handed over to the next; a change of one is told."""

import sqlalchemy as sa
from alembic import op

revision = "v0019"
down_revision = "v0018"


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"),
            "kind IN ('alarm', 'order', 'round', 'roster', 'planned_test', 'aside', 'register', "
            "'plan', 'shift')",
        )
    _make_logs()
    _make_handovers()
    _make_arrivals()
    _make_answers()
    _make_overrides()
    _make_signatures()
    _make_events()


def _make_logs() -> None:
    op.create_table(
        "shift_log",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("shift", sa.Text(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("team_name", sa.JSON(), nullable=False),
        sa.Column("crew", sa.JSON(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("from_change", sa.BigInteger(), nullable=False),
        sa.Column("from_audit", sa.BigInteger(), nullable=False),
        sa.Column("rulebook", sa.Text(), nullable=False),
        sa.Column("site_file", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_shift_log")),
    )
    op.create_index(
        op.f("ix_shift_log_site_id_starts_at"), "shift_log", ["site_id", "starts_at"], unique=False
    )
    op.create_table(
        "shift_entry",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("shift_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("corrects", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "shift_id"],
            ["shift_log.site_id", "shift_log.id"],
            name=op.f("fk_shift_entry_site_id_shift_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_shift_entry")),
    )
    op.create_index(
        op.f("ix_shift_entry_site_id_shift_id"),
        "shift_entry",
        ["site_id", "shift_id"],
        unique=False,
    )


def _make_handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("next_date", sa.Date(), nullable=False),
        sa.Column("next_shift", sa.Text(), nullable=False),
        sa.Column("next_name", sa.JSON(), nullable=False),
        sa.Column("next_team", sa.Text(), nullable=False),
        sa.Column("next_team_name", sa.JSON(), nullable=False),
        sa.Column("next_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("next_ends_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("met_at", sa.BigInteger(), nullable=True),
        sa.Column("signed_at", sa.BigInteger(), nullable=True),
        sa.Column("lapsed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('preparing', 'meeting', 'stopped', 'given', 'signed', 'lapsed')",
            name=op.f("ck_handover_state"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "id"],
            ["shift_log.site_id", "shift_log.id"],
            name=op.f("fk_handover_site_id_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_handover")),
    )
    op.create_index(
        "ix_handover_open",
        "handover",
        ["site_id"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('signed', 'lapsed')"),
        postgresql_where=sa.text("state NOT IN ('signed', 'lapsed')"),
    )


def _make_arrivals() -> None:
    op.create_table(
        "handover_arrival",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("stands_in", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_arrival_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "handover_id", "username", name=op.f("pk_handover_arrival")
        ),
    )


def _make_answers() -> None:
    op.create_table(
        "handover_answer",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('question', 'count', 'explain', 'repair', 'shelf')",
            name=op.f("ck_handover_answer_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_answer_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_handover_answer")),
    )
    op.create_index(
        op.f("ix_handover_answer_site_id_handover_id"),
        "handover_answer",
        ["site_id", "handover_id"],
        unique=False,
    )


def _make_overrides() -> None:
    op.create_table(
        "handover_override",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_override_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "handover_id", "block", "subject", name=op.f("pk_handover_override")
        ),
    )


def _make_signatures() -> None:
    op.create_table(
        "handover_signature",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "side IN ('outgoing', 'incoming')", name=op.f("ck_handover_signature_side")
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_signature_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "handover_id", "number", name=op.f("pk_handover_signature")
        ),
    )


def _make_events() -> None:
    op.create_table(
        "handover_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("handover_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "handover_id"],
            ["handover.site_id", "handover.id"],
            name=op.f("fk_handover_event_site_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_handover_event")),
    )
    op.create_index(
        op.f("ix_handover_event_site_id_handover_id"),
        "handover_event",
        ["site_id", "handover_id"],
        unique=False,
    )

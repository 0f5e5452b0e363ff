"""The whole life of an order: clocks, pauses, requests, escalation.

Each of an order's clocks is a row of its own from now on, and so is each time in which they did
not run; a timer remembers how long it was allowed to take.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0008"
down_revision = "v0007"

_STATES = (
    "'open', 'assigned', 'accepted', 'on_site', 'in_progress', 'suspended', 'completed', "
    "'verified', 'closed', 'void'"
)
_OPEN = sa.text("state NOT IN ('closed', 'void')")
_CAUSE = "uq_work_order_one_per_cause"


def upgrade() -> None:
    _make_clocks()
    _keep_the_clocks_there_are()
    _extend_orders()
    _extend_timers()


def _instant(name: str, *, nullable: bool = False) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(f"{name}_wall", sa.BigInteger(), nullable=nullable),
        sa.Column(f"{name}_mono", sa.BigInteger(), nullable=nullable),
        sa.Column(f"{name}_boot", sa.Text(), nullable=nullable),
    )


def _make_clocks() -> None:
    op.create_table(
        "order_clock",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        *_instant("started", nullable=True),
        *_instant("due", nullable=True),
        *_instant("stopped", nullable=True),
        sa.Column("breached_at", sa.BigInteger(), nullable=True),
        sa.Column("steps_taken", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "name IN ('respond', 'arrive', 'complete')", name=op.f("ck_order_clock_name")
        ),
        sa.CheckConstraint(
            "calendar IN ('always', 'working_time')", name=op.f("ck_order_clock_calendar")
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_order_clock_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "order_id", "name", name=op.f("pk_order_clock")),
    )
    op.create_index(
        "ix_order_clock_running",
        "order_clock",
        ["site_id"],
        sqlite_where=sa.text("stopped_wall IS NULL"),
        postgresql_where=sa.text("stopped_wall IS NULL"),
    )
    op.create_table(
        "order_pause",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_instant("from"),
        *_instant("to", nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_order_pause_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "order_id", "number", name=op.f("pk_order_pause")),
    )
    for name in ("from", "to"):
        op.create_index(f"ix_order_pause_{name}", "order_pause", ["site_id", f"{name}_wall"])


def _keep_the_clocks_there_are() -> None:
    """Every order had one clock, until its completion; a minor one's ran in working time.

    When a clock that ran day and night began follows from its end: what it lay completed before
    a relapse was added to that.
    """
    op.execute(
        """
        INSERT INTO order_clock (
            site_id, order_id, name, "limit", calendar, started_wall, started_mono, started_boot,
            due_wall, due_mono, due_boot, stopped_wall, stopped_mono, stopped_boot, breached_at,
            steps_taken)
        SELECT site_id, id, 'complete', "limit",
            CASE priority WHEN 'minor' THEN 'working_time' ELSE 'always' END,
            CASE priority WHEN 'minor' THEN created_at ELSE due_wall - "limit" END,
            due_mono - CASE priority WHEN 'minor' THEN due_wall - created_at ELSE "limit" END,
            due_boot, due_wall, due_mono, due_boot,
            completed_wall, completed_mono, completed_boot, breached_at, 0
        FROM work_order
        """
    )


def _extend_orders() -> None:
    """SQLite makes the table anew. What refers to its rows counts as broken while they are away,
    and only their coming back sets that right: so they leave it first and return last."""
    bind = op.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    names = [column["name"] for column in sa.inspect(bind).get_columns("work_order")]
    stays = [
        name
        for name in names
        if name not in ("limit", "due_wall", "due_mono", "due_boot", "breached_at")
    ]
    op.drop_index(_CAUSE, "work_order")
    if is_sqlite:
        op.execute("PRAGMA defer_foreign_keys = ON")
        op.execute("CREATE TEMPORARY TABLE kept_order AS SELECT * FROM work_order")
        op.execute("DELETE FROM work_order")
    else:
        op.execute("CREATE TEMPORARY TABLE kept_order ON COMMIT DROP AS SELECT * FROM work_order")
    _change_columns()
    if is_sqlite:
        kept, order = (
            sa.table(table, *(sa.column(name) for name in stays))
            for table in ("kept_order", "work_order")
        )
        op.execute(order.insert().from_select(stays, sa.select(*kept.c)))
    op.execute(
        """
        UPDATE work_order SET
            source = CASE WHEN finding IS NULL THEN 'alarm' ELSE 'finding' END,
            assigned_to = accepted_by,
            assigned_at = accepted_at,
            complete_within = (
                SELECT kept_order."limit" FROM kept_order
                WHERE kept_order.site_id = work_order.site_id AND kept_order.id = work_order.id)
        """
    )
    if is_sqlite:
        op.execute("DROP TABLE kept_order")
    op.create_index(
        _CAUSE,
        "work_order",
        ["site_id", "equipment", "cause_key"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        op.f("ix_work_order_site_id_assigned_to"), "work_order", ["site_id", "assigned_to"]
    )


def _change_columns() -> None:
    with op.batch_alter_table("work_order") as order:
        order.drop_constraint(op.f("ck_work_order_state"), type_="check")
        for name in ("limit", "due_wall", "due_mono", "due_boot", "breached_at"):
            order.drop_column(name)
        for column in _new_columns():
            order.add_column(column)
        order.create_check_constraint(op.f("ck_work_order_state"), f"state IN ({_STATES})")
        order.create_check_constraint(
            op.f("ck_work_order_source"),
            "source IN ('alarm', 'finding', 'request', 'person', 'plan')",
        )


def _new_columns() -> tuple[sa.Column[Any], ...]:
    texts = (
        "description",
        "created_by",
        "assigned_to",
        "suspended_why",
        "verified_by",
        "visited_by",
        "visit_how",
        "voided_by",
        "cause_code",
        "remedy_code",
        "promised_by",
        "promise_reason",
        "escalated_to",
    )
    times = (
        "complete_within",
        "assigned_at",
        "arrived_at",
        "started_at",
        "verified_at",
        "visited_at",
        "voided_at",
        "promised_until",
    )
    return (
        sa.Column("source", sa.Text(), nullable=False, server_default="alarm"),
        *(sa.Column(name, sa.Text(), nullable=True) for name in texts),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in times),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("materials", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("labour_minutes", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("requester", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("promise_postponed", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def _extend_timers() -> None:
    """What is outstanding belongs to orders: their end, or the wait for a relapse."""
    with op.batch_alter_table("timer") as timer:
        timer.add_column(sa.Column("allowed", sa.BigInteger(), nullable=False, server_default="0"))
        timer.add_column(sa.Column("rank", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_timer_rank", "timer", ["site_id", "rank", "due_wall"])
    op.execute(
        """
        UPDATE timer SET allowed = (
            SELECT CASE timer.kind
                WHEN 'close' THEN work_order.close_after
                ELSE timer.due_wall - work_order.created_at END
            FROM work_order
            WHERE work_order.site_id = timer.site_id AND work_order.id = timer.subject)
        WHERE kind IN ('breach', 'close')
        """
    )
    op.execute("UPDATE timer SET subject = subject || ' complete' WHERE kind = 'breach'")

"""Timers: rows that say what falls due when. There is no sleeping timer to lose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Column, ColumnElement, Table, and_, case, delete, func, or_, select, update

from gateway.model.moment import MINUTE, SECOND, Instant
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.work import outbox, timer, work_order
from rules.orders.clock import due_of, runs_in_working_time
from rules.orders.lifecycle import RUNNING
from rules.rule import Priority
from rules.shifts.calendar import Calendar

STEP = 2 * SECOND
"""µs by which the wall clock must move against the monotonic one to count as stepped."""
GRACE = 10 * MINUTE
"""µs after a boot within which a time server may still set right a wall clock that is behind."""
_IN_WORKING_TIME = [one.value for one in Priority if runs_in_working_time(one)]


class TimerKind(StrEnum):
    BREACH = "breach"
    CLOSE = "close"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    kind: TimerKind
    subject: str


def reached(table: Table, name: str, now: Instant) -> ColumnElement[bool]:
    """``Instant.reached`` as a condition over the three columns ``name_…``."""
    wall, mono, boot = (table.c[f"{name}_{part}"] for part in ("wall", "mono", "boot"))
    return or_(and_(boot == now.boot, mono <= now.mono), and_(boot != now.boot, wall <= now.wall))


def start(entry: Entry, kind: TimerKind, subject: str, due: Instant) -> None:
    """Start the timer, or move it to ``due``."""
    columns = {"kind": kind.value, "subject": subject, **instant_columns("due", due)}
    entry.put(timer, [columns])


def cancel(entry: Entry, kind: TimerKind, subject: str) -> None:
    entry.connection.execute(
        delete(timer).where(
            timer.c.site_id == entry.site, timer.c.kind == kind.value, timer.c.subject == subject
        )
    )


def take_due(entry: Entry, now: Instant, calendar: Callable[[], Calendar]) -> Sequence[Timer]:
    """The timers that have fallen due; they are gone when ``entry`` commits.

    ``calendar``: of the working time in which orders may run.
    """
    if now.mono >= GRACE:
        _bring_near(entry, now, calendar)
    due = and_(timer.c.site_id == entry.site, reached(timer, "due", now))
    rows = entry.connection.execute(
        select(timer.c.kind, timer.c.subject).where(due).order_by(timer.c.due_wall)
    ).all()
    if rows:
        entry.connection.execute(delete(timer).where(due))
    return [Timer(kind=TimerKind(kind), subject=subject) for kind, subject in rows]


def anchor_again(entry: Entry, now: Instant) -> None:
    """After a step of the wall clock: the wall side of what is due follows the monotonic side.

    Rows of another boot keep what they say: for them only UTC is left to judge by.
    """
    _anchor(entry, timer, "due", now)
    _anchor(entry, work_order, "due", now, work_order.c.state.in_(RUNNING))
    _anchor(entry, outbox, "until", now, outbox.c.state != "sent")


def _anchor(
    entry: Entry, table: Table, name: str, now: Instant, *where: ColumnElement[bool]
) -> None:
    wall: Column[int] = table.c[f"{name}_wall"]
    mono: Column[int] = table.c[f"{name}_mono"]
    offset = now.wall - now.mono
    entry.connection.execute(
        update(table)
        .where(table.c.site_id == entry.site, table.c[f"{name}_boot"] == now.boot, *where)
        .where(func.abs(wall - mono - offset) > STEP)
        .values({wall: mono + offset})
    )


def _bring_near(entry: Entry, now: Instant, calendar: Callable[[], Calendar]) -> None:
    """A restart has set the wall clock back: what lies further ahead than its whole time allowed
    is measured from now, for else it would never fall due.

    The time allowed in working hours spans nights and weekends; how much, the calendar says. By
    that alone a calendar that was changed would move it too, so the order has to be one that is
    made later than now.
    """
    of_order = and_(work_order.c.site_id == timer.c.site_id, work_order.c.id == timer.c.subject)
    is_close = timer.c.kind == TimerKind.CLOSE.value
    in_working_time = and_(~is_close, work_order.c.priority.in_(_IN_WORKING_TIME))
    allowed = case((is_close, work_order.c.close_after), else_=work_order.c.limit)
    rows = entry.connection.execute(
        select(
            timer.c.kind,
            timer.c.subject,
            timer.c.due_wall,
            allowed.label("allowed"),
            in_working_time.label("in_working_time"),
        )
        .join_from(timer, work_order, of_order)
        .where(timer.c.site_id == entry.site, timer.c.due_boot != now.boot)
        .where(timer.c.due_wall > now.wall + allowed + STEP)
        .where(or_(~in_working_time, work_order.c.created_at > now.wall + STEP))
    ).all()
    for row in rows:
        due = due_of(now, row.allowed, now, calendar() if row.in_working_time else None)
        if row.due_wall <= due.wall + STEP:
            continue
        start(entry, TimerKind(row.kind), row.subject, due)
        if row.kind == TimerKind.BREACH:
            entry.connection.execute(
                update(work_order)
                .where(work_order.c.site_id == entry.site, work_order.c.id == row.subject)
                .values(**instant_columns("due", due))
            )

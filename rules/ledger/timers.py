"""Timers: rows that say what falls due when. There is no sleeping timer to lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Column, ColumnElement, Table, and_, delete, func, or_, select, update

from gateway.model.moment import SECOND, Instant
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables import timer, work_order
from rules.orders.lifecycle import RUNNING

STEP = 2 * SECOND
"""µs by which the wall clock must move against the monotonic one to count as stepped."""


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


def take_due(entry: Entry, now: Instant) -> Sequence[Timer]:
    """The timers that have fallen due; they are gone when ``entry`` commits."""
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
    _anchor(entry, timer, now)
    _anchor(entry, work_order, now, work_order.c.state.in_(RUNNING))


def _anchor(entry: Entry, table: Table, now: Instant, *where: ColumnElement[bool]) -> None:
    wall: Column[int] = table.c.due_wall
    mono: Column[int] = table.c.due_mono
    offset = now.wall - now.mono
    entry.connection.execute(
        update(table)
        .where(table.c.site_id == entry.site, table.c.due_boot == now.boot, *where)
        .where(func.abs(wall - mono - offset) > STEP)
        .values(due_wall=mono + offset)
    )

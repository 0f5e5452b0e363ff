"""Timers: rows that say what falls due when. There is no sleeping timer to lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    Column,
    ColumnElement,
    Result,
    Table,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from gateway.model.moment import MINUTE, SECOND, Instant
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.orders import order_clock, order_pause, work_order
from rules.ledger.tables.outbox import outbox
from rules.ledger.tables.planned_tests import alarm_test
from rules.ledger.tables.work import timer
from rules.orders.life_safety import is_life_safety
from rules.priority import Priority

STEP = 2 * SECOND
"""µs by which the wall clock must move against the monotonic one to count as stepped."""
_AT_ONCE = 100
"""Timers that one commit sees to."""
GRACE = 10 * MINUTE
"""µs after a boot within which a time server may still set right a wall clock that is behind."""


class TimerKind(StrEnum):
    BREACH = "breach"
    """Of an order and one of its clocks, with a blank between; so is the next."""
    ESCALATE = "escalate"
    PROVE = "prove"
    """Of an order, as what follows: its alarms are gone, so telemetry may show that it is good."""
    STAFF = "staff"
    """It was just made, or came back: is anybody there for it?"""
    URGENT = "urgent"
    """It lay suspended and has become more urgent: whoever has it hears of that."""
    RECKON = "reckon"
    """Something has happened to its clocks: reckon anew what falls due when."""
    PROMISE = "promise"
    """It was promised to be done by now."""
    VISIT = "visit"
    """It is verified, and who asked for it is to be visited."""
    ACK_EXPIRES = "ack_expires"
    """Of an alarm, as what follows but the two: its acknowledgement has held for its time."""
    LOOK = "look"
    """What explained it is over, or somebody has brought it back: who is to be called?"""
    ORDER = "order"
    """Working time begins: it becomes an order."""
    TELL = "tell"
    """It flaps: what it did meanwhile is written down."""
    SHELF_OVER = "shelf_over"
    """Of a rule and a piece of equipment, with a blank between."""
    SERVICE_OVER = "service_over"
    """Of a piece of equipment."""
    TEST_STARTS = "test_starts"
    """Of a planned test; so is the next."""
    TEST_ENDS = "test_ends"


_OF_ALARMS = (TimerKind.ACK_EXPIRES, TimerKind.LOOK, TimerKind.ORDER, TimerKind.TELL)
_OF_PLACES = (TimerKind.SHELF_OVER, TimerKind.SERVICE_OVER)
LIFE_SAFETY = 0
"""The rank of what goes before everything."""
_OF_ALARM = select(alarm.c.priority, alarm.c.life_safety).where(
    alarm.c.site_id == bindparam("site"), alarm.c.id == bindparam("alarm")
)
_OF_ORDER = select(
    work_order.c.priority,
    work_order.c.category,
    select(alarm.c.id)
    .where(alarm.c.site_id == bindparam("site"), alarm.c.order_id == bindparam("order"))
    .where(alarm.c.life_safety)
    .exists(),
).where(work_order.c.site_id == bindparam("site"), work_order.c.id == bindparam("order"))
_CANCEL = delete(timer).where(
    timer.c.site_id == bindparam("site"),
    timer.c.kind == bindparam("which"),
    timer.c.subject == bindparam("about"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    kind: TimerKind
    subject: str


def reached(table: Table, name: str, now: Instant) -> ColumnElement[bool]:
    """``Instant.reached`` as a condition over the three columns ``name_…``."""
    wall, mono, boot = (table.c[f"{name}_{part}"] for part in ("wall", "mono", "boot"))
    return or_(and_(boot == now.boot, mono <= now.mono), and_(boot != now.boot, wall <= now.wall))


def start(
    entry: Entry,
    kind: TimerKind,
    subject: str,
    due: Instant,
    *,
    allowed: int,
    rank: int | None = None,
) -> None:
    """Start the timer, or move it to ``due``.

    ``allowed``: µs from when it began until ``due``; however wrong the clocks were, it never
    waits for longer. ``rank``: None is that of what it is about.
    """
    columns = {
        "kind": kind.value,
        "subject": subject,
        **instant_columns("due", due),
        "allowed": max(0, allowed),
        "rank": _rank(entry, kind, subject) if rank is None else rank,
    }
    entry.put(timer, [columns])


def start_all(entry: Entry, kind: TimerKind, ranks: Mapping[str, int], due: Instant) -> None:
    """Start one for each of many subjects, by their ranks; all are due at ``due``."""
    at = instant_columns("due", due)
    entry.put(
        timer,
        [
            {"kind": kind.value, "subject": subject, **at, "allowed": 0, "rank": rank}
            for subject, rank in ranks.items()
        ],
    )


def hasten(entry: Entry, kind: TimerKind, now: Instant) -> None:
    """What they wait for may have changed: every one of the kind looks again now."""
    entry.connection.execute(
        update(timer)
        .where(timer.c.site_id == entry.site, timer.c.kind == kind.value)
        .values(**instant_columns("due", now))
    )


def rank_of_order(entry: Entry, order_id: str) -> int:
    """Of the timers of an order."""
    known = {"site": entry.site, "order": order_id}
    row = entry.connection.execute(_OF_ORDER, known).one_or_none()
    return 1 if row is None else ranked_order(row[0], row[1], by_alarm=row[2])


def ranked_order(priority: str, category: str, *, by_alarm: bool) -> int:
    """``by_alarm``: one of its alarms is of fire or entrapment; else somebody may have said so."""
    said = is_life_safety(category, Priority(priority))
    return ranked(priority, life_safety=by_alarm or said)


def put_first(entry: Entry, order_id: str) -> None:
    """The order is one of life safety: so are the timers that it has."""
    entry.connection.execute(
        update(timer)
        .where(
            timer.c.site_id == entry.site,
            or_(
                timer.c.subject == order_id,
                timer.c.subject.startswith(f"{order_id} ", autoescape=True),
            ),
        )
        .values(rank=LIFE_SAFETY)
    )


def _rank(entry: Entry, kind: TimerKind, subject: str) -> int:
    if kind in _OF_PLACES:
        # It may hide anything; there are few.
        return LIFE_SAFETY
    if kind in _OF_ALARMS:
        known = {"site": entry.site, "alarm": subject}
        return _rank_of_row(entry.connection.execute(_OF_ALARM, known))
    return rank_of_order(entry, subject.partition(" ")[0])


def _rank_of_row(found: Result[str, bool]) -> int:
    row = found.one_or_none()
    return 1 if row is None else ranked(row[0], life_safety=row[1])


def ranked(priority: str, *, life_safety: bool) -> int:
    """Fire and entrapment go first, then what is more urgent."""
    return LIFE_SAFETY if life_safety else 1 + Priority(priority).rank


def cancel(entry: Entry, kind: TimerKind, subject: str) -> None:
    known = {"site": entry.site, "which": kind.value, "about": subject}
    entry.connection.execute(_CANCEL, known)


def take_due(entry: Entry, now: Instant) -> Sequence[Timer]:
    """The timers that have fallen due: fire and entrapment first, then what is more urgent, of
    those the longest ago; they are gone when ``entry`` commits. Of very many, the next commit
    takes the others: somebody may wait for this one."""
    if now.mono >= GRACE:
        _bring_near(entry, now)
    due = and_(timer.c.site_id == entry.site, reached(timer, "due", now))
    order = (timer.c.rank, timer.c.due_wall, timer.c.kind, timer.c.subject)
    rows = entry.connection.execute(
        select(timer.c.kind, timer.c.subject).where(due).order_by(*order).limit(_AT_ONCE)
    ).all()
    taken = [{"site": entry.site, "which": kind, "about": subject} for kind, subject in rows]
    if taken:
        entry.connection.execute(_CANCEL, taken)
    return [Timer(kind=TimerKind(kind), subject=subject) for kind, subject in rows]


def anchor_again(entry: Entry, now: Instant) -> None:
    """After a step of the wall clock: the wall side of what is due follows the monotonic side.

    Rows of another boot keep what they say: for them only UTC is left to judge by.
    """
    _anchor(entry, timer, "due", now)
    for name in ("started", "due", "stopped"):
        _anchor(entry, order_clock, name, now)
    for name in ("from", "to"):
        _anchor(entry, order_pause, name, now)
    _anchor(entry, outbox, "until", now, outbox.c.state != "sent")
    _anchor(entry, alarm_test, "until", now, alarm_test.c.hold == "held")


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


def _bring_near(entry: Entry, now: Instant) -> None:
    """A restart has set the wall clock back: what lies further ahead than its whole time allowed
    is measured from now, for else it would never fall due.

    Of an order's clocks that means: what began in the future has just begun. When they are due
    is reckoned anew from that.
    """
    too_far = and_(
        timer.c.site_id == entry.site,
        timer.c.due_boot != now.boot,
        timer.c.due_wall > now.wall + timer.c.allowed + STEP,
        timer.c.kind.not_in((TimerKind.BREACH.value, TimerKind.ESCALATE.value)),
    )
    columns = (timer.c.kind, timer.c.subject, timer.c.allowed)
    for kind, subject, allowed in entry.connection.execute(select(*columns).where(too_far)).all():
        start(entry, TimerKind(kind), subject, now.plus(allowed), allowed=allowed)
    orders = [
        *_begin_now(entry, order_clock, "started", now, order_clock.c.stopped_wall.is_(None)),
        *_begin_now(entry, order_pause, "from", now),
        *_begin_now(entry, order_pause, "to", now),
    ]
    for order in sorted(set(orders)):
        start(entry, TimerKind.RECKON, order, now, allowed=0)


def _begin_now(
    entry: Entry, table: Table, name: str, now: Instant, *where: ColumnElement[bool]
) -> Sequence[str]:
    """Move every ``name_…`` that a clock before the restart has put into the future to now; the
    orders it was."""
    in_future = and_(
        table.c.site_id == entry.site,
        table.c[f"{name}_boot"] != now.boot,
        table.c[f"{name}_wall"] > now.wall + STEP,
    )
    found = entry.connection.execute(
        update(table)
        .where(in_future, *where)
        .values(**instant_columns(name, now))
        .returning(table.c.order_id)
    )
    return found.scalars().all()

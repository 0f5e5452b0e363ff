"""Writing the clocks of orders: facts when something happens, and what falls due when.

What happens to an order changes facts at once and starts the timer ``RECKON``; the rules, who know
limits and calendar, reckon from the facts when its clocks are due. So whoever takes a step needs
neither, and a limit that is changed goes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, RowMapping, select, update

from gateway.model.moment import Instant
from rules.ledger import timers
from rules.ledger.order_rows import (
    add_pause,
    clocks_of,
    find,
    pauses_of,
    save_clock,
)
from rules.ledger.rows import ChangeKind, instant, instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.orders import order_clock, order_pause, work_order
from rules.ledger.timers import TimerKind
from rules.orders.book import OrderBook
from rules.orders.clock import (
    DONE,
    CalendarKind,
    Clock,
    ClockName,
    Pause,
    allowed,
    due_of,
    when,
)
from rules.orders.lifecycle import RUNNING, TAKEN, OrderState
from rules.orders.limits import CountedFrom, Limit
from rules.priority import Priority
from rules.shifts.calendar import Calendar

_NOT_THERE_YET = (OrderState.OPEN, OrderState.ASSIGNED, OrderState.ACCEPTED)


def subject(order_id: str, name: ClockName) -> str:
    """What a timer of one clock is about."""
    return f"{order_id} {name.value}"


def of_subject(said: str) -> tuple[str, ClockName]:
    order_id, _, name = said.partition(" ")
    return order_id, ClockName(name)


def promised(entry: Entry, order_id: str, until: int, now: Instant) -> None:
    """Whoever asked was promised that it is done by ``until`` (µs UTC)."""
    left = max(0, until - now.wall)
    timers.start(entry, TimerKind.PROMISE, order_id, now.plus(left), allowed=left)


def to_reckon(entry: Entry, order_id: str, now: Instant) -> None:
    timers.start(entry, TimerKind.RECKON, order_id, now, allowed=0)


def to_reckon_all(entry: Entry, now: Instant) -> None:
    """Limits may have changed: reckon every order anew, as many at once as a commit sees to."""
    _to_reckon(entry, now)
    timers.hasten(entry, TimerKind.ORDER, now)
    timers.hasten(entry, TimerKind.VISIT, now)


def to_reckon_working_time(entry: Entry, now: Instant) -> None:
    """The calendar has changed: reckon every order anew that counts by it."""
    counts = (
        select(order_clock.c.order_id)
        .where(
            order_clock.c.site_id == work_order.c.site_id,
            order_clock.c.order_id == work_order.c.id,
            order_clock.c.calendar == CalendarKind.WORKING_TIME.value,
            order_clock.c.stopped_wall.is_(None),
        )
        .exists()
    )
    _to_reckon(entry, now, counts)
    timers.hasten(entry, TimerKind.ORDER, now)
    timers.hasten(entry, TimerKind.VISIT, now)


def _to_reckon(entry: Entry, now: Instant, *where: ColumnElement[bool]) -> None:
    life_safety = (
        select(alarm.c.id)
        .where(
            alarm.c.site_id == work_order.c.site_id,
            alarm.c.order_id == work_order.c.id,
            alarm.c.life_safety,
        )
        .exists()
    )
    of = work_order.c
    query = select(of.id, of.priority, of.category, life_safety).where(
        of.site_id == entry.site, of.state.in_(RUNNING), *where
    )
    ranks = {
        order_id: timers.ranked_order(priority, category, by_alarm=by_alarm)
        for order_id, priority, category, by_alarm in entry.connection.execute(query)
    }
    timers.start_all(entry, TimerKind.RECKON, ranks, now)


def accepted(entry: Entry, order_id: str, now: Instant) -> None:
    """Somebody has taken it: what is counted from there begins."""
    for clock in clocks_of(entry, order_id).values():
        if clock.name is ClockName.RESPOND and clock.is_running:
            _stop(entry, order_id, clock, now)
        elif clock.started is None and clock.name is not ClockName.RESPOND:
            save_clock(entry, order_id, replace(clock, started=now))
    to_reckon(entry, order_id, now)


def arrived(entry: Entry, order_id: str, now: Instant) -> None:
    """Somebody is there, or at work, or has done it."""
    clock = clocks_of(entry, order_id).get(ClockName.ARRIVE)
    if clock is not None and clock.stopped is None:
        _stop(entry, order_id, replace(clock, started=clock.started or now), now)


def stopped(entry: Entry, order_id: str, now: Instant) -> None:
    """Nobody waits for anything any more."""
    for clock in clocks_of(entry, order_id).values():
        if clock.is_running:
            _stop(entry, order_id, clock, now)
    _end_pause(entry, order_id, now)
    timers.cancel(entry, TimerKind.RECKON, order_id)


def paused(entry: Entry, order_id: str, why: str, now: Instant) -> None:
    add_pause(entry, order_id, Pause(start=now, end=None, why=why))
    for name in ClockName:
        _cancel(entry, order_id, name)


def resumed(entry: Entry, order_id: str, now: Instant) -> None:
    _end_pause(entry, order_id, now)
    to_reckon(entry, order_id, now)


def back_to_work(entry: Entry, row: RowMapping, now: Instant) -> None:
    """What was completed is not: the time it lay completed does not count, all before it does."""
    clock = clocks_of(entry, row["id"]).get(ClockName.COMPLETE)
    if clock is not None and clock.stopped is not None:
        done = instant(row, "completed")
        add_pause(entry, row["id"], Pause(start=done, end=now, why=DONE))
        save_clock(entry, row["id"], replace(clock, stopped=None))
    to_reckon(entry, row["id"], now)


def asked_again(entry: Entry, order_id: str, now: Instant) -> None:
    """Nobody has it any more: somebody else has to answer and to come, from now on."""
    _end_pause(entry, order_id, now)
    clocks = clocks_of(entry, order_id)
    for name in (ClockName.RESPOND, ClockName.ARRIVE):
        clock = clocks.get(name)
        if clock is not None and clock.stopped is not None:
            # Where arriving is counted from is not known here: reckoning begins it.
            started = now if name is ClockName.RESPOND else None
            again = replace(
                clock, started=started, due=None, stopped=None, breached_at=None, steps_taken=0
            )
            save_clock(entry, order_id, again)
    to_reckon(entry, order_id, now)


def breached(entry: Entry, order_id: str, name: ClockName, at: int) -> None:
    clock = clocks_of(entry, order_id)[name]
    save_clock(entry, order_id, replace(clock, breached_at=at))
    timers.cancel(entry, TimerKind.BREACH, subject(order_id, name))


def step_taken(entry: Entry, order_id: str, name: ClockName, steps: int) -> None:
    clock = clocks_of(entry, order_id)[name]
    save_clock(entry, order_id, replace(clock, steps_taken=steps))


def more_urgent(entry: Entry, order_id: str, now: Instant) -> None:
    """What runs is told and climbs anew, by the plan for what the order is now."""
    for clock in clocks_of(entry, order_id).values():
        if clock.stopped is None:
            save_clock(entry, order_id, replace(clock, breached_at=None, steps_taken=0))
    to_reckon(entry, order_id, now)


def begin(
    entry: Entry,
    row: RowMapping,
    own: Clock | None,
    book: OrderBook,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
) -> None:
    """The clocks of an order that was just made, and what falls due when; ``own``: the one that
    its rule sets."""
    clocks = {} if own is None else {own.name: own}
    clocks = _adapted(row, clocks, book, at, now)
    _write(entry, row, before={}, clocks=clocks, pauses=(), book=book, now=now, calendar=calendar)


def reckon(entry: Entry, order_id: str, book: OrderBook, now: Instant, calendar: Calendar) -> None:
    """Set every clock of the order, and what falls due when, by what is in force now.

    1. Take over limits that have changed, and add clocks that are new: they begin now, for
       nobody could keep a limit that was not there.
    2. Reckon from the facts when each clock is due.
    3. Start the timers of those that run, and end those of all others.
    """
    row = find(entry, order_id)
    if row is None or row["state"] not in RUNNING:
        return
    before = clocks_of(entry, order_id)
    clocks = _adapted(row, before, book, now, now)
    is_changed = _write(
        entry,
        row,
        before=before,
        clocks=clocks,
        pauses=pauses_of(entry, order_id),
        book=book,
        now=now,
        calendar=calendar,
    )
    if is_changed:
        entry.changed(ChangeKind.ORDER, order_id, now.wall)


def _adapted(
    row: RowMapping,
    clocks: Mapping[ClockName, Clock],
    book: OrderBook,
    at: Instant,
    now: Instant,
) -> dict[ClockName, Clock]:
    """``clocks`` with the limits in force; ``at``: when those begin that are new."""
    state, adapted = OrderState(row["state"]), dict(clocks)
    for name, limit in limits_of(row, book).items():
        clock = clocks.get(name)
        if clock is None:
            if is_awaited(name, state):
                adapted[name] = _new(name, limit, state, at, now)
        elif clock.stopped is None:
            begun = clock.started or _begun(limit, state, now, now)
            adapted[name] = replace(
                clock, limit=limit.within, calendar=limit.calendar, started=begun
            )
    return adapted


def limits_of(row: RowMapping, book: OrderBook) -> dict[ClockName, Limit]:
    """What the table says; the end that its own rule sets goes before that, and was taken over
    when the order was made."""
    limits = book.time_limits.of(row["category"], row["cause_key"], Priority(row["priority"]))
    if row["complete_within"] is not None:
        limits.pop(ClockName.COMPLETE, None)
    return limits


def is_awaited(name: ClockName, state: OrderState) -> bool:
    """Whether what the clock is for has still to happen."""
    match name:
        case ClockName.RESPOND:
            return state in (OrderState.OPEN, OrderState.ASSIGNED)
        case ClockName.ARRIVE:
            return state in _NOT_THERE_YET
        case ClockName.COMPLETE:
            return state in RUNNING


def _new(name: ClockName, limit: Limit, state: OrderState, at: Instant, now: Instant) -> Clock:
    return Clock(
        name=name,
        limit=limit.within,
        calendar=limit.calendar,
        started=_begun(limit, state, at, now),
    )


def _begun(limit: Limit, state: OrderState, at: Instant, now: Instant) -> Instant | None:
    """When a clock begins that has not; None: when the order is accepted."""
    if limit.counted_from is CountedFrom.CREATED:
        return at
    return now if state in TAKEN else None


def _write(
    entry: Entry,
    row: RowMapping,
    *,
    before: Mapping[ClockName, Clock],
    clocks: Mapping[ClockName, Clock],
    pauses: Sequence[Pause],
    book: OrderBook,
    now: Instant,
    calendar: Calendar,
) -> bool:
    """The clocks with their ends, and their timers; whether a clock is another than before."""
    is_paused = any(pause.end is None for pause in pauses)
    plan = book.escalation.of(row["category"], row["cause_key"], Priority(row["priority"]))
    rank = timers.rank_of_order(entry, row["id"])
    is_changed = False
    for name, clock in clocks.items():
        runs = clock.is_running and not is_paused
        after = replace(clock, due=due_of(clock, pauses, now, calendar)) if runs else clock
        if after != before.get(name):
            save_clock(entry, row["id"], after)
            is_changed = True
        if not runs:
            _cancel(entry, row["id"], name)
            continue
        steps = () if plan is None else plan.of(name)
        step_at = None
        if clock.steps_taken < len(steps):
            counted = steps[clock.steps_taken].counted(allowed(clock, calendar))
            step_at = when(clock, pauses, now, calendar, counted)
        _set_timers(entry, row["id"], after, step_at, now, rank=rank)
    return is_changed


def _set_timers(
    entry: Entry, order_id: str, clock: Clock, step_at: Instant | None, now: Instant, *, rank: int
) -> None:
    """Of a clock that runs: its end, and the next step of its escalation."""
    about, due = subject(order_id, clock.name), clock.due
    if clock.breached_at is None and due is not None:
        timers.start(entry, TimerKind.BREACH, about, due, allowed=due.since(now), rank=rank)
    if step_at is None:
        timers.cancel(entry, TimerKind.ESCALATE, about)
    else:
        time = step_at.since(now)
        timers.start(entry, TimerKind.ESCALATE, about, step_at, allowed=time, rank=rank)


def _stop(entry: Entry, order_id: str, clock: Clock, now: Instant) -> None:
    save_clock(entry, order_id, replace(clock, stopped=now))
    _cancel(entry, order_id, clock.name)


def _cancel(entry: Entry, order_id: str, name: ClockName) -> None:
    for kind in (TimerKind.BREACH, TimerKind.ESCALATE):
        timers.cancel(entry, kind, subject(order_id, name))


def _end_pause(entry: Entry, order_id: str, now: Instant) -> None:
    entry.connection.execute(
        update(order_pause)
        .where(order_pause.c.site_id == entry.site, order_pause.c.order_id == order_id)
        .where(order_pause.c.to_wall.is_(None))
        .values(**instant_columns("to", now))
    )

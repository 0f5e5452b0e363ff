"""Making work orders, and what happens to them by themselves.

One order answers all alarms and findings of one cause at one piece of equipment until it is
over. What people do with an order is in ``order_steps``, its clocks in ``order_clocks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import RowMapping, select

from gateway.model.moment import Instant, stamp
from gateway.model.point import Text
from rules.alarms.lifecycle import AlarmState
from rules.ledger import alarms, order_clocks, proofs, timers
from rules.ledger.order_rows import (
    clocks_of,
    find,
    move,
    note,
    of_cause,
    pauses_of,
    resuming,
    save_clock,
)
from rules.ledger.rows import Alarm, OrderReference, OrderSource, Requester, words
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm as alarm_table
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.rounds import round_finding
from rules.ledger.timers import TimerKind
from rules.orders.book import OrderBook
from rules.orders.clock import Clock, ClockName, calendar_kind, due_of, near
from rules.orders.lifecycle import OrderEvent, OrderState, step
from rules.priority import Priority
from rules.rule import OrderTerms
from rules.shifts.calendar import Calendar

_EXPLAINED = (AlarmState.SUPPRESSED, AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)
"""Alarms that are there and ask nobody for anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What an order answers: an alarm, or the finding of a round."""

    id: str
    """Opens one order at most, so an order named after it is as unique as it is. A finding that
    is made again is another trouble."""
    name: Text
    equipment: str
    """Of a finding that is about no equipment: the id of its area, or of the site."""
    equipment_name: Text
    area: str
    cause_key: str
    priority: Priority
    at: int
    """µs UTC."""
    finding: str | None
    """Id of the finding; None: an alarm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    id: str
    source: OrderSource
    equipment: str
    """Or the area that it is about, or the site."""
    equipment_name: Text
    area: str
    category: str
    category_name: Text
    title: Text
    cause_key: str
    """Of an order that no other one ever answers: something that is its own alone."""
    priority: Priority
    close_after: int = 0
    """µs without an alarm after which telemetry has shown that the work is good."""
    complete_within: int | None = None
    """µs from its making, where a rule says so; None: what the time limits say."""
    description: str | None = None
    created_by: str | None = None
    finding: str | None = None
    requester: Requester | None = None
    cost: float | None = None
    promised_until: int | None = None
    promised_by: str | None = None


def answer(
    entry: Entry,
    alarm: Alarm,
    terms: OrderTerms,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
    book: OrderBook | None = None,
) -> OrderReference:
    """The order that answers ``alarm``: the one of its cause that is not over, or a new one.

    ``at`` is when the alarm was raised, by the clocks of whoever saw it; ``now`` is the time by
    the clocks of this machine. ``calendar`` counts the time of an order that runs in working
    time. ``book`` says how long a new one may take; None: it is not known here.
    """
    trouble = Trouble(
        id=alarm.id,
        name=alarm.name,
        equipment=alarm.equipment,
        equipment_name=alarm.equipment_name,
        area=alarm.area,
        cause_key=alarm.cause_key,
        priority=alarm.priority,
        at=at.wall,
        finding=None,
    )
    reference = answer_trouble(entry, trouble, terms, at=at, now=now, calendar=calendar, book=book)
    alarms.join_order(entry, alarm.id, reference.id)
    if alarm.life_safety:
        timers.put_first(entry, reference.id)
    return reference


def answer_trouble(
    entry: Entry,
    trouble: Trouble,
    terms: OrderTerms,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
    book: OrderBook | None = None,
) -> OrderReference:
    """The order of the trouble's cause that is not over, or a new one; see :func:`answer`.

    An order is as urgent as the most urgent trouble that it answers.
    """
    row = of_cause(entry, trouble.equipment, trouble.cause_key)
    if row is None:
        new = _new(entry, trouble, terms)
        return make(entry, new, book, at=at, now=now, calendar=calendar, why=trouble.id)
    if row["state"] in (OrderState.COMPLETED, OrderState.VERIFIED):
        _relapse(entry, row, trouble, now)
    else:
        move(entry, row, OrderEvent.JOIN, trouble.at, why=trouble.id)
    if trouble.priority.rank < Priority(row["priority"]).rank:
        _escalate(entry, row["id"], trouble, terms, at=at, now=now, calendar=calendar)
    return OrderReference(id=row["id"], number=row["number"])


def make(
    entry: Entry,
    new: NewOrder,
    book: OrderBook | None,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
    why: str | None = None,
) -> OrderReference:
    """Write a new order with its clocks; ``at`` is when it counts from.

    Where ``book`` is not known only the clock of its own rule begins, and the rules add what is
    in force with their next commit. Raises ``IntegrityError`` where there is one of this id, or
    one of the same equipment and cause that is not over.
    """
    state = step(OrderState.NEW, OrderEvent.CREATE, order=new.cause_key)
    number = entry.next_order_number()
    entry.add(
        work_order,
        number=number,
        state=state.value,
        created_at=at.wall,
        materials=[],
        promise_postponed=False,
        **_columns(new),
    )
    note(
        entry,
        new.id,
        OrderEvent.CREATE,
        OrderState.NEW,
        state,
        at=at.wall,
        by=new.created_by,
        why=why,
    )
    row = find(entry, new.id)
    assert row is not None
    begun = near(at, now)
    own = None
    if new.complete_within is not None:
        own = Clock(
            name=ClockName.COMPLETE,
            limit=new.complete_within,
            calendar=calendar_kind(new.priority),
            started=begun,
        )
    known = book or OrderBook()
    order_clocks.begin(entry, row, own, known, at=begun, now=now, calendar=calendar)
    if book is None:
        order_clocks.to_reckon(entry, new.id, now)
    if new.promised_until is not None:
        order_clocks.promised(entry, new.id, new.promised_until, now)
    # It has no alarm yet that could make it one of life safety.
    rank = timers.ranked_order(new.priority, new.category, by_alarm=False)
    timers.start(entry, TimerKind.STAFF, new.id, now, allowed=0, rank=rank)
    return OrderReference(id=new.id, number=number)


def explained(entry: Entry, order_id: str, *, by: str, now: Instant) -> None:
    """One of its alarms turns out to be an effect of the alarm ``by``.

    An order that nobody has taken, and that no other alarm still asks for, is void; any other
    goes on.
    """
    row = find(entry, order_id)
    if row is None or row["state"] not in (OrderState.OPEN, OrderState.ASSIGNED):
        return
    if row["finding"] is not None or row["source"] != OrderSource.ALARM or _is_asked(entry, row):
        return
    why = f"explained by {by}"
    move(entry, row, OrderEvent.VOID, now.wall, why=why, voided_at=now.wall)
    order_clocks.stopped(entry, order_id, now)


def _is_asked(entry: Entry, row: RowMapping) -> bool:
    """Whether one of its alarms is there that is not explained, or a round found it too."""
    query = select(round_finding.c.id).where(
        round_finding.c.site_id == entry.site, round_finding.c.order_id == row["id"]
    )
    if entry.connection.execute(query.limit(1)).first() is not None:
        return True
    of_alarms = select(alarm_table.c.state).where(
        alarm_table.c.site_id == entry.site, alarm_table.c.order_id == row["id"]
    )
    states = [AlarmState(state) for state in entry.connection.execute(of_alarms).scalars()]
    return any(state.present and state not in _EXPLAINED for state in states)


def _new(entry: Entry, trouble: Trouble, terms: OrderTerms) -> NewOrder:
    is_alarm = trouble.finding is None
    order_id = f"{trouble.id}.order"
    if find(entry, order_id) is not None:
        # It is back, or is asked for again, after the order that answered it was over.
        order_id = f"{trouble.id}.{stamp(trouble.at)}.order"
    return NewOrder(
        id=order_id,
        source=OrderSource.ALARM if is_alarm else OrderSource.FINDING,
        equipment=trouble.equipment,
        equipment_name=trouble.equipment_name,
        area=trouble.area,
        category=terms.category,
        category_name=terms.category_name,
        title=Text(
            zh=f"{trouble.equipment_name.zh} {trouble.name.zh}",
            en=f"{trouble.equipment_name.en}: {trouble.name.en}",
        ),
        cause_key=trouble.cause_key,
        priority=trouble.priority,
        close_after=terms.close_after,
        complete_within=terms.complete_within,
        finding=trouble.finding,
    )


def _columns(new: NewOrder) -> Mapping[str, Any]:
    return {
        **{name: getattr(new, name) for name in NewOrder.__slots__},
        "source": new.source.value,
        "priority": new.priority.value,
        "equipment_name": words(new.equipment_name),
        "category_name": words(new.category_name),
        "title": words(new.title),
        "requester": None if new.requester is None else asdict(new.requester),
    }


def _relapse(entry: Entry, row: RowMapping, trouble: Trouble, now: Instant) -> None:
    """The trouble is back: somebody has to take the order again, and its clock goes on."""
    order_clocks.back_to_work(entry, row, now)
    order_clocks.asked_again(entry, row["id"], now)
    timers.cancel(entry, TimerKind.PROVE, row["id"])
    proofs.forget(entry, row["id"])
    timers.start(entry, TimerKind.STAFF, row["id"], now, allowed=0)
    move(
        entry,
        row,
        OrderEvent.RELAPSE,
        trouble.at,
        why=trouble.id,
        completed_wall=None,
        completed_mono=None,
        completed_boot=None,
        **dict.fromkeys(NOBODY_HAS_IT),
        **dict.fromkeys(NOT_DONE),
    )


NOBODY_HAS_IT = ("assigned_at", "assigned_to", "accepted_at", "accepted_by", "arrived_at")
"""Columns of an order that is given back or comes back; who had it says its history."""
NOT_DONE = ("started_at", "completed_by", "verified_at", "verified_by")


def _escalate(
    entry: Entry,
    order_id: str,
    trouble: Trouble,
    terms: OrderTerms,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
) -> None:
    """The order becomes as urgent as ``trouble``; of the two times allowed the earlier end holds.

    Its pauses count for the new limit as they did for the old one. What has been told of it was
    told of something less urgent: it is told anew. What lay suspended cannot wait any more.
    """
    row = find(entry, order_id)
    assert row is not None
    columns: dict[str, Any] = {"priority": trouble.priority.value}
    clock = clocks_of(entry, order_id).get(ClockName.COMPLETE)
    pauses = pauses_of(entry, order_id)
    if clock is not None:
        urgent = replace(
            clock,
            limit=terms.complete_within,
            calendar=calendar_kind(trouble.priority),
            started=near(at, now),
        )
        ends = (due_of(one, pauses, now, calendar) for one in (urgent, clock))
        if clock.started is None or next(ends).since(next(ends)) < 0:
            save_clock(entry, order_id, urgent)
            columns["complete_within"] = terms.complete_within
    row = move(entry, row, OrderEvent.ESCALATE, trouble.at, why=trouble.id, **columns)
    if row["state"] == OrderState.SUSPENDED:
        move(entry, row, resuming(entry, row), now.wall, why=trouble.id, suspended_why=None)
        order_clocks.resumed(entry, order_id, now)
        timers.start(entry, TimerKind.URGENT, order_id, now, allowed=0)
    order_clocks.more_urgent(entry, order_id, now)

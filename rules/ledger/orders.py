"""Writing work orders: every step goes through the life-cycle table and leaves an event.

One order answers all alarms and findings of one cause at one piece of equipment until it is
closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.ledger import alarms, timers
from rules.ledger.rows import (
    Alarm,
    ChangeKind,
    OrderReference,
    instant,
    instant_columns,
    words,
)
from rules.ledger.store import Entry
from rules.ledger.tables.work import order_event, work_order
from rules.ledger.timers import TimerKind
from rules.orders.clock import due_of, resumed, runs_in_working_time
from rules.orders.lifecycle import NOT_CLOSED, RUNNING, OrderEvent, OrderState, step
from rules.rule import OrderTerms, Priority
from rules.shifts.calendar import Calendar


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


def answer(
    entry: Entry,
    alarm: Alarm,
    terms: OrderTerms,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
) -> OrderReference:
    """The order that answers ``alarm``: the one of its cause that is not closed, or a new one.

    ``at`` is when the alarm was raised, by the clocks of whoever saw it; ``now`` is the time by
    the clocks of this machine. ``calendar`` counts the time of an order that runs in working
    time.
    """
    trouble = Trouble(
        id=alarm.id,
        name=alarm.name,
        equipment=alarm.equipment,
        equipment_name=alarm.equipment_name,
        area=alarm.area,
        cause_key=alarm.cause_key,
        priority=alarm.priority,
        at=alarm.raised_at,
        finding=None,
    )
    reference = answer_trouble(entry, trouble, terms, at=at, now=now, calendar=calendar)
    alarms.join_order(entry, alarm.id, reference.id)
    return reference


def answer_trouble(
    entry: Entry,
    trouble: Trouble,
    terms: OrderTerms,
    *,
    at: Instant,
    now: Instant,
    calendar: Calendar,
) -> OrderReference:
    """The order of the trouble's cause that is not closed, or a new one; see :func:`answer`.

    An order is as urgent as the most urgent trouble that it answers.
    """
    row = _of_cause(entry, trouble.equipment, trouble.cause_key)
    if row is None:
        working = calendar if runs_in_working_time(trouble.priority) else None
        return _create(entry, trouble, terms, due_of(at, terms.complete_within, now, working))
    if row["state"] == OrderState.COMPLETED:
        _relapse(entry, row, trouble, now, calendar)
    else:
        _step(entry, row, OrderEvent.JOIN, trouble.at, why=trouble.id)
    if trouble.priority.rank < Priority(row["priority"]).rank:
        _escalate(entry, row["id"], trouble, terms, at=at, now=now, calendar=calendar)
    return OrderReference(id=row["id"], number=row["number"])


def accept(entry: Entry, row: RowMapping, *, by: str, now: Instant) -> None:
    """Raises ``IllegalTransitionError`` where the state does not allow it."""
    _step(entry, row, OrderEvent.ACCEPT, now.wall, by=by, accepted_at=now.wall, accepted_by=by)


def complete(entry: Entry, row: RowMapping, *, by: str, note: str, now: Instant) -> None:
    """Raises ``IllegalTransitionError`` where the state does not allow it."""
    _step(
        entry,
        row,
        OrderEvent.COMPLETE,
        now.wall,
        by=by,
        why=note,
        **instant_columns("completed", now),
        completed_by=by,
        note=note,
    )
    timers.cancel(entry, TimerKind.BREACH, row["id"])
    wait_for_close(entry, row["id"], now)


def wait_for_close(entry: Entry, order_id: str, now: Instant) -> None:
    """A completed order whose alarms are all gone begins its wait for a relapse."""
    row = find(entry, order_id)
    if row is None or row["state"] != OrderState.COMPLETED:
        return
    if not alarms.any_present(entry, order_id):
        timers.start(entry, TimerKind.CLOSE, order_id, now.plus(row["close_after"]))


def breach(entry: Entry, order_id: str, now: Instant) -> RowMapping | None:
    """The time allowed is over; the order, or None where nobody is waiting for it any more."""
    row = find(entry, order_id)
    if row is None or row["state"] not in RUNNING:
        return None
    _step(entry, row, OrderEvent.BREACH, now.wall, breached_at=now.wall)
    return row


def close(entry: Entry, order_id: str, now: Instant) -> None:
    """No relapse came; nothing happens where one of its alarms is there after all."""
    row = find(entry, order_id)
    if row is None or row["state"] != OrderState.COMPLETED or alarms.any_present(entry, order_id):
        return
    _step(entry, row, OrderEvent.CLOSE, now.wall, closed_at=now.wall)


def find(entry: Entry, order_id: str) -> RowMapping | None:
    query = select(work_order).where(
        work_order.c.site_id == entry.site, work_order.c.id == order_id
    )
    return entry.connection.execute(query).mappings().one_or_none()


def _of_cause(entry: Entry, equipment: str, cause_key: str) -> RowMapping | None:
    query = select(work_order).where(
        work_order.c.site_id == entry.site,
        work_order.c.equipment == equipment,
        work_order.c.cause_key == cause_key,
        work_order.c.state.in_(NOT_CLOSED),
    )
    return entry.connection.execute(query).mappings().one_or_none()


def _create(entry: Entry, trouble: Trouble, terms: OrderTerms, due: Instant) -> OrderReference:
    new = step(OrderState.NEW, OrderEvent.CREATE, order=trouble.cause_key)
    number = entry.next_order_number()
    order_id = f"{trouble.id}.order"
    entry.connection.execute(
        insert(work_order).values(
            site_id=entry.site,
            id=order_id,
            number=number,
            equipment=trouble.equipment,
            equipment_name=words(trouble.equipment_name),
            area=trouble.area,
            category=terms.category,
            category_name=words(terms.category_name),
            title={
                "zh": f"{trouble.equipment_name.zh} {trouble.name.zh}",
                "en": f"{trouble.equipment_name.en}: {trouble.name.en}",
            },
            cause_key=trouble.cause_key,
            priority=trouble.priority.value,
            state=new.value,
            created_at=trouble.at,
            limit=terms.complete_within,
            **instant_columns("due", due),
            close_after=terms.close_after,
            finding=trouble.finding,
        )
    )
    timers.start(entry, TimerKind.BREACH, order_id, due)
    _note(entry, order_id, OrderEvent.CREATE, OrderState.NEW, new, at=trouble.at, why=trouble.id)
    return OrderReference(id=order_id, number=number)


def _relapse(
    entry: Entry, row: RowMapping, trouble: Trouble, now: Instant, calendar: Calendar
) -> None:
    working = calendar if runs_in_working_time(Priority(row["priority"])) else None
    due = resumed(instant(row, "due"), instant(row, "completed"), now, working)
    _step(
        entry,
        row,
        OrderEvent.RELAPSE,
        trouble.at,
        why=trouble.id,
        **instant_columns("due", due),
        **instant_columns("completed", None),
        completed_by=None,
    )
    timers.cancel(entry, TimerKind.CLOSE, row["id"])
    if row["breached_at"] is None:
        timers.start(entry, TimerKind.BREACH, row["id"], due)


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

    An order that has been breached stays so: its end is over already.
    """
    row = find(entry, order_id)
    assert row is not None
    columns: dict[str, Any] = {"priority": trouble.priority.value}
    working = calendar if runs_in_working_time(trouble.priority) else None
    due = due_of(at, terms.complete_within, now, working)
    is_earlier = due.since(instant(row, "due")) < 0
    if is_earlier:
        columns |= {"limit": terms.complete_within, **instant_columns("due", due)}
    _step(entry, row, OrderEvent.ESCALATE, trouble.at, why=trouble.id, **columns)
    if is_earlier and row["breached_at"] is None:
        timers.start(entry, TimerKind.BREACH, order_id, due)


def _step(
    entry: Entry,
    row: RowMapping,
    happened: OrderEvent,
    at: int,
    *,
    by: str | None = None,
    why: str | None = None,
    **columns: Any,
) -> None:
    old = OrderState(row["state"])
    new = step(old, happened, order=row["id"])
    entry.connection.execute(
        update(work_order)
        .where(work_order.c.site_id == entry.site, work_order.c.id == row["id"])
        .values(state=new.value, **columns)
    )
    _note(entry, row["id"], happened, old, new, at=at, by=by, why=why)


def _note(
    entry: Entry,
    order_id: str,
    happened: OrderEvent,
    old: OrderState,
    new: OrderState,
    *,
    at: int,
    by: str | None = None,
    why: str | None = None,
) -> None:
    entry.connection.execute(
        insert(order_event).values(
            site_id=entry.site,
            change=entry.changed(ChangeKind.ORDER, order_id, at),
            order_id=order_id,
            at=at,
            event=happened.value,
            from_state=old.value,
            to_state=new.value,
            by=by,
            why=why,
        )
    )

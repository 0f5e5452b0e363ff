"""The rows of a work order: finding them, and the one way to take a step."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from rules.ledger.order_view import clock_of, pause_of
from rules.ledger.rows import ChangeKind, instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.orders import (
    NOT_OVER,
    order_clock,
    order_event,
    order_pause,
    work_order,
)
from rules.orders.clock import Clock, ClockName, Pause
from rules.orders.lifecycle import RESUMING, OrderEvent, OrderState, step

_FIND = select(work_order).where(
    work_order.c.site_id == bindparam("site"), work_order.c.id == bindparam("order")
)
_OF_CAUSE = select(work_order).where(
    work_order.c.site_id == bindparam("site"),
    work_order.c.equipment == bindparam("thing"),
    work_order.c.cause_key == bindparam("cause"),
    NOT_OVER,
)
_CLOCKS = select(order_clock).where(
    order_clock.c.site_id == bindparam("site"), order_clock.c.order_id == bindparam("order")
)


def find(entry: Entry, order_id: str) -> RowMapping | None:
    known = {"site": entry.site, "order": order_id}
    return entry.connection.execute(_FIND, known).mappings().one_or_none()


def of_cause(entry: Entry, equipment: str, cause_key: str) -> RowMapping | None:
    """The one order of the cause that is not over."""
    known = {"site": entry.site, "thing": equipment, "cause": cause_key}
    return entry.connection.execute(_OF_CAUSE, known).mappings().one_or_none()


def move(
    entry: Entry,
    row: RowMapping,
    happened: OrderEvent,
    at: int,
    *,
    by: str | None = None,
    why: str | None = None,
    **columns: Any,
) -> RowMapping:
    """The row after the step; raises ``IllegalTransitionError``, and then nothing has changed."""
    old = OrderState(row["state"])
    new = step(old, happened, order=row["id"])
    entry.connection.execute(
        update(work_order)
        .where(work_order.c.site_id == entry.site, work_order.c.id == row["id"])
        .values(state=new.value, **columns)
    )
    note(entry, row["id"], happened, old, new, at=at, by=by, why=why)
    after = find(entry, row["id"])
    assert after is not None
    return after


def resuming(entry: Entry, row: RowMapping) -> OrderEvent:
    """The event by which the order, which is suspended, goes back to where it was."""
    query = (
        select(order_event.c.from_state)
        .where(
            order_event.c.site_id == entry.site,
            order_event.c.order_id == row["id"],
            order_event.c.event == OrderEvent.SUSPEND.value,
        )
        .order_by(order_event.c.change.desc())
        .limit(1)
    )
    was = entry.connection.execute(query).scalar_one_or_none()
    # Of one that never was suspended the table says that it cannot go on.
    return OrderEvent.RESUME if was is None else RESUMING[OrderState(was)]


def note(
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
    entry.add(
        order_event,
        change=entry.changed(ChangeKind.ORDER, order_id, at),
        order_id=order_id,
        at=at,
        event=happened.value,
        from_state=old.value,
        to_state=new.value,
        by=by,
        why=why,
    )


def clocks_of(entry: Entry, order_id: str) -> dict[ClockName, Clock]:
    """In the order in which they end: responding comes first."""
    known = {"site": entry.site, "order": order_id}
    rows = {row["name"]: row for row in entry.connection.execute(_CLOCKS, known).mappings()}
    return {name: clock_of(rows[name]) for name in ClockName if name in rows}


def save_clock(entry: Entry, order_id: str, clock: Clock) -> None:
    columns = {
        "order_id": order_id,
        "name": clock.name.value,
        "limit": clock.limit,
        "calendar": clock.calendar.value,
        **instant_columns("started", clock.started),
        **instant_columns("due", clock.due),
        **instant_columns("stopped", clock.stopped),
        "breached_at": clock.breached_at,
        "steps_taken": clock.steps_taken,
    }
    entry.put(order_clock, [columns])


def pauses_of(entry: Entry, order_id: str) -> list[Pause]:
    """Oldest first."""
    query = (
        select(order_pause)
        .where(order_pause.c.site_id == entry.site, order_pause.c.order_id == order_id)
        .order_by(order_pause.c.number)
    )
    return [pause_of(row) for row in entry.connection.execute(query).mappings()]


def add_pause(entry: Entry, order_id: str, pause: Pause) -> None:
    number = len(pauses_of(entry, order_id)) + 1
    entry.add(
        order_pause,
        order_id=order_id,
        number=number,
        **instant_columns("from", pause.start),
        **instant_columns("to", pause.end),
        why=pause.why,
    )

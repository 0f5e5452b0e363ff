"""Writing alarms: every step goes through the life-cycle table and leaves an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from rules.alarms.lifecycle import PRESENT, AlarmEvent, AlarmState, step
from rules.ledger.rows import Alarm, ChangeKind, alarm_columns
from rules.ledger.store import Entry
from rules.ledger.tables.work import alarm, alarm_event


def record(entry: Entry, raised: Alarm) -> bool:
    """Write a new occurrence; False if it has been written before, and then nothing happens."""
    new = step(AlarmState.NORMAL, AlarmEvent.RAISE, alarm=raised.id)
    if not entry.insert_once(alarm, **alarm_columns(raised)):
        return False
    _note(entry, raised.id, AlarmEvent.RAISE, AlarmState.NORMAL, new, at=raised.raised_at)
    return True


def join_order(entry: Entry, alarm_id: str, order_id: str) -> None:
    entry.connection.execute(
        update(alarm)
        .where(alarm.c.site_id == entry.site, alarm.c.id == alarm_id)
        .values(order_id=order_id)
    )


def clear(entry: Entry, alarm_id: str, at: int) -> bool:
    """The condition has returned; False if that has been written before."""
    state = state_of(entry, alarm_id)
    if state is None or not state.present:
        return False
    _step(entry, alarm_id, state, AlarmEvent.CLEAR, at, cleared_at=at)
    return True


def withdraw(entry: Entry, alarm_id: str, state: AlarmState, *, why: str, at: int) -> None:
    """Nothing judges its condition any more."""
    _step(entry, alarm_id, state, AlarmEvent.WITHDRAW, at, why=why, cleared_at=at)


def present(entry: Entry) -> Sequence[RowMapping]:
    """``id``, ``rule``, ``equipment``, ``state`` of every alarm whose condition is there."""
    query = (
        select(alarm.c.id, alarm.c.rule, alarm.c.equipment, alarm.c.state)
        .where(alarm.c.site_id == entry.site, alarm.c.state.in_(PRESENT))
        .order_by(alarm.c.raised_at, alarm.c.id)
    )
    return entry.connection.execute(query).mappings().all()


def acknowledge(
    entry: Entry, alarm_id: str, state: AlarmState, *, by: str, note: str | None, at: int
) -> None:
    """Raises ``IllegalTransitionError`` where ``state`` does not allow it."""
    _step(
        entry,
        alarm_id,
        state,
        AlarmEvent.ACKNOWLEDGE,
        at,
        by=by,
        why=note,
        acknowledged_at=at,
        acknowledged_by=by,
        note=note,
    )


def state_of(entry: Entry, alarm_id: str) -> AlarmState | None:
    query = select(alarm.c.state).where(alarm.c.site_id == entry.site, alarm.c.id == alarm_id)
    state = entry.connection.execute(query).scalar_one_or_none()
    return None if state is None else AlarmState(state)


def order_of(entry: Entry, alarm_id: str) -> str | None:
    query = select(alarm.c.order_id).where(alarm.c.site_id == entry.site, alarm.c.id == alarm_id)
    return entry.connection.execute(query).scalar_one_or_none()


def any_present(entry: Entry, order_id: str) -> bool:
    """Whether the condition of one of the order's alarms is still there."""
    query = (
        select(alarm.c.id)
        .where(alarm.c.site_id == entry.site, alarm.c.order_id == order_id)
        .where(alarm.c.state.in_(PRESENT))
        .limit(1)
    )
    return entry.connection.execute(query).first() is not None


def _step(
    entry: Entry,
    alarm_id: str,
    state: AlarmState,
    happened: AlarmEvent,
    at: int,
    *,
    by: str | None = None,
    why: str | None = None,
    **columns: Any,
) -> None:
    new = step(state, happened, alarm=alarm_id)
    entry.connection.execute(
        update(alarm)
        .where(alarm.c.site_id == entry.site, alarm.c.id == alarm_id)
        .values(state=new.value, **columns)
    )
    _note(entry, alarm_id, happened, state, new, at=at, by=by, why=why)


def _note(
    entry: Entry,
    alarm_id: str,
    happened: AlarmEvent,
    old: AlarmState,
    new: AlarmState,
    *,
    at: int,
    by: str | None = None,
    why: str | None = None,
) -> None:
    entry.connection.execute(
        insert(alarm_event).values(
            site_id=entry.site,
            change=entry.changed(ChangeKind.ALARM, alarm_id, at),
            alarm_id=alarm_id,
            at=at,
            event=happened.value,
            from_state=old.value,
            to_state=new.value,
            by=by,
            why=why,
        )
    )

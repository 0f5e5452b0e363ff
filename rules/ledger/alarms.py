"""Writing alarms: every step goes through the life-cycle table and leaves an event.

One that flaps steps more often than anybody can read. After the first few its steps are counted
and told of together, once a minute; where it stands, and how often it came, is always right.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, select, update

from gateway.model.moment import MINUTE, Instant
from rules.alarms.lifecycle import NOT_CLOSED, PRESENT, AlarmEvent, AlarmState, step
from rules.ledger import timers
from rules.ledger.rows import Alarm, ChangeKind, alarm_columns
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.ledger.timers import TimerKind

TOLD_EACH = 3
"""So often an alarm comes up before its further coming and going is told of together."""
TOLD_EVERY = MINUTE
"""µs between two tellings then."""
_COMES_AND_GOES = frozenset(
    {
        AlarmEvent.RELAPSE,
        AlarmEvent.CLEAR,
        AlarmEvent.SHELVE,
        AlarmEvent.SUPPRESS,
        AlarmEvent.TAKE_OUT,
    }
)
_LOOKED_AT = 8
"""Rows of one rule on one piece of equipment; of an older ledger several may be not closed."""
_NAMED_AT_MOST = 500
"""Pieces of equipment in one question; of more, all are asked for."""
_NEEDS_NO_ORDER = AlarmState.SUPPRESSED.value
_FROM_NOTHING = {
    AlarmEvent.RAISE: AlarmState.UNACKNOWLEDGED,
    AlarmEvent.SHELVE: AlarmState.SHELVED,
    AlarmEvent.SUPPRESS: AlarmState.SUPPRESSED,
    AlarmEvent.TAKE_OUT: AlarmState.OUT_OF_SERVICE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What has to be known of an alarm to take it further."""

    id: str
    rule: str
    equipment: str
    state: AlarmState
    occurrence: str
    """The newest that it took."""
    first_reading_at: int
    raised_at: int
    cleared_at: int | None
    last_raised_at: int | None
    count: int
    life_safety: bool
    latches: bool
    holds: int | None
    explained_by: str | None
    closed_from: str | None
    order_id: str | None
    told_at: int
    untold: int


_COLUMNS = tuple(alarm.c[field.name] for field in fields(Standing))
_NEWEST = (
    select(*_COLUMNS)
    .where(
        alarm.c.site_id == bindparam("site"),
        alarm.c.equipment == bindparam("thing"),
        alarm.c.rule == bindparam("rule"),
    )
    # As the index has it; of two at one time the order is found below.
    .order_by(alarm.c.raised_at.desc())
    .limit(_LOOKED_AT)
)
_OF_OCCURRENCE = select(*_COLUMNS).where(
    alarm.c.site_id == bindparam("site"), alarm.c.occurrence == bindparam("taken")
)
_SET = update(alarm).where(alarm.c.site_id == bindparam("site"), alarm.c.id == bindparam("alarm"))


def record(
    entry: Entry,
    raised: Alarm,
    happened: AlarmEvent = AlarmEvent.RAISE,
    *,
    explained_by: str | None = None,
) -> Standing | None:
    """Write a new alarm; None if it has been written before, and then nothing happens.

    ``happened``: what becomes of it at once.
    """
    new = step(AlarmState.NORMAL, happened, alarm=raised.id)
    raised = replace(raised, state=new)
    own = {"occurrence": raised.id, "explained_by": explained_by, "told_at": raised.raised_at}
    columns = {**alarm_columns(raised), **own}
    if not entry.insert_once(alarm, **columns):
        return None
    why = explained_by
    _note(entry, raised.id, happened, AlarmState.NORMAL, new, at=raised.raised_at, why=why)
    known = {field.name: columns.get(field.name) for field in fields(Standing)}
    return Standing(**{**known, "state": new, "untold": 0})  # type: ignore[arg-type]


def take(
    entry: Entry,
    standing: Standing,
    happened: AlarmEvent,
    now: Instant,
    *,
    at: int | None = None,
    by: str | None = None,
    why: str | None = None,
    **columns: Any,
) -> Standing:
    """One step further; ``at``: when it happened, if that was not now.

    Raises ``IllegalTransitionError`` where its state does not allow it.
    """
    old = standing.state
    # What nobody was called for begins again from nothing, on the same row.
    begins = old is AlarmState.CLOSED and happened in _FROM_NOTHING
    new = step(AlarmState.NORMAL if begins else old, happened, alarm=standing.id)
    when = now.wall if at is None else at
    if happened in _COMES_AND_GOES and by is None and _is_hushed(standing, when):
        if standing.untold == 0:
            due = now.plus(TOLD_EVERY)
            timers.start(entry, TimerKind.TELL, standing.id, due, allowed=TOLD_EVERY)
        return _set(entry, standing, state=new, untold=standing.untold + 1, **columns)
    _note(entry, standing.id, happened, old, new, at=when, by=by, why=why)
    return _set(entry, standing, state=new, told_at=when, **columns)


def acknowledge(
    entry: Entry, standing: Standing, *, by: str, note: str | None, now: Instant
) -> Standing:
    """Somebody has seen it. Raises ``IllegalTransitionError`` where its state does not allow it."""
    returned = standing.state is AlarmState.RETURNED_UNACKNOWLEDGED
    stays = returned and standing.latches
    return take(
        entry,
        standing,
        AlarmEvent.LATCH if stays else AlarmEvent.ACKNOWLEDGE,
        now,
        by=by,
        why=note,
        note=note,
        **seen(by, now),
    )


def seen(by: str, now: Instant) -> dict[str, Any]:
    return {"acknowledged_at": now.wall, "acknowledged_by": by}


def let_expire(entry: Entry, standing: Standing, now: Instant) -> None:
    """Its acknowledgement holds for its time, from now."""
    if standing.state is AlarmState.ACKNOWLEDGED and standing.holds is not None:
        due = now.plus(standing.holds)
        timers.start(entry, TimerKind.ACK_EXPIRES, standing.id, due, allowed=standing.holds)


def adopt(entry: Entry, standing: Standing, occurrence: str) -> Standing:
    """It is there, and what ends this occurrence shall end it."""
    return _set(entry, standing, occurrence=occurrence)


def explain(entry: Entry, standing: Standing, by: str) -> Standing:
    """Another alarm explains it from now on."""
    changed = _set(entry, standing, explained_by=by)
    touch(entry, standing.id, standing.told_at)
    return changed


def touch(entry: Entry, alarm_id: str, at: int) -> int:
    """Something that is shown of it is different, without a step of its own."""
    return entry.changed(ChangeKind.ALARM, alarm_id, at)


def tell(entry: Entry, alarm_id: str, now: Instant) -> None:
    """Write down what it did since it was last told of."""
    standing = find(entry, alarm_id)
    if standing is None or standing.untold == 0:
        return
    happened = AlarmEvent.RELAPSE if standing.state.present else AlarmEvent.CLEAR
    why = f"{standing.untold} steps since"
    state = standing.state
    _note(entry, alarm_id, happened, state, state, at=now.wall, why=why)
    _set(entry, standing, told_at=now.wall, untold=0)


def join_order(entry: Entry, alarm_id: str, order_id: str) -> None:
    known = {"site": entry.site, "alarm": alarm_id}
    entry.connection.execute(_SET, {**known, "order_id": order_id})


def find(entry: Entry, alarm_id: str) -> Standing | None:
    found = _standing(entry, alarm.c.id == alarm_id)
    return found[0] if found else None


def of_occurrence(entry: Entry, occurrence: str) -> Standing | None:
    """The alarm whose newest occurrence this is."""
    known = {"site": entry.site, "taken": occurrence}
    row = entry.connection.execute(_OF_OCCURRENCE, known).mappings().one_or_none()
    return None if row is None else _of(row)


def newest(entry: Entry, rule: str, equipment: str) -> Standing | None:
    """The alarm of ``rule`` on ``equipment`` that is not closed, else the one closed last."""
    known = {"site": entry.site, "thing": equipment, "rule": rule}
    rows = [_of(row) for row in entry.connection.execute(_NEWEST, known).mappings()]
    rows.sort(key=lambda row: (row.raised_at, row.id), reverse=True)
    return next(
        (row for row in rows if row.state is not AlarmState.CLOSED), rows[0] if rows else None
    )


def of_rules(
    entry: Entry, rules: Collection[str], states: Sequence[AlarmState] = PRESENT
) -> list[Standing]:
    return _standing(entry, alarm.c.state.in_(states), alarm.c.rule.in_(rules)) if rules else []


def unacknowledged_on(entry: Entry, equipment: Collection[str]) -> list[Standing]:
    """Those on any of ``equipment``."""
    mine = alarm.c.state == AlarmState.UNACKNOWLEDGED.value
    if len(equipment) > _NAMED_AT_MOST:
        return [one for one in _standing(entry, mine) if one.equipment in equipment]
    return _standing(entry, mine, alarm.c.equipment.in_(equipment))


def of_equipment(entry: Entry, equipment: str) -> list[Standing]:
    """Those of it that are not closed."""
    return _standing(entry, alarm.c.equipment == equipment, alarm.c.state.in_(NOT_CLOSED))


def explained_by(entry: Entry, cause: str) -> list[Standing]:
    """What ``cause`` explains at present."""
    suppressed = alarm.c.state == AlarmState.SUPPRESSED.value
    return _standing(entry, suppressed, alarm.c.explained_by == cause)


def not_closed(entry: Entry) -> list[Standing]:
    return _standing(entry, alarm.c.state.in_(NOT_CLOSED))


def order_of(entry: Entry, alarm_id: str) -> str | None:
    query = select(alarm.c.order_id).where(_is(entry, alarm_id))
    return entry.connection.execute(query).scalar_one_or_none()


def any_present(entry: Entry, order_id: str) -> bool:
    """Whether one of the order's alarms is still there, and not merely an effect of another."""
    query = (
        select(alarm.c.id)
        .where(alarm.c.site_id == entry.site, alarm.c.order_id == order_id)
        .where(alarm.c.state.in_(PRESENT), alarm.c.state != _NEEDS_NO_ORDER)
        .limit(1)
    )
    return entry.connection.execute(query).first() is not None


def _is_hushed(standing: Standing, at: int) -> bool:
    """Where some of its steps wait to be told, the next ones wait with them."""
    is_soon = standing.untold > 0 or 0 <= at - standing.told_at < TOLD_EVERY
    return standing.count > TOLD_EACH and is_soon


def _set(entry: Entry, standing: Standing, **columns: Any) -> Standing:
    entry.connection.execute(_SET, {"site": entry.site, "alarm": standing.id, **columns})
    known = {name: value for name, value in columns.items() if name in Standing.__slots__}
    return replace(standing, **known)


def _is(entry: Entry, alarm_id: str) -> ColumnElement[bool]:
    return (alarm.c.site_id == entry.site) & (alarm.c.id == alarm_id)


def _standing(entry: Entry, *where: ColumnElement[bool]) -> list[Standing]:
    """Oldest first."""
    query = select(*_COLUMNS).where(alarm.c.site_id == entry.site, *where)
    rows = entry.connection.execute(query.order_by(alarm.c.raised_at, alarm.c.id)).mappings()
    return [_of(row) for row in rows]


def _of(row: RowMapping) -> Standing:
    return Standing(**{**row, "state": AlarmState(row["state"])})


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
    entry.add(
        alarm_event,
        change=entry.changed(ChangeKind.ALARM, alarm_id, at),
        alarm_id=alarm_id,
        at=at,
        event=happened.value,
        from_state=old.value,
        to_state=new.value,
        by=by,
        why=why,
    )

"""Writing planned tests: their steps and their sheets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select, update

from gateway.model.moment import Instant
from rules.ledger import timers
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.planned_tests import (
    planned_test,
    planned_test_event,
    planned_test_row,
)
from rules.ledger.tables.work import timer
from rules.ledger.timers import LIFE_SAFETY, TimerKind
from rules.planned_tests import (
    NOT_OVER,
    PlannedEvent,
    PlannedState,
    Running,
    is_over,
    step,
)

_NAMED_AT_MOST = 10
"""Missing alarms that the history names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTest:
    id: str
    name: str
    area: str
    tester: str
    starts_at: int
    """µs UTC."""
    ends_at: int
    note: str | None
    sheet: Sequence[tuple[str, str]]
    """(equipment, rule), each once."""


def plan(entry: Entry, new: NewTest, *, by: str, now: Instant) -> None:
    entry.add(
        planned_test,
        id=new.id,
        name=new.name,
        area=new.area,
        tester=new.tester,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        state=PlannedState.PLANNED.value,
        note=new.note,
        created_at=now.wall,
        created_by=by,
    )
    for position, (equipment, rule) in enumerate(new.sheet):
        about = {"test_id": new.id, "equipment": equipment, "rule": rule}
        entry.add(planned_test_row, position=position, **about)
    wait = max(0, new.starts_at - now.wall)
    _start_timer(entry, TimerKind.TEST_STARTS, new.id, now, wait)
    row = find(entry, new.id)
    assert row is not None
    note(entry, row, PlannedEvent.PLAN, at=now.wall, by=by, why=new.note)


def find(entry: Entry, test_id: str) -> RowMapping | None:
    query = select(planned_test).where(_is(entry, test_id))
    return entry.connection.execute(query).mappings().one_or_none()


def begin(entry: Entry, row: RowMapping, now: Instant) -> None:
    """It runs until its end, and however wrong a clock is, no longer than it was planned for."""
    _move(entry, row, PlannedEvent.START, now, started_at=now.wall)
    left = min(max(0, row["ends_at"] - now.wall), row["ends_at"] - row["starts_at"])
    _start_timer(entry, TimerKind.TEST_ENDS, row["id"], now, left)


def end(entry: Entry, row: RowMapping, now: Instant, *, by: str | None, why: str | None) -> None:
    """It has passed where every alarm came that was expected."""
    query = (
        select(planned_test_row)
        .where(planned_test_row.c.site_id == entry.site, planned_test_row.c.test_id == row["id"])
        .order_by(planned_test_row.c.position)
    )
    sheet = entry.connection.execute(query).mappings().all()
    missing = [f"{one['equipment']} {one['rule']}" for one in sheet if one["came_at"] is None]
    said = [] if why is None else [why]
    if missing:
        more = len(missing) - _NAMED_AT_MOST
        names = ", ".join(missing[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        said.append(f"missing: {names}")
    happened = is_over([one["came_at"] for one in sheet])
    _move(entry, row, happened, now, by=by, why="; ".join(said) or None, ended_at=now.wall)
    _stop_timers(entry, row["id"])


def cancel(entry: Entry, row: RowMapping, now: Instant, *, by: str, why: str) -> None:
    _move(entry, row, PlannedEvent.CANCEL, now, by=by, why=why, ended_at=now.wall)
    _stop_timers(entry, row["id"])


def running(entry: Entry) -> list[Running]:
    """The tests that run, the first first."""
    query = (
        select(planned_test, planned_test_row.c.equipment, planned_test_row.c.rule)
        .join(planned_test_row, _same_test(planned_test_row))
        .where(planned_test.c.site_id == entry.site)
        .where(planned_test.c.state == PlannedState.RUNNING.value)
        .order_by(planned_test.c.started_at, planned_test.c.id)
    )
    rows: dict[str, RowMapping] = {}
    sheets: dict[str, set[tuple[str, str]]] = {}
    for row in entry.connection.execute(query).mappings():
        rows[row["id"]] = row
        sheets.setdefault(row["id"], set()).add((row["equipment"], row["rule"]))
    return [
        Running(
            id=row["id"],
            area=row["area"],
            started_at=row["started_at"],
            ends_at=row["ends_at"],
            sheet=frozenset(sheets[row["id"]]),
        )
        for row in rows.values()
    ]


def without_end(entry: Entry) -> list[str]:
    """Ids of tests that run and have lost the timer that would end them."""
    ends = select(timer.c.subject).where(
        timer.c.site_id == entry.site, timer.c.kind == TimerKind.TEST_ENDS.value
    )
    query = select(planned_test.c.id).where(
        planned_test.c.site_id == entry.site,
        planned_test.c.state == PlannedState.RUNNING.value,
        planned_test.c.id.not_in(ends),
    )
    return list(entry.connection.execute(query).scalars())


def sharing(
    entry: Entry,
    equipment: Collection[str],
    *,
    states: Sequence[PlannedState] = NOT_OVER,
    within: tuple[int, int] | None = None,
) -> str | None:
    """The name of a test with any of ``equipment``; ``within``: at some time from … to … (µs
    UTC)."""
    row = _sharing(entry, equipment, states, within)
    return None if row is None else str(row["name"])


def running_with(entry: Entry, test_id: str) -> RowMapping | None:
    """Another test that runs and shares equipment with this one."""
    query = select(planned_test_row.c.equipment).where(
        planned_test_row.c.site_id == entry.site, planned_test_row.c.test_id == test_id
    )
    mine = set(entry.connection.execute(query).scalars())
    row = _sharing(entry, mine, (PlannedState.RUNNING,), None)
    return None if row is None or row["id"] == test_id else row


def has_equipment(entry: Entry, test_id: str, equipment: str) -> bool:
    query = select(planned_test_row.c.rule).where(
        planned_test_row.c.site_id == entry.site,
        planned_test_row.c.test_id == test_id,
        planned_test_row.c.equipment == equipment,
    )
    return entry.connection.execute(query.limit(1)).first() is not None


def tick(entry: Entry, test_id: str, *, equipment: str, rule: str, alarm_id: str, at: int) -> None:
    """The alarm came that this row expects; the first counts."""
    ticked = entry.connection.execute(
        update(planned_test_row)
        .where(
            planned_test_row.c.site_id == entry.site,
            planned_test_row.c.test_id == test_id,
            planned_test_row.c.equipment == equipment,
            planned_test_row.c.rule == rule,
            planned_test_row.c.came_at.is_(None),
        )
        .values(came_at=at, alarm_id=alarm_id)
    ).rowcount
    row = find(entry, test_id)
    if ticked and row is not None:
        note(entry, row, PlannedEvent.TICK, at=at, why=f"{equipment} {rule}")


def note(
    entry: Entry,
    row: RowMapping,
    happened: PlannedEvent,
    *,
    at: int,
    by: str | None = None,
    why: str | None = None,
) -> PlannedState:
    """A step in the history of the test ``row``, which is told; the state that it leads to."""
    old = PlannedState(row["state"])
    new = step(old, happened, test=row["id"])
    entry.add(
        planned_test_event,
        change=entry.changed(ChangeKind.PLANNED_TEST, row["id"], at),
        test_id=row["id"],
        at=at,
        event=happened.value,
        from_state=old.value,
        to_state=new.value,
        by=by,
        why=why,
    )
    return new


def _sharing(
    entry: Entry,
    equipment: Collection[str],
    states: Sequence[PlannedState],
    within: tuple[int, int] | None,
) -> RowMapping | None:
    query = (
        select(planned_test)
        .join(planned_test_row, _same_test(planned_test_row))
        .where(planned_test.c.site_id == entry.site)
        .where(planned_test.c.state.in_([state.value for state in states]))
        .where(planned_test_row.c.equipment.in_(equipment))
        .order_by(planned_test.c.starts_at, planned_test.c.id)
    )
    if within is not None:
        start, end = within
        query = query.where(planned_test.c.starts_at < end, planned_test.c.ends_at > start)
    return entry.connection.execute(query.limit(1)).mappings().one_or_none()


def _move(
    entry: Entry,
    row: RowMapping,
    happened: PlannedEvent,
    now: Instant,
    *,
    by: str | None = None,
    why: str | None = None,
    **columns: Any,
) -> None:
    new = note(entry, row, happened, at=now.wall, by=by, why=why)
    entry.connection.execute(
        update(planned_test).where(_is(entry, row["id"])).values(state=new.value, **columns)
    )


def _start_timer(entry: Entry, kind: TimerKind, test_id: str, now: Instant, wait: int) -> None:
    timers.start(entry, kind, test_id, now.plus(wait), allowed=wait, rank=LIFE_SAFETY)


def _stop_timers(entry: Entry, test_id: str) -> None:
    for kind in (TimerKind.TEST_STARTS, TimerKind.TEST_ENDS):
        timers.cancel(entry, kind, test_id)


def _is(entry: Entry, test_id: str) -> ColumnElement[bool]:
    return (planned_test.c.site_id == entry.site) & (planned_test.c.id == test_id)


def _same_test(table: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = (planned_test.c.site_id == table.c.site_id) & (
        planned_test.c.id == table.c.test_id
    )
    return same

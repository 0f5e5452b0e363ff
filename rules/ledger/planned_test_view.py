"""Reading planned tests: each with its sheet, and what it holds now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, and_, or_, select

from rules.ledger.rows import LifecycleEvent, event_of
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.planned_tests import (
    alarm_test,
    planned_test,
    planned_test_event,
    planned_test_row,
)
from rules.ledger.view import View
from rules.planned_tests import WAITING, Hold, PlannedState


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetRow:
    equipment: str
    rule: str
    came_at: int | None
    """µs UTC; None: it has not come."""
    alarm: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnderTest:
    """A piece of equipment of which an alarm is held, or confirmed."""

    held_until: int | None
    confirmed_at: int | None
    confirmed_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedTest:
    """All times are µs UTC."""

    id: str
    name: str
    area: str
    tester: str
    starts_at: int
    ends_at: int
    state: PlannedState
    note: str | None
    created_at: int
    created_by: str
    started_at: int | None
    ended_at: int | None
    sheet: tuple[SheetRow, ...]
    """In the order in which they were planned."""
    under_test: Mapping[str, UnderTest]
    """By equipment; nothing of what stands by."""


def planned_tests(
    view: View,
    *,
    states: Sequence[str] | None = None,
    limit: int | None = None,
    before: tuple[int, str] | None = None,
) -> list[PlannedTest]:
    """Those that begin last first; ``before``: (starts_at, id) of the last one seen."""
    query = select(planned_test).where(planned_test.c.site_id == view.site)
    if states is not None:
        query = query.where(planned_test.c.state.in_(states))
    if before is not None:
        at, last = before
        earlier = and_(planned_test.c.starts_at == at, planned_test.c.id < last)
        query = query.where(or_(planned_test.c.starts_at < at, earlier))
    query = query.order_by(planned_test.c.starts_at.desc(), planned_test.c.id.desc())
    rows = view.connection.execute(query.limit(limit)).mappings().all()
    return _whole(view, rows)


def planned_test_with(view: View, test_id: str) -> PlannedTest | None:
    query = select(planned_test).where(
        planned_test.c.site_id == view.site, planned_test.c.id == test_id
    )
    found = _whole(view, view.connection.execute(query).mappings().all())
    return found[0] if found else None


def events(view: View, test_id: str) -> list[LifecycleEvent]:
    """Oldest first."""
    query = (
        select(planned_test_event)
        .where(planned_test_event.c.site_id == view.site)
        .where(planned_test_event.c.test_id == test_id)
        .order_by(planned_test_event.c.change)
    )
    return [event_of(row) for row in view.connection.execute(query).mappings()]


def _whole(view: View, rows: Sequence[RowMapping]) -> list[PlannedTest]:
    ids = [row["id"] for row in rows]
    sheets, holds = _sheets(view, ids), _holds(view, ids)
    return [
        PlannedTest(
            id=row["id"],
            name=row["name"],
            area=row["area"],
            tester=row["tester"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            state=PlannedState(row["state"]),
            note=row["note"],
            created_at=row["created_at"],
            created_by=row["created_by"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            sheet=tuple(sheets.get(row["id"], ())),
            under_test=holds.get(row["id"], {}),
        )
        for row in rows
    ]


def _sheets(view: View, ids: Sequence[str]) -> dict[str, list[SheetRow]]:
    query = (
        select(planned_test_row)
        .where(planned_test_row.c.site_id == view.site, planned_test_row.c.test_id.in_(ids))
        .order_by(planned_test_row.c.position)
    )
    sheets: dict[str, list[SheetRow]] = {}
    for row in view.connection.execute(query).mappings():
        sheets.setdefault(row["test_id"], []).append(
            SheetRow(
                equipment=row["equipment"],
                rule=row["rule"],
                came_at=row["came_at"],
                alarm=row["alarm_id"],
            )
        )
    return sheets


def _holds(view: View, ids: Sequence[str]) -> dict[str, dict[str, UnderTest]]:
    """By test and equipment; of several alarms of one, the one that is held."""
    query = (
        select(alarm_test, alarm.c.equipment)
        .join(
            alarm,
            and_(alarm.c.site_id == alarm_test.c.site_id, alarm.c.id == alarm_test.c.alarm_id),
        )
        .where(alarm_test.c.site_id == view.site, alarm_test.c.test_id.in_(ids))
        .where(alarm_test.c.hold.in_([hold.value for hold in WAITING]))
        .order_by(alarm_test.c.hold, alarm_test.c.until_wall.desc())
    )
    found: dict[str, dict[str, UnderTest]] = {}
    for row in view.connection.execute(query).mappings():
        # "held" comes behind "confirmed", and the one that ends first last.
        found.setdefault(row["test_id"], {})[row["equipment"]] = UnderTest(
            held_until=row["until_wall"] if row["hold"] == Hold.HELD else None,
            confirmed_at=row["confirmed_at"],
            confirmed_by=row["confirmed_by"],
        )
    return found

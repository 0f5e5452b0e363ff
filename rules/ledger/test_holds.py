"""What planned tests hold: rows that say until when, so that there is no timer to lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from gateway.model.moment import Instant
from rules.alarms.lifecycle import AlarmState
from rules.ledger.rows import ChangeKind, instant, instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.planned_tests import alarm_test, planned_test
from rules.planned_tests import WAITING, Hold, HoldEvent, PlannedState, step_hold

_SEEN = (AlarmState.UNACKNOWLEDGED.value, AlarmState.ACKNOWLEDGED.value)
_ITS_TEST = (planned_test.c.site_id == alarm_test.c.site_id) & (
    planned_test.c.id == alarm_test.c.test_id
)
_ITS_ALARM = (alarm.c.site_id == alarm_test.c.site_id) & (alarm.c.id == alarm_test.c.alarm_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """An alarm that a test holds, or has held."""

    alarm: str
    test: str
    area: str
    equipment: str
    hold: Hold
    until: Instant
    runs: bool
    """Whether its test does."""
    life_safety: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Up:
    """An alarm that is there, is seen, and may mean fire: it is about life safety, or a test's."""

    alarm: str
    equipment: str
    hold: Hold | None
    """None: of no test that runs."""


def waiting(entry: Entry) -> list[Held]:
    """What is held or confirmed, and has called nobody yet; the first first."""
    words = [hold.value for hold in WAITING]
    return _held(entry, alarm_test.c.hold.in_(words))


def hold_of(entry: Entry, alarm_id: str) -> Held | None:
    found = _held(entry, alarm_test.c.alarm_id == alarm_id)
    return found[0] if found else None


def hold(
    entry: Entry, alarm_id: str, test_id: str, state: Hold, *, until: Instant, now: Instant
) -> None:
    """A test's alarm comes up, or comes back: whatever it was before, it begins anew."""
    columns = {"alarm_id": alarm_id, "test_id": test_id, "hold": state.value}
    nobody = {"confirmed_at": None, "confirmed_by": None}
    entry.put(alarm_test, [{**columns, **instant_columns("until", until), **nobody}])
    entry.changed(ChangeKind.PLANNED_TEST, test_id, now.wall)


def take(entry: Entry, held: Held, happened: HoldEvent, **columns: Any) -> Hold:
    """One step further; raises ``IllegalTransitionError``."""
    new = step_hold(held.hold, happened, alarm=held.alarm)
    entry.connection.execute(
        update(alarm_test)
        .where(alarm_test.c.site_id == entry.site, alarm_test.c.alarm_id == held.alarm)
        .values(hold=new.value, **columns)
    )
    return new


def forget(entry: Entry, alarm_id: str) -> None:
    """It is no test's alarm any more."""
    here = (alarm_test.c.site_id == entry.site, alarm_test.c.alarm_id == alarm_id)
    entry.connection.execute(delete(alarm_test).where(*here))


def up_in(entry: Entry, area: str) -> list[Up]:
    """What is there in ``area`` and seen, may mean fire, and is not confirmed."""
    query = (
        select(alarm.c.id, alarm.c.equipment, alarm.c.life_safety, alarm_test.c.hold)
        .add_columns(planned_test.c.state.label("test_state"))
        .join_from(alarm, alarm_test, _ITS_ALARM, isouter=True)
        .outerjoin(planned_test, _ITS_TEST)
        .where(alarm.c.site_id == entry.site, alarm.c.state.in_(_SEEN), alarm.c.area == area)
    )
    found = []
    for row in entry.connection.execute(query).mappings():
        runs = row["test_state"] == PlannedState.RUNNING
        state = Hold(row["hold"]) if runs else None
        if state is Hold.CONFIRMED:
            continue
        if state not in (Hold.HELD, Hold.CALLED):
            state = None
        if state is not None or row["life_safety"]:
            found.append(Up(alarm=row["id"], equipment=row["equipment"], hold=state))
    return found


def _held(entry: Entry, where: ColumnElement[bool]) -> list[Held]:
    query = (
        select(alarm_test, alarm.c.equipment, alarm.c.life_safety, planned_test.c.area)
        .add_columns(planned_test.c.state.label("test_state"))
        .join_from(alarm_test, alarm, _ITS_ALARM)
        .join(planned_test, _ITS_TEST)
        .where(alarm_test.c.site_id == entry.site, where)
        .order_by(alarm_test.c.until_wall, alarm_test.c.alarm_id)
    )
    return [
        Held(
            alarm=row["alarm_id"],
            test=row["test_id"],
            area=row["area"],
            equipment=row["equipment"],
            hold=Hold(row["hold"]),
            until=instant(row, "until"),
            runs=row["test_state"] == PlannedState.RUNNING,
            life_safety=row["life_safety"],
        )
        for row in entry.connection.execute(query).mappings()
    ]

"""Versions of regimes, what late and missed rounds cause, downtime, and rounds of shifts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from duty_room import SITE, person
from inspections import CLEAN, LEAKS, at, regime, text, window
from round_desk import HERE, TODAY, Desk
from sqlalchemy import MetaData, func, insert, select
from staff import hire

from gateway.model.moment import HOUR, MINUTE
from rules.inspections import actions
from rules.inspections.judge import NewEntry
from rules.inspections.regime import (
    CatchUp,
    Late,
    Level,
    Missed,
    Regime,
    Severity,
    ShiftWindow,
)
from rules.ledger import regime_versions, round_view
from rules.ledger.store import Ledger, connect, migrate, open_ledger
from rules.ledger.tables import rounds as tables
from rules.people.roles import Role
from rules.shifts.actions import Plan, put_plan
from rules.shifts.duty import Team
from rules.shifts.rotation import Shift

ONE, OTHER = "11111111aaaa", "22222222bbbb"


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger=ledger)


def version(name: str, *items: object, **changes: object) -> Regime:
    made = regime("daily-pumps", *(items or (CLEAN,)), version=name, document=f"# {name}")  # type: ignore[arg-type]
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_changed_regime_applies_from_the_next_period(desk: Desk) -> None:
    """Of the round of today, planned at 07:00, neither times nor lines change any more."""
    desk.regimes = (version(ONE),)
    desk.tick()
    desk.go("2026-11-21 07:30")
    desk.regimes = (version(OTHER, LEAKS, window=window("09:00", "17:00", "24:00")),)
    desk.tick()
    desk.go("2026-11-21 08:00")
    desk.tick()
    assert desk.states() == {TODAY: "due"}
    assert list(desk.items()) == ["clean"]
    desk.go("2026-11-22 09:00")
    desk.tick()
    first, second = desk.all()
    assert (first.version, second.version) == (ONE, OTHER)
    assert list(desk.items(second.id)) == ["leaks.pump-1", "leaks.pump-2"]
    assert second.facts.opens_at == at("2026-11-22 09:00")
    with desk.ledger.read(SITE) as view:
        known = [found.version for found in regime_versions.versions(view)["daily-pumps"]]
        old = regime_versions.document(view, "daily-pumps", ONE)
        none = regime_versions.document(view, "daily-pumps", "0")
    assert known == [ONE, OTHER]
    assert old is not None
    assert (old[0].since, old[1]) == (at("2026-11-21 07:00"), f"# {ONE}")
    assert none is None


def test_a_regime_of_another_level_has_nothing_to_make_up_for(desk: Desk) -> None:
    """2026-11-21 is a Saturday. The round of the week stays, the daily ones begin tomorrow."""
    desk.regimes = (version(ONE, level=Level.WEEKLY, on=7),)
    desk.tick()
    desk.regimes = (version(OTHER),)
    desk.go("2026-11-21 10:00")
    desk.tick()
    assert desk.states() == {"daily-pumps.b1.2026-W47": "planned"}
    desk.go("2026-11-23 10:00")
    desk.tick()
    assert desk.states() == {
        "daily-pumps.b1.2026-W47": "missed",
        "daily-pumps.b1.2026-11-22": "missed",
        "daily-pumps.b1.2026-11-23": "due",
    }


def test_a_round_planned_for_much_later_in_its_period_stays_planned(desk: Desk) -> None:
    desk.regimes = (version(ONE, level=Level.YEARLY, month=12, on=9),)
    desk.go("2026-11-21 08:00")
    desk.tick()
    desk.go("2026-12-08 08:00")
    desk.tick()
    assert desk.states() == {"daily-pumps.b1.2026": "planned"}


CAUSES = {
    "late": Late(tell=(Role.FOREMAN,)),
    "missed": Missed(tell=(Role.ENGINEERING_MANAGER,), finding=Severity.NORMAL),
}


def test_a_late_and_a_missed_round_are_told_of_once_and_found_once(desk: Desk) -> None:
    """However often one looks, and by however many processes: each tick is a new one."""
    hire(desk.ledger, HERE, "sun", Role.FOREMAN, desk.now)
    desk.regimes = (version(ONE, **CAUSES),)
    for hour in ("21 08:00", "21 18:00", "21 18:01", "22 07:59"):
        desk.go(f"2026-11-{hour}")
        desk.tick()
    assert desk.notices() == [f"round_late.{TODAY}"]
    assert desk.orders() == []
    # What its regime says by now is of the next round.
    desk.regimes = (version(OTHER),)
    for hour in ("22 08:00", "22 08:01", "22 12:00"):
        desk.go(f"2026-11-{hour}")
        desk.tick()
    assert desk.notices() == [f"round_late.{TODAY}", f"round_missed.{TODAY}"]
    (order,) = desk.orders()
    with desk.ledger.read(SITE) as view:
        (finding,) = round_view.findings(view, TODAY)
    assert (finding.item, finding.severity) == ("missed", Severity.NORMAL)
    assert finding.order is not None
    assert finding.order.id == order.id
    assert finding.text.zh == "B1 本次巡检未进行：daily-pumps"
    assert desk.items()["missed"].state == "failed"


def test_a_round_that_was_signed_causes_nothing(desk: Desk) -> None:
    desk.regimes = (version(ONE, **CAUSES),)
    desk.go("2026-11-21 08:00")
    desk.tick()
    li, about = person("li", Role.TECHNICIAN), {"book": desk.book, "now": desk.now}
    given = NewEntry(id=str(uuid4()), value=True)
    actions.enter(desk.ledger, HERE, TODAY, "clean", given, actor=li, **about)  # type: ignore[arg-type]
    actions.finish(desk.ledger, HERE, TODAY, actor=li, **about)  # type: ignore[arg-type]
    desk.regimes = (version(OTHER),)
    desk.go("2026-11-22 09:00")
    desk.tick()
    assert (desk.notices(), desk.orders()) == ([], [])


def test_three_days_of_downtime_by_either_policy(desk: Desk) -> None:
    """Away from the evening of the 21st, back on the 25th at 07:00: every window ended at 20:00.
    Where the regime catches up, the newest is open anew."""
    other = replace(version(ONE), id="test", catch_up=CatchUp.OPEN, **CAUSES)
    short = {"window": window("08:00", "18:00", "20:00")}
    desk.regimes = (replace(version(ONE), **short), replace(other, **short))  # type: ignore[arg-type]
    for hour in ("21 08:00", "21 17:00"):
        desk.go(f"2026-11-{hour}")
        desk.tick()
    desk.go("2026-11-25 07:00")
    desk.tick()
    desk.tick()
    states = desk.states()
    assert {name: state for name, state in states.items() if name.startswith("daily-")} == {
        **{f"daily-pumps.b1.2026-11-{day}": "missed" for day in range(21, 25)},
        "daily-pumps.b1.2026-11-25": "planned",
    }
    assert {name: state for name, state in states.items() if name.startswith("test")} == {
        **{f"test.b1.2026-11-{day}": "missed" for day in range(21, 24)},
        "test.b1.2026-11-24": "due",
        "test.b1.2026-11-25": "planned",
    }
    again = next(one for one in desk.all() if one.id == "test.b1.2026-11-24")
    assert (again.facts.opens_at, again.facts.due_at) == (
        at("2026-11-25 07:00"),
        at("2026-11-25 17:00"),
    )
    told = [f"round_missed.test.b1.2026-11-{day}" for day in range(21, 24)]
    assert sorted(desk.notices()) == told, "each once, and none of them as late"
    assert len(desk.orders()) == 1, "of one cause"


def test_what_was_planned_before_the_downtime_is_caught_up_with_too(desk: Desk) -> None:
    """Planned on the 16th for the 24th; the duty room is away from the 22nd to the 28th."""
    monthly = {"level": Level.MONTHLY, "on": 24, "catch_up": CatchUp.OPEN, **CAUSES}
    desk.regimes = (version(ONE, **monthly),)
    desk.tick()
    desk.go("2026-11-28 07:00")
    desk.plan()
    desk.tick()
    found = desk.all()[0]
    assert (found.state(desk.now.wall), found.facts.due_at) == ("due", at("2026-11-28 17:00"))
    assert [event for event, _, _ in desk.events(found.id)] == ["plan", "catch_up", "open"]
    desk.go("2026-11-29 08:00")
    desk.tick()
    assert desk.states()[found.id] == "missed", "once is enough"
    assert desk.notices() == [f"round_missed.{found.id}"]


def roster(desk: Desk, *starts: str) -> None:
    """Shifts from each of these to the next, held by one team."""
    minutes = [60 * int(start[:2]) for start in starts]
    shifts = tuple(
        Shift(id=f"from-{start[:2]}", name=text(start), starts=begin, ends=end)
        for start, begin, end in zip(starts, minutes, [*minutes[1:], minutes[0]], strict=True)
    )
    plan = Plan(
        teams=(Team(id="a", name=text("a"), members=("li",)),),
        shifts=shifts,
        anchor=date(2026, 11, 2),
        pattern=({shift.id: "a" for shift in shifts},),
        hours=None,
    )
    put_plan(desk.ledger, HERE, plan, actor=person("chen"), now=desk.now)


def test_rounds_of_shifts_are_those_of_the_roster_and_a_new_one_makes_none_of_the_past(
    desk: Desk,
) -> None:
    span = ShiftWindow(opens_after=0, due_before_end=30 * MINUTE, late_by=HOUR)
    desk.regimes = (version(ONE, level=Level.SHIFT, window=None, shift_window=span),)
    desk.tick()
    assert desk.states() == {}, "without a roster there are no shifts"
    hire(desk.ledger, HERE, "li", Role.TECHNICIAN, desk.now)
    roster(desk, "08:00", "20:00")
    for hour in ("21 09:00", "22 09:00"):
        desk.go(f"2026-11-{hour}")
        desk.tick()
    assert desk.states() == {
        "daily-pumps.b1.2026-11-20-from-20": "missed",
        "daily-pumps.b1.2026-11-21-from-08": "missed",
        "daily-pumps.b1.2026-11-21-from-20": "missed",
        "daily-pumps.b1.2026-11-22-from-08": "due",
        "daily-pumps.b1.2026-11-22-from-20": "planned",
    }
    roster(desk, "00:00", "08:00", "16:00")
    desk.go("2026-11-22 10:00")
    desk.tick()
    assert desk.states() == {
        "daily-pumps.b1.2026-11-20-from-20": "missed",
        "daily-pumps.b1.2026-11-21-from-08": "missed",
        "daily-pumps.b1.2026-11-21-from-20": "missed",
        "daily-pumps.b1.2026-11-22-from-08": "due",
        "daily-pumps.b1.2026-11-22-from-16": "planned",
        "daily-pumps.b1.2026-11-22-from-20": "void",
    }


def test_rounds_with_lines_survive_the_upgrade_that_brought_versions(tmp_path: Path) -> None:
    """SQLite makes the table of rounds anew, and lines and events refer to its rows."""
    where = tmp_path / "ledger.db"
    old = connect(where)
    with old.writing() as connection:
        migrate(connection, "v0015")
        known = MetaData()
        known.reflect(connection, only=["round", "round_item", "round_event"])
        words: dict[str, Any] = {"level": "daily", "state": "passed"}
        for name in ("round", "round_item", "round_event"):
            row = {
                column.name: words.get(column.name, 1 if "INT" in str(column.type) else "a")
                for column in known.tables[name].columns
                if not column.nullable
            }
            connection.execute(insert(known.tables[name]), row)
    old.close()
    new = open_ledger(where)
    with new.reading() as connection:
        for table, there in ((tables.round_, 1), (tables.round_item, 1), (tables.round_event, 1)):
            query = select(func.count()).select_from(table)
            assert connection.execute(query).scalar_one() == there
        assert connection.execute(select(tables.round_.c.consequences)).scalar_one() == {}
        assert not connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    new.close()

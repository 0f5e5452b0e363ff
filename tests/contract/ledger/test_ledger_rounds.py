"""Rounds in the ledger: once each, filled by what telemetry proves, whatever restarts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import product
from threading import Barrier

import pytest
from duty_room import HOT, SITE, Gateway, person
from duty_room import rulebook as alarms_only
from inspections import (
    CLEAN,
    TEMPERATURE,
    at,
    current,
    currents,
    regime,
    rulebook,
    window,
)
from order_desk import limit, limits
from round_desk import HERE, TODAY, Desk
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from gateway.model.equipment import Site
from gateway.model.moment import HOUR, MINUTE, SECOND
from gateway.model.quality import Quality
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.inspections import actions
from rules.inspections.items import lines
from rules.inspections.judge import ItemState, NewEntry
from rules.inspections.lifecycle import Facts, state_of
from rules.inspections.planning import LOOK_BACK
from rules.inspections.regime import Days, Severity
from rules.inspections.upkeep import Upkeep
from rules.ledger import findings, round_view, rounds
from rules.ledger.order_steps import Work
from rules.ledger.round_rows import Round
from rules.ledger.store import Entry, Ledger, open_ledger
from rules.ledger.tables import rounds as tables
from rules.orders.book import OrderBook
from rules.orders.clock import ClockName
from rules.people.roles import Role
from rules.shifts.calendar import DayKind
from rules.shifts.calendar_actions import put_day, remove_day
from rules.worker import Worker


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


def test_a_round_is_planned_opens_is_late_and_is_missed(desk: Desk) -> None:
    assert desk.tick() == at("2026-11-21 08:00")
    # 2026-11-20's was overdue at 07:00, when the regime came into force: nobody's to do.
    assert desk.states() == {TODAY: "planned"}
    assert {kept.state for kept in desk.items().values()} == {ItemState.WAITING}
    desk.go("2026-11-21 08:00")
    assert desk.tick() == at("2026-11-21 18:00")
    assert desk.states() == {TODAY: "due"}
    assert desk.events() == [("plan", "new", "planned"), ("open", "planned", "due")]
    desk.go("2026-11-21 18:00")
    desk.tick()
    assert desk.states()[TODAY] == "late"
    desk.go("2026-11-22 08:00")
    desk.tick()
    assert desk.states()[TODAY] == "missed"
    assert desk.states()["daily-pumps.b1.2026-11-22"] == "due"


def test_who_looks_is_told_when_time_turns_a_round(desk: Desk) -> None:
    desk.tick()
    desk.go("2026-11-21 08:00")
    desk.tick()
    with desk.ledger.read(SITE) as view:
        before = view.last_change_id()
    desk.go("2026-11-21 18:00")
    desk.tick()
    desk.go("2026-11-21 19:00")
    desk.tick()
    with desk.ledger.read(SITE) as view:
        told = [(change.kind.value, change.subject) for change in view.changes_after(before, 9)]
    assert told == [("round", TODAY)], "once: at the moment it turned late"


def test_telemetry_fills_what_it_proves_and_hands_over_the_rest(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    bad = current(None, desk.now, Quality.BAD)
    desk.tick({"pump-1.motor_temperature": 61.4, "pump-2.motor_temperature": bad})
    items = desk.items()
    proved = items["temperature.pump-1"]
    assert proved.state is ItemState.PASSED
    assert proved.reading is not None
    assert (proved.reading.value, proved.reading.unit, proved.reading.quality) == (
        61.4,
        "℃",
        Quality.GOOD,
    )
    assert proved.reading.received_at == desk.now.wall - SECOND
    assert proved.reading.source_time == desk.now.wall - 3 * SECOND
    assert proved.reading.age == SECOND
    doubtful = items["temperature.pump-2"]
    assert (doubtful.state, doubtful.reading) == (ItemState.HANDED_OVER, None)
    assert doubtful.why is not None
    assert doubtful.why.zh == "没有有效读数：because"
    assert items["clean"].state is ItemState.WAITING
    (found,) = [one for one in desk.all() if one.id == TODAY]
    counts = found.counts
    assert (counts.total, counts.automatic, counts.passed) == (5, 4, 3)
    assert (counts.handed_over, counts.waiting, counts.failed) == (1, 1, 0)


def test_a_reading_that_nobody_has_heard_is_waited_for_as_long_as_the_regime_says(
    desk: Desk,
) -> None:
    desk.go("2026-11-21 08:00")
    assert desk.tick(silent=True) == desk.now.wall + 2 * SECOND
    assert desk.items()["temperature.pump-1"].state is ItemState.WAITING
    desk.clock.advance(599)
    desk.tick(silent=True)
    assert desk.items()["temperature.pump-1"].state is ItemState.WAITING
    desk.clock.advance(1)
    assert desk.tick(silent=True) == at("2026-11-21 18:00")
    handed = desk.items()["temperature.pump-1"]
    assert handed.state is ItemState.HANDED_OVER
    assert handed.why is not None
    assert handed.why.en == "no reading was received yet"
    desk.clock.advance(60)
    desk.tick()
    assert desk.items()["temperature.pump-1"].state is ItemState.HANDED_OVER, "it is a person's now"


def test_a_reading_that_comes_late_is_taken(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick(silent=True)
    desk.clock.advance(30)
    desk.tick()
    assert desk.items()["temperature.pump-1"].state is ItemState.PASSED


def test_after_a_restart_over_the_opening_time_the_fresh_readings_count(desk: Desk) -> None:
    """What is replayed first is old."""
    desk.go("2026-11-21 08:00")
    old = current(99.0, desk.now, Quality.STALE)
    assert desk.tick({"pump-1.motor_temperature": old}) == desk.now.wall + 2 * SECOND
    waiting = desk.items()["temperature.pump-1"]
    assert (waiting.state, waiting.reading) == (ItemState.WAITING, None)
    desk.clock.advance(2)
    desk.tick({"pump-1.motor_temperature": 61.4})
    kept = desk.items()["temperature.pump-1"]
    assert kept.state is ItemState.PASSED
    assert kept.reading is not None
    assert kept.reading.value == 61.4


def test_a_reading_that_stays_stale_is_handed_over_when_the_patience_is_over(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick({"pump-1.motor_temperature": current(20.0, desk.now, Quality.STALE)})
    desk.clock.advance(600)
    desk.tick({"pump-1.motor_temperature": current(20.0, desk.now, Quality.STALE)})
    handed = desk.items()["temperature.pump-1"]
    assert handed.state is ItemState.HANDED_OVER
    assert handed.why is not None
    assert handed.why.zh == "读数已过期"


def test_a_round_that_a_clock_which_was_ahead_has_opened_is_set_back(desk: Desk) -> None:
    desk.tick()
    desk.clock.step_wall(3 * 3600)
    desk.tick({"pump-1.motor_temperature": 20.0})
    assert desk.items()["temperature.pump-1"].state is ItemState.PASSED
    desk.clock.step_wall(-3 * 3600)
    assert desk.tick() == at("2026-11-21 08:00")
    assert desk.events()[1:] == [("open", "planned", "due"), ("set_back", "planned", "planned")]
    assert {kept.state for kept in desk.items().values()} == {ItemState.WAITING}
    assert [found.opened_at for found in desk.all()] == [None]
    desk.tick()
    assert len(desk.events()) == 3, "once"
    desk.go("2026-11-21 08:00")
    desk.tick({"pump-1.motor_temperature": 61.4})
    kept = desk.items()["temperature.pump-1"]
    assert kept.reading is not None
    assert kept.reading.value == 61.4
    assert desk.states() == {TODAY: "due"}


def test_a_round_of_a_future_day_that_was_opened_is_made_again_on_its_day(desk: Desk) -> None:
    later = "daily-pumps.b1.2026-11-24"
    desk.tick()
    desk.clock.step_wall(3 * 24 * 3600 + 3600)
    desk.tick({"pump-1.motor_temperature": 20.0})
    assert desk.states()[later] == "due"
    desk.clock.step_wall(-3 * 24 * 3600 - 3600)
    desk.tick()
    desk.tick()
    assert desk.states()[later] == "void", "its day has not begun"
    desk.go("2026-11-24 08:00")
    desk.tick({"pump-1.motor_temperature": 61.4})
    assert desk.states()[later] == "due"
    kept = desk.items(later)["temperature.pump-1"]
    assert kept.reading is not None
    assert kept.reading.value == 61.4


def test_what_a_round_that_is_set_back_has_found_stays_found_with_its_order(desk: Desk) -> None:
    desk.tick()
    desk.clock.step_wall(3 * 3600)
    desk.tick(BAD_DAY)
    desk.clock.step_wall(-3 * 3600)
    desk.tick(BAD_DAY)
    items = desk.items()
    assert len(items) == 5
    failed = [key for key, kept in items.items() if kept.state is ItemState.FAILED]
    assert failed == ["temperature.pump-1", "no-fault.pump-2"]
    assert items["temperature.pump-2"].state is ItemState.WAITING
    desk.go("2026-11-21 08:00")
    desk.tick()
    assert desk.items()["temperature.pump-2"].state is ItemState.PASSED
    assert len(desk.orders()) == 2


def test_a_round_that_somebody_has_begun_is_not_set_back(desk: Desk) -> None:
    desk.tick()
    desk.clock.step_wall(3 * 3600)
    desk.tick()
    given = NewEntry(id="e1", value=True)
    technician = person("li", Role.TECHNICIAN)
    actions.enter(
        desk.ledger, HERE, TODAY, "clean", given, book=desk.book, actor=technician, now=desk.now
    )
    desk.clock.step_wall(-3 * 3600)
    desk.tick()
    assert [event for event, _, _ in desk.events()] == ["plan", "open", "begin"]
    assert desk.items()["temperature.pump-1"].state is ItemState.PASSED


def test_a_filled_item_keeps_the_reading_of_its_hour(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick({"pump-1.motor_temperature": 61.4})
    desk.clock.advance(3600)
    desk.tick({"pump-1.motor_temperature": 99.0})
    kept = desk.items()["temperature.pump-1"]
    assert kept.reading is not None
    assert kept.reading.value == 61.4
    assert desk.orders() == []


BAD_DAY = {"pump-1.motor_temperature": 81.0, "pump-2.fault": 1.0}


def test_a_failed_item_is_a_finding_and_by_its_severity_an_order(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick(BAD_DAY)
    with desk.ledger.read(SITE) as view:
        found = {one.item: one for one in round_view.findings(view, TODAY)}
    assert set(found) == {"temperature.pump-1", "no-fault.pump-2"}
    hot = found["temperature.pump-1"]
    assert hot.text.zh == "设备 pump-1 temperature：81 ℃，高于 75"
    normal, serious = desk.orders()
    assert (serious.priority, normal.priority) == ("major", "minor")
    assert hot.order is not None
    assert hot.order.id == serious.id == f"{TODAY}.temperature.pump-1.order"
    assert serious.alarms == ()
    assert serious.finding is not None
    assert (serious.finding.round, serious.finding.item) == (TODAY, "temperature.pump-1")
    assert (serious.cause_key, normal.cause_key) == ("motor-overheat", "daily-pumps.no-fault")
    assert serious.limit == 2 * HOUR
    assert desk.notices() == [f"finding_serious.{TODAY}.temperature.pump-1"], "S1 4.5, at once"


def test_the_order_of_a_finding_has_all_its_clocks_at_once(ledger: Ledger) -> None:
    """They came with the next commit of the rules, so for a while nobody was late."""
    quick = limit(15 * MINUTE)
    book = OrderBook(time_limits=limits(respond=quick, arrive=quick))
    desk = Desk(ledger, book=book)
    desk.go("2026-11-21 08:00")
    desk.tick(BAD_DAY)
    orders = desk.orders()
    assert len(orders) == 2
    for order in orders:
        assert [clock.name for clock in order.clocks] == list(ClockName)
        respond = order.clock(ClockName.RESPOND)
        assert respond is not None
        assert respond.due is not None
        assert respond.due.wall == order.created_at + 15 * MINUTE


def test_the_same_finding_on_the_next_day_joins_the_order_that_is_open(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick(BAD_DAY)
    desk.go("2026-11-22 08:00")
    desk.tick(BAD_DAY)
    assert len(desk.orders()) == 2
    tomorrow = "daily-pumps.b1.2026-11-22"
    with desk.ledger.read(SITE) as view:
        again = {one.item: one for one in round_view.findings(view, tomorrow)}
        events = [step.event for step in view.order_events(desk.orders()[1].id)]
    assert again["temperature.pump-1"].order is not None
    assert again["temperature.pump-1"].order.number == desk.orders()[1].number
    assert "join" in events


def hot_alarm(desk: Desk) -> None:
    gateway = Gateway(clock=desk.clock)
    worker = Worker(site=HERE, rulebook=alarms_only(HOT), ledger=desk.ledger)
    worker.load()
    worker.take(gateway.poll(11, {"pump-1.motor_temperature": 80}))
    worker.commit(desk.now)


@pytest.mark.parametrize("first", ["alarm", "finding"])
def test_an_alarm_and_a_finding_of_one_cause_share_an_order(desk: Desk, first: str) -> None:
    desk.go("2026-11-21 08:00")
    steps: list[Callable[[], object]] = [
        lambda: hot_alarm(desk),
        lambda: desk.tick({"pump-1.motor_temperature": 80.0}),
    ]
    for step in steps if first == "alarm" else reversed(steps):
        step()
    (order,) = desk.orders()
    assert len(order.alarms) == 1
    assert (order.finding is None) is (first == "alarm"), "what opened it"
    with desk.ledger.read(SITE) as view:
        (found,) = round_view.findings(view, TODAY)
        (alarm,) = view.alarms()
    assert found.order is not None
    assert alarm.order is not None
    assert found.order.id == alarm.order.id == order.id


NORMAL_MATTER = (regime("daily-pumps", replace(TEMPERATURE, severity=Severity.NORMAL)),)


@pytest.mark.parametrize("is_completed", [False, True], ids=["join", "relapse"])
def test_an_alarm_is_not_swallowed_by_the_less_urgent_order_of_a_finding(
    ledger: Ledger, is_completed: bool
) -> None:
    desk = Desk(ledger, NORMAL_MATTER)
    desk.go("2026-11-21 08:00")
    desk.tick({"pump-1.motor_temperature": 80.0})
    (slow,) = desk.orders()
    assert (slow.priority, slow.limit > 2 * HOUR) == ("minor", True)
    if is_completed:
        order_actions.accept(Act(ledger, SITE, slow.id, person("li"), desk.now))
        order_actions.complete(Act(ledger, SITE, slow.id, person("li"), desk.now), Work(note="-"))
    hot_alarm(desk)
    (order,) = desk.orders()
    with ledger.read(SITE) as view:
        (alarm,) = view.alarms()
        last, escalated = view.order_events(order.id)[-2:]
    assert last.event == ("relapse" if is_completed else "join")
    assert (escalated.event, escalated.to_state, escalated.why) == ("escalate", "open", alarm.id)
    assert (order.id, order.priority, order.limit) == (slow.id, "major", 2 * HOUR)
    assert order.due.wall == alarm.raised_at + 2 * HOUR
    worker = Worker(site=HERE, rulebook=alarms_only(HOT), ledger=ledger)
    worker.load()
    worker.commit(desk.clock.advance(2 * 3600 - 2))
    assert desk.orders()[0].breached_at is None
    worker.commit(desk.clock.advance(2))
    assert desk.orders()[0].breached_at is not None


def test_a_less_urgent_finding_leaves_the_order_of_an_alarm_as_it_is(ledger: Ledger) -> None:
    desk = Desk(ledger, NORMAL_MATTER)
    desk.go("2026-11-21 08:00")
    hot_alarm(desk)
    (before,) = desk.orders()
    desk.tick({"pump-1.motor_temperature": 80.0})
    (after,) = desk.orders()
    assert (after.priority, after.limit, after.due) == ("major", before.limit, before.due)


class PowerOffError(Exception):
    """The process ends here."""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (rounds, "set_duties"),
        (rounds, "plan"),
        (rounds, "lay_out"),
        (rounds, "open_"),
        (rounds, "fill"),
        (findings, "record"),
        (rounds, "tell"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_restart_at_any_point_leaves_one_round_one_finding_one_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, module: object, name: str, when: str
) -> None:
    desk.go("2026-11-21 08:00")
    real = getattr(module, name)

    def killed(*args: object, **named: object) -> None:
        if when == "after":
            real(*args, **named)
        raise PowerOffError

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(PowerOffError):
            desk.tick(BAD_DAY)
    desk.tick(BAD_DAY)
    desk.tick(BAD_DAY)
    assert [found.id for found in desk.all()] == [TODAY]
    assert desk.events() == [("plan", "new", "planned"), ("open", "planned", "due")]
    assert len(desk.items()) == 5
    assert len(desk.orders()) == 2
    assert len(desk.notices()) == 1
    with desk.ledger.read(SITE) as view:
        assert len(round_view.findings(view, TODAY)) == 2


def test_a_round_that_the_ledger_does_not_take_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.regimes = (regime("daily-a"), regime("daily-b"))
    desk.go("2026-11-21 08:00")
    real = rounds.fill

    def refused(entry: Entry, where: Site, found: Round, *rest: object, **named: object) -> None:
        if found.regime == "daily-a":
            raise IntegrityError("insert", {}, Exception("never"))
        real(entry, where, found, *rest, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "fill", refused)
        assert desk.tick() == desk.now.wall + MINUTE
    a, b = "daily-a.b1.2026-11-21", "daily-b.b1.2026-11-21"
    assert [event for event, _, _ in desk.events(a)] == ["plan"]
    assert desk.items(b)["temperature.pump-1"].state is ItemState.PASSED
    desk.clock.advance(60)
    desk.tick()
    assert desk.items(a)["temperature.pump-1"].state is ItemState.PASSED


def test_a_long_round_is_filled_in_parts_and_nothing_of_it_is_left_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rules.inspections.upkeep._AT_ONCE", 2)
    desk.go("2026-11-21 08:00")
    looks = 1
    while desk.tick(BAD_DAY) == desk.now.wall + 1:
        looks += 1
        desk.clock.advance(1)
    assert looks == 2
    states = {key: item.state for key, item in desk.items().items()}
    monkeypatch.undo()
    desk.go("2026-11-22 08:00")
    desk.tick(BAD_DAY)
    whole = desk.items(TODAY.replace("11-21", "11-22"))
    assert states == {key: item.state for key, item in whole.items()}


def test_of_two_workers_that_race_one_has_an_effect(place: str, desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    start = Barrier(4)

    def work(_: int) -> None:
        ledger = open_ledger(place)
        upkeep = Upkeep(site=HERE, rulebook=rulebook(regime()), ledger=ledger)
        start.wait()
        upkeep.plan(desk.now)
        upkeep.keep(desk.now, currents(desk.now, HERE, BAD_DAY), told=desk.now.wall)
        ledger.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert [found.id for found in desk.all()] == [TODAY]
    assert desk.events() == [("plan", "new", "planned"), ("open", "planned", "due")]
    assert len(desk.orders()) == 2
    assert len(desk.notices()) == 1


def test_after_a_downtime_what_had_passed_is_missed_and_what_is_open_is_due(desk: Desk) -> None:
    """Gate 48: down over three daily slots."""
    desk.tick()
    desk.go("2026-11-24 09:00")
    desk.tick(BAD_DAY)
    assert desk.states() == {
        "daily-pumps.b1.2026-11-21": "missed",
        "daily-pumps.b1.2026-11-22": "missed",
        "daily-pumps.b1.2026-11-23": "missed",
        "daily-pumps.b1.2026-11-24": "due",
    }
    passed = "daily-pumps.b1.2026-11-22"
    assert {kept.state for kept in desk.items(passed).values()} == {ItemState.WAITING}, (
        "the readings of today say nothing of that day"
    )
    with desk.ledger.read(SITE) as view:
        (planned,) = round_view.round_events(view, passed)
        assert len(round_view.findings(view, "daily-pumps.b1.2026-11-24")) == 2
        assert round_view.findings(view, passed) == []
    assert planned.why is not None
    assert "had passed" in planned.why


def test_of_a_very_long_downtime_only_the_last_days_are_planned(desk: Desk) -> None:
    desk.tick()
    desk.clock.advance(400 * 24 * 3600)
    desk.tick()
    assert len(desk.all()) == 1 + LOOK_BACK + 1


def test_nothing_from_before_a_regime_came_into_force_is_due(desk: Desk) -> None:
    desk.go("2026-11-21 09:00")
    desk.tick()
    assert list(desk.states()) == [TODAY]
    desk.go("2026-12-01 09:00")
    other = regime("daily-other")
    desk.regimes = (regime(), other)
    desk.tick()
    assert [one for one in desk.states() if one.startswith("daily-other")] == [
        "daily-other.b1.2026-12-01"
    ]
    assert len(desk.all()) == 12


def test_a_regime_that_was_taken_away_and_comes_back_begins_anew(desk: Desk) -> None:
    desk.go("2026-11-21 09:00")
    desk.tick()
    desk.regimes = ()
    desk.go("2026-11-25 09:00")
    desk.tick()
    desk.regimes = (regime(),)
    desk.go("2026-11-30 09:00")
    desk.tick()
    assert list(desk.states()) == [TODAY, "daily-pumps.b1.2026-11-30"]


def test_a_planned_round_of_a_regime_that_is_gone_is_void(desk: Desk) -> None:
    desk.tick()
    desk.regimes = ()
    desk.tick()
    assert desk.states() == {TODAY: "void"}
    assert desk.events()[-1] == ("withdraw", "planned", "void")
    desk.regimes = (regime(),)
    desk.tick()
    assert desk.states()[TODAY] == "planned"
    assert desk.events()[-1] == ("restore", "void", "planned")


def test_a_planned_round_moves_with_its_window_and_an_open_one_does_not(desk: Desk) -> None:
    desk.tick()
    desk.regimes = (regime(window=window("09:00", "17:00", "24:00")),)
    desk.tick()
    moved = next(one for one in desk.all() if one.id == TODAY)
    assert moved.facts.opens_at == at("2026-11-21 09:00")
    assert desk.events()[-1] == ("move", "planned", "planned")
    desk.go("2026-11-21 09:00")
    desk.tick()
    desk.regimes = (regime(),)
    desk.tick()
    kept = next(one for one in desk.all() if one.id == TODAY)
    assert kept.facts.due_at == at("2026-11-21 17:00")


def test_working_days_are_those_of_the_sites_calendar(desk: Desk) -> None:
    """2026-11-21 is a Saturday; the site makes it a working day, and back."""
    desk.regimes = (regime(days=Days.WORKING),)
    desk.tick()
    assert desk.states() == {}
    manager = person("chen")
    changed = date(2026, 11, 21)
    put_day(
        desk.ledger,
        SITE,
        day=changed,
        kind=DayKind.MAKE_UP_WORKING,
        name=None,
        reason="works",
        actor=manager,
        now=desk.now,
    )
    desk.tick()
    assert desk.states()[TODAY] == "planned"
    remove_day(desk.ledger, SITE, changed, actor=manager, now=desk.now)
    desk.tick()
    assert desk.states()[TODAY] == "void"


def test_a_step_of_the_wall_clock_and_back_makes_nothing_twice(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick()
    desk.clock.step_wall(3 * 24 * 3600)
    desk.tick()
    desk.clock.step_wall(-3 * 24 * 3600)
    desk.tick()
    assert desk.states()[TODAY] == "due"
    assert desk.states()["daily-pumps.b1.2026-11-24"] == "planned", "its time has not come"
    for _ in range(4):
        desk.clock.advance(24 * 3600)
        desk.tick()
    assert sorted(desk.states()) == [f"daily-pumps.b1.2026-11-{day}" for day in range(21, 26)]


def test_the_state_in_the_database_is_that_of_the_life_cycle(desk: Desk) -> None:
    times = {"opens_at": 10, "due_at": 20, "late_until": 30}
    deeds = ("started_at", "done_at", "countersigned_at", "void_at")
    facts = {
        f"r{number}": Facts(**times, **dict(zip(deeds, done, strict=True)))
        for number, done in enumerate(product((None, 12), repeat=4))
    }
    desk.go("2026-11-21 09:00")
    desk.tick()
    with desk.ledger.write(SITE) as entry:
        template = dict(entry.connection.execute(select(tables.round_)).mappings().one())
        for name, fact in facts.items():
            changed = {**times, **{deed: getattr(fact, deed) for deed in deeds}, "id": name}
            entry.connection.execute(insert(tables.round_).values({**template, **changed}))
    with desk.ledger.read(SITE) as view:
        for now in (9, 10, 19, 20, 29, 30):
            query = select(tables.round_.c.id, round_view.state_at(now))
            said = {row[0]: row[1] for row in view.connection.execute(query) if row[0] != TODAY}
            assert said == {name: state_of(fact, now).value for name, fact in facts.items()}


def test_the_items_of_a_round_are_those_of_the_hour_in_which_it_opens(desk: Desk) -> None:
    desk.tick()
    desk.regimes = (regime("daily-pumps", CLEAN),)
    desk.go("2026-11-21 08:00")
    desk.tick()
    assert list(desk.items()) == ["clean"]
    desk.regimes = (regime(),)
    desk.tick()
    assert list(desk.items()) == ["clean"], "a changed regime changes no open round"


def test_what_is_written_of_an_item_is_read_back_whole(desk: Desk) -> None:
    desk.go("2026-11-21 08:00")
    desk.tick(silent=True)
    assert [kept.item for kept in desk.items().values()] == lines(regime(), "b1", HERE)

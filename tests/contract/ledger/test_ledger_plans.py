"""Maintenance that is due: raised once over restarts and downtime; postponed, void, done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from duty_room import SITE
from inspections import at, current
from plan_book import HOURS, every, plan, since_last, text
from plan_desk import HERE, Desk
from staff import hire

from gateway.latest import Current
from gateway.model.moment import HOUR
from gateway.model.quality import Quality
from rules.actions import order_ends
from rules.actions import orders as order_actions
from rules.actions import plans as actions
from rules.ledger import plan_view
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plans import Recorded
from rules.ledger.rows import OrderSource
from rules.ledger.store import Ledger
from rules.people.roles import ForbiddenError, Role
from rules.plans.plan import Advance, Doer
from rules.refusals import ConflictError, NotValidError


def test_one_is_due_once_however_often_it_is_looked_at_and_its_order_completes_it(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger)
    desk.go("2026-11-01 07:00")
    assert desk.states() == {"2026-11-16": "planned", "2026-12-01": "planned"}
    desk.go("2026-11-13 07:59")
    assert desk.orders() == []
    for when in ("2026-11-13 08:00", "2026-11-13 08:00", "2026-11-14 09:00"):
        desk.go(when)
    (order,) = desk.orders()
    assert order.id == "oil.pump-1.2026-11-16.order"
    assert (order.source, order.equipment, order.area) == (OrderSource.PLAN, "pump-1", "b1")
    assert order.due is not None
    assert desk.states()["2026-11-16"] == "due"
    desk.complete()
    assert desk.states()["2026-11-16"] == "done"
    order_ends.verify(desk.act(order.id), passed=False, note="not good")
    assert desk.states()["2026-11-16"] == "in_progress", "what is not good is not done"
    desk.go("2026-11-17 00:00")
    assert desk.states()["2026-11-16"] == "late"
    desk.go("2026-11-19 00:00")
    assert desk.states()["2026-11-16"] == "overdue"
    assert desk.events("2026-11-16") == ["plan", "open"]


def test_three_days_of_downtime_raise_each_order_once_and_what_was_not_done_is_missed(
    ledger: Ledger,
) -> None:
    weekly, other = plan(trigger=every("2d"), allowed=0), plan("look", trigger=every("15d"))
    desk = Desk(ledger, plans=(weekly, other))
    desk.go("2026-11-12 07:00")
    desk.go("2026-11-13 07:59")
    assert {one.id for one in desk.orders()} == set()
    # Down from the morning of the 13th to that of the 16th; back twice, as after a crash.
    desk.go("2026-11-16 07:00")
    desk.go("2026-11-16 07:00")
    assert sorted(one.id for one in desk.orders()) == [
        "look.pump-1.2026-11-16.order",
        "oil.pump-1.2026-11-13.order",
    ]
    states = {one.id: one.state(desk.now.wall).value for one in desk.dues() if one.is_opened}
    assert states == {
        "look.pump-1.2026-11-16": "due",
        "oil.pump-1.2026-11-13": "missed",
        "oil.pump-1.2026-11-15": "late",
    }
    (oil,) = [one for one in desk.orders() if one.id.startswith("oil")]
    assert {one.order.id for one in desk.dues() if one.plan == "oil" and one.order} == {oil.id}


def test_the_next_one_counts_from_completion_and_by_hours_whichever_is_first(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger, plans=(plan(trigger=since_last("12 months", HOURS), allowed=7),))
    desk.go("2026-11-01 07:00", run_hours=5000)
    assert [str(one.day) for one in desk.dues()] == ["2027-11-01"]
    desk.go("2027-02-01 07:00", run_hours=6999)
    assert desk.orders() == []
    desk.go("2027-02-02 07:00", run_hours=7001)
    for _ in range(3):
        desk.go("2027-02-03 07:00", run_hours=7020)
    assert len(desk.orders()) == 1
    (due,) = desk.dues()
    assert (due.trigger.value, str(due.day), str(due.original_day)) == (
        *("counter", "2027-02-09"),
        "2027-11-01",
    )
    desk.go("2027-02-05 07:00", run_hours=7060)
    desk.complete()
    desk.go("2027-02-05 07:10", run_hours=7060)
    assert [(one.period, str(one.day)) for one in desk.dues() if not one.is_over] == [
        ("n0002", "2028-02-05")
    ]
    with ledger.read(SITE) as view:
        (counted,) = plan_view.counters(view).values()
    assert (counted.due, counted.count.grown) == ("oil.pump-1.n0002", 0)


def test_a_replaced_device_and_a_silent_counter_never_fire(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(trigger=since_last(None, HOURS)),))
    desk.go("2026-11-01 07:00", run_hours=1990)
    stale = replace(current(4500, desk.now).reading, quality=Quality.STALE)
    desk.go("2026-11-01 08:00", run_hours=Current(reading=stale, last_good=None))
    desk.go("2026-11-01 09:00")
    desk.go("2026-11-01 10:00", run_hours=9000)
    desk.go("2026-11-01 11:00", run_hours=3)
    desk.go("2026-11-01 12:00", run_hours=4)
    assert desk.orders() == []
    (due,) = desk.dues()
    assert (due.day, desk.states()) == (None, {"n0001": "planned"})
    assert desk.events("n0001") == ["plan", "counter", "counter"]


def test_an_advance_notice_is_raised_once_for_each_day_it_is_put_off_to(ledger: Ledger) -> None:
    advance = Advance(days=3, text=text("water is off"), source=text("[NV]"))
    desk = Desk(ledger, plans=(plan(trigger=every("15d"), allowed=1, advance=advance),))
    desk.go("2026-11-01 07:00")
    desk.go("2026-11-13 07:59")
    assert desk.notices() == []
    desk.go("2026-11-13 08:00")
    desk.go("2026-11-13 08:00")
    first = "plan_ahead.oil.pump-1.2026-11-16.2026-11-16"
    assert desk.notices() == [first]
    act = desk.act("oil.pump-1.2026-11-16")
    actions.postpone(act, HERE, desk.rulebook, to=date(2026, 11, 20), reason="no water")
    desk.go("2026-11-17 08:00")
    assert desk.notices() == [first, first[:-10] + "2026-11-20"]
    assert desk.orders() == [], "its order goes along"


def test_it_is_postponed_once_by_the_foreman_and_twice_by_the_manager_only(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger, plans=(plan(postponed_at_most=8),))
    desk.go("2026-11-12 08:00")
    desk.go("2026-11-13 08:00")
    name = "oil.pump-1.2026-11-16"

    def put_off(to: str, role: Role = Role.FOREMAN) -> PlanDue:
        act = desk.act(name, "wang", role)
        return actions.postpone(act, HERE, desk.rulebook, to=date.fromisoformat(to), reason="parts")

    with pytest.raises(ForbiddenError):
        put_off("2026-11-18", Role.TECHNICIAN)
    with pytest.raises(NotValidError, match="2026-11-24 at most"):
        put_off("2026-11-25")
    with pytest.raises(NotValidError, match="is not after"):
        put_off("2026-11-16")
    put_off("2026-11-18")
    with pytest.raises(ForbiddenError):
        put_off("2026-11-20")
    found = put_off("2026-11-20", Role.ENGINEERING_MANAGER)
    assert (str(found.original_day), str(found.day), found.postponed) == (
        *("2026-11-16", "2026-11-20"),
        2,
    )
    assert found.facts.overdue_at == at("2026-11-23 00:00")
    (order,) = desk.orders()
    clock = next(one for one in order.clocks if one.name == "complete")
    assert clock.started is not None
    assert clock.started.wall + clock.limit == found.facts.overdue_at
    # The calendar is looked at again, and what people decided stays.
    desk.go("2026-11-13 09:00")
    assert str(desk.dues()[0].day) == "2026-11-20"
    assert desk.events("2026-11-16") == ["plan", "open", "postpone", "postpone"]


def test_one_is_recorded_as_done_without_an_order_and_one_is_void_with_its_order(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger)
    desk.go("2026-11-02 07:00")
    early = desk.act("oil.pump-1.2026-11-16", "ma", Role.TECHNICIAN)
    with pytest.raises(NotValidError, match="future"):
        actions.record(early, HERE, Recorded(at=desk.now.wall + HOUR))
    by_maker = Recorded(at=desk.now.wall - HOUR, note="by the maker", labour_minutes=0)
    assert actions.record(early, HERE, by_maker).labour_minutes == 0
    desk.go("2026-11-28 08:00")
    (order,) = desk.orders()
    assert order.id == "oil.pump-1.2026-12-01.order"
    later = desk.act("oil.pump-1.2026-12-01")
    with pytest.raises(ConflictError, match="complete order 1 instead"):
        actions.record(later, HERE, Recorded(at=desk.now.wall))
    with pytest.raises(ForbiddenError):
        actions.void(desk.act("oil.pump-1.2026-12-01", "wang", Role.FOREMAN), reason="x")
    actions.void(later, reason="pump is taken out")
    assert [one.state.value for one in desk.orders()] == ["void"]
    assert desk.states() == {
        "2026-11-16": "done",
        "2026-12-01": "void",
        "2026-12-16": "planned",
        "2026-12-31": "planned",
    }
    desk.go("2026-11-28 09:00")
    assert desk.states()["2026-12-01"] == "void"


def test_a_plan_that_is_taken_away_takes_what_is_not_opened_along_and_brings_it_back(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger)
    desk.go("2026-11-12 08:00")
    desk.go("2026-11-13 08:00")
    everything, desk.plans = desk.plans, ()
    desk.go("2026-11-13 09:00")
    assert desk.states() == {"2026-11-16": "due"}, "what is opened has its order"
    desk.plans = everything
    desk.go("2026-11-13 10:00")
    assert desk.states() == {"2026-11-16": "due", "2026-12-01": "planned", "2026-12-16": "planned"}
    assert desk.events("2026-12-01") == ["plan", "withdraw", "restore"]


def test_the_contractor_of_a_plan_gets_its_orders(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(doer=Doer(contractor="ma")),))
    hire(ledger, HERE, "ma", Role.TECHNICIAN, desk.now)
    desk.go("2026-11-12 08:00")
    desk.go("2026-11-13 08:00")
    (order,) = desk.orders()
    assert (order.state.value, order.assigned_to) == ("assigned", "ma")
    assert any(one.startswith("order_assigned.") for one in desk.notices())


def test_what_is_void_of_a_plan_by_completion_lets_the_next_one_begin(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(trigger=since_last("1 month")),))
    desk.go("2026-11-01 07:00")
    desk.go("2026-11-28 08:00")
    (order,) = desk.orders()
    order_actions.accept(desk.act(order.id))
    order_ends.void(desk.act(order.id), reason="twice")
    desk.go("2026-11-28 08:10")
    assert desk.states() == {"n0001": "void", "n0002": "planned"}
    assert [str(one.day) for one in desk.dues()] == ["2026-12-01", "2026-12-28"]


def test_a_new_site_raises_nothing_at_once_but_by_an_anchor_of_its_own(ledger: Ledger) -> None:
    own = every("15d")
    own = replace(own, anchors={"pump-1": date(2026, 10, 20)})
    desk = Desk(ledger, plans=(plan(trigger=every("1 month", "2026-10-02")), plan("own", own)))
    desk.go("2026-11-02 07:00")
    assert [one.id for one in desk.orders()] == ["own.pump-1.2026-11-04.order"]

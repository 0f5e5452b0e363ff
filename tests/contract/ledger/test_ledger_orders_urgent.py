"""An order that becomes more urgent, comes back, or has to wait behind others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from duty_room import HOT, NOON, SITE, TEMPERATURE, person
from order_desk import BOOK, BOSS, OrderDesk, escalation, limit, limits
from sqlalchemy import delete, insert, select, update
from staff import hire

from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from gateway.model.point import Text
from rules.actions import alarms as alarm_actions
from rules.actions.act import Act
from rules.ledger import order_clocks, orders, timers
from rules.ledger.orders import NewOrder
from rules.ledger.roster import calendar_of
from rules.ledger.rows import OrderSource
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.orders import order_clock
from rules.ledger.tables.people import membership
from rules.ledger.tables.rounds import round_, round_finding, round_item
from rules.ledger.tables.work import timer
from rules.ledger.timers import TimerKind
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.escalation import Escalation, Plan, Step
from rules.orders.lifecycle import OrderState
from rules.orders.limits import Selector
from rules.people.roles import ForbiddenError, Role
from rules.priority import Priority
from rules.rule import Comparison, Condition
from rules.shifts.calendar import DayKind, WorkingHours
from rules.shifts.calendar_actions import put_day, put_hours, remove_day

RESPOND, COMPLETE = ClockName.RESPOND, ClockName.COMPLETE
WARM = replace(
    HOT,
    id="warm",
    priority=Priority.MINOR,
    condition=Condition(comparison=Comparison.ABOVE, limit=60, deadband=1),
)
FIRE = replace(
    HOT,
    id="fire",
    priority=Priority.CRITICAL,
    condition=Condition(comparison=Comparison.ABOVE, limit=90, deadband=1),
    life_safety=True,
)
BY_PRIORITY = Escalation(
    plans=(
        Plan(
            selector=Selector(priority=Priority.CRITICAL),
            steps=(
                Step(clock=COMPLETE, after=MINUTE, to=Role.FOREMAN),
                Step(clock=COMPLETE, past=0, to=Role.ENGINEERING_MANAGER),
            ),
        ),
        Plan(
            selector=Selector(),
            steps=(
                Step(clock=COMPLETE, after=MINUTE, to=Role.TECHNICIAN),
                Step(clock=COMPLETE, after=2 * MINUTE, to=Role.TECHNICIAN),
            ),
        ),
    )
)


def room(ledger: Ledger, escalates: Escalation = BY_PRIORITY) -> OrderDesk:
    """A pump that gets warm, and then burns; all who could see to it are there."""
    desk = OrderDesk(ledger, book=replace(BOOK, escalation=escalates), rules=(WARM, FIRE))
    for name, role in {
        "li": Role.TECHNICIAN,
        "wang": Role.TECHNICIAN,
        "zhou": Role.FOREMAN,
        "chen": Role.ENGINEERING_MANAGER,
    }.items():
        hire(ledger, desk.site, name, role, desk.gateway.now)
    return desk


def leave(ledger: Ledger, username: str) -> None:
    with ledger.write(SITE) as entry:
        gone = update(membership).where(membership.c.username == username)
        entry.connection.execute(gone.values(active=False))


def suspended(ledger: Ledger) -> OrderDesk:
    desk = room(ledger)
    desk.heat(70)
    desk.do("accept", "li")
    desk.do("suspend", "li", why="parts", note=None)
    desk.tick(3600)
    return desk


def test_fire_in_a_suspended_order_ends_its_pause_and_its_holder_hears(ledger: Ledger) -> None:
    desk = suspended(ledger)
    assert desk.heat(99).priority is Priority.CRITICAL
    order = desk.tick(1)
    assert (order.state, order.suspended_why) == (OrderState.ACCEPTED, None), "as before"
    assert all(pause.end is not None for pause in order.pauses)
    (resumed,) = [event for event in desk.events() if event.event == "resume_accepted"]
    assert (resumed.by, resumed.why) == (None, order.alarms[-1])
    assert desk.notices() == [("order_escalated", ("li",))]
    desk.wait(3 * 3600, every=600)
    assert ("breach", "complete") in [(event.event, event.why) for event in desk.events()]


def test_with_its_holder_gone_fire_in_a_suspended_order_is_told_to_all(ledger: Ledger) -> None:
    desk = suspended(ledger)
    leave(ledger, "li")
    desk.heat(99)
    desk.tick(1)
    assert ("nobody_there", ()) in desk.notices()


def test_what_becomes_more_urgent_climbs_the_new_plan_from_its_start(ledger: Ledger) -> None:
    desk = room(ledger)
    desk.heat(70)
    desk.do("accept", "li")
    desk.wait(4 * 24 * 3600, every=1800)
    assert desk.order().clock(COMPLETE).breached_at is not None
    told = len(desk.notices())
    desk.heat(99)
    desk.wait(3 * 3600, every=600)
    people = {names for _, names in desk.notices()[told:]}
    assert ("chen",) in people, "it has heard of the less urgent order only"
    assert desk.steps().count("breach") > 1


def test_a_breach_whose_holder_is_gone_is_told_to_all(ledger: Ledger) -> None:
    desk = room(ledger, escalation(Step(clock=COMPLETE, share=50, to=Role.TECHNICIAN)))
    desk.heat(80)
    desk.do("accept", "li")
    leave(ledger, "li")
    desk.wait(3 * 24 * 3600, every=1800)
    assert ("order_escalated", ("wang",)) in desk.notices(), "the others of the role"
    assert ("order_breached", ()) in desk.notices()
    assert not [names for _, names in desk.notices() if "li" in names]


def test_steps_that_were_missed_are_taken_in_one_go_and_the_highest_hears(ledger: Ledger) -> None:
    desk = room(
        ledger,
        escalation(
            Step(clock=RESPOND, after=MINUTE, to=Role.TECHNICIAN),
            Step(clock=RESPOND, after=2 * MINUTE, to=Role.FOREMAN),
            Step(clock=RESPOND, after=3 * MINUTE, to=Role.ENGINEERING_MANAGER),
        ),
    )
    desk.heat(70)
    assert desk.tick(5 * 60).escalated_to == "engineering_manager"
    assert desk.notices() == [("order_escalated", ("chen",))]
    assert [event.why for event in desk.events() if event.event == "remind"] == [
        "respond: technician: li, wang",
        "respond: foreman: zhou",
        "respond: engineering_manager: chen",
    ]


def test_timers_of_fire_go_before_a_backlog(ledger: Ledger) -> None:
    desk = room(ledger)
    desk.heat(99)
    now = desk.gateway.clock.advance(3600)
    with ledger.write(SITE) as entry:
        order_id = desk.order().id
        for number in range(150):
            before = Instant(wall=NOON, mono=0, boot=now.boot)
            timers.start(entry, TimerKind.PROVE, f"other-{number}", before, allowed=0)
        first = timers.take_due(entry, now)
        assert {one.subject.split()[0] for one in first[:3]} == {order_id}
        assert len(first) == 100


def test_limits_of_many_orders_are_reckoned_as_many_at_once_as_a_commit_takes(
    ledger: Ledger,
) -> None:
    desk = room(ledger)
    with ledger.write(SITE) as entry:
        now, calendar = desk.gateway.now, calendar_of(entry, desk.site)
        for number in range(150):
            new = new_order(f"order-{number}")
            orders.make(entry, new, BOOK, at=now, now=now, calendar=calendar)
        entry.connection.execute(delete(timer))
        order_clocks.to_reckon_all(entry, now)
        kinds = entry.connection.execute(select(timer.c.kind)).scalars().all()
        assert kinds == ["reckon"] * 150
        assert len(timers.take_due(entry, now)) == 100
        assert len(timers.take_due(entry, now)) == 50


def test_an_old_order_is_not_breached_by_a_limit_that_is_new(ledger: Ledger) -> None:
    """As after an upgrade: an order has its own clock only."""
    desk = room(ledger)
    desk.heat(80)
    with ledger.write(SITE) as entry:
        entry.connection.execute(delete(order_clock).where(order_clock.c.name != "complete"))
        entry.connection.execute(delete(timer))
    desk.gateway.clock.advance(5 * HOUR / SECOND)
    desk.restart()
    order = desk.tick(60)
    assert order.clock(RESPOND).started == desk.gateway.now
    assert "breach" not in [event.event for event in desk.events() if event.why == "respond"]


def test_a_calendar_that_changes_moves_the_end_of_what_runs_by_it(ledger: Ledger) -> None:
    """2026-11-21 is a Saturday, noon."""
    within = limit(2 * HOUR, calendar=CalendarKind.WORKING_TIME)
    desk = room(ledger)
    desk.restart(replace(BOOK, time_limits=limits(respond=within)))
    desk.heat(80)

    def due() -> int:
        ends = desk.tick(1).clock(RESPOND).due
        assert ends is not None
        return ends.wall

    monday = due()
    saturday, boss = date(2026, 11, 21), person("chen")
    put_day(
        ledger,
        SITE,
        day=saturday,
        kind=DayKind.MAKE_UP_WORKING,
        name=None,
        reason="x",
        actor=boss,
        now=desk.gateway.now,
    )
    assert due() < NOON + 4 * HOUR
    remove_day(ledger, SITE, saturday, actor=boss, now=desk.gateway.now)
    assert due() == monday
    hours = WorkingHours(starts=6 * 60, ends=18 * 60)
    put_hours(ledger, SITE, hours, actor=boss, now=desk.gateway.now)
    assert due() < monday


def test_a_relapse_under_the_shelf_opens_the_completed_order_when_it_ends(ledger: Ledger) -> None:
    desk = OrderDesk(ledger)
    hire(ledger, desk.site, "li", Role.TECHNICIAN, desk.gateway.now)
    about = desk.heat().alarms[0]
    desk.do("accept", "li")
    alarm_actions.shelve(Act(ledger, SITE, about, BOSS, desk.gateway.now), minutes=30, reason="x")
    desk.tick(1)
    desk.do("complete", "li", note="done")
    desk.cool()
    assert desk.heat().state is OrderState.COMPLETED, "nobody is called for what is on the shelf"
    for _ in range(31):
        desk.worker.take(desk.gateway.poll(2, {TEMPERATURE: 80}))
        desk.tick(58)
    assert desk.order().state is OrderState.OPEN
    assert "relapse" in desk.steps()


def test_what_was_there_all_the_time_does_not_open_the_order_when_the_shelf_ends(
    ledger: Ledger,
) -> None:
    desk = OrderDesk(ledger)
    about = desk.heat().alarms[0]
    desk.do("accept", "li")
    alarm_actions.shelve(Act(ledger, SITE, about, BOSS, desk.gateway.now), minutes=30, reason="x")
    desk.tick(1)
    desk.do("complete", "li", note="done")
    for _ in range(31):
        desk.worker.take(desk.gateway.poll(2, {TEMPERATURE: 80}))
        desk.tick(58)
    assert desk.order().state is OrderState.COMPLETED


def test_a_finding_that_has_joined_keeps_an_order_whose_alarms_are_explained(
    ledger: Ledger,
) -> None:
    desk = OrderDesk(ledger)
    order = desk.heat()
    with ledger.write(SITE) as entry:
        find_too(entry, order.id)
        entry.connection.execute(update(alarm).values(state="suppressed"))
        orders.explained(entry, order.id, by="feeder", now=desk.gateway.now)
    assert desk.order().state is OrderState.OPEN


def test_an_order_handed_over_twice_with_one_key_is_handed_over_once(ledger: Ledger) -> None:
    desk = room(ledger)
    desk.heat(80)
    desk.do("accept", "li")
    for _ in range(2):
        order = desk.do("assign", "li", to="wang", note=None, key="k1")
        assert order.assigned_to == "wang"
    assert desk.steps().count("assign") == 1
    with pytest.raises(ForbiddenError):
        desk.do("assign", "li", to="li", note=None, key="k2")


def test_an_order_of_a_clock_that_is_ahead_begins_now(ledger: Ledger) -> None:
    desk = room(ledger)
    now = desk.gateway.now
    ahead = Instant(wall=now.wall + 6 * HOUR, mono=5, boot="gateway")
    with ledger.write(SITE) as entry:
        calendar = calendar_of(entry, desk.site)
        orders.make(entry, new_order("x"), BOOK, at=ahead, now=now, calendar=calendar)
    assert desk.order().clock(RESPOND).due == now.plus(10 * MINUTE)


def new_order(name: str) -> NewOrder:
    words = Text(zh="x", en="x")
    return NewOrder(
        id=name,
        source=OrderSource.PERSON,
        equipment="pump-2",
        equipment_name=words,
        area="b1",
        category="water_supply",
        category_name=words,
        title=words,
        cause_key=name,
        priority=Priority.MAJOR,
    )


def find_too(entry: Entry, order_id: str) -> None:
    """A round finds what the order is about."""
    words, here = {"zh": "x", "en": "x"}, {"site_id": SITE}
    times = dict.fromkeys(("patience", "opens_at", "due_at", "late_until", "planned_at"), NOON)
    rows = {
        round_: {"id": "r", "regime": "r", "name": words, "level": "daily", "period": "p"}
        | {"role": "officer", **times},
        round_item: {"round_id": "r", "key": "i", "position": 1, "name": words, "points": []}
        | {"answer": "choice", "unit": "", "choices": [], "severity": "major"}
        | {"subject": "pump-1", "subject_name": words, "cause_key": "x", "source": "x"}
        | {"state": "failed"},
        round_finding: {"id": "f", "round_id": "r", "item": "i", "severity": "major"}
        | {"text": words, "order_id": order_id, "at": NOON},
    }
    for table, columns in rows.items():
        entry.connection.execute(insert(table).values(**here, **columns))

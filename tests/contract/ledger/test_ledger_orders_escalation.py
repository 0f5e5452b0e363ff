"""Somebody higher hears of an order that nobody sees to, and an empty step holds nothing up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from duty_room import SITE, person
from order_desk import BOOK, FOREMAN, OFFICER, OrderDesk, escalation
from staff import hire

from gateway.model.equipment import Area
from gateway.model.moment import MINUTE
from gateway.model.point import Text
from rules.ledger.store import Ledger
from rules.orders.book import OrderBook
from rules.orders.clock import ClockName
from rules.orders.escalation import Step
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, Role
from rules.shifts import actions
from rules.shifts.duty import LeaveKind, Team
from rules.shifts.rotation import Shift

RESPOND, COMPLETE = ClockName.RESPOND, ClockName.COMPLETE
ONE_THREE_FIVE = replace(
    BOOK,
    escalation=escalation(
        Step(clock=RESPOND, after=MINUTE, to=Role.FOREMAN),
        Step(clock=RESPOND, after=3 * MINUTE, to=Role.ENGINEERING_MANAGER),
        Step(clock=RESPOND, after=5 * MINUTE, to=Role.PROJECT_MANAGER),
    ),
)


def room(ledger: Ledger, book: OrderBook = ONE_THREE_FIVE, **roles: Role) -> OrderDesk:
    desk = OrderDesk(ledger, book=book)
    for name, role in roles.items():
        hire(ledger, desk.site, name, role, desk.gateway.now)
    return desk


ALL = {
    "li": Role.TECHNICIAN,
    "zhou": Role.FOREMAN,
    "chen": Role.ENGINEERING_MANAGER,
    "wu": Role.PROJECT_MANAGER,
}


def test_the_ladder_is_climbed_step_by_step_until_somebody_answers(ledger: Ledger) -> None:
    desk = room(ledger, **ALL)
    desk.heat()
    desk.tick(59)
    assert desk.notices() == []
    assert desk.tick(1).escalated_to == "foreman"
    assert desk.notices() == [("order_escalated", ("zhou",))]
    assert desk.tick(120).escalated_to == "engineering_manager"
    desk.do("accept", "li")
    desk.wait(3600)
    assert desk.notices()[:2] == [
        ("order_escalated", ("zhou",)),
        ("order_escalated", ("chen",)),
    ]
    assert [(e.event, e.why) for e in desk.events() if e.event == "remind"] == [
        ("remind", "respond: foreman: zhou"),
        ("remind", "respond: engineering_manager: chen"),
    ]


def test_each_step_is_taken_once_however_often_the_rules_begin_anew(ledger: Ledger) -> None:
    desk = room(ledger, **ALL)
    desk.heat()
    for _ in range(10):
        desk.restart()
        desk.tick(60)
    reminders = [event for event in desk.events() if event.event == "remind"]
    assert [event.why for event in reminders] == [
        "respond: foreman: zhou",
        "respond: engineering_manager: chen",
        "respond: project_manager: wu",
    ]


def test_an_empty_step_is_passed_over_at_once_and_that_is_told(ledger: Ledger) -> None:
    """goalert #4548: an empty step still waits."""
    desk = room(ledger, li=Role.TECHNICIAN, wu=Role.PROJECT_MANAGER)
    desk.heat()
    order = desk.tick(60)
    assert order.escalated_to == "project_manager"
    assert sorted(desk.notices()) == [("nobody_there", ()), ("order_escalated", ("wu",))]
    assert [event.why for event in desk.events()[1:]] == [
        "respond: no foreman, engineering_manager",
        "respond: project_manager: wu",
    ]


def test_steps_before_and_after_the_end(ledger: Ledger) -> None:
    book = replace(
        BOOK,
        escalation=escalation(
            Step(clock=RESPOND, share=50, to=Role.TECHNICIAN),
            Step(clock=RESPOND, past=0, to=Role.FOREMAN),
            Step(clock=RESPOND, past=5 * MINUTE, to=Role.ENGINEERING_MANAGER),
        ),
    )
    desk = room(ledger, book, **ALL)
    begun = desk.heat().created_at
    desk.wait(20 * 60)
    told = [(e.event, (e.at - begun) // MINUTE) for e in desk.events()[1:]]
    assert told == [("remind", 5), ("breach", 10), ("remind", 10), ("remind", 15)]


def test_a_technicians_step_is_for_whoever_has_the_order(ledger: Ledger) -> None:
    book = replace(BOOK, escalation=escalation(Step(clock=RESPOND, share=50, to=Role.TECHNICIAN)))
    desk = room(ledger, book, wang=Role.TECHNICIAN, **ALL)
    desk.heat()
    desk.do("assign", OFFICER, to="li", note=None)
    desk.tick(5 * 60)
    assert ("order_escalated", ("li",)) in desk.notices()


def test_a_suspended_order_is_not_escalated_and_goes_on_where_it_was(ledger: Ledger) -> None:
    book = replace(BOOK, escalation=escalation(Step(clock=COMPLETE, share=50, to=Role.FOREMAN)))
    desk = room(ledger, book, **ALL)
    desk.heat()
    desk.do("accept", "li")
    desk.tick(1800)
    desk.do("suspend", why="parts", note=None)
    desk.tick(24 * 3600)
    desk.do("resume")
    desk.wait(1800 - 60)
    assert "order_escalated" not in [kind for kind, _ in desk.notices()]
    desk.tick(60)
    assert ("order_escalated", ("zhou",)) in desk.notices()


@pytest.fixture
def on_night(ledger: Ledger) -> OrderDesk:
    """At noon only ``sun`` is on duty, a foreman of another area's team; ``li`` has the night."""
    desk = room(ledger, sun=Role.FOREMAN, **ALL)
    manager, now = person("chen"), desk.gateway.now
    name = Text(zh="班", en="Team")
    for team in (
        Team(id="a", name=name, members=("sun",)),
        Team(id="b", name=name, members=("li",)),
    ):
        actions.put_team(ledger, desk.site, team, actor=manager, now=now)
    shifts = (
        Shift(id="day", name=name, starts=480, ends=1200, minimum=1),
        Shift(id="night", name=name, starts=1200, ends=480, minimum=1),
    )
    actions.put_shifts(
        ledger,
        desk.site,
        shifts=shifts,
        anchor=date(2026, 11, 21),
        pattern=[{"day": "a", "night": "b"}],
        actor=manager,
        now=now,
    )
    return desk


def test_who_is_on_duty_comes_before_who_is_not(on_night: OrderDesk) -> None:
    on_night.heat()
    on_night.tick(60)
    assert on_night.notices() == [("order_escalated", ("sun",))], "zhou is at home"


def test_with_nobody_on_duty_it_goes_up_at_once(on_night: OrderDesk) -> None:
    actions.put_team(
        on_night.ledger,
        on_night.site,
        Team(id="a", name=Text(zh="班", en="Team"), areas=("b1",), members=("wu",)),
        actor=person("chen"),
        now=on_night.gateway.now,
    )
    order = on_night.heat()
    assert order.escalated_to == "foreman"
    assert on_night.notices()[0] == ("nobody_there", ())
    assert on_night.notices()[1][0] == "order_escalated"
    assert set(on_night.notices()[1][1]) == {"sun", "zhou"}
    assert on_night.events()[-1].why == "respond: foreman: sun, zhou (nobody on duty)"
    assert on_night.tick(3 * 60).escalated_to == "engineering_manager", "the next step has its time"


def test_who_is_on_duty_is_there_whichever_areas_are_their_teams(on_night: OrderDesk) -> None:
    name = Text(zh="顶", en="Roof")
    site = replace(on_night.site, areas={"roof": Area(id="roof", name=name)})
    actions.put_team(
        on_night.ledger,
        site,
        Team(id="a", name=name, areas=("roof",), members=("sun",)),
        actor=person("chen"),
        now=on_night.gateway.now,
    )
    on_night.heat()
    on_night.tick(1)
    assert on_night.notices() == [], "somebody is on duty"
    on_night.tick(60)
    assert on_night.notices() == [("order_escalated", ("sun",))]


def test_a_step_is_for_nobody_on_leave_and_for_no_contractor_of_another_trade(
    on_night: OrderDesk,
) -> None:
    ledger, site, now = on_night.ledger, on_night.site, on_night.gateway.now
    step = Step(clock=RESPOND, share=50, to=Role.TECHNICIAN)
    book = replace(BOOK, escalation=escalation(step), skills={"water_supply": ("pumps",)})
    for username, skill in (("lift-co", "lifts"), ("pump-co", "pumps")):
        contractor = Person(
            username=username,
            display_name=username,
            role=Role.TECHNICIAN,
            skills=(skill,),
            contractor=True,
            can_log_in=False,
        )
        people.add(ledger, site, contractor, actor=PROGRAM, now=now)
    on_night.restart(book)
    on_night.heat()
    on_night.tick(5 * 60)
    assert on_night.notices() == [("order_escalated", ("li", "pump-co"))]
    on_night.do("void", FOREMAN, reason="x")
    on_night.cool()
    actions.add_leave(
        ledger,
        site,
        username="li",
        first=date(2026, 11, 21),
        last=date(2026, 11, 21),
        kind=LeaveKind.SICK,
        reason="x",
        actor=person("chen"),
        now=now,
    )
    on_night.heat()
    on_night.tick(5 * 60)
    assert on_night.notices()[-1] == ("order_escalated", ("pump-co",))


def test_what_nobody_has_taken_is_looked_at_again_when_it_is_given_back(
    on_night: OrderDesk,
) -> None:
    on_night.heat()
    on_night.do("accept", FOREMAN)
    on_night.do("decline", FOREMAN, reason="x")
    on_night.tick(60)
    on_night.tick(1)
    assert on_night.order().escalated_to == "foreman"
    with on_night.ledger.read(SITE) as view:
        assert view.orders()[0].assigned_to is None


def test_with_nobody_at_all_it_is_told_once(ledger: Ledger) -> None:
    desk = room(ledger)
    desk.heat()
    desk.wait(600)
    assert [kind for kind, _ in desk.notices()] == ["nobody_there", "order_breached"]
    assert [event.why for event in desk.events()[1:]] == [
        "respond: no foreman, engineering_manager, project_manager",
        "respond",
    ]


def at_noon_only(desk: OrderDesk, username: str) -> None:
    """A rotation: nobody else is ever on duty."""
    manager, now, name = person("chen"), desk.gateway.now, Text(zh="班", en="Team")
    team = Team(id="a", name=name, members=(username,))
    actions.put_team(desk.ledger, desk.site, team, actor=manager, now=now)
    actions.put_shifts(
        desk.ledger,
        desk.site,
        shifts=(Shift(id="day", name=name, starts=480, ends=1200, minimum=1),),
        anchor=date(2026, 11, 21),
        pattern=[{"day": "a"}],
        actor=manager,
        now=now,
    )


def test_with_nobody_on_duty_the_step_is_one_of_responding(ledger: Ledger) -> None:
    book = replace(
        BOOK,
        escalation=escalation(
            Step(clock=ClockName.ARRIVE, past=0, to=Role.ENGINEERING_MANAGER),
            Step(clock=RESPOND, share=50, to=Role.TECHNICIAN),
            Step(clock=RESPOND, past=0, to=Role.FOREMAN),
        ),
    )
    desk = room(ledger, book, **ALL)
    at_noon_only(desk, "wu")
    desk.heat()
    assert desk.events()[-1].why == "respond: technician: li (nobody on duty)"


def test_with_nobody_on_duty_and_no_plan_that_is_told_all_the_same(ledger: Ledger) -> None:
    desk = room(ledger, BOOK, **ALL)
    at_noon_only(desk, "wu")
    desk.heat()
    desk.tick(1)
    assert desk.notices() == [("nobody_there", ())]

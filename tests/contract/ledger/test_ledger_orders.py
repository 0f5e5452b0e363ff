"""The life of an order and its clocks, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import HOT, SITE, person
from order_desk import BOOK, BOSS, FOREMAN, OFFICER, OrderDesk, limit, limits
from sqlalchemy import select, update
from staff import hire

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from rules.ledger import orders as order_rows
from rules.ledger.orders import NewOrder
from rules.ledger.roster import calendar_of
from rules.ledger.rows import OrderSource, Requester, WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.work import timer
from rules.lifecycle import IllegalTransitionError
from rules.orders.book import OrderBook
from rules.orders.clock import CalendarKind, ClockName, ClockState, Standing, stand
from rules.orders.lifecycle import OrderState
from rules.orders.limits import CountedFrom
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, ForbiddenError, Role
from rules.priority import Priority
from rules.refusals import ConflictError, NotValidError

RESPOND, ARRIVE, COMPLETE = ClockName.RESPOND, ClockName.ARRIVE, ClockName.COMPLETE


@pytest.fixture
def desk(ledger: Ledger) -> OrderDesk:
    """An order of a hot pump, as long old as it took to notice."""
    desk = OrderDesk(ledger)
    staff(desk, tao=Role.TECHNICIAN)
    desk.heat()
    return desk


def standing(desk: OrderDesk, name: ClockName, order: WorkOrder | None = None) -> Standing:
    order = order or desk.order()
    clock = order.clock(name)
    assert clock is not None
    with desk.ledger.read(SITE) as view:
        calendar = calendar_of(view, desk.site)
    return stand(clock, order.pauses, desk.gateway.now, calendar)


def staff(desk: OrderDesk, **roles: Role) -> None:
    for name, role in roles.items():
        hire(desk.ledger, desk.site, name, role, desk.gateway.now)


def test_an_order_has_all_its_clocks_in_the_transaction_of_its_alarm(desk: OrderDesk) -> None:
    order = desk.order()
    now = desk.gateway.now
    assert [(clock.name, clock.limit, clock.due) for clock in order.clocks] == [
        (RESPOND, 10 * MINUTE, now.plus(10 * MINUTE)),
        (ARRIVE, 30 * MINUTE, now.plus(30 * MINUTE)),
        (COMPLETE, 2 * HOUR, now.plus(2 * HOUR)),
    ]
    assert (order.source, order.assigned_to) == (OrderSource.ALARM, None)
    assert desk.steps() == ["create"]


def test_the_whole_way_from_giving_it_out_to_the_proof_by_telemetry(desk: OrderDesk) -> None:
    staff(desk, li=Role.TECHNICIAN)
    assigned = desk.do("assign", OFFICER, to="li", note="带备件")
    assert (assigned.state, assigned.assigned_to, assigned.assigned_name) == (
        OrderState.ASSIGNED,
        "li",
        "某li",
    )
    assert desk.notices() == [("order_assigned", ("li",))]
    desk.tick(60)
    accepted = desk.do("accept")
    assert accepted.accepted_by == "li"
    assert standing(desk, RESPOND).state is ClockState.STOPPED
    desk.tick(60)
    assert desk.do("arrive").arrived_at == desk.gateway.now.wall
    assert standing(desk, ARRIVE).state is ClockState.STOPPED
    desk.do("start")
    desk.tick(60)
    suspended = desk.do("suspend", why="parts", note="等机械密封")
    assert (suspended.state, suspended.suspended_why) == (OrderState.SUSPENDED, "parts")
    assert standing(desk, COMPLETE).state is ClockState.PAUSED
    desk.tick(DAY // SECOND)
    resumed = desk.do("resume")
    assert (resumed.state, resumed.suspended_why) == (OrderState.IN_PROGRESS, None)
    assert standing(desk, COMPLETE).remaining == 2 * HOUR - 3 * MINUTE
    desk.tick(60)
    desk.cool()
    done = desk.do("complete", note="更换密封", labour_minutes=40)
    assert (done.state, done.labour_minutes) == (OrderState.COMPLETED, 40)
    assert standing(desk, COMPLETE).state is ClockState.STOPPED
    assert desk.run(1).verifies_at is None, "it is watched from the next commit on"
    begun = desk.gateway.now.wall + SECOND
    assert desk.run(1).verifies_at == begun + HOT.order.close_after
    assert desk.run(30 * 60 - 1).state is OrderState.COMPLETED
    over = desk.run(1)
    assert (over.state, over.verified_by) == (OrderState.CLOSED, None)
    assert over.verified_at == over.closed_at == desk.gateway.now.wall
    assert desk.steps() == [
        "create",
        "assign",
        "accept",
        "arrive",
        "start",
        "suspend",
        "resume",
        "complete",
        "verify",
        "close",
    ]
    assert desk.events()[-2].why == "telemetry: 1800 s"


def test_each_clock_is_breached_once_and_told_once(desk: OrderDesk) -> None:
    order = desk.wait(3 * 3600)
    assert [(e.event, e.why) for e in desk.events()] == [
        ("create", order.alarms[0]),
        ("breach", "respond"),
        ("breach", "arrive"),
        ("breach", "complete"),
    ]
    assert [kind for kind, _ in desk.notices()] == ["order_breached"] * 3
    assert all(clock.breached_at == clock.due.wall for clock in order.clocks if clock.due)


def test_accepting_and_completing_reach_what_comes_before(desk: OrderDesk) -> None:
    desk.tick(9 * 60)
    desk.do("accept")
    desk.do("complete", note="x")
    desk.wait(3 * 3600)
    assert desk.steps() == ["create", "accept", "complete"]
    assert {standing(desk, name).state for name in ClockName} == {ClockState.STOPPED}


def test_an_order_that_waits_for_parts_is_not_breached(desk: OrderDesk) -> None:
    """GLPI #24481: breach while pending."""
    desk.do("accept")
    desk.do("arrive")
    desk.do("start")
    desk.tick(3600)
    desk.do("suspend", why="parts", note=None)
    desk.tick(7 * 24 * 3600)
    desk.restart()
    desk.tick(60)
    assert "breach" not in desk.steps()
    desk.do("resume")
    desk.wait(3600 - 60)
    assert "breach" not in desk.steps(), "an hour was used, and an hour is left"
    desk.tick(60)
    assert desk.steps()[-1] == "breach"


def test_an_order_that_was_suspended_before_arrival_is_still_to_be_come_to(
    desk: OrderDesk,
) -> None:
    """It went on as in progress, and its clock of arrival ended with nobody there."""
    desk.do("accept")
    desk.tick(600)
    desk.do("suspend", why="owner", note=None)
    desk.tick(3600)
    resumed = desk.do("resume")
    assert (resumed.state, resumed.arrived_at, resumed.started_at) == (
        OrderState.ACCEPTED,
        None,
        None,
    )
    desk.tick(0)
    assert standing(desk, ARRIVE).remaining == 20 * MINUTE
    desk.do("arrive")
    desk.do("suspend", why="parts", note=None)
    assert desk.do("resume").state is OrderState.ON_SITE
    desk.do("start")
    desk.do("suspend", why="parts", note=None)
    assert desk.do("resume").state is OrderState.IN_PROGRESS
    with pytest.raises(IllegalTransitionError):
        desk.do("resume")
    assert [one for one in desk.steps() if one.startswith("resume")] == [
        "resume_accepted",
        "resume_on_site",
        "resume",
    ]


@pytest.mark.parametrize(("category", "rank"), [("lift", 0), ("lighting", 1)])
def test_what_somebody_says_of_lives_goes_first_among_the_timers(
    desk: OrderDesk, category: str, rank: int
) -> None:
    """Only what an alarm had raised did."""
    order = make(desk, Priority.CRITICAL, category=category)
    desk.do("accept")
    with desk.ledger.reading() as connection:
        rows = connection.execute(select(timer.c.kind, timer.c.rank, timer.c.subject)).all()
    of_it = {row.kind: row.rank for row in rows if row.subject.startswith(order.id)}
    assert {"breach", "reckon"} <= of_it.keys()
    assert set(of_it.values()) == {rank}


def test_paused_time_is_not_forgotten_when_the_limits_change(ledger: Ledger) -> None:
    """GLPI #6902: paused SLA time forgotten on a change of SLA."""
    slow = limit(2 * HOUR, counted_from=CountedFrom.ACCEPTED)
    desk = OrderDesk(ledger, book=OrderBook(time_limits=limits(complete=slow)))
    make(desk)
    desk.do("accept")
    desk.do("start")
    desk.tick(1800)
    desk.do("suspend", why="owner", note=None)
    desk.tick(5 * 3600)
    desk.do("resume")
    desk.tick(60)
    quick = limit(HOUR, counted_from=CountedFrom.ACCEPTED)
    desk.restart(OrderBook(time_limits=limits(complete=quick)))
    order = desk.tick(60)
    clock = order.clock(COMPLETE)
    assert clock is not None
    assert clock.limit == HOUR
    assert standing(desk, COMPLETE).remaining == 30 * MINUTE - 2 * MINUTE
    assert clock.due == desk.gateway.now.plus(28 * MINUTE)
    desk.wait(27 * 60)
    assert "breach" not in desk.steps()
    desk.tick(60)
    assert desk.steps()[-1] == "breach"


def test_a_longer_limit_moves_the_end_and_a_new_limit_begins(ledger: Ledger) -> None:
    desk = OrderDesk(ledger, book=OrderBook(time_limits=limits(respond=limit(10 * MINUTE))))
    desk.heat()
    desk.tick(5 * 60)
    desk.restart(OrderBook(time_limits=limits(respond=limit(HOUR), arrive=limit(2 * HOUR))))
    order = desk.tick(6 * 60)
    assert desk.steps() == ["create"]
    assert standing(desk, RESPOND).remaining == 49 * MINUTE
    assert standing(desk, ARRIVE).remaining == 2 * HOUR, "nobody could keep what was not there"
    assert order.clock(COMPLETE).limit == 2 * HOUR, "its own rule goes before the table"


def test_a_restart_seven_minutes_into_ten_ends_it_at_ten(desk: OrderDesk) -> None:
    desk.tick(7 * 60)
    desk.gateway.clock.reboot("boot-2", off_seconds=30)
    desk.restart()
    desk.tick(2 * 60)
    assert desk.steps() == ["create"]
    desk.tick(29)
    assert desk.steps() == ["create"]
    desk.tick(1)
    assert desk.steps() == ["create", "breach"]


def test_after_two_minutes_frozen_what_is_overdue_is_breached_once(desk: OrderDesk) -> None:
    desk.tick(9 * 60)
    desk.tick(120)
    desk.tick(1)
    assert desk.steps() == ["create", "breach"]


@pytest.mark.parametrize("step", [3600, -3600, 365 * 24 * 3600])
def test_a_step_of_the_wall_clock_changes_neither_pause_nor_end(desk: OrderDesk, step: int) -> None:
    desk.do("accept")
    desk.do("start")
    desk.tick(1800)
    desk.do("suspend", why="parts", note=None)
    desk.tick(600)
    desk.gateway.clock.step_wall(step)
    desk.worker.tick(desk.gateway.now)
    desk.tick(600)
    desk.do("resume")
    desk.tick(1)
    assert standing(desk, COMPLETE).remaining == 90 * MINUTE - SECOND
    desk.tick(90 * 60 - 2)
    assert "breach" not in desk.steps()
    desk.tick(1)
    assert desk.steps()[-1] == "breach"


def make(desk: OrderDesk, priority: Priority = Priority.MAJOR, **more: object) -> WorkOrder:
    """An order that a person made."""
    now = desk.gateway.now
    new = NewOrder(
        id=f"by-hand-{now.wall}",
        source=OrderSource.PERSON,
        equipment="b1",
        equipment_name=desk.site.areas["b1"].name,
        area="b1",
        category="lighting",
        category_name=desk.site.areas["b1"].name,
        title=desk.site.areas["b1"].name,
        cause_key=f"by-hand-{now.wall}",
        priority=priority,
        created_by="qian",
    )
    new = replace(new, **more)  # type: ignore[arg-type]
    with desk.ledger.write(SITE) as entry:
        calendar = calendar_of(entry, desk.site)
        order_rows.make(entry, new, desk.book, at=now, now=now, calendar=calendar)
    return desk.order()


def test_a_limit_from_acceptance_begins_when_it_is_accepted(ledger: Ledger) -> None:
    from_acceptance = limit(HOUR, counted_from=CountedFrom.ACCEPTED)
    desk = OrderDesk(ledger, book=OrderBook(time_limits=limits(complete=from_acceptance)))
    make(desk)
    assert standing(desk, COMPLETE).state is ClockState.WAITING
    desk.tick(2 * 3600)
    assert standing(desk, COMPLETE).state is ClockState.WAITING
    desk.do("accept")
    desk.wait(59 * 60)
    assert standing(desk, COMPLETE).remaining == MINUTE
    desk.tick(60)
    assert desk.steps() == ["create", "accept", "breach"]


def test_a_limit_in_working_time_pauses_at_night_and_over_the_weekend(ledger: Ledger) -> None:
    slow = limit(4 * HOUR, calendar=CalendarKind.WORKING_TIME)
    desk = OrderDesk(ledger, book=OrderBook(time_limits=limits(respond=slow)))
    make(desk)
    assert standing(desk, RESPOND).state is ClockState.PAUSED, "it is Saturday noon"
    desk.tick((44 + 3) * 3600)
    assert standing(desk, RESPOND).remaining == HOUR, "Monday, eleven o'clock"
    assert desk.steps() == ["create"]
    desk.tick(3600)
    assert desk.steps() == ["create", "breach"]


def test_a_relapse_takes_the_clock_along_and_somebody_has_to_answer_again(
    desk: OrderDesk,
) -> None:
    desk.tick(60)
    desk.do("accept")
    desk.tick(1800)
    desk.do("complete", note="x")
    desk.cool()
    left = standing(desk, COMPLETE).remaining
    desk.tick(600)
    again = desk.heat()
    assert (again.state, again.assigned_to, again.accepted_at) == (OrderState.OPEN, None, None)
    assert standing(desk, COMPLETE).remaining == left
    assert [pause.why for pause in again.pauses] == ["done"]
    assert standing(desk, RESPOND).remaining == 10 * MINUTE
    assert standing(desk, ARRIVE).remaining == 30 * MINUTE
    desk.tick(600)
    assert desk.steps()[-1] == "breach"


def test_what_is_given_back_is_open_again_and_has_to_be_answered_anew(desk: OrderDesk) -> None:
    desk.do("accept")
    desk.do("arrive")
    desk.do("suspend", why="other", note=None)
    desk.tick(3600)
    given_back = desk.do("decline", reason="不在本片区")
    assert (given_back.state, given_back.assigned_to) == (OrderState.OPEN, None)
    assert given_back.suspended_why is None
    desk.tick(0)
    assert standing(desk, RESPOND).remaining == 10 * MINUTE
    assert standing(desk, ARRIVE).remaining == 30 * MINUTE
    assert standing(desk, COMPLETE).remaining == 2 * HOUR, "the pause is over, and counted"


def test_a_technician_acts_on_their_own_orders_only(desk: OrderDesk) -> None:
    staff(desk, li=Role.TECHNICIAN, wang=Role.TECHNICIAN)
    desk.do("assign", OFFICER, to="li", note=None)
    with pytest.raises(ForbiddenError, match="li has the order"):
        desk.do("accept", "wang")
    desk.do("accept", "li")
    with pytest.raises(IllegalTransitionError):
        desk.do("accept", "wang")
    for name, said in (
        ("arrive", {}),
        ("start", {}),
        ("suspend", {"why": "parts", "note": None}),
        ("complete", {"note": "x"}),
        ("decline", {"reason": "x"}),
    ):
        with pytest.raises(ForbiddenError, match="li has the order"):
            desk.do(name, "wang", **said)
    with pytest.raises(ForbiddenError):
        desk.do("arrive", person("wang", Role.PROJECT_MANAGER))
    assert desk.do("complete", FOREMAN, note="for li").completed_by == "zhou"
    assert desk.steps() == ["create", "assign", "accept", "complete"]


def test_who_has_an_order_may_hand_it_over_and_nobody_else_may(desk: OrderDesk) -> None:
    staff(desk, li=Role.TECHNICIAN, wang=Role.TECHNICIAN)
    with pytest.raises(ForbiddenError):
        desk.do("assign", "li", to="wang", note=None)
    desk.do("accept", "li")
    with pytest.raises(ForbiddenError):
        desk.do("assign", "wang", to="wang", note=None)
    handed = desk.do("assign", "li", to="wang", note="下班")
    assert (handed.state, handed.assigned_to, handed.accepted_by) == (
        OrderState.ASSIGNED,
        "wang",
        None,
    )
    assert desk.notices() == [("order_assigned", ("wang",))]
    desk.tick(0)
    assert standing(desk, RESPOND).remaining == 10 * MINUTE
    desk.do("accept", "wang")


def test_an_order_goes_to_somebody_who_can_take_it(desk: OrderDesk) -> None:
    staff(desk, qian=Role.OFFICER, li=Role.TECHNICIAN)
    hire(desk.ledger, desk.site, "far", Role.TECHNICIAN, desk.gateway.now, areas=("b1",))
    desk.do("assign", OFFICER, to="far", note=None)
    for name in ("nobody", "qian"):
        with pytest.raises(NotValidError):
            desk.do("assign", OFFICER, to=name, note=None)
    with pytest.raises(ConflictError):
        desk.do("assign", OFFICER, to="far", note=None)
    assert desk.steps() == ["create", "assign"]


def test_a_contractor_keeps_the_order_that_somebody_accepts_for_them(desk: OrderDesk) -> None:
    firm = Person(
        username="lift-firm",
        display_name="电梯维保",
        role=Role.TECHNICIAN,
        contractor=True,
        can_log_in=False,
    )
    people.add(desk.ledger, desk.site, firm, actor=PROGRAM, now=desk.gateway.now)
    desk.do("assign", OFFICER, to="lift-firm", note=None)
    accepted = desk.do("accept", FOREMAN)
    assert (accepted.assigned_to, accepted.accepted_by) == ("lift-firm", "zhou")
    assert desk.do("arrive", FOREMAN).state is OrderState.ON_SITE


def test_of_an_order_without_an_alarm_somebody_says_that_it_is_good(ledger: Ledger) -> None:
    desk = OrderDesk(ledger)
    make(desk)
    desk.do("accept")
    done = desk.do("complete", note="灯管已换")
    assert done.verifies_at is None
    desk.tick(30 * 24 * 3600)
    assert desk.order().state is OrderState.COMPLETED
    with pytest.raises(NotValidError):
        desk.do("verify", BOSS, passed=True, note=None)
    with pytest.raises(NotValidError):
        desk.do("verify", BOSS, passed=False, note=None)
    with pytest.raises(ForbiddenError):
        desk.do("verify", "li", passed=True, note="ok")
    assert desk.order().state is OrderState.COMPLETED
    over = desk.do("verify", BOSS, passed=True, note="现场看过")
    assert (over.state, over.verified_by) == (OrderState.CLOSED, "chen")
    assert desk.steps()[-2:] == ["verify", "close"]


def test_work_that_is_not_good_is_done_again_and_its_clock_goes_on(desk: OrderDesk) -> None:
    desk.do("accept")
    desk.tick(600)
    desk.do("complete", note="x")
    left = standing(desk, COMPLETE).remaining
    desk.tick(3600)
    rejected = desk.do("verify", BOSS, passed=False, note="仍渗漏")
    assert (rejected.state, rejected.completed_at) == (OrderState.IN_PROGRESS, None)
    assert rejected.assigned_to == "li"
    desk.tick(60)
    assert standing(desk, COMPLETE).remaining == left - MINUTE
    assert standing(desk, RESPOND).state is ClockState.STOPPED


def request(ledger: Ledger) -> OrderDesk:
    desk = OrderDesk(ledger)
    make(
        desk,
        source=OrderSource.REQUEST,
        requester=Requester(name="王女士", phone="13900000000", place="801"),
    )
    desk.do("accept")
    desk.do("complete", note="已修")
    return desk


def test_who_asked_for_it_is_visited_before_it_is_over(ledger: Ledger) -> None:
    desk = request(ledger)
    with pytest.raises(IllegalTransitionError):
        desk.do("visit", OFFICER, satisfied=True, how="phone", note=None)
    verified = desk.do("verify", FOREMAN, passed=True, note="好")
    assert (verified.state, verified.closed_at) == (OrderState.VERIFIED, None)
    over = desk.do("visit", OFFICER, satisfied=True, how="phone", note="满意")
    assert (over.state, over.satisfied, over.visited_by) == (OrderState.CLOSED, True, "qian")


def test_who_is_not_visited_within_a_working_day_is_told_of_once(ledger: Ledger) -> None:
    desk = request(ledger)
    desk.do("verify", FOREMAN, passed=True, note="好")
    found_good = desk.gateway.now.wall
    # Saturday noon: the working day is Monday's, 9.5 hours of it from 08:00.
    monday = found_good + 2 * DAY - 4 * HOUR
    late = monday + 570 * MINUTE
    for _ in range(3):
        desk.restart()
        desk.tick(1)
    desk.tick((late - desk.gateway.now.wall) / SECOND - 1)
    assert "breach" not in desk.steps()
    desk.tick(1)
    desk.wait(24 * 3600, every=3600)
    assert [(e.event, e.why) for e in desk.events() if e.event == "breach"] == [("breach", "visit")]
    assert [kind for kind, _ in desk.notices()].count("order_breached") == 1
    over = desk.do("visit", OFFICER, satisfied=True, how="phone", note=None)
    assert over.state is OrderState.CLOSED


def test_an_owner_who_is_not_satisfied_reopens_the_order(ledger: Ledger) -> None:
    desk = request(ledger)
    desk.do("verify", FOREMAN, passed=True, note="好")
    again = desk.do("visit", OFFICER, satisfied=False, how="home", note="还在滴水")
    assert (again.state, again.satisfied, again.verified_at) == (
        OrderState.IN_PROGRESS,
        False,
        None,
    )
    desk.do("complete", note="换垫圈")
    desk.do("verify", FOREMAN, passed=True, note="好")
    over = desk.do("visit", OFFICER, satisfied=True, how="home", note=None)
    assert over.state is OrderState.CLOSED


def test_nobody_is_visited_for_an_alarm(desk: OrderDesk) -> None:
    with pytest.raises(ConflictError):
        desk.do("visit", OFFICER, satisfied=True, how="phone", note=None)


def test_a_void_order_makes_room_for_another_of_its_cause(desk: OrderDesk) -> None:
    first = desk.order()
    void = desk.do("void", BOSS, reason="误报")
    assert (void.state, void.voided_at) == (OrderState.VOID, desk.gateway.now.wall)
    desk.wait(3 * 3600)
    assert desk.steps() == ["create", "void"], "nothing falls due any more"
    desk.cool()
    second = desk.heat()
    assert (second.number, second.state) == (2, OrderState.OPEN)
    assert second.id != first.id
    with pytest.raises(IllegalTransitionError):
        desk.do("decline", reason="x")


def test_what_another_alarm_explains_needs_no_order_that_nobody_has_taken(
    desk: OrderDesk,
) -> None:
    order = desk.order()
    with desk.ledger.write(SITE) as entry:
        order_rows.explained(entry, order.id, by="feeder", now=desk.gateway.now)
    assert desk.order().state is OrderState.OPEN, "its alarm still asks for it"


def test_an_order_that_is_taken_goes_on_whatever_explains_its_alarm(desk: OrderDesk) -> None:
    desk.do("accept")
    hide_alarm(desk)
    with desk.ledger.write(SITE) as entry:
        order_rows.explained(entry, desk.order().id, by="feeder", now=desk.gateway.now)
    assert desk.order().state is OrderState.ACCEPTED


def test_an_order_whose_alarms_are_all_explained_is_void(desk: OrderDesk) -> None:
    hide_alarm(desk)
    with desk.ledger.write(SITE) as entry:
        order_rows.explained(entry, desk.order().id, by="feeder", now=desk.gateway.now)
    assert desk.order().state is OrderState.VOID
    assert desk.events()[-1].why == "explained by feeder"


def hide_alarm(desk: OrderDesk) -> None:
    """As if another alarm explained it."""
    with desk.ledger.write(SITE) as entry:
        entry.connection.execute(update(alarm).values(state="suppressed"))


def test_an_empty_book_leaves_the_orders_own_clock_alone(ledger: Ledger) -> None:
    desk = OrderDesk(ledger, book=OrderBook())
    order = desk.heat()
    assert [clock.name for clock in order.clocks] == [COMPLETE]


def test_codes_are_those_of_the_book(desk: OrderDesk) -> None:
    desk.do("accept")
    book = replace(BOOK, causes={"wear": desk.site.name}, remedies={"replaced": desk.site.name})
    for wrong in ({"cause_code": "x"}, {"remedy_code": "wear"}):
        with pytest.raises(NotValidError):
            desk.do("complete", note="x", book=book, **wrong)
    done = desk.do(
        "complete",
        note="x",
        book=book,
        cause_code="wear",
        remedy_code="replaced",
        materials=[{"name": "轴承", "quantity": 2, "unit": "个", "price": None}],
    )
    assert (done.cause_code, done.remedy_code) == ("wear", "replaced")
    assert done.materials[0]["name"] == "轴承"


def test_orders_are_found_by_who_has_them_where_and_why(desk: OrderDesk) -> None:
    desk.tick(1)
    make(desk)
    desk.do("accept", "li")
    with desk.ledger.read(SITE) as view:
        assert [one.number for one in view.orders(assigned_to="li")] == [2]
        assert [one.number for one in view.orders(source="alarm")] == [1]
        assert [one.number for one in view.orders(area="b1")] == [2, 1]
        assert view.orders(area="roof") == []
        (raised,) = view.orders(source="alarm")
        assert [one.number for one in view.orders(equipment=raised.equipment)] == [1]
        assert view.orders(equipment="another") == []

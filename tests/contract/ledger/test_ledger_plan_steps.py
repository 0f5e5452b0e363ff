"""The steps of what is due of a plan, and the links of contractors; what is read may be old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from duty_room import SITE, person
from inspections import at
from plan_book import every, plan, since_last, text
from plan_desk import HERE, LINKS, Desk
from sqlalchemy import Table, func, select

from api.offline_bodies import deed_of
from gateway.model.moment import DAY
from gateway.model.point import Text
from rules.actions import contractor_links, order_ends, plan_steps
from rules.actions import orders as order_actions
from rules.actions import plans as actions
from rules.actions.act import Act
from rules.actions.order_step import NotTheirsError
from rules.ledger import contractor_links as stored
from rules.ledger import plan_view, plans
from rules.ledger.order_steps import Work
from rules.ledger.plan_steps import ticks
from rules.ledger.plans import Recorded
from rules.ledger.roster import calendar_of
from rules.ledger.store import Ledger
from rules.ledger.tables.handover import handover, shift_log
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.plans import plan_due, plan_event, plan_tick
from rules.lifecycle import IllegalTransitionError
from rules.offline import deciding, taking, today
from rules.offline.protocol import Keep, Kind, Outcome, Reason, Times
from rules.offline.taking import House, Sent, Taken
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, ForbiddenError, Role
from rules.plans.plan import Advance, CounterGoal, Doer, Plan, Step
from rules.pruning import Records
from rules.refusals import NotFoundError, NotValidError
from rules.register.book import RegisterBook

STEPS = (
    Step(name=text("brake"), source=text("TSG T5002"), required=True),
    Step(name=text("pit"), source=text("TSG T5002"), required=True),
    Step(name=text("clean"), source=text("[NV]")),
)
DUE = "oil.pump-1.2026-11-16"
WORDS = {"zh": "早班", "en": "day"}
SHIFT = {
    **{"date": date(2026, 11, 13), "shift": "day", "name": WORDS, "team": "a", "team_name": WORDS},
    **{"crew": [], "starts_at": 0, "ends_at": at("2026-11-13 16:00"), "opened_at": 0},
    **{"from_change": 0, "from_audit": 0, "rulebook": "", "site_file": ""},
}
NEXT = {
    **{"next_date": date(2026, 11, 13), "next_shift": "night", "next_name": WORDS},
    **{"next_team": "b", "next_team_name": WORDS, "next_starts_at": 1, "next_ends_at": 2},
    "prepared_at": 0,
}


def opened(ledger: Ledger, **other: object) -> Desk:
    """With its order raised, in the morning of the 13th."""
    with_steps = plan(steps=STEPS, **other)
    assert isinstance(with_steps, Plan)
    desk = Desk(ledger, plans=(with_steps,))
    desk.go("2026-11-12 08:00")
    desk.go("2026-11-13 08:00")
    return desk


def ticked(desk: Desk) -> dict[int, str]:
    with desk.ledger.read(SITE) as view:
        return {number: one.by for number, one in ticks(view, DUE).items()}


def test_steps_are_ticked_by_who_has_the_order_and_the_first_word_stays(ledger: Ledger) -> None:
    desk = opened(ledger)
    (order,) = desk.orders()
    order_actions.accept(desk.act(order.id, "ma", Role.TECHNICIAN))
    mine = desk.act(DUE, "ma", Role.TECHNICIAN)
    plan_steps.tick(mine, 1, done=True)
    plan_steps.tick(desk.act(DUE, "wang", Role.FOREMAN), 1, done=True)
    plan_steps.tick_of_order(desk.act(order.id, "wang", Role.FOREMAN), 2, done=True)
    assert ticked(desk) == {1: "ma", 2: "wang"}
    with pytest.raises(NotTheirsError):
        plan_steps.tick(desk.act(DUE, "li", Role.TECHNICIAN), 3, done=True)
    with pytest.raises(ForbiddenError):
        plan_steps.tick(desk.act(DUE, "hua", Role.PROJECT_MANAGER), 3, done=True)
    with pytest.raises(NotFoundError, match="no step 4"):
        plan_steps.tick(mine, 4, done=True)
    plan_steps.tick(mine, 2, done=False)
    assert ticked(desk) == {1: "ma"}
    assert desk.events("2026-11-16") == ["plan", "open", "tick", "tick", "untick"]


def test_a_sheet_that_was_ticked_without_signal_completes_its_order(ledger: Ledger) -> None:
    desk = opened(ledger)
    (order,) = desk.orders()
    order_actions.accept(desk.act(order.id, "ma", Role.TECHNICIAN))
    house = House(ledger=desk.ledger, site=HERE, rulebook=desk.rulebook)
    ma = person("ma", Role.TECHNICIAN)
    with ledger.read(SITE) as view:
        (fetched,) = today.orders(view, ma)
    assert (fetched.due is not None, Kind.ORDER_TICK in fetched.acts) == (True, True)

    def send(kind: str, body: dict[str, object]) -> Taken:
        times = Times(entered_at=0, sent_at=0, received_at=desk.now.wall)
        entry = str(uuid4())
        said = {"id": entry, "kind": kind, "subject": order.id, "version": fetched.version}
        deed = deed_of(kind, entry, body, times)
        sent = Sent(**said, device="phone-1", times=times, body=body, deed=deed)
        taken = taking.take(house, sent, actor=ma, now=desk.now)
        assert taking.take(house, sent, actor=ma, now=desk.now).outcome is Outcome.KNOWN
        return taken

    refused = send("order_complete", {"note": "done"}).row
    assert (refused.reason, "required: 1, 2" in str(refused.detail)) == (Reason.NOT_VALID, True)
    assert send("order_tick", {"step": 4, "done": True}).row.reason is Reason.NOT_FOUND
    # Meanwhile the foreman has ticked the second one: his word stays, and is not taken back unseen.
    foreman = desk.act(DUE, "wang", Role.FOREMAN)
    plan_steps.tick(foreman, 2, done=True)
    for step in (1, 2, 3):
        assert send("order_tick", {"step": step, "done": True}).outcome is Outcome.APPLIED
    back = send("order_tick", {"step": 2, "done": False}).row
    assert back.reason is Reason.TWO_ANSWERS
    assert (back.theirs is not None and back.theirs.by) == "wang"
    deciding.resolve(
        Act(ledger, SITE, back.id, ma, desk.now), house, keep=Keep.THEIRS, reason="his", deed=None
    )
    assert send("order_tick", {"step": 3, "done": False}).outcome is Outcome.APPLIED
    assert ticked(desk) == {1: "ma", 2: "wang"}
    assert send("order_complete", {"note": "done"}).outcome is Outcome.APPLIED
    assert desk.states()["2026-11-16"] == "done"


def test_without_a_required_step_nobody_finishes_it_but_with_a_reason(ledger: Ledger) -> None:
    desk = opened(ledger)
    (order,) = desk.orders()
    act = desk.act(order.id, "ma", Role.TECHNICIAN)
    order_actions.accept(act)
    plan_steps.tick_of_order(act, 2, done=True)
    with pytest.raises(NotValidError, match="required: 1"):
        order_actions.complete(act, Work(note="done"))
    assert desk.states()["2026-11-16"] == "in_progress", "nothing has changed"
    used = ({"name": "oil", "quantity": 2.0, "unit": "l", "price": None},)
    said = Work(note="done", materials=used, labour_minutes=90, unticked_why="no key to the brake")
    order_actions.complete(act, said)
    (due,) = [one for one in desk.dues() if one.id == DUE]
    assert due.unticked_why == "no key to the brake"
    assert (due.materials, due.labour_minutes) == (used, 90)
    with pytest.raises(IllegalTransitionError):
        plan_steps.tick(desk.act(DUE), 1, done=True)
    # 返工: the steps can be put right, and with all of them no reason is kept.
    order_ends.verify(desk.act(order.id), passed=False, note="the brake")
    plan_steps.tick(desk.act(DUE, "ma", Role.TECHNICIAN), 1, done=True)
    order_actions.complete(act, replace(said, note="now it is"))
    (due,) = [one for one in desk.dues() if one.id == DUE]
    assert due.unticked_why is None


def test_what_is_recorded_without_an_order_needs_its_steps_too(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(steps=STEPS),))
    desk.go("2026-11-02 07:00")
    act = desk.act(DUE, "ma", Role.TECHNICIAN)
    with pytest.raises(NotValidError, match="required: 1, 2"):
        actions.record(act, HERE, Recorded(at=desk.now.wall))
    for number in (1, 2):
        plan_steps.tick(act, number, done=True)
    actions.record(act, HERE, Recorded(at=desk.now.wall, labour_minutes=30))
    assert desk.states()["2026-11-16"] == "done"


def test_what_was_planned_when_a_source_was_one_line_is_read_with_it_in_both(
    ledger: Ledger,
) -> None:
    words = Advance(days=3, text=text("water is off"), source=Text(zh="惯例", en="practice"))
    desk = Desk(ledger, plans=(plan(steps=STEPS, advance=words),))
    desk.go("2026-11-02 07:00")
    (content,) = [one.content for one in desk.dues() if one.id == DUE]
    assert content.advance == words
    row = plan_due.c.id == DUE
    with ledger.writing() as connection:
        old = connection.scalars(select(plan_due.c.content).where(row)).one()
        for said in (old, old["advance"], *old["steps"]):
            said["source"] = said["source"]["en"]
        connection.execute(plan_due.update().where(row).values(content=old))
    (read,) = [one.content for one in desk.dues() if one.id == DUE]
    assert read == replace(content, advance=replace(words, source=text("practice")))


def test_the_contractor_of_a_plan_gets_a_link_and_ticks_by_it(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(steps=STEPS, doer=Doer(contractor="otis")),))
    firm = Person(
        username="otis",
        display_name="Otis",
        role=Role.TECHNICIAN,
        contractor=True,
        can_log_in=False,
    )
    people.add(ledger, HERE, firm, actor=PROGRAM, now=desk.now)
    desk.go("2026-11-12 08:00")
    desk.go("2026-11-13 08:00")
    (order,) = desk.orders()
    assert order.assigned_to == "otis"
    with ledger.read(SITE) as view:
        link = stored.of_order(view, order.id)
        assert link is not None
        token = LINKS.token(SITE, link.id)
        held = contractor_links.held(view, token, desk.now.wall)
    act = Act(ledger, SITE, order.id, held.actor, desk.now)
    order_actions.accept(act)
    plan_steps.tick_of_order(act, 1, done=True)
    assert ticked(desk) == {1: "otis"}


def test_what_was_put_off_since_it_was_read_is_neither_opened_nor_announced(ledger: Ledger) -> None:
    words = Advance(days=3, text=text("water is off"), source=text("[NV]"))
    desk = Desk(ledger, plans=(plan(advance=words),))
    desk.go("2026-11-12 08:00")
    with ledger.read(SITE) as view:
        read = plan_view.due_with(view, DUE)
    assert read is not None
    to = date(2026, 11, 25)
    actions.postpone(desk.act(DUE), HERE, desk.rulebook, to=to, reason="parts")
    desk.clock.advance(86_400)
    with ledger.write(SITE) as entry:
        book = desk.rulebook.order_book
        calendar = calendar_of(entry, HERE)
        assert not plans.open_(entry, HERE, read, book=book, calendar=calendar, now=desk.now)
        assert not plans.announce(entry, HERE, read, desk.now)
    assert (desk.orders(), desk.notices()) == ([], [])


def test_an_approved_day_stays_when_the_plan_gets_other_days(ledger: Ledger) -> None:
    desk = Desk(ledger)
    desk.go("2026-11-02 08:00")
    to = date(2026, 11, 25)
    actions.postpone(desk.act(DUE), HERE, desk.rulebook, to=to, reason="parts")
    desk.plans = (plan(trigger=every("20d")),)
    desk.go("2026-11-02 09:00")
    assert desk.states() == {"2026-11-16": "planned", "2026-11-21": "planned"}
    assert {one.period: one.day for one in desk.dues()}["2026-11-16"] == to


def test_a_plan_by_number_of_starts_is_due_after_so_many(ledger: Ledger) -> None:
    starts = CounterGoal(point="starts", every=500, most_per_day=100)
    desk = Desk(ledger, plans=(plan(trigger=since_last(None, starts)),))
    for when, said in (("02", 1000), ("04", 1150), ("08", 1499)):
        desk.go(f"2026-11-{when} 08:00", starts=said)
    assert desk.orders() == []
    desk.go("2026-11-09 08:00", starts=1500)
    (order,) = desk.orders()
    assert order.id == "oil.pump-1.n0001.order"
    desk.complete()
    # 700 in a day is another device, not 700 starts.
    for when, said in (("10", 1500), ("11", 2200)):
        desk.go(f"2026-11-{when} 08:00", starts=said)
    assert len(desk.orders()) == 1


def test_what_was_due_goes_with_its_order_when_its_years_are_over(ledger: Ledger) -> None:
    desk = opened(ledger)
    for number in (1, 2):
        plan_steps.tick(desk.act(DUE), number, done=True)
    desk.complete()
    wall = desk.now.wall
    with ledger.write(SITE) as entry:
        entry.connection.execute(work_order.update().values(state="closed", closed_at=wall))
        for name, state in (("over", "signed"), ("open", "meeting")):
            entry.add(shift_log, id=name, **SHIFT)
            entry.add(handover, id=name, state=state, **NEXT)
    book = RegisterBook(keep_years={"pump": 2, "others": 3})
    records = Records(HERE, book, ledger)
    assert records.step(wall + 366 * DAY) == 0
    # The due instance, then its order; the other two are not over.
    assert records.step(wall + 800 * DAY) == 2
    tables = (plan_due, plan_event, plan_tick, work_order, shift_log, handover)
    assert counted(ledger, *tables) == [2, 2, 0, 0, 2, 2]
    assert records.step(wall + 1000 * DAY) == 0, "lifts are in the log too, and kept for four years"
    assert records.step(wall + 1500 * DAY) == 1
    assert counted(ledger, shift_log, handover) == [1, 1]


def test_the_last_two_of_a_chain_stay_for_the_next_one_follows_from_them(ledger: Ledger) -> None:
    desk = Desk(ledger, plans=(plan(trigger=since_last("15d")),))
    desk.go("2026-11-01 08:00")
    for month in ("2026-11", "2026-12", "2027-01"):
        desk.go(f"{month}-20 08:00")
        desk.complete()
    desk.go("2027-01-21 08:00")
    book = RegisterBook(keep_years={"others": 1})
    with ledger.write(SITE) as entry:
        closed = {"state": "closed", "closed_at": desk.now.wall}
        entry.connection.execute(work_order.update().values(**closed))
    before = list(desk.states())
    assert before == ["n0001", "n0002", "n0003", "n0004"]
    Records(HERE, book, ledger).step(desk.now.wall + 400 * DAY)
    assert list(desk.states()) == ["n0003", "n0004"]


def counted(ledger: Ledger, *tables: Table) -> list[int]:
    with ledger.reading() as connection:
        of = [select(func.count()).select_from(table) for table in tables]
        return [connection.execute(one).scalar_one() for one in of]

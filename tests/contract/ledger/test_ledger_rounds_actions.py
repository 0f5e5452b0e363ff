"""What a person does to a round: once, where it is possible, and only who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from duty_room import SITE, person
from inspections import CLEAN, COMPLETION, LEAKS, TEMPERATURE, current, item, regime
from round_desk import HERE, TODAY, Desk
from sqlalchemy import select, update

from gateway.model.quality import Quality
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.inspections import actions
from rules.inspections.judge import ItemState, NewEntry, Value
from rules.inspections.regime import Answer, Band, Level, Severity
from rules.ledger import audit, order_proofs, round_view
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.order_steps import Work
from rules.ledger.store import Ledger
from rules.ledger.tables.rounds import round_, round_entry, round_item
from rules.lifecycle import IllegalTransitionError
from rules.people.roles import Actor, ForbiddenError, Role, Via
from rules.refusals import ConflictError, NotFoundError, NotValidError

TECHNICIAN = Actor(username="li", role=Role.TECHNICIAN)
MANAGER = person("chen")
PRESSURE = item(
    "pressure", answer=Answer.NUMBER, unit="MPa", band=Band(low=0.2), severity=Severity.NORMAL
)


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """A round that is due: one item is answered, one handed over, three are a person's."""
    made = Desk(ledger, (regime("daily-pumps", TEMPERATURE, CLEAN, PRESSURE),))
    made.regimes = (replace(made.regimes[0], countersign_role=Role.ENGINEERING_MANAGER),)
    made.go("2026-11-21 08:00")
    bad = current(None, made.now, Quality.BAD)
    made.tick({"pump-2.motor_temperature": bad})
    made.clock.advance(600)
    return made


def enter(
    desk: Desk,
    key: str,
    value: Value,
    entry: str = "e1",
    *,
    actor: Actor = TECHNICIAN,
    passed: bool | None = None,
    note: str | None = None,
    taken_at: int | None = None,
    round_id: str = TODAY,
) -> None:
    given = NewEntry(id=entry, value=value, passed=passed, note=note, taken_at=taken_at)
    actions.enter(
        desk.ledger, HERE, round_id, key, given, book=desk.book, actor=actor, now=desk.now
    )


def fill_in(desk: Desk) -> None:
    enter(desk, "temperature.pump-2", 60.0, "e1")
    enter(desk, "clean", True, "e2")
    enter(desk, "pressure", 0.3, "e3")


def finish(desk: Desk, actor: Actor = TECHNICIAN, key: str | None = None) -> None:
    actions.finish(
        desk.ledger, HERE, TODAY, book=desk.book, actor=actor, now=desk.now, idempotency_key=key
    )


def countersign(desk: Desk, actor: Actor = MANAGER) -> None:
    actions.countersign(desk.ledger, HERE, TODAY, actor=actor, now=desk.now, note="seen")


def the_round(desk: Desk) -> round_view.Round:
    with desk.ledger.read(SITE) as view:
        found = round_view.round_with(view, TODAY)
    assert found is not None
    return found


def test_from_due_to_countersigned(desk: Desk) -> None:
    assert desk.states()[TODAY] == "due"
    enter(desk, "clean", True, "e2", taken_at=desk.now.wall - 5)
    assert desk.states()[TODAY] == "in_progress"
    kept = desk.items()["clean"]
    assert kept.state is ItemState.PASSED
    assert kept.entry is not None
    assert (kept.entry.value, kept.entry.by, kept.entry.via) == (True, "li", "session")
    assert (kept.entry.taken_at, kept.entry.received_at) == (desk.now.wall - 5, desk.now.wall)
    fill_in(desk)
    finish(desk)
    found = the_round(desk)
    assert (desk.states()[TODAY], found.done_by) == ("done", "li")
    countersign(desk)
    found = the_round(desk)
    assert (desk.states()[TODAY], found.countersigned_by) == ("countersigned", "chen")
    assert found.countersign_note == "seen"
    assert [event for event, _, _ in desk.events()] == [
        "plan",
        "open",
        "begin",
        "enter",
        "enter",
        "finish",
        "countersign",
    ]


def test_a_handed_over_item_is_a_persons_with_the_same_limits(desk: Desk) -> None:
    enter(desk, "temperature.pump-2", 80.0, note="by hand-held thermometer")
    kept = desk.items()["temperature.pump-2"]
    assert kept.state is ItemState.FAILED
    assert kept.finding is not None
    assert kept.finding.text.en.endswith("80 ℃, above 75 (by hand-held thermometer)")
    (order,) = desk.orders()
    assert (order.cause_key, order.priority) == ("motor-overheat", "major")
    assert order.finding is not None
    assert order.finding.item == "temperature.pump-2"


def test_what_telemetry_has_answered_is_not_a_persons(desk: Desk) -> None:
    with pytest.raises(ConflictError, match="answered by telemetry"):
        enter(desk, "temperature.pump-1", 60.0)


def test_the_same_entry_again_does_nothing(desk: Desk) -> None:
    enter(desk, "clean", False)
    with desk.ledger.read(SITE) as view:
        before = view.last_change_id()
    enter(desk, "clean", False)
    enter(desk, "clean", True)  # the same id: what was said first counts
    with desk.ledger.read(SITE) as view:
        assert view.last_change_id() == before
        assert len(list(audit.rows(view))) == 1
    assert desk.items()["clean"].state is ItemState.FAILED
    with pytest.raises(ConflictError, match="was used for clean"):
        enter(desk, "pressure", 0.3)
    with pytest.raises(ConflictError, match="was used for clean"):
        enter(desk, "clean", False, actor=person("zhao", Role.TECHNICIAN))


def test_the_same_entry_at_once_from_many_is_one(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: enter(desk, "clean", False), range(16)))
    with desk.ledger.reading() as connection:
        assert len(connection.execute(select(round_entry.c.id)).all()) == 1


def test_a_later_entry_supersedes_and_the_history_is_kept(desk: Desk) -> None:
    enter(desk, "pressure", 0.1, "e1")
    enter(desk, "pressure", 0.3, "e2")
    kept = desk.items()["pressure"]
    assert kept.state is ItemState.PASSED
    assert kept.entry is not None
    assert kept.entry.value == 0.3
    assert kept.finding is not None, "it was found, whatever was said later"
    with desk.ledger.reading() as connection:
        said = connection.execute(
            select(round_entry.c.value, round_entry.c.passed).order_by(round_entry.c.change)
        )
        assert [tuple(row) for row in said] == [(0.1, False), (0.3, True)]
    enter(desk, "pressure", 0.05, "e3")
    assert len(desk.orders()) == 1


def test_a_number_outside_its_limits_fails_whatever_is_said(desk: Desk) -> None:
    enter(desk, "pressure", 0.1, passed=True)
    assert desk.items()["pressure"].state is ItemState.FAILED
    (order,) = desk.orders()
    assert (order.equipment, order.equipment_name.zh) == ("b1", "B1"), "about no equipment"
    assert order.area == "b1"


HOT_AGAIN = "temperature.pump-2"


def end_order(desk: Desk, *, is_closed: bool) -> str:
    (order,) = desk.orders()
    by = person("li")
    order_actions.accept(Act(desk.ledger, SITE, order.id, by, desk.now))
    order_actions.complete(Act(desk.ledger, SITE, order.id, by, desk.now), Work(note="mended"))
    if is_closed:
        with desk.ledger.write(SITE) as entry:
            order_proofs.close(entry, order.id, desk.now, why="shown")
    desk.clock.advance(60)
    return order.id


@pytest.mark.parametrize("has_passed", [False, True])
@pytest.mark.parametrize("is_closed", [False, True], ids=["completed", "closed"])
def test_what_fails_again_after_its_order_was_done_is_not_swallowed(
    desk: Desk, is_closed: bool, has_passed: bool
) -> None:
    enter(desk, HOT_AGAIN, 80.0, "e1")
    first = end_order(desk, is_closed=is_closed)
    if has_passed:
        enter(desk, HOT_AGAIN, 60.0, "e2")
    enter(desk, HOT_AGAIN, 85.0, "e3")
    kept = desk.items()[HOT_AGAIN]
    assert kept.finding is not None
    assert kept.finding.text.en.endswith("85 ℃, above 75")
    newest, *others = desk.orders()
    assert (newest.state, newest.id == first, len(others)) == ("open", not is_closed, is_closed)
    assert newest.finding is not None
    assert (newest.finding.round, newest.finding.item) == (TODAY, HOT_AGAIN)
    assert kept.finding.order is not None
    assert kept.finding.order.id == newest.id
    assert len(desk.notices()) == 2, "the manager is told again"
    enter(desk, HOT_AGAIN, 90.0, "e4")
    assert len(desk.notices()) == 2, "a repeat while somebody is at work on it is none"
    assert len(desk.orders()) == 1 + len(others)


def test_what_passed_in_between_and_fails_again_joins_the_order_that_runs(desk: Desk) -> None:
    enter(desk, HOT_AGAIN, 80.0, "e1")
    enter(desk, HOT_AGAIN, 60.0, "e2")
    desk.clock.advance(60)
    enter(desk, HOT_AGAIN, 85.0, "e3")
    (order,) = desk.orders()
    with desk.ledger.read(SITE) as view:
        assert [step.event for step in view.order_events(order.id)] == ["create", "join"]
    kept = desk.items()[HOT_AGAIN]
    assert kept.finding is not None
    assert kept.finding.text.en.endswith("85 ℃, above 75")


def test_a_minor_matter_is_a_line_and_no_order(desk: Desk) -> None:
    enter(desk, "clean", False, note="积水")
    kept = desk.items()["clean"]
    assert kept.finding is not None
    assert (kept.finding.severity, kept.finding.order) == ("minor", None)
    assert kept.finding.text.zh == "B1 clean：不符合要求（积水）"
    assert desk.orders() == []
    assert desk.notices() == []


def test_what_is_no_answer_changes_nothing(desk: Desk) -> None:
    with pytest.raises(NotValidError):
        enter(desk, "clean", "yes")
    with pytest.raises(NotFoundError, match="no item dirt"):
        enter(desk, "dirt", True)
    with pytest.raises(NotFoundError, match="no round"):
        enter(desk, "clean", True, round_id="daily-pumps.b1.2030-01-01")
    assert desk.states()[TODAY] == "due"


def test_a_round_is_signed_only_when_every_line_is_answered(desk: Desk) -> None:
    enter(desk, "clean", True, "e2")
    with pytest.raises(ConflictError, match=r"not answered yet: temperature\.pump-2, pressure"):
        finish(desk)
    assert desk.states()[TODAY] == "in_progress"
    fill_in(desk)
    finish(desk, key="k")
    finish(desk, key="k")
    with pytest.raises(ConflictError, match="is done"):
        finish(desk)
    with pytest.raises(ConflictError, match="is done"):
        enter(desk, "clean", False, "e9")
    with pytest.raises(KeyReusedError):
        actions.countersign(
            desk.ledger, HERE, TODAY, actor=person("li"), now=desk.now, idempotency_key="k"
        )


def test_who_signed_does_not_countersign(desk: Desk) -> None:
    fill_in(desk)
    with pytest.raises(IllegalTransitionError):
        countersign(desk)
    finish(desk, MANAGER)
    with pytest.raises(ConflictError, match="who signed"):
        countersign(desk, MANAGER)
    countersign(desk, person("other"))
    with pytest.raises(IllegalTransitionError):
        countersign(desk, person("third"))
    assert the_round(desk).countersigned_by == "other"


def test_a_round_that_nobody_has_to_countersign_is_not(desk: Desk) -> None:
    desk.regimes = (replace(desk.regimes[0], id="plain", countersign_role=None),)
    desk.tick()
    with pytest.raises(ConflictError, match="not countersigned"):
        actions.countersign(desk.ledger, HERE, "plain.b1.2026-11-21", actor=MANAGER, now=desk.now)


@pytest.mark.parametrize(
    ("when", "told"),
    [("2026-11-21 07:59", "is planned"), ("2026-11-22 08:00", "is missed")],
)
def test_a_round_that_is_not_open_takes_no_answers(ledger: Ledger, when: str, told: str) -> None:
    desk = Desk(ledger, (regime("daily-pumps", CLEAN),))
    desk.tick()
    desk.go(when)
    desk.tick()
    with pytest.raises(ConflictError, match=told):
        enter(desk, "clean", True)
    with pytest.raises(ConflictError, match=told):
        finish(desk)


def test_a_late_round_can_still_be_done(desk: Desk) -> None:
    desk.go("2026-11-21 23:00")
    fill_in(desk)
    assert desk.states()[TODAY] == "late"
    finish(desk)
    assert desk.states()[TODAY] == "done"


@pytest.mark.parametrize(
    "actor",
    [
        Actor(username="lin", role=Role.PROJECT_MANAGER),
        Actor(username="wang", role=Role.TECHNICIAN, areas=frozenset({"b2"})),
    ],
    ids=["a role without it", "another area"],
)
def test_who_may_not_fill_in_is_refused(desk: Desk, actor: Actor) -> None:
    with pytest.raises(ForbiddenError):
        enter(desk, "clean", True, actor=actor)
    with pytest.raises(ForbiddenError):
        finish(desk, actor)
    assert desk.states()[TODAY] == "due"


@pytest.mark.parametrize(
    "role", [Role.OFFICER, Role.TECHNICIAN, Role.FOREMAN, Role.PROJECT_MANAGER, Role.ADMIN]
)
def test_only_the_engineering_manager_countersigns(desk: Desk, role: Role) -> None:
    fill_in(desk)
    finish(desk)
    with pytest.raises(ForbiddenError):
        countersign(desk, person("somebody", role))
    with pytest.raises(ForbiddenError):
        elsewhere = Actor(username="x", role=Role.ENGINEERING_MANAGER, areas=frozenset({"b2"}))
        countersign(desk, elsewhere)
    assert desk.states()[TODAY] == "done"


def test_a_round_of_the_whole_site_is_not_signed_by_who_has_areas(desk: Desk) -> None:
    fill_in(desk)
    with desk.ledger.writing() as connection:
        connection.execute(update(round_).values(area=None))
        connection.execute(
            update(round_item).where(round_item.c.equipment.is_(None)).values(area=None)
        )
    areas = frozenset({"b1"})
    with pytest.raises(ForbiddenError, match="for the whole site"):
        enter(desk, "clean", False, actor=replace(TECHNICIAN, areas=areas))
    with pytest.raises(ForbiddenError, match="for the whole site"):
        finish(desk, replace(TECHNICIAN, areas=areas))
    finish(desk)
    with pytest.raises(ForbiddenError, match="for the whole site"):
        countersign(desk, replace(MANAGER, areas=areas))
    countersign(desk)


def test_every_deed_is_in_the_audit(desk: Desk) -> None:
    by_pin = replace(TECHNICIAN, via=Via.PIN, at_session_of="sun")
    enter(desk, "clean", True, "e0", actor=by_pin, note="ok")
    fill_in(desk)
    finish(desk)
    countersign(desk)
    with desk.ledger.read(SITE) as view:
        rows = list(audit.rows(view))
    deeds = ["round.enter"] * 4 + ["round.finish", "round.countersign"]
    assert [row.action for row in rows] == deeds
    assert {row.subject for row in rows} == {TODAY}
    told = {"item": "clean", "value": True, "passed": True, "note": "ok"}
    assert rows[0].detail == {**told, "at_session_of": "sun"}
    assert "at_session_of" not in rows[1].detail
    assert (rows[0].by, rows[0].via) == ("li", "pin")


def weekly(desk: Desk) -> str:
    """2026-W47 from Monday 2026-11-16, reviewed on the Monday behind it."""
    desk.regimes = (
        regime("daily-pumps", CLEAN),
        regime(
            "patrol",
            replace(LEAKS, equipment_class=None),
            COMPLETION,
            level=Level.WEEKLY,
            on=1,
            looks_back=True,
            countersign_role=Role.ENGINEERING_MANAGER,
        ),
    )
    return "patrol.b1.2026-W47"


def test_a_weekly_round_counts_the_daily_ones_of_its_week(ledger: Ledger) -> None:
    desk = Desk(ledger)
    patrol = weekly(desk)
    desk.go("2026-11-15 12:00")
    for day in range(16, 23):
        desk.go(f"2026-11-{day} 09:00")
        desk.tick()
        if day != 18:
            daily = f"daily-pumps.b1.2026-11-{day}"
            enter(desk, "clean", True, f"e{day}", round_id=daily)
            actions.finish(desk.ledger, HERE, daily, book=desk.book, actor=TECHNICIAN, now=desk.now)
    desk.go("2026-11-23 09:00")
    desk.tick()
    counted = desk.items(patrol)["completion"]
    assert counted.state is ItemState.FAILED
    assert counted.reading is not None
    assert counted.reading.value == 85.7
    assert counted.reading.text is not None
    assert counted.reading.text.zh == "应检 7 次，已检 6 次"
    assert counted.finding is None, "it is found when it is signed"
    with desk.ledger.read(SITE) as view:
        holder = round_view.round_with(view, patrol)
        assert holder is not None
        held = [one.period for one in round_view.daily_within(view, holder)]
    assert held == [f"2026-11-{day}" for day in range(16, 23)]
    with pytest.raises(ConflictError, match="telemetry"):
        enter(desk, "completion", 100.0, "e98", round_id=patrol)
    enter(desk, "leaks", True, "e99", round_id=patrol)
    actions.finish(desk.ledger, HERE, patrol, book=desk.book, actor=TECHNICIAN, now=desk.now)
    assert desk.items(patrol)["completion"].finding is not None
    assert desk.orders() == []
    desk.clock.advance(3600)
    desk.tick()
    assert desk.items(patrol)["completion"].reading == counted.reading, "as it was when signed"

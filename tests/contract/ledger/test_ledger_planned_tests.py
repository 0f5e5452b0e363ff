"""Planned tests: what is held and for how long, and that no fire is ever swallowed."""

from __future__ import annotations

import pytest
from alarm_room import person
from fire_test_room import LISTED, MANAGER, TESTER, FireTestRoom, both
from sqlalchemy.exc import IntegrityError

from gateway.model.moment import HOUR, MINUTE, Instant
from rules import alarm_calls, under_test
from rules.actions import planned_tests as actions
from rules.alarms.lifecycle import AlarmState
from rules.ledger import audit, planned_test_view
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Ledger, open_ledger
from rules.people.roles import ForbiddenError, Role
from rules.planned_tests import LONGEST
from rules.refusals import ConflictError, NotValidError
from rules.worker import Worker


def fails(*_: object, **__: object) -> None:
    """As what the ledger can never take."""
    raise IntegrityError("x", {}, ValueError())


@pytest.fixture
def room(ledger: Ledger) -> FireTestRoom:
    return FireTestRoom(ledger)


def test_a_detector_of_the_test_shows_at_once_and_calls_nobody_once_it_is_confirmed(
    room: FireTestRoom,
) -> None:
    test = room.begin()
    room.fires("smoke-1")
    (alarm,) = room.alarms
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    assert alarm.life_safety
    assert alarm.test is not None
    assert alarm.test.held_until == room.gateway.now.wall + MINUTE
    room.confirm(test)
    room.wait(120)
    assert room.called() == []
    (alarm,) = room.alarms
    assert alarm.test is not None
    assert (alarm.test.confirmed_by, alarm.test.held_until) == ("ma", None)
    assert alarm.state is AlarmState.UNACKNOWLEDGED, "it shows and sounds all the same"
    assert room.history(test) == ["plan", "start", "tick", "confirm"]


@pytest.mark.parametrize("gone", [False, True], ids=["still up", "gone and acknowledged"])
def test_what_nobody_confirms_calls_after_a_minute(room: FireTestRoom, gone: bool) -> None:
    test = room.begin()
    room.fires("smoke-1")
    if gone:
        room.fires("smoke-1", gone=True)
        room.acknowledge(room.alarms[0])
    room.wait(57)
    assert room.called() == []
    room.wait(3)
    assert room.called() == both("smoke-1")
    room.wait(120)
    assert room.called() == both("smoke-1"), "once"
    with pytest.raises(ConflictError, match="no alarm of smoke-1 is held"):
        room.confirm(test)


def test_a_confirmation_that_comes_after_the_minute_is_refused_though_the_rules_stand_still(
    room: FireTestRoom,
) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.gateway.clock.advance(60)
    with pytest.raises(ConflictError):
        room.confirm(test)
    room.wait(1)
    assert room.called() == both("smoke-1")


def test_what_is_not_of_the_test_calls_at_once_and_a_fire_takes_what_is_held_along(
    room: FireTestRoom,
) -> None:
    room.begin()
    room.fires("smoke-1")
    room.say({"pump-1.stopped": 1.0})
    assert room.called() == both("pump-1"), "a pump says nothing about a fire"
    room.fires("smoke-3")
    assert sorted(room.called()) == sorted(both("pump-1", "smoke-1", "smoke-3"))
    room.fires("smoke-2")
    assert "smoke-2" in room.called(), "nothing is held while a fire is up in the area"


def test_somebody_trapped_in_the_area_takes_what_is_held_along(room: FireTestRoom) -> None:
    room.begin()
    room.fires("smoke-1")
    room.say({"lift-1.trapped": 1.0})
    assert sorted(room.called()) == sorted(both("lift-1", "smoke-1"))


def test_an_entrapment_is_tested_in_the_same_way(room: FireTestRoom) -> None:
    test = room.begin((("lift-1", "entrapment"),))
    room.say({"lift-1.trapped": 1.0})
    assert room.called() == []
    room.confirm(test, "lift-1")
    room.say({"lift-1.trapped": 0.0}, after=90)
    room.say({"lift-1.trapped": 1.0})
    room.wait(60)
    assert room.called() == both("lift-1"), "the next time it was somebody"


@pytest.mark.parametrize("first", ["at once", "still up", "returned"])
def test_a_second_detector_that_nobody_confirmed_calls_with_the_first(
    room: FireTestRoom, first: str
) -> None:
    room.begin()
    if first != "at once":
        room.fires("smoke-1")
    if first == "returned":
        room.fires("smoke-1", gone=True)
    room.fires(*(("smoke-1", "smoke-2") if first == "at once" else ("smoke-2",)))
    assert sorted(room.called()) == sorted(both("smoke-1", "smoke-2"))


def test_the_zone_of_a_detector_is_no_second_one_and_one_after_another_is_held(
    room: FireTestRoom,
) -> None:
    test = room.begin()
    room.fires("smoke-1", "zone-1")
    room.confirm(test, "smoke-1")
    room.confirm(test, "zone-1")
    room.fires("smoke-2")
    room.confirm(test, "smoke-2")
    room.fires("smoke-1", "smoke-2", "zone-1", gone=True)
    for alarm in room.alarms:
        room.acknowledge(alarm)
    actions.end(room.act(test))
    room.wait(120)
    assert room.called() == []
    done = room.test(test)
    assert done.state == "passed"
    assert {row.alarm for row in done.sheet} == {alarm.id for alarm in room.alarms}


@pytest.mark.parametrize("end", ["seen", "lost"])
def test_what_comes_again_after_it_was_confirmed_is_confirmed_again_or_calls(
    room: FireTestRoom, end: str
) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.confirm(test)
    if end == "seen":
        room.fires("smoke-1", gone=True)
    else:
        room.lose_conditions()
    room.fires("smoke-1")
    assert room.called() == []
    room.wait(60)
    assert room.called() == both("smoke-1")


def test_what_flaps_does_not_begin_its_minute_anew(room: FireTestRoom) -> None:
    room.begin()
    room.fires("smoke-1")
    for _ in range(5):
        room.fires("smoke-1", after=6, gone=True)
        room.fires("smoke-1", after=6)
    assert room.called() == both("smoke-1")


def test_a_confirmed_detector_that_relapses_right_after_the_test_calls(room: FireTestRoom) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.confirm(test)
    room.fires("smoke-1", gone=True)
    actions.end(room.act(test))
    room.wait(1)
    assert room.called() == []
    room.fires("smoke-1", after=5)
    assert room.called() == both("smoke-1")
    assert room.alarms[0].test is None


@pytest.mark.parametrize("how", ["time", "end", "cancel"])
@pytest.mark.parametrize("seen", [False, True], ids=["held", "confirmed and acknowledged"])
def test_what_is_held_or_still_up_when_the_test_ends_calls(
    room: FireTestRoom, how: str, seen: bool
) -> None:
    test = room.begin(lasts=10 * MINUTE)
    room.wait(9 * 60 + 50 - 2)
    room.fires("smoke-1")
    if seen:
        room.confirm(test)
        room.acknowledge(room.alarms[0])
    if how == "end":
        actions.end(room.act(test))
    elif how == "cancel":
        actions.cancel(room.act(test, MANAGER), reason="it burns")
    room.wait(1 if how != "time" else 11)
    assert room.called() == both("smoke-1")
    assert room.alarms[0].state is AlarmState.UNACKNOWLEDGED
    assert room.test(test).state == ("cancelled" if how == "cancel" else "failed")
    room.wait(60)
    assert room.called() == both("smoke-1")


def test_an_acknowledgement_that_expires_calls_nobody_for_what_is_confirmed(
    room: FireTestRoom,
) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.confirm(test)
    room.acknowledge(room.alarms[0])
    room.wait(16 * 60)
    assert room.alarms[0].state is AlarmState.UNACKNOWLEDGED
    assert room.called() == []


def test_what_is_held_outlives_a_restart_and_a_takeover(room: FireTestRoom, place: str) -> None:
    room.begin()
    room.fires("smoke-1")
    room.start()
    room.wait(30)
    with_ledger = open_ledger(place)
    other = Worker(site=room.site, rulebook=room.worker._limits.rulebook, ledger=with_ledger)
    other.load()
    now = room.gateway.clock.advance(31)
    # Another machine, whose clocks have nothing to do with those of the first.
    other.commit(Instant(wall=now.wall, mono=5, boot="other"))
    with_ledger.close()
    assert room.called() == both("smoke-1")


@pytest.mark.parametrize("hours", [-2, 2], ids=["back", "ahead"])
def test_a_wall_clock_that_a_restart_has_put_wrong_makes_nobody_wait_longer(
    room: FireTestRoom, hours: int
) -> None:
    room.begin()
    room.fires("smoke-1")
    now = room.gateway.now
    room.worker.load()
    room.worker.commit(Instant(wall=now.wall + hours * HOUR, mono=20 * MINUTE, boot="new"))
    assert room.called() == both("smoke-1")


def test_a_stepped_wall_clock_lets_nobody_wait_longer_or_shorter(room: FireTestRoom) -> None:
    room.begin()
    room.fires("smoke-1")
    room.gateway.clock.step_wall(-30 * 60)
    room.wait(57)
    assert room.called() == []
    room.wait(4)
    assert room.called() == both("smoke-1")


def test_lost_timers_let_nothing_wait_and_end_the_test(room: FireTestRoom) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.lose_timers()
    room.wait(1)
    assert room.test(test).state == "failed"
    assert room.called() == both("smoke-1")


def test_what_came_while_the_rules_stood_still_calls_as_soon_as_they_go_on(
    room: FireTestRoom,
) -> None:
    room.begin()
    room.gateway.clock.advance(1)
    record = room.gateway.say({"smoke-1.fire": 1.0})
    room.gateway.clock.advance(61)
    room.worker.take([record])
    room.worker.commit(room.gateway.now)
    assert room.called() == both("smoke-1")


def test_what_came_before_the_test_or_behind_its_end_is_not_held(room: FireTestRoom) -> None:
    test = room.plan(within=30 * MINUTE, lasts=MINUTE)
    room.fires("smoke-1")
    assert room.called() == both("smoke-1")
    room.gateway.clock.advance(31 * 60)
    room.worker.take([room.gateway.say({"smoke-2.fire": 1.0})])
    room.worker.commit(room.gateway.now)
    room.wait(1)
    assert sorted(room.called()) == sorted(both("smoke-1", "smoke-2"))
    assert room.test(test.id).state == "failed"


def test_what_was_put_aside_or_is_out_of_service_neither_ticks_nor_is_held(
    room: FireTestRoom,
) -> None:
    test = room.begin()
    room.fires("smoke-1")
    room.shelve(room.alarms[0], minutes=30, actor=MANAGER)
    room.wait(60)
    assert room.called() == both("smoke-1"), "it was held when it was put aside"
    room.fires("smoke-1", gone=True)
    room.fires("smoke-1")
    room.wait(30 * 60)
    assert room.notices() == ["smoke-1", "smoke-1"], "the shelf is over"
    assert sum(row.came_at is not None for row in room.test(test).sheet) == 1


def test_what_cannot_be_decided_calls(room: FireTestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    room.begin()
    monkeypatch.setattr(under_test, "decide", fails)
    room.fires("smoke-1")
    assert room.called() == both("smoke-1")


def test_a_call_that_fails_is_made_again(
    room: FireTestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.begin()
    room.fires("smoke-1")
    with monkeypatch.context() as broken:
        broken.setattr(alarm_calls, "post", fails)
        room.wait(60)
    assert room.called() == []
    room.wait(1)
    assert room.called() == both("smoke-1")


def test_a_test_starts_and_ends_by_itself_and_what_is_missing_fails_it(room: FireTestRoom) -> None:
    planned = room.plan(within=HOUR, lasts=HOUR)
    room.wait(3599)
    assert room.test(planned.id).state == "planned"
    room.wait(1)
    room.fires("smoke-1")
    room.confirm(planned.id)
    room.fires("smoke-1", gone=True)
    room.wait(3600)
    done = room.test(planned.id)
    assert done.state == "failed"
    assert done.ended_at is not None
    assert done.under_test == {}
    with room.ledger.read(room.site.id) as view:
        last = planned_test_view.events(view, planned.id)[-1]
        kinds = {change.kind for change in view.changes_after(0, 1000)}
    assert last.why == "missing: smoke-2 fire-alarm, zone-1 zone-fire"
    assert ChangeKind.PLANNED_TEST in kinds


def test_who_may_plan_confirm_and_end(room: FireTestRoom) -> None:
    for role in (Role.ADMIN, Role.FOREMAN, Role.OFFICER):
        with pytest.raises(ForbiddenError):
            room.plan(actor=person("x", role))
    test = room.begin()
    room.fires("smoke-1")
    for actor in (person("li", role) for role in Role if role is not Role.ENGINEERING_MANAGER):
        with pytest.raises(ForbiddenError):
            room.confirm(test, actor=actor)
    with pytest.raises(ForbiddenError):
        actions.cancel(room.act(test), reason="by the tester")
    room.confirm(test, actor=MANAGER)
    actions.end(room.act(test, TESTER), note="done")
    with room.ledger.read(room.site.id) as view:
        rows = [row.action for row in audit.rows(view, limit=10)]
    assert {"planned_test.plan", "planned_test.confirm", "planned_test.end"} <= set(rows)


def test_what_cannot_be_planned_is_refused(room: FireTestRoom) -> None:
    assert room.plan().id == room.plan().id, "the same key is the same test"
    with pytest.raises(ConflictError, match="quarter has some of this equipment"):
        room.plan(LISTED[1:], within=30 * MINUTE, key="k2")
    room.plan(LISTED[1:], within=HOUR, key="k3")
    wrong: list[tuple[str, dict[str, object]]] = [
        ("ends_at", {"lasts": LONGEST + 1}),
        ("ends_at", {"lasts": -1}),
        ("tester", {"tester": "nobody"}),
        ("equipment", {"sheet": (("smoke-9", "fire-alarm"),)}),
        ("equipment", {"sheet": (("smoke-4", "pump-stopped"),)}),
    ]
    for field, given in wrong:
        with pytest.raises(NotValidError) as refused:
            room.plan(**{"sheet": (("smoke-4", "fire-alarm"),), "key": "k4", **given})  # type: ignore[arg-type]
        assert refused.value.field == field

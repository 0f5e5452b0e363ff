"""The life of an alarm: what calls, what is put aside, and what comes back by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alarm_room import COLLECTOR, HIGH, LEAK, LOST, SITE, STOPPED, Room, person, take_out

from gateway.model.moment import HOUR, MINUTE
from rules.actions import alarms as alarm_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.ledger.store import Ledger
from rules.lifecycle import IllegalTransitionError
from rules.people.roles import ForbiddenError, Role
from rules.refusals import ConflictError, NotFoundError, NotValidError

UNACKNOWLEDGED, ACKNOWLEDGED = AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED
STOPS = {"pump-1.stopped": 1.0}
RUNS = {"pump-1.stopped": 0.0}


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def test_a_relapse_before_it_is_over_is_the_same_alarm(room: Room) -> None:
    room.say(STOPS)
    room.say(RUNS)
    room.say(STOPS)
    (alarm,) = room.alarms
    assert (alarm.state, alarm.count) == (UNACKNOWLEDGED, 2)
    assert alarm.last_raised_at == room.gateway.now.wall
    assert alarm.cleared_at is None
    assert room.steps(alarm) == ["raise", "clear", "relapse"]
    assert room.notices() == ["pump-1"], "who was called is not called again for it"
    assert len(room.orders) == 1
    room.say(RUNS)
    assert room.acknowledge(alarm).state is AlarmState.CLOSED
    room.say(STOPS)
    assert [one.count for one in room.alarms] == [2, 1], "afterwards it is another one"


def test_who_was_called_long_ago_is_called_again(room: Room) -> None:
    room.say(STOPS)
    room.say(RUNS)
    room.say(STOPS, after=600)
    assert room.notices() == ["pump-1", "pump-1"]


def test_a_replayed_relapse_changes_nothing(room: Room) -> None:
    for readings in (STOPS, RUNS, STOPS):
        room.say(readings)
    before = room.one("pump-1", "pump-stopped")
    room.gateway.epoch = "e2"
    room.worker.take(room.gateway.said)
    room.worker.commit(room.gateway.now)
    assert room.one("pump-1", "pump-stopped") == before


def test_an_acknowledgement_expires_and_calls_again(room: Room) -> None:
    room.say(STOPS)
    alarm = room.acknowledge(room.one("pump-1", "pump-stopped"))
    assert alarm.acknowledged_until == room.gateway.now.wall + HOUR
    room.wait(3599)
    assert room.states() == {"pump-1 pump-stopped": ACKNOWLEDGED}
    room.wait(1)
    again = room.one("pump-1", "pump-stopped")
    assert (again.state, again.acknowledged_by, again.acknowledged_until) == (
        UNACKNOWLEDGED,
        None,
        None,
    )
    assert room.notices() == ["pump-1", "pump-1"]
    room.wait(24 * 3600)
    assert len(room.notices()) == 2, "once for each acknowledgement"
    room.acknowledge(again)
    room.say(RUNS)
    room.wait(2 * 3600)
    assert room.states() == {"pump-1 pump-stopped": AlarmState.CLOSED}
    assert len(room.notices()) == 2, "what is over calls nobody"


def test_what_latches_waits_for_somebody_who_has_looked(room: Room) -> None:
    room.say({"pump-1.leak": 1.0})
    alarm = room.acknowledge(room.one("pump-1", "leak"))
    room.say({"pump-1.leak": 0.0})
    latched = room.one("pump-1", "leak")
    assert (latched.state, latched.latches) == (AlarmState.LATCHED, True)
    room.say({"pump-1.leak": 1.0})
    again = room.one("pump-1", "leak")
    assert (again.state, again.count) == (UNACKNOWLEDGED, 2)
    assert room.notices() == ["pump-1", "pump-1"], "it had been acknowledged"
    room.say({"pump-1.leak": 0.0})
    seen = room.acknowledge(alarm)
    assert (seen.state, seen.acknowledged_by) == (AlarmState.LATCHED, "li")
    over = alarm_actions.reset(
        Act(room.ledger, SITE, alarm.id, person("li"), room.gateway.now), note="dried"
    )
    assert over.state is AlarmState.CLOSED
    assert room.events(over)[-1].why == "dried"


def test_a_shelf_holds_what_comes_up_meanwhile_and_ends_by_itself(room: Room) -> None:
    room.say(STOPS)
    alarm = room.shelve(room.one("pump-1", "pump-stopped"))
    assert alarm.state is AlarmState.SHELVED
    assert alarm.shelf is not None
    assert (alarm.shelf.by, alarm.shelf.reason) == ("li", "sensor is broken")
    assert alarm.shelf.until == room.gateway.now.wall + HOUR
    for _ in range(20):
        room.say(RUNS)
        room.say(STOPS)
    (alarm,) = room.alarms
    assert (alarm.state, alarm.count) == (AlarmState.SHELVED, 21), "nobody heard: one row"
    assert (room.notices(), len(room.orders)) == (["pump-1"], 1)
    room.wait(3600)
    (alarm,) = room.alarms
    assert (alarm.state, alarm.shelf) == (UNACKNOWLEDGED, None)
    assert room.notices() == ["pump-1", "pump-1"]
    assert room.count("shelf") == 0


def test_what_is_gone_when_the_shelf_ends_calls_nobody(room: Room) -> None:
    room.say(STOPS)
    room.shelve(room.one("pump-1", "pump-stopped"))
    room.say(RUNS)
    room.wait(3600)
    assert room.states() == {"pump-1 pump-stopped": AlarmState.CLOSED}
    assert room.notices() == ["pump-1"]


def test_who_takes_it_off_the_shelf_has_seen_it(room: Room) -> None:
    room.say(STOPS)
    alarm = room.shelve(room.one("pump-1", "pump-stopped"))
    taken = alarm_actions.unshelve(
        Act(room.ledger, SITE, alarm.id, person("wang"), room.gateway.now)
    )
    assert (taken.state, taken.acknowledged_by, taken.shelf) == (ACKNOWLEDGED, "wang", None)
    assert taken.acknowledged_until == room.gateway.now.wall + HOUR
    with pytest.raises(ConflictError, match="not on the shelf"):
        alarm_actions.unshelve(Act(room.ledger, SITE, alarm.id, person("wang"), room.gateway.now))
    room.wait(3600)
    assert room.notices() == ["pump-1", "pump-1"]


def test_fire_is_put_aside_by_the_manager_only(room: Room) -> None:
    room.say({"fire-1.fire": 1.0})
    alarm = room.one("fire-1", "fire-alarm")
    assert alarm.life_safety
    for role in (Role.OFFICER, Role.FOREMAN, Role.ADMIN):
        with pytest.raises(ForbiddenError):
            room.shelve(alarm, actor=person("li", role))
        with pytest.raises(ForbiddenError):
            take_out(room, "fire-1", role=role)
    assert room.shelve(alarm, actor=person("chen")).state is AlarmState.SHELVED
    with pytest.raises(ForbiddenError):
        alarm_actions.unshelve(
            Act(room.ledger, SITE, alarm.id, person("li", Role.OFFICER), room.gateway.now)
        )


def test_a_shelf_of_more_than_a_week_and_one_for_nothing_are_refused(room: Room) -> None:
    room.say(STOPS)
    alarm = room.one("pump-1", "pump-stopped")
    for minutes in (0, 7 * 24 * 60 + 1):
        with pytest.raises(NotValidError):
            room.shelve(alarm, minutes)
    room.say(RUNS)
    with pytest.raises(IllegalTransitionError):
        room.shelve(alarm)
    assert room.count("shelf") == 0


def test_equipment_out_of_service_calls_nobody_until_its_time(room: Room) -> None:
    room.say(STOPS)
    take_out(room, "pump-1", hours=8)
    assert room.states() == {"pump-1 pump-stopped": AlarmState.OUT_OF_SERVICE}
    room.say({"pump-1.leak": 1.0, "pump-2.leak": 1.0})
    assert room.states()["pump-1 leak"] is AlarmState.OUT_OF_SERVICE
    assert room.notices() == ["pump-1", "pump-2"]
    with room.ledger.read(SITE) as view:
        (one,) = view.service_breaks()
    assert (one.equipment, one.by, one.reason) == ("pump-1", "li", "overhaul")
    assert one.until == one.since + 8 * HOUR
    with pytest.raises(ConflictError):
        take_out(room, "pump-1")
    room.wait(8 * 3600)
    assert room.states()["pump-1 leak"] is UNACKNOWLEDGED
    assert room.notices() == ["pump-1", "pump-2", "pump-1", "pump-1"]
    assert {order.cause_key for order in room.orders if order.equipment == "pump-1"} == {
        "pump-stopped",
        "leak",
    }
    assert room.count("service_break") == 0


def test_equipment_that_is_brought_back_calls_within_a_second(room: Room) -> None:
    take_out(room, "pump-1")
    room.say(STOPS)
    assert room.notices() == []
    alarm_actions.bring_into_service(
        Act(room.ledger, room.site.id, "pump-1", person("li"), room.gateway.now),
        room.site,
        note="done",
    )
    (alarm,) = room.alarms
    assert alarm.state is UNACKNOWLEDGED
    assert (room.events(alarm)[-1].by, room.events(alarm)[-1].why) == ("li", "done")
    room.wait(1)
    assert room.notices() == ["pump-1"]
    assert len(room.orders) == 1
    with pytest.raises(ConflictError):
        alarm_actions.bring_into_service(
            Act(room.ledger, room.site.id, "pump-1", person("li"), room.gateway.now), room.site
        )
    with pytest.raises(NotFoundError):
        take_out(room, "no-such")


def test_missing_data_clear_nothing_in_any_state(room: Room) -> None:
    bad = {"pump-1.stopped": "no_reply"}
    room.say({**STOPS, "pump-2.stopped": 1.0})
    room.shelve(room.one("pump-1", "pump-stopped"))
    before = room.states()
    room.gateway.clock.advance(1)
    room.worker.take([room.gateway.say({}, {**bad, "pump-2.stopped": "no_reply"})])
    room.worker.commit(room.gateway.now)
    room.wait(1800)
    assert room.states() == before


def test_a_rule_that_is_gone_ends_its_alarm_in_every_state(room: Room) -> None:
    room.say({**STOPS, "pump-1.leak": 1.0, "pump-2.leak": 1.0, "collector-1.silent": 1.0})
    room.acknowledge(room.one("pump-1", "leak"))
    room.say({"pump-1.leak": 0.0})
    room.shelve(room.one("pump-2", "leak"))
    assert set(room.states().values()) == {
        AlarmState.SUPPRESSED,
        AlarmState.LATCHED,
        AlarmState.SHELVED,
        UNACKNOWLEDGED,
    }
    room.start(LOST, HIGH)
    assert room.states() == {
        "collector-1 collector-silent": AlarmState.RETURNED_UNACKNOWLEDGED,
        "pump-1 pump-stopped": AlarmState.CLOSED,
        "pump-1 leak": AlarmState.CLOSED,
        "pump-2 leak": AlarmState.CLOSED,
    }


def test_of_fifty_who_acknowledge_at_once_one_does(room: Room) -> None:
    room.say(STOPS)
    alarm = room.one("pump-1", "pump-stopped")

    def acknowledge(number: int) -> bool:
        try:
            room.acknowledge(alarm, person(f"u{number}"))
        except IllegalTransitionError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(acknowledge, range(50))) == 1
    assert room.steps(alarm) == ["raise", "acknowledge"]
    assert room.count("audit") == 1


def test_timers_of_an_alarm_survive_a_restart(room: Room) -> None:
    room.say(STOPS)
    room.acknowledge(room.one("pump-1", "pump-stopped"))
    room.gateway.clock.reboot("boot-2", off_seconds=1800)
    room.start()
    room.wait(1700)
    assert room.states() == {"pump-1 pump-stopped": ACKNOWLEDGED}
    room.wait(110)
    assert room.states() == {"pump-1 pump-stopped": UNACKNOWLEDGED}


def test_what_ended_while_nobody_judged_is_taken_over(room: Room) -> None:
    """The kept conditions are lost: what is up comes up again, and is the same alarm."""
    room.say(STOPS)
    room.acknowledge(room.one("pump-1", "pump-stopped"))
    room.start(LEAK, COLLECTOR, STOPPED)
    with room.ledger.writing() as connection:
        connection.exec_driver_sql("DELETE FROM condition")
    room.start()
    room.say(STOPS)
    assert room.states() == {"pump-1 pump-stopped": ACKNOWLEDGED}
    room.say(RUNS)
    assert room.states() == {"pump-1 pump-stopped": AlarmState.CLOSED}


def test_the_shelf_of_a_stepped_clock_lasts_as_long_as_it_was_to(room: Room) -> None:
    room.say(STOPS)
    room.shelve(room.one("pump-1", "pump-stopped"))
    room.gateway.clock.step_wall(7200)
    room.worker.tick(room.gateway.now)
    room.wait(0.2)
    alarm = room.one("pump-1", "pump-stopped")
    assert alarm.state is AlarmState.SHELVED
    assert alarm.shelf is not None
    assert abs(alarm.shelf.until - room.gateway.now.wall - HOUR) < MINUTE

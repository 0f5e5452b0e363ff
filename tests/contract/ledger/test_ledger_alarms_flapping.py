"""Experiment 51 of faults.md: a point that flaps is one alarm and one order, counted rightly, and
costs the ledger nothing that grows with it."""

from __future__ import annotations

import pytest
from alarm_room import Room

from rules.alarms.lifecycle import AlarmState
from rules.ledger.store import Ledger

SECONDS = 70
A_SECOND = 10
"""Times that it comes up. Longer than the minute after which it is told again; an hour of it is the
same, only longer."""


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def flap(room: Room, point: str, *, seconds: int, a_second: int = A_SECOND) -> None:
    """It ends where it began: gone."""
    for _ in range(seconds):
        for _ in range(a_second):
            for value in (1.0, 0.0):
                room.gateway.clock.advance(0.5 / a_second)
                room.worker.take([room.gateway.say({point: value})])
        room.worker.commit(room.gateway.now)


def test_a_point_that_flaps_is_one_alarm_with_its_count_and_one_order(room: Room) -> None:
    flap(room, "pump-1.stopped", seconds=SECONDS)
    (alarm,), (order,) = room.alarms, room.orders
    assert alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert alarm.count == SECONDS * A_SECOND
    assert order.alarms == (alarm.id,)
    assert room.notices() == ["pump-1"]
    told = room.events(alarm)
    assert len(told) <= 2 * 3 + SECONDS // 60 + 1
    assert room.count("change") <= len(told) + 5
    assert room.count("order_event") == 1


def test_its_end_is_told_within_a_minute(room: Room) -> None:
    flap(room, "pump-1.stopped", seconds=5)
    room.wait(60)
    (alarm,) = room.alarms
    last = room.events(alarm)[-1]
    assert last.to_state == alarm.state == AlarmState.RETURNED_UNACKNOWLEDGED
    assert last.why is not None
    with room.ledger.read(room.site.id) as view:
        assert view.changes_after(view.last_change_id() - 1, 9)[0].subject == alarm.id
    room.wait(3600)
    assert room.events(alarm)[-1] == last, "nothing has happened since"


def test_what_somebody_does_in_between_is_told_at_once(room: Room) -> None:
    flap(room, "pump-1.stopped", seconds=2)
    room.acknowledge(room.alarms[0])
    (alarm,) = room.alarms
    assert (room.events(alarm)[-1].event, alarm.state) == ("acknowledge", AlarmState.CLOSED)
    room.say({"pump-1.stopped": 1.0})
    assert [one.count for one in room.alarms] == [2 * A_SECOND, 1]


def test_what_flaps_on_the_shelf_stays_one_row_too(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    room.shelve(room.alarms[0])
    room.say({"pump-1.stopped": 0.0})
    flap(room, "pump-1.stopped", seconds=20)
    (alarm,) = room.alarms
    assert (alarm.state, alarm.count) == (AlarmState.CLOSED, 1 + 20 * A_SECOND)
    assert len(room.events(alarm)) <= 8
    assert len(room.notices()) == 1


def test_a_flapping_effect_stays_one_row_under_its_cause(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0})
    flap(room, "pump-1.stopped", seconds=20)
    room.say({"pump-1.stopped": 1.0})
    alarm = room.one("pump-1", "pump-stopped")
    assert (alarm.state, alarm.count) == (AlarmState.SUPPRESSED, 1 + 20 * A_SECOND)
    assert room.notices() == ["feeder-1"]


def test_fire_that_flickers_calls_again_a_minute_later(room: Room) -> None:
    for _ in range(5):
        room.say({"fire-1.fire": 1.0})
        room.say({"fire-1.fire": 0.0})
    assert room.notices() == ["fire-1"]
    room.say({"fire-1.fire": 1.0}, after=60)
    assert room.notices() == ["fire-1", "fire-1"]

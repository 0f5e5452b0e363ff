"""Experiments B18 and B19: what comes again, or was kept by the broker, makes no second alarm."""

from __future__ import annotations

from dataclasses import replace

import orjson
from duty_room import FAULT, NOON, equipment, rulebook

from gateway.clock import ManualClock
from gateway.model.equipment import Equipment
from gateway.model.moment import HOUR, SECOND, Instant
from gateway.model.point import PointKind
from gateway.model.profile import MqttPlace
from gateway.mqtt.mapping import MessageMapping
from gateway.repeats import Delivery, Repeats
from rules.alarms.conditions import Change, Conditions, Turn

TOPIC = "pump/status"


def pump(*, tells_time: bool) -> Equipment:
    known = equipment("pump-1", "pump", fault=PointKind.FLAG)
    return replace(
        known,
        poll=60 * SECOND,
        mqtt={"fault": MqttPlace(topic=TOPIC, path=("fault",))},
        source_time=MqttPlace(topic=TOPIC, path=("ts",)) if tells_time else None,
    )


class House:
    """From the message to the alarm, as gateway and rules do it."""

    def __init__(self, *, tells_time: bool = False) -> None:
        thing = pump(tells_time=tells_time)
        self.mapping = MessageMapping([thing])
        self.conditions = Conditions(rulebook(FAULT), [thing])
        self.repeats = Repeats()
        self.clock = ManualClock(NOON)
        self.changes: list[Change] = []
        self.taken = self.repeated = 0

    def say(self, fault: int, *, ts: float | None = None, retained=False, again=False) -> None:
        at = self.clock.advance(0.01)
        said = {"fault": fault} | ({} if ts is None else {"ts": ts})
        frame = self.mapping.take(TOPIC, orjson.dumps(said), at.wall, retained=retained)
        assert frame is not None
        delivery = Delivery(frame=frame, at=at, ack=lambda: None)
        new, repeats = self.repeats.sort(delivery, again=again)
        self.repeated += len(repeats)
        for one in new:
            self.repeats.add(one.frame)
            self.taken += 1
            self.changes += self.conditions.step(one.frame, one.at)

    def wait(self, seconds: float) -> Instant:
        at = self.clock.advance(seconds)
        self.changes += self.conditions.tick(at)
        return at

    @property
    def turns(self) -> list[Turn]:
        return [change.turn for change in self.changes]


def test_the_same_message_a_thousand_times_is_one_alarm() -> None:
    for tells_time in (False, True):
        house = House(tells_time=tells_time)
        ts = NOON / SECOND if tells_time else None
        for _ in range(1000):
            house.say(1, ts=ts)
        assert house.turns == [Turn.RAISED]
        house.say(0)
        assert house.turns == [Turn.RAISED, Turn.CLEARED]


def test_a_message_that_the_broker_delivers_a_thousand_times_is_taken_once() -> None:
    house = House(tells_time=True)
    ts = NOON / SECOND
    house.say(1, ts=ts)
    for _ in range(999):
        house.say(1, ts=ts, again=True)
    assert (house.taken, house.repeated) == (1, 999)
    assert house.turns == [Turn.RAISED]


def test_an_alarm_that_the_broker_kept_is_state_and_no_second_alarm() -> None:
    house = House()
    house.say(1)
    (raised,) = house.changes
    for _ in range(3):  # each time we are back
        house.wait(600)
        house.say(1, retained=True)
    assert house.changes == [raised]
    # What is over stays open until the device itself says so, not an old message.
    house.say(0, retained=True)
    assert house.changes == [raised]
    house.say(0)
    assert house.turns == [Turn.RAISED, Turn.CLEARED]
    assert house.changes[1].occurrence == raised.occurrence


def test_an_alarm_that_began_while_we_were_away_is_not_missed() -> None:
    """The message was kept, so nobody knows how old it is; a fault is not to be overlooked."""
    house = House()
    house.say(1, retained=True)
    assert house.turns == [Turn.RAISED]


def test_an_old_time_of_the_device_makes_it_no_newer() -> None:
    house = House(tells_time=True)
    house.say(1, ts=(NOON - 2 * HOUR) / SECOND, retained=True)
    house.say(0, ts=(NOON - HOUR) / SECOND, retained=True)
    assert house.turns == [Turn.RAISED]
    house.say(0, ts=NOON / SECOND)
    assert house.turns == [Turn.RAISED, Turn.CLEARED]

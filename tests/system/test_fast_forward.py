"""The whole way of a reading on a real Modbus wire, with the clock turned by hand."""

from __future__ import annotations

import asyncio

import pytest
from fast_forward import START, compound, duty_room

from gateway.model.moment import HOUR, SECOND
from gateway.model.quality import Quality
from rules.alarms.lifecycle import CALLING, AlarmState
from rules.orders.lifecycle import OrderState

TEMPERATURE = "pump-2.motor_temperature"


def test_a_hot_pump_becomes_one_order_whose_clock_runs_out_whatever_the_wall_clock_does(tmp_path):
    async def story() -> None:
        async with (
            compound(tmp_path, hot=[(20, 7000)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(20)
            assert room.alarms() == []
            await room.pass_by(20)
            (alarm,) = room.alarms()
            (order,) = room.orders()
            assert alarm.point == TEMPERATURE
            assert list(order.alarms) == [alarm.id]
            assert 75 < alarm.value < 100
            # Ten seconds of delay, counted from the first reading beyond the limit.
            assert alarm.raised_at - alarm.first_reading_at == 10 * SECOND
            history = room.history.range(TEMPERATURE, START, START + HOUR, 1000)
            assert history.value[history.time == alarm.first_reading_at] == [alarm.value]
            assert len(history.time) == 40
            await room.pass_by(60)
            # A step of the wall clock moves no limit.
            world.clock.step_wall(3 * 3600)
            await room.pass_by(7080, turn=60)
            assert room.overdue(order.id) == 0
            await room.pass_by(60, turn=60)
            assert room.overdue(order.id) == 1
            (order,) = room.orders()
            assert order.state is OrderState.OPEN
            await room.pass_by(60)
            assert room.alarms()[0].cleared_at is not None, "cool again after 7,000 s"
            assert len(room.orders()) == 1

    asyncio.run(story())


@pytest.mark.parametrize("rebooted", [False, True])
def test_killed_within_the_delay_the_alarm_comes_when_it_would_have_come(tmp_path, rebooted):
    """Gate 39 in small: five of ten seconds of delay, a restart, and it fires at ten."""

    async def story() -> None:
        async with compound(tmp_path, hot=[(20, 600)]) as world:
            async with duty_room(world, tmp_path / "data") as room:
                while not room.latest(TEMPERATURE) > 75:
                    await room.pass_by(1)
                await room.pass_by(4)
                assert room.alarms() == []
            if rebooted:
                world.clock.reboot("boot-2")
            await world.live(3)
            async with duty_room(world, tmp_path / "data") as room:
                await room.pass_by(2)
                assert room.alarms() == []
                await room.pass_by(2)
                (alarm,) = room.alarms()
                assert alarm.raised_at - alarm.first_reading_at == 10 * SECOND
                assert len(room.orders()) == 1

    asyncio.run(story())


def test_a_link_that_dies_leaves_the_alarm_and_no_value(tmp_path):
    """No data never clears: the alarm stays, and the reading is bad, not old and not zero."""

    async def story() -> None:
        async with (
            compound(tmp_path, hot=[(20, 60)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(45)
            assert len(room.alarms()) == 1
            await world.cut("pump-room")
            for _ in range(90):
                world.clock.advance(1)
                await room.turn()
            (alarm,) = room.alarms_of("pump-2")
            assert alarm.cleared_at is None
            assert alarm.state is AlarmState.UNACKNOWLEDGED
            others = [one for one in room.alarms() if one.id != alarm.id]
            calling = [one.equipment for one in others if one.state in CALLING]
            assert calling == ["link.pump-room"], "one line for one cause"
            reading = room.history.latest([TEMPERATURE])[TEMPERATURE]
            assert reading.quality is Quality.BAD
            assert reading.value is None

    asyncio.run(story())


def test_gate_9_a_link_that_dies_during_a_fire_leaves_the_fire(tmp_path):
    """Gate 9 (A9): the alarm stays, its reading is stale, nothing is "resolved"; and when the
    panel is heard again, and only then, it ends."""

    async def story() -> None:
        async with (
            compound(tmp_path, hot=[], burning=[(5, 40)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(30)
            (fire,) = room.alarms()
            assert (fire.rule, fire.equipment) == ("fire-alarm", "smoke-101")
            await world.cut("fire")
            # The fire goes out at 45 s, and nobody hears of it.
            for _ in range(120):
                await world.live(1)
                await room.turn()
            alarm, unseen = sorted(room.alarms_of("smoke-101"), key=lambda one: one.id != fire.id)
            assert alarm.id == fire.id
            assert alarm.cleared_at is None
            assert alarm.state is AlarmState.UNACKNOWLEDGED
            # That nobody sees it burn is an effect of the lost link; that it burnt is none.
            assert (unseen.rule, unseen.state) == ("detector-no-data", AlarmState.SUPPRESSED)
            calling = {one.equipment for one in room.alarms() if one.state in CALLING}
            assert calling == {"smoke-101", "fire-panel", "link.fire"}, "one line for one cause"
            with room.ledger.read(world.site.id) as view:
                events = [event.event for event in view.alarm_events(fire.id)]
            assert "clear" not in events
            for key in ("active", "event_type"):
                reading = room.history.latest([f"smoke-101.{key}"])[f"smoke-101.{key}"]
                assert (reading.quality, reading.value) == (Quality.BAD, None)
            (order,) = room.orders_of("smoke-101")
            assert order.state is OrderState.OPEN
            await world.mend("fire")
            # Its connection is tried again by the true clock.
            ends = asyncio.get_running_loop().time() + 20
            while any(one.cleared_at is None for one in room.alarms()):
                assert asyncio.get_running_loop().time() < ends
                await world.live(1)
                await room.turn()
                await asyncio.sleep(0.02)
            (order,) = room.orders_of("smoke-101")
            assert list(order.alarms) == [fire.id]
            assert sorted(one.rule for one in room.alarms_of("smoke-101")) == [
                "detector-no-data",
                "fire-alarm",
            ]

    asyncio.run(story())

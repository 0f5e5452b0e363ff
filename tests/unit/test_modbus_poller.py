"""Which unit is read when, with a session in place of the wire and a clock turned by hand."""

import asyncio
import math

import numpy as np
import pytest

from gateway.clock import ManualClock
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, ModbusLink
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, RegisterType
from gateway.model.quality import Quality

LINK = ModbusLink(id="room", host="127.0.0.1", port=1, timeout=1.0)
NAME = Text(zh="泵", en="Pump")
SILENT = ReadFailure(FailureKind.NO_REPLY, "did not answer in 1 s")


class Wire:
    """What each unit answers: its number in every register, or the failure in ``failing``."""

    def __init__(self):
        self.failing = {}
        self.reads = []
        self.closed = False

    async def read(self, unit, block):
        self.reads.append((unit, block.address, block.count))
        fault = self.failing.get((unit, block.address), self.failing.get(unit))
        if fault is not None:
            raise fault
        return np.full(block.count, unit, dtype=np.uint16)

    async def close(self):
        self.closed = True

    def taken(self):
        """Units read since the last call, in order."""
        units, self.reads = [unit for unit, *_ in self.reads], []
        return units


def thing(name, unit, *addresses, poll=SECOND):
    points = tuple(
        Point(id=f"{name}.p{a}", equipment=name, key=f"p{a}", name=NAME, kind=PointKind.NUMBER)
        for a in addresses
    )
    places = {
        f"p{a}": ModbusPlace(function=Function.INPUT, address=a, type=RegisterType.UINT16)
        for a in addresses
    }
    return Equipment(
        id=name,
        name=NAME,
        equipment_class="pump",
        profile="x",
        model=NAME,
        vendor="x",
        area="a",
        link="room",
        unit=unit,
        poll=poll,
        points=points,
        modbus=places,
    )


def poll(poller, now):
    async def run():
        return [(points, columns) async for points, columns in poller.poll(now)]

    return asyncio.run(run())


@pytest.fixture
def clock():
    return ManualClock(1_800_000_000_000_000)


def test_equipment_of_one_unit_and_interval_is_read_together(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0), thing("b", 1, 2), thing("c", 2, 0)], wire)
    got = poll(poller, clock.now())
    assert wire.reads == [(1, 0, 3), (2, 0, 1)]
    assert [points for points, _ in got] == [("a.p0", "b.p2"), ("c.p0",)]
    assert [list(columns.value) for _, columns in got] == [[1, 1], [2]]
    assert poll(poller, clock.advance(1))[0][0] is got[0][0]


def test_each_interval_keeps_its_own_time(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0), thing("b", 2, 0, poll=3 * SECOND)], wire)
    rounds = []
    for _ in range(7):
        poll(poller, clock.now())
        rounds.append(wire.taken())
        clock.advance(1)
    assert rounds == [[1, 2], [1], [1], [1, 2], [1], [1], [1, 2]]


def test_polls_stay_in_step_and_missed_slots_are_left_out(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0)], wire)
    poll(poller, clock.now())
    assert poller.wait(clock.now()) == SECOND
    poll(poller, clock.advance(1.3))
    assert poller.wait(clock.now()) == 700_000
    poll(poller, clock.advance(10.7))
    assert poller.wait(clock.now()) == SECOND
    assert len(wire.taken()) == 3


def test_a_step_of_the_wall_clock_delays_no_poll(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0)], wire)
    poll(poller, clock.now())
    clock.step_wall(-3600)
    assert poller.wait(clock.advance(1)) == 0


def test_a_silent_unit_is_bad_at_once_and_probed_slowly(clock):
    wire = Wire()
    wire.failing[1] = SILENT
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500), thing("b", 2, 0)], wire)
    times = []
    for second in range(40):
        for points, columns in poll(poller, clock.now()):
            if points[0] == "a.p0":
                times.append(second)
                assert all(math.isnan(value) for value in columns.value)
                assert set(columns.quality) == {Quality.BAD}
                assert set(columns.reason.values()) == {"did not answer in 1 s"}
        clock.advance(1)
    assert times == [0, 1, 2, 12, 22, 32]
    reads = wire.taken()
    assert reads.count(1) == len(times), "its second block would only wait as well"
    assert reads.count(2) == 40


def test_a_unit_that_answers_again_is_polled_as_before(clock):
    wire = Wire()
    wire.failing[1] = SILENT
    poller = LinkPoller(LINK, [thing("a", 1, 0)], wire)
    for _ in range(5):
        poll(poller, clock.now())
        clock.advance(1)
    wire.failing.clear()
    wire.taken()
    for _ in range(10):
        poll(poller, clock.now())
        clock.advance(1)
    assert len(wire.taken()) == 3


def test_of_several_silent_units_one_is_tried_in_a_round_after_the_others(clock):
    wire = Wire()
    wire.failing = {1: SILENT, 2: SILENT, 3: SILENT}
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 5)], wire)
    for _ in range(3):
        poll(poller, clock.now())
        assert wire.taken() == [1, 2, 3, 4]
        clock.advance(1)
    clock.advance(10)
    rounds = []
    for _ in range(4):
        poll(poller, clock.now())
        rounds.append(wire.taken())
        clock.advance(1)
    assert rounds == [[4, 1], [4, 2], [4, 3], [4]]


def test_without_connection_every_poll_is_bad_and_goes_on(clock):
    wire = Wire()
    wire.failing[1] = ReadFailure(FailureKind.NO_CONNECTION, "no connection")
    poller = LinkPoller(LINK, [thing("a", 1, 0)], wire)
    for _ in range(6):
        ((_, columns),) = poll(poller, clock.now())
        assert columns.reason == {0: "no connection"}
        clock.advance(1)
    wire.failing.clear()
    assert poll(poller, clock.now())[0][1].value[0] == 1


def test_a_block_that_fails_leaves_the_others_good(clock):
    wire = Wire()
    wire.failing[1, 0] = ReadFailure(FailureKind.EXCEPTION, "exception 6: device busy", 6)
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500)], wire)
    for _ in range(5):
        ((_, columns),) = poll(poller, clock.now())
        assert list(columns.quality) == [Quality.BAD, Quality.GOOD]
        assert columns.reason == {0: "exception 6: device busy"}
        clock.advance(1)


def test_silence_after_an_answer_spoils_only_what_was_not_read(clock):
    wire = Wire()
    wire.failing[1, 500] = SILENT
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500, 900)], wire)
    for _ in range(5):
        ((_, columns),) = poll(poller, clock.now())
        assert list(columns.quality) == [Quality.GOOD, Quality.BAD, Quality.BAD]
        assert [address for _, address, _ in wire.reads] == [0, 500]
        wire.taken()
        clock.advance(1)


def test_a_device_that_refuses_registers_it_does_not_have_is_read_around_them(clock):
    wire = Wire()
    refused = ReadFailure(FailureKind.EXCEPTION, "exception 2: illegal address", 2)
    poller = LinkPoller(LINK, [thing("a", 1, 0, 5)], wire)
    wire.failing[1] = refused
    ((_, columns),) = poll(poller, clock.now())
    assert set(columns.quality) == {Quality.BAD}
    wire.failing.clear()
    wire.reads.clear()
    ((points, columns),) = poll(poller, clock.advance(1))
    assert points == ("a.p0", "a.p5")
    assert set(columns.quality) == {Quality.GOOD}
    assert wire.reads == [(1, 0, 1), (1, 5, 1)]


def test_equipment_without_a_unit_is_refused():
    with pytest.raises(ValueError, match="has no Modbus unit"):
        LinkPoller(LINK, [thing("a", None, 0)], Wire())


def test_close_closes_the_session():
    wire = Wire()
    asyncio.run(LinkPoller(LINK, [], wire).close())
    assert wire.closed

"""Which unit is read when, with a session in place of the wire and a clock turned by hand."""

import asyncio
import math

import numpy as np
import pytest
from in_a_row import InARow
from structlog.testing import capture_logs

from gateway.clock import ManualClock
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.poller import TOGETHER, LinkPoller
from gateway.model.equipment import Equipment, Framing, ModbusLink, SerialPort
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, ReadLimits, RegisterType
from gateway.model.quality import Quality

LINK = ModbusLink(id="room", host="127.0.0.1", port=1, timeout=1.0)
NAME = Text(zh="泵", en="Pump")
SILENT = ReadFailure(FailureKind.NO_REPLY, "did not answer in 1 s")
DEFAULT = ReadLimits()


class Wire(InARow):
    """What each unit answers: its number in every register, or the failure in ``failing``."""

    def __init__(self):
        self.failing = {}
        self.reads = []
        self.lacking = set()
        self.closed = False

    async def read(self, unit, block):
        self.reads.append((unit, block.address, block.count))
        if any((unit, address) in self.lacking for address in range(block.address, block.end)):
            raise ReadFailure(FailureKind.EXCEPTION, "device_exception: 2 illegal address", 2)
        fault = self.failing.get((unit, block.address), self.failing.get(unit))
        if fault is not None:
            raise fault
        return np.full(block.count, unit, dtype=np.uint16)

    async def close(self):
        self.closed = True

    def lack(self, unit, *addresses):
        """The unit refuses what touches one of them."""
        self.lacking = {(unit, address) for address in addresses}

    def taken(self):
        """Units read since the last call, in order."""
        units, self.reads = [unit for unit, *_ in self.reads], []
        return units


def thing(name, unit, *addresses, poll=SECOND, slow=(), limits=DEFAULT):
    """Equipment with a register at each address; those in ``slow`` are read every 60 s."""
    points = tuple(
        Point(
            id=f"{name}.p{a}",
            equipment=name,
            key=f"p{a}",
            name=NAME,
            kind=PointKind.NUMBER,
            interval=60 * SECOND if a in slow else poll,
        )
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
        limits=limits,
    )


def poll(poller, now):
    async def run():
        polled = [own async for said in poller.poll(now) for own in said.each()]
        return [(own.points, own.columns) for own in polled]

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
    # The second of two begins half its interval after its first poll.
    assert rounds == [[1, 2], [1], [1, 2], [1], [1], [1, 2], [1]]


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
    rounds = []
    for _ in range(7):
        poll(poller, clock.now())
        rounds.append(wire.taken())
        clock.advance(1)
    # The one that has waited longest; the first is due a whole interval after its first poll.
    assert rounds == [[1, 2, 3, 4], [4, 2], [4, 3], [4, 1], [4, 2], [4, 3], [4, 1]]
    clock.advance(10)
    rounds = []
    for _ in range(6):
        poll(poller, clock.now())
        rounds.append(wire.taken())
        clock.advance(1)
    assert rounds == [[4, 2], [4], [4, 3], [4], [4, 1], [4]], "probes leave every other second"


def test_units_that_wait_for_their_turn_are_tried_at_once_when_nobody_else_is_due(clock):
    wire = Wire()
    wire.failing = {1: SILENT, 2: SILENT}
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 4)], wire)
    poll(poller, clock.now())
    poll(poller, clock.advance(1))
    assert wire.taken() == [1, 2, 3, 3, 2]
    assert poller.wait(clock.now()) == 0
    poll(poller, clock.now())
    assert wire.taken() == [1]


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
    for _ in range(3):
        ((_, columns),) = poll(poller, clock.now())
        assert list(columns.quality) == [Quality.GOOD, Quality.BAD, Quality.BAD]
        assert [address for _, address, _ in wire.reads] == [0, 500]
        wire.taken()
        clock.advance(1)


@pytest.mark.parametrize("mute", [0, 500, 900])
def test_a_device_that_says_nothing_to_what_it_does_not_have_is_not_dead(mute, clock):
    wire = Wire()
    wire.failing[1, mute] = SILENT
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500, 900), thing("b", 2, 0)], wire)
    for _ in range(9):
        rounds = dict(poll(poller, clock.advance(1)))
    for _ in range(20):
        rounds |= dict(poll(poller, clock.advance(1)))
    columns = rounds["a.p0", "a.p500", "a.p900"]
    reason = f"no_register: input {mute}, no reply"
    assert bad(columns, ("a.p0", "a.p500", "a.p900")) == {f"a.p{mute}": reason}
    wire.reads.clear()
    for _ in range(300):
        poll(poller, clock.advance(1))
    assert wire.reads.count((1, mute, 1)) <= 3, "each time is a timeout"


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


def test_units_are_spread_over_their_interval(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 5)], wire)
    poll(poller, clock.now())
    assert wire.taken() == [1, 2, 3, 4], "first all at once, so that there are values"
    times = []
    for tick in range(1, 9):
        poll(poller, clock.advance(0.25))
        times.append((tick / 4, wire.taken()))
    assert times == [
        (0.25, [2]), (0.5, [3]), (0.75, [4]), (1.0, [1]),
        (1.25, [2]), (1.5, [3]), (1.75, [4]), (2.0, [1]),
    ]  # fmt: skip
    assert poller.wait(clock.now()) == SECOND // 4


def test_many_units_of_a_link_are_read_in_rounds_that_stay_the_same(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 51)], wire)
    poll(poller, clock.now())
    assert len(wire.taken()) == 50
    rounds = []
    for _ in range(10):
        assert poller.wait(clock.now()) == TOGETHER
        poll(poller, clock.advance(TOGETHER / SECOND))
        rounds.append(wire.taken())
    assert [len(units) for units in rounds] == [10] * 10
    assert rounds[:5] == rounds[5:]
    assert sorted(unit for units in rounds[:5] for unit in units) == list(range(1, 51))


def test_units_that_are_rarely_read_stay_spread_however_many_there_are(clock):
    wire = Wire()
    things = [thing(f"t{unit}", unit, 0, slow=(0,)) for unit in range(1, 41)]
    poller = LinkPoller(LINK, things, wire)
    poll(poller, clock.now())
    wire.taken()
    most = 0
    for _ in range(60 * 5):
        poll(poller, clock.advance(0.2))
        most = max(most, len(wire.taken()))
    assert most == 1


def test_no_two_links_begin_at_the_same_moment():
    leads = {
        LinkPoller(
            ModbusLink(id=f"link-{n}", host="127.0.0.1", port=1, timeout=1.0),
            [thing("a", 1, 0)],
            Wire(),
        ).lead
        for n in range(20)
    }
    assert len(leads) == 20
    assert min(leads) < 0.2 < 0.8 < max(leads) < 1


def test_points_of_one_unit_are_read_each_at_its_interval(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500, 501, slow=(500, 501))], wire)
    assert [points for points, _ in poll(poller, clock.now())] == [("a.p0",), ("a.p500", "a.p501")]
    wire.reads.clear()
    for _ in range(90):
        poll(poller, clock.advance(1))
    assert [read for read in wire.reads if read[1] == 0] == 90 * [(1, 0, 1)]
    assert [read for read in wire.reads if read[1] == 500] == [(1, 500, 2), (1, 500, 2)]


def test_of_the_limits_of_a_unit_the_smallest_holds(clock):
    wire = Wire()
    narrow = thing("b", 1, 4, 5, limits=ReadLimits(registers=3))
    poller = LinkPoller(LINK, [thing("a", 1, 0, 1, 2, 3), narrow, thing("c", 2, 0, 9)], wire)
    poll(poller, clock.now())
    assert wire.reads == [(1, 0, 3), (1, 3, 3), (2, 0, 10)]


def bad(columns, points):
    """Point → reason, of those that are not good."""
    return {points[row]: reason for row, reason in columns.reason.items()}


def test_a_dead_address_is_named_and_the_rest_flows(clock):
    wire = Wire()
    wire.lack(1, 2105)
    poller = LinkPoller(LINK, [thing("a", 1, *range(2100, 2120)), thing("b", 2, 2105)], wire)
    for _ in range(8):
        rounds = poll(poller, clock.now())
        clock.advance(1)
        assert bad(rounds[1][1], rounds[1][0]) == {}, "of another unit"
    ((points, columns), _) = rounds
    assert bad(columns, points) == {"a.p2105": "no_register: input 2105"}
    assert sum(columns.quality == Quality.GOOD) == 19
    (dead,) = poller.figures().dead
    assert (dead.unit, dead.function, dead.address) == (1, "input", 2105)
    wire.reads.clear()
    for _ in range(8):
        poll(poller, clock.advance(1))
    assert (1, 2105, 1) not in wire.reads[:4]


def test_a_dead_address_that_answers_again_is_read_again(clock):
    wire = Wire()
    wire.lack(1, 3)
    poller = LinkPoller(LINK, [thing("a", 1, *range(8))], wire)
    for _ in range(6):
        poll(poller, clock.advance(1))
    wire.lacking.clear()
    for _ in range(12):
        ((points, columns),) = poll(poller, clock.advance(1))
    assert bad(columns, points) == {}
    wire.reads.clear()
    poll(poller, clock.advance(1))
    assert wire.reads == [(1, 0, 8)], "in one request, as at first"


def test_dead_addresses_are_tried_when_a_unit_comes_back(clock):
    wire = Wire()
    wire.lack(1, 3)
    poller = LinkPoller(LINK, [thing("a", 1, *range(8))], wire)
    for _ in range(200):
        poll(poller, clock.advance(1))
    wire.lacking.clear()
    wire.failing[1] = SILENT
    poll(poller, clock.advance(1))
    wire.failing.clear()
    for _ in range(3):
        ((points, columns),) = poll(poller, clock.advance(1))
    assert bad(columns, points) == {}


@pytest.mark.parametrize("code", [5, 6])
def test_a_busy_device_is_asked_the_same_again(code, clock):
    wire = Wire()
    wire.failing[1] = ReadFailure(FailureKind.EXCEPTION, f"device_exception: {code}", code)
    poller = LinkPoller(LINK, [thing("a", 1, *range(8))], wire)
    for _ in range(5):
        ((_, columns),) = poll(poller, clock.advance(1))
        assert set(columns.reason.values()) == {f"device_exception: {code}"}
    assert wire.reads == 5 * [(1, 0, 8)]


def test_a_unit_that_fell_silent_takes_its_slow_points_with_it(clock):
    """They would pass for good until their own turn comes, minutes later."""
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0, 500, slow=(500,)), thing("b", 2, 0)], wire)
    poll(poller, clock.now())
    wire.failing[1] = SILENT
    told = [{points for points, _ in poll(poller, clock.advance(1))} for _ in range(4)]
    assert [("a.p500",) in points for points in told] == [False, False, True, False]
    wire.failing.clear()
    back = [frame for _ in range(11) for frame in poll(poller, clock.advance(1))]
    slow = [columns.value[0] for points, columns in back if "a.p500" in points]
    assert slow == [1], "read as soon as the unit is back"


def test_a_lost_reply_does_not_cost_slow_points_their_whole_interval(clock):
    wire = Wire()
    poller = LinkPoller(LINK, [thing("a", 1, 0, poll=600 * SECOND)], wire)
    wire.failing[1] = SILENT
    poll(poller, clock.now())
    wire.failing.clear()
    assert poller.wait(clock.now()) == 10 * SECOND
    ((_, columns),) = poll(poller, clock.advance(10))
    assert columns.value[0] == 1
    assert poller.wait(clock.now()) <= 10 * SECOND
    assert [poll(poller, clock.advance(10)) for _ in range(30)] == 30 * [[]]


def test_no_point_is_told_twice_in_one_round(clock):
    """Point and receive time are the key of a reading."""
    wire = Wire()
    slow = thing("a", 1, 0, 500, 900, slow=(500,))
    poller = LinkPoller(LINK, [slow, thing("b", 1, 3, poll=2 * SECOND), thing("c", 2, 0)], wire)
    for second in range(200):
        if second % 20 == 0:
            kind = FailureKind.NO_REPLY if second % 40 else FailureKind.NO_CONNECTION
            wire.failing = {1: ReadFailure(kind, "away")} if second % 60 else {}
        told = [point for points, _ in poll(poller, clock.advance(1)) for point in points]
        assert len(told) == len(set(told))


def test_a_line_that_cannot_keep_its_interval_is_said_in_the_log_once(clock):
    port = SerialPort(device="/dev/ttyS0", baud=1200)
    line = ModbusLink(id="bus", serial=port, framing=Framing.RTU, timeout=1.0)
    things = [thing(f"t{unit}", unit, *range(40)) for unit in range(1, 10)]
    with capture_logs() as said:
        poller = LinkPoller(line, things, Wire())
        for _ in range(3):
            poll(poller, clock.advance(1))
    (warning,) = said
    assert (warning["log_level"], warning["link"]) == ("warning", "bus")
    assert warning["why"].startswith("9 requests/s need ")


def test_with_the_line_the_units_come_back_together(clock):
    wire = Wire()
    wire.failing = dict.fromkeys(range(1, 9), SILENT)
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 9)], wire)
    for _ in range(30):
        poll(poller, clock.advance(1))
    wire.failing.clear()
    wire.taken()
    for _ in range(18):
        poll(poller, clock.advance(1))
    assert set(wire.taken()) == set(range(1, 9))
    assert not any(unit.silent for unit in poller.units)


def test_dead_units_take_at_most_half_of_the_line(clock):
    wire = Wire()
    wire.failing = dict.fromkeys(range(1, 30), SILENT)
    poller = LinkPoller(LINK, [thing(f"t{unit}", unit, 0) for unit in range(1, 31)], wire)
    for _ in range(100):
        poll(poller, clock.advance(1))
    wire.taken()
    for _ in range(60):
        poll(poller, clock.advance(1))
    reads = wire.taken()
    assert reads.count(30) == 60
    assert len(reads) - 60 <= 31  # probes, each of one timeout (1 s), in 60 s


def test_a_unit_that_was_not_asked_is_not_one_more_time_silent(clock):
    wire = Wire()
    wire.failing[1] = ReadFailure(FailureKind.HELD, "no_reply: unit 1, 1 s")
    poller = LinkPoller(LINK, [thing("a", 1, 0)], wire)
    for _ in range(10):
        ((_, columns),) = poll(poller, clock.advance(1))
        assert columns.reason == {0: "no_reply: unit 1, 1 s"}
    assert not poller.units[0].silent


def test_the_figures_of_a_link_that_was_not_asked_yet():
    poller = LinkPoller(LINK, [thing("a", 1, 0), thing("b", 1, 1), thing("c", 2, 0)], Wire())
    told = poller.figures().plain()
    assert told["id"] == "room"
    assert told["where"] == "127.0.0.1:1"
    assert not told["connected"]
    assert [(one["unit"], one["equipment"]) for one in told["units"]] == [
        (1, ["a", "b"]),
        (2, ["c"]),
    ]
    assert (told["requests"], told["latency_ms"]) == (0, None)
    assert told["budget"] == {"seconds_per_second": 0, "requests": 2, "keeps": True, "text": ""}


def test_equipment_without_a_unit_is_refused():
    with pytest.raises(ValueError, match="has no Modbus unit"):
        LinkPoller(LINK, [thing("a", None, 0)], Wire())


def test_close_closes_the_session():
    wire = Wire()
    asyncio.run(LinkPoller(LINK, [], wire).close())
    assert wire.closed

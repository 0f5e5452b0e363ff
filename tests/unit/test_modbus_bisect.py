"""Dead addresses found by halving, against devices that lack any set of registers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import ManualClock
from gateway.modbus.bisect import Search
from gateway.model.moment import SECOND
from gateway.model.profile import Function, ModbusPlace, ReadLimits, RegisterType

WIDE = {1: RegisterType.UINT16, 2: RegisterType.UINT32, 4: RegisterType.UINT64}


def places(*spans):
    """(address, registers) → places, keyed by their number."""
    return {
        str(n): ModbusPlace(function=Function.HOLDING, address=address, type=WIDE[registers])
        for n, (address, registers) in enumerate(spans)
    }


def touches(block, lacking):
    return any(address in lacking for address in range(block.address, block.end))


class Room:
    """A search polled every second, on a device without the registers in ``lacking``."""

    def __init__(self, own, lacking=(), limits=None, code=2):
        self.places = own
        self.lacking = set(lacking)
        self.code = code
        self.refuses = touches
        self.clock = ManualClock(1_800_000_000 * SECOND)
        self.search = Search(own, limits or ReadLimits())
        self.requests = 0

    def poll(self, seconds=1):
        """The keys that were read."""
        now = self.clock.advance(seconds)
        due = self.search.due(now)
        self.requests += len(due)
        refused = {b: self.code for b in due if self.refuses(b, self.lacking)}
        read = [block for block in due if block not in refused]
        self.search.judge(read, refused, now)
        return {
            key for key, place in self.places.items() if any(block.holds(place) for block in read)
        }

    def polls(self, count):
        for _ in range(count):
            read = self.poll()
        return read


def test_of_twenty_registers_the_dead_one_is_named():
    room = Room(places(*((2100 + n, 1) for n in range(20))), lacking=[2105])
    assert room.polls(8) == set(room.places) - {"5"}
    assert list(room.search.dead.values()) == ["no_register: holding 2105"]


def test_half_of_it_flows_after_the_first_refusal():
    room = Room(places(*((n, 1) for n in range(16))), lacking=[3])
    assert [len(room.poll()) for _ in range(6)] == [0, 8, 12, 14, 15, 15]


def test_first_without_the_registers_that_nobody_asked_for():
    room = Room(places((0, 1), (1, 1), (5, 1)), lacking=[3])
    assert [len(room.poll()) for _ in range(2)] == [0, 3]
    assert not room.search.dead
    assert [block.count for block in room.search.blocks] == [2, 1]


def test_a_wide_value_across_the_middle_and_the_same_registers_by_themselves():
    room = Room(places((10, 1), (11, 1), (10, 2)))
    room.refuses = lambda block, _: block.count == 2  # no two at once
    assert room.polls(4) == {"0", "1"}
    assert list(room.search.dead) == [block for block in room.search.blocks if block.count == 2]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_device_that_refuses_everything_for_a_while_is_read_whole_again(code):
    room = Room(places(*((n, 1) for n in range(100))), lacking=range(100), code=code)
    room.polls(120)
    assert len(room.search.dead) == 100
    before = room.requests
    room.polls(60)
    assert room.requests - before <= 60
    room.lacking.clear()
    assert room.polls(12) == set(room.places)
    assert [block.count for block in room.search.blocks] == [100]


def test_a_dead_address_is_tried_ever_more_rarely():
    room = Room(places(*((n, 1) for n in range(4))), lacking=[2])
    room.polls(3600)
    polls_of_rest = 3 * 3600
    assert room.requests - polls_of_rest < 20
    room.lacking.clear()
    assert room.polls(601) == set(room.places)


def test_a_device_that_refuses_now_and_then_is_not_read_bit_by_bit_for_ever():
    room = Room(places(*((n, 1) for n in range(8))))
    for _ in range(5):
        room.lacking = set(range(8))
        room.polls(2)
        room.lacking.clear()
        room.polls(60)
    assert len(room.search.blocks) > 1
    room.polls(660)
    assert [block.count for block in room.search.blocks] == [8]


def test_a_boundary_that_no_read_may_cross_costs_nothing_in_the_end():
    room = Room(places(*((n, 1) for n in range(8))))
    room.refuses = lambda block, _: block.address < 4 < block.end
    assert room.polls(2) == set(room.places)
    lost = sum(room.poll() != set(room.places) for _ in range(24 * 3600))
    assert lost <= 4


@given(
    spans=st.sets(st.tuples(st.integers(0, 60), st.sampled_from([1, 2, 4])), min_size=1),
    lacking=st.sets(st.integers(0, 64)),
    most=st.sampled_from([4, 10, 125]),
)
def test_whatever_is_lacking_the_rest_is_read_and_exactly_it_is_named(spans, lacking, most):
    room = Room(places(*sorted(spans)), lacking, ReadLimits(registers=most))
    alive = {
        key
        for key, place in room.places.items()
        if not lacking & set(range(place.address, place.address + place.registers))
    }
    room.polls(9)
    assert alive <= room.poll()
    named = {(block.address, block.count) for block in room.search.dead}
    assert named == {
        (place.address, place.registers) for key, place in room.places.items() if key not in alive
    }
    for place in room.places.values():
        assert any(block.holds(place) for block in room.search.blocks)

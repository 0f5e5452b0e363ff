from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.modbus.plan import Block, plan
from gateway.model.profile import Function, ModbusPlace, ReadLimits, RegisterType


def place(address, kind=RegisterType.UINT16, function=Function.INPUT, **facts):
    return ModbusPlace(function=function, address=address, type=kind, **facts)


def coil(address):
    return place(address, RegisterType.BIT, Function.COIL)


def spans(places, function):
    return sorted(
        {(p.address, p.address + p.registers) for p in places.values() if p.function is function}
    )


def fewest(values, most, gap):
    """The smallest number of requests that between them hold every value whole.

    Tries every way to put the values into requests; a request is legal if it is not longer than
    ``most`` and bridges nowhere more than ``gap`` addresses that nobody asked for.
    """
    asked = {address for start, stop in values for address in range(start, stop)}
    best = len(values)
    for groups in product(range(len(values)), repeat=len(values)):
        if len(set(groups)) >= best:
            continue
        if all(
            _legal([v for v, g in zip(values, groups, strict=True) if g == group], most, gap, asked)
            for group in set(groups)
        ):
            best = len(set(groups))
    return best


def _legal(values, most, gap, asked):
    first, end = min(start for start, _ in values), max(stop for _, stop in values)
    return end - first <= most and _widest_gap(first, end, asked) <= gap


def _widest_gap(first, end, asked):
    row = "".join("x" if address in asked else " " for address in range(first, end))
    return max((len(run) for run in row.split("x")), default=0)


KINDS = [RegisterType.UINT16, RegisterType.FLOAT32, RegisterType.INT64]
KEYS = st.text("abcdefgh", min_size=1, max_size=2)


@given(
    st.dictionaries(
        KEYS,
        st.one_of(
            st.builds(place, st.integers(0, 24), st.sampled_from(KINDS)),
            st.builds(
                lambda address, length: place(address, RegisterType.ASCII, length=length),
                st.integers(0, 24),
                st.integers(1, 4),
            ),
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(4, 12),
    st.integers(0, 5),
)
@settings(max_examples=200, deadline=None)
def test_fewest_blocks_that_hold_every_value_whole(places, most, gap):
    blocks = plan(places, ReadLimits(registers=most, gap=gap))
    asked = {n for start, stop in spans(places, Function.INPUT) for n in range(start, stop)}
    for block in blocks:
        assert 1 <= block.count <= most
        assert _widest_gap(block.address, block.end, asked) <= gap
    for wanted in places.values():
        assert any(block.holds(wanted) for block in blocks)
    assert len(blocks) == fewest(spans(places, Function.INPUT), most, gap)


@given(
    st.dictionaries(KEYS, st.builds(coil, st.integers(0, 60)), min_size=1, max_size=5),
    st.integers(1, 40),
    st.integers(0, 1),
)
@settings(max_examples=100, deadline=None)
def test_fewest_blocks_of_bits(places, most, gap):
    blocks = plan(places, ReadLimits(bits=most, gap=gap))
    assert all(1 <= block.count <= most for block in blocks)
    assert all(any(block.holds(wanted) for block in blocks) for wanted in places.values())
    assert len(blocks) == fewest(spans(places, Function.COIL), most, 16 * gap)


def test_a_full_request_and_one_register_more():
    places = {str(n): place(n) for n in range(126)}
    assert plan(places) == (
        Block(function=Function.INPUT, address=0, count=125),
        Block(function=Function.INPUT, address=125, count=1),
    )


def test_a_full_request_of_bits_and_one_bit_more():
    places = {str(n): coil(n) for n in range(2001)}
    assert [(block.address, block.count) for block in plan(places)] == [(0, 2000), (2000, 1)]


def test_a_device_that_takes_fewer_registers_is_asked_for_fewer():
    places = {str(n): place(n) for n in range(25)}
    blocks = plan(places, ReadLimits(registers=10))
    assert [(block.address, block.count) for block in blocks] == [(0, 10), (10, 10), (20, 5)]


@pytest.mark.parametrize("kind", [RegisterType.UINT32, RegisterType.FLOAT64])
def test_a_value_at_the_end_of_a_request_is_not_cut(kind):
    places = {str(n): place(n) for n in range(124)} | {"wide": place(124, kind)}
    assert [(block.address, block.count) for block in plan(places)] == [
        (0, 124),
        (124, kind.registers),
    ]


def test_bug_a_value_longer_than_a_request_was_planned_for_ever():
    with pytest.raises(ValueError, match="wide takes 4 registers, a request holds 2"):
        plan({"wide": place(0, RegisterType.INT64)}, ReadLimits(registers=2))


def test_tables_are_read_apart_and_bits_by_the_thousand():
    places = {
        "coil": coil(0),
        "far": coil(100),
        "holding": place(0, function=Function.HOLDING),
        "input": place(0),
    }
    assert plan(places) == (
        Block(function=Function.COIL, address=0, count=101),
        Block(function=Function.HOLDING, address=0, count=1),
        Block(function=Function.INPUT, address=0, count=1),
    )


def test_no_bridge_over_a_gap_that_is_too_wide():
    places = {"a": place(0), "b": place(9), "c": place(19)}
    wide, none = plan(places, ReadLimits(gap=8)), plan(places, ReadLimits(gap=0))
    assert [(b.address, b.count) for b in wide] == [(0, 10), (19, 1)]
    assert [(b.address, b.count) for b in none] == [(0, 1), (9, 1), (19, 1)]


def test_nothing_to_read():
    assert plan({}) == ()

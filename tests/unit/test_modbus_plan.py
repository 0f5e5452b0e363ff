from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.modbus.plan import Block, plan
from gateway.model.profile import Function, ModbusPlace, RegisterType


def place(address, kind=RegisterType.UINT16, function=Function.INPUT):
    return ModbusPlace(function=function, address=address, type=kind)


def spans(places):
    return sorted({(p.address, p.address + p.type.registers) for p in places.values()})


def fewest(values, most, gap):
    """The smallest number of groups, each whole within ``most`` and without a gap over ``gap``.

    Tries every way to put the values into groups.
    """
    best = len(values)
    for groups in product(range(len(values)), repeat=len(values)):
        if len(set(groups)) >= best:
            continue
        if all(
            _legal([v for v, g in zip(values, groups, strict=True) if g == group], most, gap)
            for group in set(groups)
        ):
            best = len(set(groups))
    return best


def _legal(values, most, gap):
    end = values[0][1]
    for start, stop in values:
        if start - end > gap:
            return False
        end = max(end, stop)
    return end - values[0][0] <= most


@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=2),
        st.builds(
            place,
            st.integers(0, 24),
            st.sampled_from([RegisterType.UINT16, RegisterType.FLOAT32]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(2, 10),
    st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_fewest_blocks_that_hold_every_value_whole(places, most, gap):
    blocks = plan(places, max_registers=most, max_gap=gap)
    for block in blocks:
        assert 1 <= block.count <= most
    for wanted in places.values():
        assert any(block.holds(wanted) for block in blocks)
    assert len(blocks) == fewest(spans(places), most, gap)


def test_a_full_request_and_one_register_more():
    places = {str(n): place(n) for n in range(126)}
    assert plan(places) == (
        Block(function=Function.INPUT, address=0, count=125),
        Block(function=Function.INPUT, address=125, count=1),
    )


def test_a_value_of_two_registers_at_the_end_of_a_request_is_not_cut():
    places = {str(n): place(n) for n in range(124)} | {"wide": place(124, RegisterType.UINT32)}
    assert [(block.address, block.count) for block in plan(places)] == [(0, 124), (124, 2)]


def test_tables_are_read_apart_and_bits_by_the_thousand():
    places = {
        "coil": place(0, RegisterType.BIT, Function.COIL),
        "far": place(100, RegisterType.BIT, Function.COIL),
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
    assert [(b.address, b.count) for b in plan(places, max_gap=8)] == [(0, 10), (19, 1)]
    assert [(b.address, b.count) for b in plan(places, max_gap=0)] == [(0, 1), (9, 1), (19, 1)]


def test_nothing_to_read():
    assert plan({}) == ()

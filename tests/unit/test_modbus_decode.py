import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus.decode import Decoder
from gateway.modbus.plan import plan
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, RegisterType
from gateway.model.quality import Quality

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def point(key, **facts):
    name = Text(zh=key, en=key)
    kind = facts.pop("kind", PointKind.NUMBER)
    return Point(id=f"x.{key}", equipment="x", key=key, name=name, kind=kind, **facts)


def place(address, kind=RegisterType.UINT16, function=Function.INPUT, **facts):
    return ModbusPlace(function=function, address=address, type=kind, **facts)


def read(words, where, **facts):
    """(value, quality, reason) of one point whose block begins at address 0."""
    one = point("v", **facts)
    decoder = Decoder([one], {one.id: where}, plan({one.id: where}))
    (block,) = decoder.blocks
    assert block.address == where.address
    columns = decoder.decode({block: np.array(words, dtype=np.uint16)}, {})
    return columns.value[0], columns.quality[0], columns.reason.get(0)


def words_of(code, value):
    return list(
        struct.unpack(">HH" if struct.calcsize(code) == 4 else ">H", struct.pack(code, value))
    )


@given(st.integers(-(2**15), 2**15 - 1))
def test_int16(number):
    assert read(words_of(">h", number), place(0, RegisterType.INT16))[0] == number


@given(st.integers(0, 2**16 - 1))
def test_uint16(number):
    assert read(words_of(">H", number), place(0))[0] == number


@given(st.integers(-(2**31), 2**31 - 1), st.booleans())
def test_int32_in_either_word_order(number, low_first):
    words = words_of(">i", number)
    where = place(0, RegisterType.INT32, low_word_first=low_first)
    assert read(words[::-1] if low_first else words, where)[0] == number


@given(st.integers(0, 2**32 - 1))
def test_uint32(number):
    assert read(words_of(">I", number), place(0, RegisterType.UINT32))[0] == number


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_float32_to_the_digits_the_device_resolves(number):
    value, quality, _ = read(words_of(">f", number), place(0, RegisterType.FLOAT32), decimals=3)
    assert value == pytest.approx(number, abs=0.00051)
    assert quality == GOOD


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(number):
    value, quality, reason = read(words_of(">f", number), place(0, RegisterType.FLOAT32))
    assert (math.isnan(value), quality, reason) == (True, BAD, "the device sent no number")


def test_scale_and_offset_without_binary_dust():
    where = place(0, scale=0.01, offset=-273.15)
    for raw in range(27315, 40000):
        value, _, _ = read([raw], where, decimals=2)
        assert value == round(raw / 100 - 273.15, 2)


@pytest.mark.parametrize("bit", range(16))
def test_one_bit_of_a_register(bit):
    where = place(0, bit=bit)
    assert read([1 << bit], where)[0] == 1
    assert read([0xFFFF ^ (1 << bit)], where)[0] == 0


@pytest.mark.parametrize(
    ("kind", "words", "absent"),
    [
        (RegisterType.UINT16, [0xFFFF], 0xFFFF),
        (RegisterType.INT16, [0x8000], 0x8000),
        (RegisterType.UINT32, [0xFFFF, 0xFFFF], 0xFFFFFFFF),
        (RegisterType.INT32, [0x8000, 0], 0x80000000),
    ],
)
def test_the_word_for_not_available_is_no_value(kind, words, absent):
    value, quality, reason = read(words, place(0, kind, absent=(absent,)))
    assert math.isnan(value)
    assert quality == BAD
    assert reason == f"the device says not available (raw {absent:#x})"
    shifted = [words[0] ^ 1, *words[1:]]
    assert read(shifted, place(0, kind, absent=(absent,)))[1] == GOOD


@given(st.integers(0, 0xFFFF), st.integers(0, 14), st.data())
def test_a_part_of_a_register_is_its_bits_and_no_others(word, bit, data):
    width = data.draw(st.integers(2, 16 - bit))
    value, quality, _ = read([word], place(0, bit=bit, width=width))
    assert (value, quality) == (int(f"{word:016b}"[16 - bit - width : 16 - bit], 2), GOOD)


def test_a_part_is_scaled_and_is_never_negative():
    assert read([0xFF11], place(0, bit=0, width=8, scale=0.1), decimals=1)[0] == 1.7
    assert read([0xFF11], place(0, bit=8, width=8))[0] == 255


def test_not_available_in_a_part_is_said_by_that_part_alone():
    low, high = place(0, bit=0, width=8, absent=(0xFF,)), place(0, bit=8, width=8, absent=(0xFF,))
    assert read([0x08FF], low)[1] == BAD
    assert read([0x08FF], high)[:2] == (8, GOOD)
    assert read([0xFF08], low)[:2] == (8, GOOD)
    assert read([0xFF08], high)[2] == "the device says not available (raw 0xff08)"
    # Beside a part, a bit that says it by the whole register, and a register that says nothing.
    whole, never = point("w"), point("n")
    places = {whole.id: place(0, bit=3, absent=(0x00FF,)), never.id: place(0)}
    decoder = Decoder([whole, never], places, plan(places))
    for word, expected in ((0x00FF, [BAD, GOOD]), (0x08FF, [GOOD, GOOD])):
        words = np.array([word], dtype=np.uint16)
        assert list(decoder.decode({decoder.blocks[0]: words}, {}).quality) == expected


def test_a_register_that_is_not_available_has_no_bits():
    assert read([0xFFFF], place(0, bit=1, absent=(0xFFFF,)))[1] == BAD


def test_half_of_a_wide_sentinel_is_a_value():
    where = place(0, RegisterType.UINT32, absent=(0xFFFFFFFF,))
    assert read([0, 0xFFFF], where)[:2] == (65535, GOOD)


def test_out_of_range_is_uncertain_and_kept():
    assert read([251], place(0), low=-40, high=250, unit="℃") == (
        251,
        UNCERTAIN,
        "251 is outside -40…250 ℃",
    )
    assert read([250], place(0), low=-40, high=250)[1:] == (GOOD, None)
    assert read([4], place(0), low=5)[2] == "4 is outside 5…"


def test_a_failed_block_takes_its_own_points_and_no_other():
    near, far = point("near"), point("far")
    places = {near.id: place(0), far.id: place(500)}
    decoder = Decoder([near, far], places, plan(places))
    first, second = decoder.blocks
    seven = np.array([7], dtype=np.uint16)
    columns = decoder.decode({first: seven}, {second: "exception 6: device busy"})
    assert columns.value[0] == 7
    assert math.isnan(columns.value[1])
    assert list(columns.quality) == [GOOD, BAD]
    assert columns.reason == {1: "exception 6: device busy"}


def test_a_block_that_nobody_mentions_is_bad_not_zero():
    one = point("v")
    decoder = Decoder([one], {one.id: place(0)}, plan({one.id: place(0)}))
    columns = decoder.decode({}, {})
    assert math.isnan(columns.value[0])
    assert columns.quality[0] == BAD
    assert columns.reason == {0: "not read"}


def test_bits_and_registers_of_several_tables_in_one_pass():
    places = {
        "x.coil": place(3, RegisterType.BIT, Function.COIL),
        "x.level": place(10, RegisterType.UINT32),
        "x.flag": place(12, bit=4),
    }
    points = [
        point("flag", kind=PointKind.FLAG),
        point("level"),
        point("coil", kind=PointKind.FLAG),
    ]
    decoder = Decoder(points, places, plan(places))
    assert decoder.points == ("x.flag", "x.level", "x.coil")
    coils, inputs = decoder.blocks
    columns = decoder.decode(
        {coils: np.array([True]), inputs: np.array([1, 2, 0b10000], dtype=np.uint16)}, {}
    )
    assert list(columns.value) == [1, 65538, 1]


def test_a_reply_of_another_length_is_refused():
    one = point("v")
    decoder = Decoder([one], {one.id: place(0)}, plan({one.id: place(0)}))
    with pytest.raises(ValueError, match="for a block of 1"):
        decoder.decode({decoder.blocks[0]: np.array([1, 2], dtype=np.uint16)}, {})


def test_a_point_outside_every_block_is_refused():
    one = point("v")
    with pytest.raises(ValueError, match="no block holds"):
        Decoder([one], {one.id: place(1, RegisterType.UINT32)}, plan({one.id: place(1)}))

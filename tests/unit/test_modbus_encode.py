"""What is written is what would be read again: the decoder's inverse, and the simulators' words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from gateway.modbus.decode import Decoder
from gateway.modbus.encode import encode_words
from gateway.modbus.plan import plan
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import ByteOrder, Function, ModbusPlace, RegisterType
from gateway.model.quality import Quality
from simulators.registers import encode

KINDS = RegisterType
WHOLE = {
    KINDS.INT16: (-(2**15), 2**15 - 1),
    KINDS.UINT16: (0, 2**16 - 1),
    KINDS.INT32: (-(2**31), 2**31 - 1),
    KINDS.UINT32: (0, 2**32 - 1),
    KINDS.INT64: (-(2**53), 2**53),
    KINDS.UINT64: (0, 2**53),
    KINDS.BCD16: (0, 9_999),
    KINDS.BCD32: (0, 99_999_999),
}
DATATYPE = ModbusClientMixin.DATATYPE


def place(kind=KINDS.UINT16, function=Function.HOLDING, **facts):
    return ModbusPlace(function=function, address=0, type=kind, **facts)


def decoded(where, words, decimals=0, kind=PointKind.NUMBER):
    name = Text(zh="值", en="v")
    one = Point(id="x.v", equipment="x", key="v", name=name, kind=kind, decimals=decimals)
    decoder = Decoder([one], {one.id: where}, plan({one.id: where}))
    dtype = np.bool_ if where.function.is_bits else np.uint16
    columns = decoder.decode({decoder.blocks[0]: np.array(words, dtype=dtype)}, {})
    assert columns.quality[0] == Quality.GOOD
    return columns.text[0] if kind is PointKind.TEXT else columns.value[0]


@given(st.sampled_from(list(WHOLE)), st.sampled_from(list(ByteOrder)), st.data())
def test_every_whole_number_comes_back(kind, order, data):
    number = data.draw(st.integers(*WHOLE[kind]))
    where = place(kind, order=order)
    words = encode_words(where, number)
    assert len(words) == kind.registers
    assert decoded(where, words) == number
    assert encode(where, number) == words


@given(
    st.sampled_from(list(ByteOrder)),
    st.floats(width=32, min_value=-1e6, max_value=1e6),
    st.sampled_from([KINDS.FLOAT32, KINDS.FLOAT64]),
)
def test_every_float_comes_back(order, number, kind):
    where = place(kind, order=order)
    assert decoded(where, encode_words(where, number), decimals=6) == pytest.approx(
        number, abs=5.1e-7
    )
    assert encode(where, number) == encode_words(where, number)


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8),
    st.sampled_from(list(ByteOrder)),
)
def test_every_text_comes_back(text, order):
    where = place(KINDS.ASCII, order=order, length=4)
    assert decoded(where, encode_words(where, text), kind=PointKind.TEXT) == text


@given(
    st.sampled_from([kind for kind in WHOLE if not kind.value.startswith("bcd")]),
    st.booleans(),
    st.data(),
)
def test_the_words_are_those_of_pymodbus(kind, low_word_first, data):
    number = data.draw(st.integers(*WHOLE[kind]))
    order = ByteOrder.CDAB if low_word_first and kind.registers > 1 else ByteOrder.ABCD
    wanted = ModbusClientMixin.convert_to_registers(
        number, DATATYPE[kind.name], word_order="little" if order.low_word_first else "big"
    )
    assert list(encode_words(place(kind, order=order), number)) == wanted


def test_a_number_is_taken_to_the_nearest_that_the_register_resolves():
    where = place(scale=0.1, offset=-40)
    assert encode_words(where, 21.37) == (614,)
    assert decoded(where, (614,), decimals=1) == 21.4


def test_a_coil_is_one_or_nought():
    where = place(KINDS.BIT, Function.COIL)
    assert (encode_words(where, 1), encode_words(where, 0)) == ((1,), (0,))
    with pytest.raises(ValueError, match="2 is outside 0…1"):
        encode_words(where, 2)


@pytest.mark.parametrize(
    ("where", "value", "wrong"),
    [
        (place(), 65_536, "65536 is outside 0…65535"),
        (place(), -1, "-1 is outside 0…65535"),
        (place(KINDS.INT16, scale=-0.1), 4_000, "4000 is outside -3276.7…3276.8"),
        (place(KINDS.BCD16), 10_000, "10000 is outside 0…9999"),
        (place(KINDS.UINT64), 2.0**64, "outside"),
        (place(KINDS.FLOAT32), 1e39, "is no float32"),
        (place(KINDS.FLOAT32), math.nan, "is no number"),
        (place(), math.inf, "is no number"),
        (place(absent=(0xFFFF,)), 65_535, "not available"),
        (place(KINDS.INT32, absent=(0x8000_0000,), order=ByteOrder.DCBA), -(2**31), "available"),
        (place(bit=3), 1, "without its neighbours"),
        (place(bit=0, width=8), 1, "without its neighbours"),
        (place(), "12", "nothing for a place of type uint16"),
        (place(KINDS.ASCII, length=2), 12, "nothing for a place of type ascii"),
        (place(KINDS.ASCII, length=2), "ABCDE", "there is room for 4"),
        (place(KINDS.ASCII, length=2), "泵", "ascii"),
    ],
)
def test_what_a_place_cannot_hold_is_refused(where, value, wrong):
    with pytest.raises(ValueError, match=wrong):
        encode_words(where, value)


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (place(KINDS.BCD16), 12_345, (0x9999,)),
        (place(KINDS.BCD32), 1_234, (0, 0x1234)),
        (place(KINDS.INT64), -1e30, (0x8000, 0, 0, 0)),
        (place(KINDS.UINT64), 1e30, (0xFFFF,) * 4),
        (place(KINDS.UINT16, order=ByteOrder.BADC), 0x1234, (0x3412,)),
        (place(KINDS.ASCII, length=2), 12, (0x3132, 0)),
        (place(bit=8, width=8, order=ByteOrder.BADC), 0x12, (0x0012,)),
    ],
)
def test_a_simulated_device_keeps_a_value_within_its_registers(where, value, words):
    assert encode(where, value) == words

import math
import struct

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
    where = place(0, RegisterType.INT32, order=ByteOrder.CDAB if low_first else ByteOrder.ABCD)
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
    shown = struct.pack(">f", number).hex()
    assert (math.isnan(value), quality, reason) == (True, BAD, f"not_a_number: 0x{shown}")


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
    assert reason == f"not_available: {absent:#x}"
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
    assert read([0xFF08], high)[2] == "not_available: 0xff08"
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
        "out_of_range: 251, -40…250 ℃",
    )
    assert read([250], place(0), low=-40, high=250)[1:] == (GOOD, None)
    assert read([4], place(0), low=5)[2] == "out_of_range: 4, 5…"


def test_a_failed_block_takes_its_own_points_and_no_other():
    near, far = point("near"), point("far")
    places = {near.id: place(0), far.id: place(500)}
    decoder = Decoder([near, far], places, plan(places))
    first, second = decoder.blocks
    seven = np.array([7], dtype=np.uint16)
    columns = decoder.decode({first: seven}, {second: "device_exception: 6"})
    assert columns.value[0] == 7
    assert math.isnan(columns.value[1])
    assert list(columns.quality) == [GOOD, BAD]
    assert columns.reason == {1: "device_exception: 6"}


def test_a_block_that_nobody_mentions_is_bad_not_zero():
    one = point("v")
    decoder = Decoder([one], {one.id: place(0)}, plan({one.id: place(0)}))
    columns = decoder.decode({}, {})
    assert math.isnan(columns.value[0])
    assert columns.quality[0] == BAD
    assert columns.reason == {0: "not_read"}


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


# -- golden cases: registers as they come over the wire, worked by hand ---------------------------

KINDS = RegisterType
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
GOLDEN = [
    # A single register has two bytes to exchange and no second word.
    (KINDS.UINT16, ("1234", "1234", "3412", "3412"), 0x1234),
    (KINDS.INT16, ("FF85", "FF85", "85FF", "85FF"), -123),
    (KINDS.BCD16, ("1234", "1234", "3412", "3412"), 1234),
    (KINDS.UINT32, ("0001 E240", "E240 0001", "0100 40E2", "40E2 0100"), 123456),
    (KINDS.INT32, ("FFFE 1DC0", "1DC0 FFFE", "FEFF C01D", "C01D FEFF"), -123456),
    (KINDS.BCD32, ("1234 5678", "5678 1234", "3412 7856", "7856 3412"), 12345678),
    (KINDS.FLOAT32, ("4366 8000", "8000 4366", "6643 0080", "0080 6643"), 230.5),
    (
        KINDS.UINT64,
        (
            "0000 0000 499602D2",
            "02D2 4996 0000 0000",
            "0000 0000 9649 D202",
            "D202 9649 0000 0000",
        ),
        1234567890,
    ),
    (
        KINDS.INT64,
        (
            "FFFF FFFF B669 FD2E",
            "FD2E B669 FFFF FFFF",
            "FFFF FFFF 69B6 2EFD",
            "2EFD 69B6 FFFF FFFF",
        ),
        -1234567890,
    ),
    (
        KINDS.FLOAT64,
        (
            "406C D000 0000 0000",
            "0000 0000 D000 406C",
            "6C40 00D0 0000 0000",
            "0000 0000 00D0 6C40",
        ),
        230.5,
    ),
]


def hexed(text):
    joined = text.replace(" ", "")
    return [int(joined[at : at + 4], 16) for at in range(0, len(joined), 4)]


@pytest.mark.parametrize(
    ("kind", "order", "words", "value"),
    [
        (kind, order, words, value)
        for kind, written, value in GOLDEN
        for order, words in zip(ORDERS, written, strict=True)
    ],
)
def test_each_type_in_each_order(kind, order, words, value):
    where = place(0, kind, order=ByteOrder(order))
    assert read(hexed(words), where, decimals=1) == (value, GOOD, None)
    assert list(encode_words(where, value)) == hexed(words)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", "5044 562D 3132 0000"),
        ("CDAB", "0000 3132 562D 5044"),
        ("BADC", "4450 2D56 3231 0000"),
        ("DCBA", "0000 3231 2D56 4450"),
    ],
)
def test_a_text_in_each_order(order, words):
    where = place(0, KINDS.ASCII, order=ByteOrder(order), length=4)
    assert read_text(hexed(words), where) == ("PDV-12", GOOD, None)
    assert list(encode_words(where, "PDV-12")) == hexed(words)


def read_text(words, where):
    """(text, quality, reason); the number beside a text is always NaN."""
    one = point("v", kind=PointKind.TEXT)
    decoder = Decoder([one], {one.id: where}, plan({one.id: where}))
    columns = decoder.decode({decoder.blocks[0]: np.array(words, dtype=np.uint16)}, {})
    assert math.isnan(columns.value[0])
    return columns.text.get(0), columns.quality[0], columns.reason.get(0)


def test_a_text_ends_before_its_blanks_and_may_be_empty():
    where = place(0, KINDS.ASCII, length=3)
    assert read_text(hexed("4120 4220 2000"), where) == ("A B", GOOD, None)
    assert read_text(hexed("0000 2020 0000"), where) == ("", GOOD, None)


@pytest.mark.parametrize("words", ["FFFF FFFF", "4107 4242", "4100 4242", "C4E3 4242"])
def test_a_text_with_a_character_that_does_not_print_is_none(words):
    text, quality, reason = read_text(hexed(words), place(0, KINDS.ASCII, length=2))
    assert (text, quality) == (None, BAD)
    assert reason == f"unexpected: 0x{words.replace(' ', '').lower()}"


def test_texts_and_numbers_of_one_unit_keep_to_their_rows():
    points = [point("volts", decimals=1), point("model", kind=PointKind.TEXT), point("count")]
    places = {
        "x.volts": place(10, KINDS.FLOAT32),
        "x.model": place(0, KINDS.ASCII, length=6),
        "x.count": place(12, KINDS.BCD16),
    }
    decoder = Decoder(points, places, plan(places))
    (block,) = decoder.blocks
    words = (
        hexed("414243444546 474849004B4C") + hexed("0000 0000 0000 0000") + hexed("4366 8000 0042")
    )
    columns = decoder.decode({block: np.array(words, dtype=np.uint16)}, {})
    assert columns.value[0] == 230.5
    assert columns.value[2] == 42
    assert columns.text == {}  # a NUL in the middle of it
    assert list(columns.quality) == [GOOD, BAD, GOOD]
    words[4] = 0x4949
    columns = decoder.decode({block: np.array(words, dtype=np.uint16)}, {})
    assert columns.text == {1: "ABCDEFGHIIKL"}
    assert not columns.quality.any()
    failed = decoder.decode({}, {block: "no_reply: 1 s"})
    assert failed.text == {}
    assert failed.reason == dict.fromkeys(range(3), "no_reply: 1 s")


@pytest.mark.parametrize("digits", ["12A4", "F000", "FFFF", "000F"])
def test_a_digit_above_nine_is_no_number(digits):
    value, quality, reason = read(hexed(digits), place(0, KINDS.BCD16))
    assert (math.isnan(value), quality) == (True, BAD)
    assert reason == f"not_a_number: 0x{digits.lower()}"
    assert read([0x1234, int(digits, 16)], place(0, KINDS.BCD32))[1] == BAD


@pytest.mark.parametrize(
    ("kind", "words", "absent"),
    [
        (KINDS.INT64, "8000 0000 0000 0000", 0x8000_0000_0000_0000),
        (KINDS.UINT64, "FFFF FFFF FFFF FFFF", 0xFFFF_FFFF_FFFF_FFFF),
        (KINDS.FLOAT32, "C479 FFFF", 0xC479_FFFF),
        (KINDS.FLOAT64, "7FF8 0000 0000 0000", 0x7FF8_0000_0000_0000),
        (KINDS.BCD16, "FFFF", 0xFFFF),
        (KINDS.BCD32, "FFFF FFFF", 0xFFFF_FFFF),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_the_word_for_not_available_of_every_width(kind, words, absent, order):
    where = place(0, kind, absent=(absent,), order=ByteOrder(order))
    sent = hexed(words)
    if where.order.low_byte_first:
        sent = [(word & 0xFF) << 8 | word >> 8 for word in sent]
    if where.order.low_word_first:
        sent = sent[::-1]
    value, quality, reason = read(sent, where)
    assert (math.isnan(value), quality) == (True, BAD)
    assert reason == f"not_available: {absent:#x}"
    one_bit_off = encode_words(place(0, KINDS.UINT64), 5)[-where.registers :]
    assert read(list(one_bit_off), place(0, kind, absent=(absent,)))[1] == GOOD


def test_64_bits_of_ones_are_minus_one_with_a_sign_and_no_overflow_without():
    ones = hexed("FFFF FFFF FFFF FFFF")
    assert read(ones, place(0, KINDS.INT64))[:2] == (-1, GOOD)
    assert read(ones, place(0, KINDS.UINT64))[:2] == (float(2**64), GOOD)
    assert read(hexed("8000 0000 0000 0000"), place(0, KINDS.INT64))[0] == -(2.0**63)
    assert read(hexed("7FFF FFFF FFFF FFFF"), place(0, KINDS.INT64))[0] == 2.0**63


@pytest.mark.parametrize("bits", ["7FF0000000000000", "FFF0000000000000", "7FF0000000000001"])
def test_a_double_that_is_no_number_is_no_value(bits):
    value, quality, reason = read(hexed(bits), place(0, KINDS.FLOAT64))
    assert (math.isnan(value), quality) == (True, BAD)
    assert reason == f"not_a_number: 0x{bits.lower()}"


def test_a_signalling_nan_is_no_value_and_no_warning():
    assert read(hexed("7FA0 0000"), place(0, KINDS.FLOAT32))[1] == BAD


def test_an_infinite_value_is_bad_even_where_no_limit_is_set():
    assert read(hexed("7F80 0000"), place(0, KINDS.FLOAT32))[1] == BAD


def test_a_small_negative_number_is_no_negative_zero():
    value = read(words_of(">f", -0.01), place(0, KINDS.FLOAT32), decimals=1)[0]
    assert math.copysign(1, value) == 1


def test_bits_and_parts_of_a_register_whose_bytes_are_exchanged():
    where = place(0, bit=15, order=ByteOrder.BADC)
    assert read([0x0080], where)[0] == 1
    assert read([0x8000], where)[0] == 0
    assert read([0x3412], place(0, bit=8, width=8, order=ByteOrder.BADC))[0] == 0x12


ORACLE = {
    KINDS.INT16: ModbusClientMixin.DATATYPE.INT16,
    KINDS.UINT16: ModbusClientMixin.DATATYPE.UINT16,
    KINDS.INT32: ModbusClientMixin.DATATYPE.INT32,
    KINDS.UINT32: ModbusClientMixin.DATATYPE.UINT32,
    KINDS.INT64: ModbusClientMixin.DATATYPE.INT64,
    KINDS.UINT64: ModbusClientMixin.DATATYPE.UINT64,
    KINDS.FLOAT32: ModbusClientMixin.DATATYPE.FLOAT32,
    KINDS.FLOAT64: ModbusClientMixin.DATATYPE.FLOAT64,
}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(ORACLE)),
            st.sampled_from([ByteOrder.ABCD, ByteOrder.CDAB]),
            st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_many_values_of_mixed_types_in_one_block_as_pymodbus_reads_them(values):
    """Every type beside every other, and none disturbs its neighbour."""
    points = [point(f"p{row}", decimals=6) for row in range(len(values))]
    places, words = {}, []
    for one, (kind, order, sent) in zip(points, values, strict=True):
        places[one.id] = place(len(words), kind, order=order)
        words += sent[: kind.registers]
    decoder = Decoder(points, places, plan(places))
    columns = decoder.decode({decoder.blocks[0]: np.array(words, dtype=np.uint16)}, {})
    for row, (kind, order, sent) in enumerate(values):
        wanted = ModbusClientMixin.convert_from_registers(
            sent[: kind.registers],
            ORACLE[kind],
            word_order="little" if order.low_word_first else "big",
        )
        if math.isfinite(wanted) and abs(wanted) < 1e300:
            assert columns.quality[row] == GOOD
            assert columns.value[row] == pytest.approx(wanted, rel=1e-12, abs=0.51e-6)
        elif not math.isfinite(wanted):
            assert columns.quality[row] == BAD
            assert math.isnan(columns.value[row])


PLACES = st.one_of(
    st.builds(
        lambda kind, order, absent: {"kind": kind, "order": order, "absent": (absent,)},
        st.sampled_from([kind for kind in KINDS if kind not in (KINDS.BIT, KINDS.ASCII)]),
        st.sampled_from(list(ByteOrder)),
        st.sampled_from([0, 0x8000, 0xFFFF]),
    ),
    st.builds(lambda bit: {"kind": KINDS.UINT16, "bit": bit}, st.integers(0, 15)),
    st.builds(lambda bit: {"kind": KINDS.UINT16, "bit": bit, "width": 4}, st.integers(0, 12)),
    st.builds(lambda length: {"kind": KINDS.ASCII, "length": length}, st.integers(1, 6)),
)
WORDS = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0, 0x7FC0, 0x8000, 0x4142, 0xFFFF]))


@given(st.lists(PLACES, min_size=1, max_size=12), st.data())
def test_whatever_a_device_sends_a_row_has_a_value_or_a_reason(wanted, data):
    """Also the same rows in one block and in blocks of their own say the same."""
    points, places, address = [], {}, 0
    for row, facts in enumerate(wanted):
        kind = PointKind.TEXT if facts["kind"] is KINDS.ASCII else PointKind.NUMBER
        points.append(point(f"p{row}", kind=kind, decimals=2, low=-1e6, high=1e6))
        places[f"x.p{row}"] = place(address, **facts)
        address += places[f"x.p{row}"].registers
    words = np.array(
        data.draw(st.lists(WORDS, min_size=address, max_size=address)), dtype=np.uint16
    )
    together = Decoder(points, places, plan(places))
    (block,) = together.blocks
    columns = together.decode({block: words}, {})
    for row, one in enumerate(points):
        has_value = math.isfinite(columns.value[row]) or row in columns.text
        assert has_value == (columns.quality[row] != BAD)
        assert (row in columns.reason) == (columns.quality[row] != GOOD)
        where = places[one.id]
        alone = Decoder([one], {one.id: where}, plan({one.id: where}))
        own = alone.decode(
            {alone.blocks[0]: words[where.address : where.address + where.registers]}, {}
        )
        np.testing.assert_array_equal(own.value, columns.value[row : row + 1])
        assert own.quality[0] == columns.quality[row]
        assert own.reason.get(0) == columns.reason.get(row)
        assert own.text.get(0) == columns.text.get(row)


# -- codes --------------------------------------------------------------------------------------

NAMED = Text(zh="态", en="State")
STATES = {0: NAMED, 1: NAMED, 16: NAMED}


@pytest.mark.parametrize("kind", [PointKind.STATE, PointKind.FLAG])
def test_a_code_that_is_not_whole_is_no_value(kind):
    """1.4 was rounded into a state, and 0.4 into a flag, both good."""
    where = place(0, RegisterType.FLOAT32)
    value, quality, reason = read(words_of(">f", 0.4), where, kind=kind, states=STATES)
    assert math.isnan(value)
    assert (quality, reason) == (BAD, "unexpected: 0x3ecccccd")
    assert read(words_of(">f", 1.0), where, kind=kind, states=STATES)[:2] == (1, GOOD)
    assert read(words_of(">f", math.nan), where, kind=kind, states=STATES)[2].startswith("not_a_n")
    assert read([1], place(0, scale=0.4), kind=kind, states=STATES)[1] == BAD


def test_a_code_that_the_profile_does_not_know_is_doubted():
    known = {"kind": PointKind.STATE, "states": STATES}
    assert read([99], place(0), **known) == (99, UNCERTAIN, "out_of_range: 99")
    assert read([16], place(0), **known) == (16, GOOD, None)


def test_codes_are_told_apart_among_other_rows():
    points = [
        point("a", kind=PointKind.STATE, states=STATES),
        point("n"),
        point("b", kind=PointKind.STATE, states={5: NAMED}),
    ]
    places = {one.id: place(at) for at, one in enumerate(points)}
    decoder = Decoder(points, places, plan(places))
    (block,) = decoder.blocks
    columns = decoder.decode({block: np.array([5, 5, 5], dtype=np.uint16)}, {})
    assert columns.quality.tolist() == [UNCERTAIN, GOOD, GOOD]


# -- a part that a bit makes valid, and one that says "not available" ----------------------------

EVENT = place(0, bit=0, width=8, absent=(0xFF,), while_bit=11)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        (0x0C10, (16, GOOD, None)),
        (0x0410, (0, GOOD, None)),  # what is left of a fire that is over
        (0x0400, (0, GOOD, None)),
        (0x0C55, (0x55, UNCERTAIN, "out_of_range: 85")),
    ],
)
def test_an_old_event_is_none_while_its_bit_is_not_set(word, wanted):
    assert read([word], EVENT, kind=PointKind.STATE, states=STATES) == wanted


@pytest.mark.parametrize("word", [0x04FF, 0x00FF, 0x0CFF])
def test_what_is_absent_by_a_part_of_the_word_is_not_well(word):
    """Only 00FFH counted: 04FFH, of no detector at all, was shown as one without trouble."""
    trouble = place(0, bit=13, absent=(0xFF,), absent_in=(0, 8))
    for where, kind in ((trouble, PointKind.FLAG), (EVENT, PointKind.STATE)):
        value, quality, reason = read([word], where, kind=kind, states=STATES)
        assert math.isnan(value)
        assert (quality, reason) == (BAD, f"not_available: 0x{word:04x}")
    assert read([0x2410], trouble, kind=PointKind.FLAG, states=STATES)[:2] == (1, GOOD)

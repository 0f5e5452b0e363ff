"""What is read against what a profile says: mistakes made on purpose are named, right ones not."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus.decode import Decoder
from gateway.modbus.plan import Block
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import ByteOrder, Function, ModbusPlace, ProfilePoint, RegisterType
from gateway.model.words import bounds, number_words, text_words
from gateway.probe.plausible import Verdict, decoded, judge
from gateway.profile.change import Change, ChangeKind
from gateway.profile.files import SHIPPED, load_profiles

PROFILES = {
    name: file
    for name, file in load_profiles([SHIPPED]).items()
    if file.profile.protocol == "modbus"
}
RIGHT = Change(kind=ChangeKind.SCALE, factor=1.0)
USUAL = {"V": 231.7, "A": 12.34, "Hz": 49.98, "℃": 41.3, "%": 55.5, "h": 12345, "kWh": 34567.8}
NAME = Text(zh="测点", en="Point")


def order(word):
    return Change(kind=ChangeKind.ORDER, order=ByteOrder(word))


def shifted(by):
    return Change(kind=ChangeKind.REGISTER, shift=by)


def scaled(by):
    return Change(kind=ChangeKind.SCALE, factor=by)


def usual(at, point):
    """A value as such a device reports it, different from point to point."""
    if point.kind is PointKind.FLAG:
        return 0.0
    if point.kind is PointKind.STATE:
        return float(sorted(point.states)[0])
    low = -1e9 if point.low is None else point.low
    high = 1e9 if point.high is None else point.high
    value = USUAL.get(point.unit, 0.6 * min(high, 1000)) * (1 - 0.003 * at)
    return min(max(value, low), high)


def spoken(file, change=RIGHT, values=None, parameters=None):
    """The registers of a device that lies as the profile would with ``change``."""
    parameters = parameters or {n: p.low for n, p in file.document.parameters.items()}
    words = {}
    for at, (key, place) in enumerate(file.modbus_places(parameters).items()):
        point = next(point for point in file.profile.points if point.key == key)
        own = change.of(place)
        for address, word in enumerate(laid(own, at, point, values), own.address):
            words[own.function, address] = words.get((own.function, address), 0) | word
    return file.modbus_places(parameters), words


def laid(place, at, point, values):
    if place.type is RegisterType.ASCII:
        return text_words(place, "SN0042"[: 2 * place.registers])
    value = usual(at, point) if values is None else values.get(point.key, 0.0)
    raw = (value - place.offset) / place.scale
    limits = bounds(place)
    if limits is not None:
        raw = round(min(max(raw, limits[0]), limits[1]))
    return number_words(place, raw)


def judged(file, change=RIGHT, values=None):
    places, words = spoken(file, change, values)
    points = {point.key: point for point in file.profile.points}
    return judge(points, places, words)


def hints(judgements):
    return {key: one.hints for key, one in judgements.items() if one.hints}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_right_profile_is_told_nothing(name):
    found = judged(PROFILES[name])
    assert {k: v for k, v in found.items() if v.verdict is Verdict.IMPLAUSIBLE} == {}
    assert hints(found) == {}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_device_that_is_all_zero_is_told_no_change(name):
    assert hints(judged(PROFILES[name], values={})) == {}


@pytest.mark.parametrize("word", [0x0001, 0x0101, 0x7FFF, 0x8000, 0xFFFF, 0x1234])
@pytest.mark.parametrize("name", sorted(PROFILES))
def test_registers_that_all_hold_the_same_prove_nothing(name, word):
    file = PROFILES[name]
    places, words = spoken(file)
    words = dict.fromkeys(words, word)
    if len({key for key, place in places.items() if place.type is not RegisterType.BIT}) > 1:
        assert hints(judge({p.key: p for p in file.profile.points}, places, words)) == {}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("eastron-sdm630", order("CDAB")),
        ("eastron-sdm630", order("BADC")),
        ("eastron-sdm630", order("DCBA")),
        ("eastron-sdm630", shifted(1)),
        ("eastron-sdm630", shifted(-1)),
        ("grundfos-ciu-pump", order("BADC")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.told,
)
def test_a_mistake_of_the_whole_table_is_named_first_and_alone(name, change):
    file = PROFILES[name]
    if change.kind is ChangeKind.REGISTER:
        # The device has more values behind and before those of the profile.
        found = _judged_among_neighbours(file, change)
    else:
        found = judged(file, change)
    named = hints(found)
    assert len(named) >= 2
    for given_hints in named.values():
        assert given_hints[0].change.told == change.told
        assert given_hints[0].mends >= 2
        assert all(2 * hint.mends > given_hints[0].mends for hint in given_hints)


def _judged_among_neighbours(file, change):
    places, words = spoken(file, change)
    for function, address in list(words):
        for beside in (address - 1, address + 1):
            words.setdefault((function, beside), 0)
    return judge({p.key: p for p in file.profile.points}, places, words)


@pytest.mark.parametrize(
    ("name", "key", "value", "factor"),
    [
        ("climate-transmitter", "temperature", 21.5, 0.1),
        ("climate-transmitter", "humidity", 55.4, 0.1),
        ("climate-transmitter", "humidity", 55.4, 0.01),
        ("bearing-transmitter", "temperature", 41.3, 0.1),
        ("bearing-transmitter", "vibration", 23.4, 0.1),
        ("eastron-sdm630", "power_factor", 0.983, 0.001),
        ("eastron-sdm630", "frequency", 49.98, 0.1),
        ("eastron-sdm630", "frequency", 49.98, 0.01),
    ],
)
def test_a_scale_that_is_off_by_tens_is_named(name, key, value, factor):
    file = PROFILES[name]
    usuals = {p.key: usual(at, p) for at, p in enumerate(file.profile.points)}
    found = judged(file, values={**usuals, key: value / factor})
    assert found[key].verdict is Verdict.IMPLAUSIBLE
    first = found[key].hints[0]
    assert first.change.told == scaled(factor).told
    assert first.value == pytest.approx(value, rel=0.01)
    assert hints(found).keys() == {key}


def test_the_scale_of_one_unit_is_one_mistake():
    file = PROFILES["eastron-sdm630"]
    volts = {f"voltage_l{n}": 2301.0 + n for n in (1, 2, 3)}
    found = judged(file, values={**volts, "frequency": 50.0})
    assert {key: one[0].change.told for key, one in hints(found).items()} == dict.fromkeys(
        volts, "÷10"
    )
    assert found["voltage_l1"].hints[0].mends == 3


def test_a_value_that_is_too_small_is_told_its_scale():
    found = one_point(place(type=RegisterType.UINT16), [50], low=450.0, high=550.0)
    assert [hint.change.told for hint in found.hints] == ["×10"]


def test_a_sensor_at_fault_among_right_ones_is_not_blamed_on_the_profile():
    file = PROFILES["grundfos-ciu-pump"]
    values = {p.key: usual(at, p) for at, p in enumerate(file.profile.points)}
    places, words = spoken(file, values=values)
    for filler in (0x7FFF, 0x8000, 0xFFFE):
        words[places["current"].function, places["current"].address] = filler
        found = judge({p.key: p for p in file.profile.points}, places, words)
        kinds = {hint.change.kind for one in hints(found).values() for hint in one}
        assert kinds <= {ChangeKind.SCALE}


def test_an_alarm_code_that_the_profile_does_not_list_is_no_wrong_register():
    file = PROFILES["grundfos-ciu-pump"]
    values = {p.key: usual(at, p) for at, p in enumerate(file.profile.points)} | {"alarm_code": 77}
    places, words = spoken(file, values=values)
    words[places["alarm_code"].function, places["alarm_code"].address - 1] = 2
    found = judge({p.key: p for p in file.profile.points}, places, words)
    assert found["alarm_code"].verdict is Verdict.IMPLAUSIBLE
    assert found["alarm_code"].hints == ()


def test_a_change_that_would_spoil_what_is_right_is_not_named():
    file = PROFILES["eastron-sdm630"]
    places, words = spoken(file)
    at = places["frequency"]
    high, low = words[at.function, at.address], words[at.function, at.address + 1]
    words |= {(at.function, at.address): low, (at.function, at.address + 1): high}
    found = judge({p.key: p for p in file.profile.points}, places, words)
    assert "CDAB" not in [hint.change.told for one in hints(found).values() for hint in one]


def test_a_single_value_one_register_further_is_named():
    found = one_point(
        place(type=RegisterType.INT16), [0x7FF0, 215], high=80.0, low=-40.0, scale=0.1
    )
    assert "+1" in [hint.change.told for hint in found.hints]


def test_no_table_is_moved_below_its_first_register():
    file = PROFILES["climate-transmitter"]
    words = {(Function.HOLDING, at): word for at, word in enumerate([556, 2150, 0])}
    found = judge({p.key: p for p in file.profile.points}, file.modbus_places({}), words)
    assert [hint.change.told for hint in found["temperature"].hints] == ["÷10", "÷100", "÷1000"]


def test_digits_that_are_no_digits_are_explained_by_the_order_of_the_bytes():
    found = one_point(place(type=RegisterType.BCD16), [0x3A12], low=0.0, high=9999.0)
    assert (found.verdict, found.hints) == (Verdict.IMPLAUSIBLE, ())
    found = one_point(place(type=RegisterType.BCD32), [0x5678, 0x0012], low=0.0, high=200_000.0)
    assert [hint.change.told for hint in found.hints][:1] == ["CDAB"]


def test_a_text_whose_bytes_are_exchanged_is_readable_the_other_way():
    swapped = place(type=RegisterType.ASCII, length=2)
    found = one_point(swapped, [0x4153, 0x004D], kind=PointKind.TEXT)
    assert found.verdict is Verdict.IMPLAUSIBLE
    assert [(hint.change.told, hint.value) for hint in found.hints] == [("BADC", "SAM")]


def test_bug_a_serial_number_spoke_against_the_order_of_the_numbers():
    """Many meters write a text the usual way and their counters with the low word first."""
    points = {
        "power": described(key="power", unit="W", low=-100_000.0, high=100_000.0),
        "serial": described(key="serial", kind=PointKind.TEXT),
    }
    places = {
        "power": place(type=RegisterType.INT32),
        "serial": place(address=2, type=RegisterType.ASCII, length=4),
    }
    raw = [0x554A, 0, *text_words(places["serial"], "SN42")]
    words = {(Function.HOLDING, at): word for at, word in enumerate(raw)}
    found = judge(points, places, words)
    assert [(hint.change.told, hint.value) for hint in found["power"].hints][:1] == [
        ("CDAB", 21_834.0)
    ]
    assert found["serial"].verdict is Verdict.GOOD


def test_what_the_device_calls_absent_is_no_mistake():
    found = one_point(place(absent=(0xFFFF,)), [0xFFFF], low=0.0, high=100.0)
    assert (found.verdict, found.hints) == (Verdict.ABSENT, ())


def test_what_the_device_calls_absent_in_another_part_of_the_word_is_no_mistake():
    where = place(bit=13, absent=(0xFF,), absent_in=(0, 8))
    assert one_point(where, [0x24FF], kind=PointKind.FLAG).verdict is Verdict.ABSENT


def test_a_point_that_was_not_read_is_not_judged():
    point = described()
    assert (
        judge({"x": point}, {"x": place(type=RegisterType.UINT32)}, {(Function.HOLDING, 0): 1})
        == {}
    )


def place(**given):
    return ModbusPlace(
        **({"function": Function.HOLDING, "address": 0, "type": RegisterType.UINT16} | given)
    )


def described(**given):
    told = {
        "key": "x",
        "name": NAME,
        "kind": PointKind.NUMBER,
        "unit": "",
        "low": None,
        "high": None,
        "decimals": 1,
        "states": {},
        "source": "a test",
    }
    return ProfilePoint(**(told | given))


def one_point(where, registers, scale=1.0, **given):
    words = {(where.function, at): word for at, word in enumerate(registers)}
    return judge({"x": described(**given)}, {"x": replace(where, scale=scale)}, words)["x"]


TYPES = sorted(set(RegisterType) - {RegisterType.BIT})


@given(
    words=st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4),
    kind=st.sampled_from(TYPES),
    order=st.sampled_from(list(ByteOrder)),
    bit=st.none() | st.integers(0, 15),
)
def test_one_value_is_decoded_as_the_gateway_decodes_columns(words, kind, order, bit):
    where = place(
        type=kind,
        order=order,
        length=4 if kind is RegisterType.ASCII else None,
        bit=bit if kind is RegisterType.UINT16 else None,
    )
    text = kind is RegisterType.ASCII
    point = Point(
        id="x",
        equipment="",
        key="x",
        name=NAME,
        kind=PointKind.TEXT if text else PointKind.NUMBER,
        decimals=6,
    )
    block = Block(function=Function.HOLDING, address=0, count=4)
    columns = Decoder([point], {"x": where}, [block]).decode(
        {block: np.array(words, np.uint16)}, {}
    )
    value = decoded(tuple(words[: where.registers]), where)
    if text:
        told = columns.text.get(0)
        assert told is None or told == value
    elif not np.isfinite(value):
        assert np.isnan(columns.value[0])
    elif abs(value) < 1e9:
        assert columns.value[0] == pytest.approx(value, abs=1e-6)


@given(words=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=300))
def test_no_registers_break_the_judgement(words):
    for name in ("eastron-sdm630", "grundfos-ciu-pump", "climate-transmitter"):
        file = PROFILES[name]
        places, known = spoken(file)
        noise: Mapping = {key: words[at % len(words)] for at, key in enumerate(known)}
        for one in judge({p.key: p for p in file.profile.points}, places, noise).values():
            assert one.verdict is Verdict.IMPLAUSIBLE or one.hints == ()

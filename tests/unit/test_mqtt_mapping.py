import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.equipment import Equipment
from gateway.model.moment import HOUR, SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Availability, MqttPlace
from gateway.model.quality import Quality
from gateway.mqtt.mapping import MAX_BYTES, MAX_DEPTH, MessageMapping, UnreadableMessageError

NOW = 1_800_000_000 * SECOND
NAME = Text(zh="灯", en="Lamp")
TOPIC = "lamp/status"


def point(key, kind=PointKind.NUMBER, equipment="x", **facts):
    return Point(
        id=f"{equipment}.{key}", equipment=equipment, key=key, name=NAME, kind=kind, **facts
    )


def thing(points, places, name="x", **facts):
    return Equipment(
        id=name,
        name=NAME,
        equipment_class="lamp",
        profile="x",
        model=NAME,
        vendor="x",
        area="a",
        link="l",
        unit=None,
        poll=30 * SECOND,
        points=tuple(points),
        mqtt=places,
        **facts,
    )


def at(*path, topic=TOPIC, **facts):
    return MqttPlace(topic=topic, path=path, **facts)


LAMP = thing(
    [
        point("on", PointKind.FLAG, low=0, high=1),
        point("power", decimals=1, low=0, high=100, unit="W"),
        point("note", PointKind.TEXT),
    ],
    {"on": at("s", "on", codes={"ON": 1, "OFF": 0}), "power": at("s", "p"), "note": at("note")},
    source_time=at("ts"),
    availability=Availability(topic="lamp/online", online="yes", offline="no"),
)


@pytest.fixture
def mapping():
    return MessageMapping([LAMP])


def take(mapping, document, *, retained=False):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return mapping.take(TOPIC, payload, NOW, retained=retained)


def one(mapping, document, **how):
    """(value, quality, reason) of the only reading."""
    frame = take(mapping, document, **how)
    assert len(frame.points) == 1
    return frame.value[0], frame.quality[0], frame.reason.get(0)


def test_topics_once_each(mapping):
    assert mapping.topics() == ["lamp/online", "lamp/status"]


@pytest.mark.parametrize(("said", "value"), [(True, 1), (False, 0), ("ON", 1), ("OFF", 0), (1, 1)])
def test_a_flag_by_word_truth_or_number(mapping, said, value):
    assert one(mapping, {"s": {"on": said}}) == (value, Quality.GOOD, None)


def test_a_text_is_no_number(mapping):
    frame = take(mapping, {"note": "换灯"})
    assert frame.text == {0: "换灯"}
    assert math.isnan(frame.value[0])
    assert frame.quality[0] == Quality.GOOD


def test_values_are_rounded_to_what_the_device_resolves(mapping):
    assert one(mapping, {"s": {"p": 38.449999}})[0] == 38.4


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"s": {"p": None}}, "the device says not available"),
        ({"s": {"p": "warm"}}, "the device sent 'warm' for a number"),
        ({"s": {"p": True}}, "the device sent a bool for a number"),
        ({"s": {"p": [1, 2]}}, "the device sent a list for a number"),
        ({"s": {"on": "MAYBE"}}, "the device sent 'MAYBE' for a flag"),
        ({"note": 7}, "the device sent a int for a text"),
    ],
)
def test_a_wrong_kind_is_bad_and_never_zero(mapping, said, reason):
    value, quality, why = one(mapping, said)
    assert math.isnan(value)
    assert (quality, why) == (Quality.BAD, reason)


@pytest.mark.parametrize("said", [True, 1, "ON", [1]])
def test_a_value_where_keys_should_be_is_not_taken_for_the_point(mapping, said):
    frame = take(mapping, {"s": said})
    assert frame.points == ("x.on", "x.power")
    assert set(frame.quality) == {Quality.BAD}
    assert set(frame.reason.values()) == {"the message is not built as the profile says"}


def test_no_key_no_reading(mapping):
    assert take(mapping, {}) is None
    assert take(mapping, {"s": {}, "other": 5}) is None


def test_out_of_range_is_kept_and_doubted(mapping):
    assert one(mapping, {"s": {"p": 100.1}}) == (
        100.1,
        Quality.UNCERTAIN,
        "100.1 is outside 0…100 W",
    )
    assert one(mapping, {"s": {"on": 2}})[1] == Quality.UNCERTAIN


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe{}",
        b'{"s": {"p": NaN}}',
        b'{"s": {"p": Infinity}}',
        b'{"s": {"p": 1e999}}',
        b"[1, 2]",
        b'"on"',
        b"null",
        b'{"s": ',
    ],
)
def test_what_is_no_message_is_refused(mapping, payload):
    with pytest.raises(UnreadableMessageError):
        take(mapping, payload)


def test_size_is_capped_before_parsing(mapping):
    with pytest.raises(UnreadableMessageError, match="more than 262144"):
        take(mapping, b" " * (MAX_BYTES + 1))
    assert take(mapping, b"{}".ljust(MAX_BYTES)) is None


def test_depth_is_capped(mapping):
    deepest = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert take(mapping, deepest) is None
    for brackets in (MAX_DEPTH, 100_000):
        with pytest.raises(UnreadableMessageError):
            take(mapping, b'{"a":' + b"[" * brackets + b"]" * brackets + b"}")


def test_the_worst_message_is_refused_in_time(mapping):
    begun = time.perf_counter()
    for payload in (b"[" * MAX_BYTES, b'{"a":' + b"[]," * 80_000, b"\xff" * MAX_BYTES):
        with pytest.raises(UnreadableMessageError):
            take(mapping, payload)
    assert time.perf_counter() - begun < 0.5


def test_a_strange_topic_is_refused(mapping):
    with pytest.raises(UnreadableMessageError, match="no equipment has this topic"):
        mapping.take("other", b"{}", NOW)


# -- time -------------------------------------------------------------------------------------


def stamped(mapping, seconds, **how):
    frame = take(mapping, {"ts": NOW / SECOND + seconds, "s": {"p": 1}}, **how)
    return int(frame.source_time[0]) - NOW, frame.quality[0], frame.reason.get(0)


def test_the_devices_time_is_the_source_time(mapping):
    assert stamped(mapping, -2) == (-2 * SECOND, Quality.GOOD, None)
    assert stamped(mapping, 60) == (60 * SECOND, Quality.GOOD, None)


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (61, "device clock off by +1 min"),
        (-86401, "device clock off by -1 d"),
        (73 * 365 * 86400, "device clock off by +26645 d"),
        (1e300, None),
    ],
)
def test_a_clock_that_is_not_believed(mapping, seconds, reason):
    off, quality, why = stamped(mapping, seconds)
    assert (off, quality) == (0, Quality.UNCERTAIN)
    assert reason is None or why == reason


def test_an_old_reading_that_arrives_now_is_not_shown_as_new(mapping):
    assert stamped(mapping, -31) == (
        -31 * SECOND,
        Quality.UNCERTAIN,
        "taken 31 s before it arrived",
    )
    assert stamped(mapping, -8 * 3600)[0] == -8 * HOUR


def test_a_retained_message_without_a_time_has_no_age(mapping):
    value, quality, reason = one(mapping, {"s": {"p": 1}}, retained=True)
    assert (value, quality, reason) == (1, Quality.UNCERTAIN, "kept by the broker, age unknown")
    assert stamped(mapping, -1, retained=True)[1] == Quality.GOOD
    assert one(mapping, {"ts": True, "s": {"p": 1}}, retained=True)[1] == Quality.UNCERTAIN


def test_a_bad_value_stays_bad_whatever_its_time(mapping):
    assert one(mapping, {"ts": 5, "s": {"p": None}})[1:] == (
        Quality.BAD,
        "the device says not available",
    )


# -- availability -----------------------------------------------------------------------------


def test_offline_takes_every_point(mapping):
    frame = mapping.take("lamp/online", b"no", NOW)
    assert frame.points == ("x.on", "x.power", "x.note")
    assert set(frame.quality) == {Quality.BAD}
    assert set(frame.reason.values()) == {"device offline"}
    assert all(math.isnan(value) for value in frame.value)
    assert mapping.take("lamp/online", b"yes", NOW) is None


def test_another_word_is_neither(mapping):
    with pytest.raises(UnreadableMessageError, match="neither 'yes' nor 'no'"):
        mapping.take("lamp/online", b"perhaps", NOW)


@pytest.mark.parametrize(
    ("said", "online", "offline"),
    [("state", '"online"', '"offline"'), ("up", "true", "false")],
)
def test_availability_within_a_document(said, online, offline):
    words = (json.loads(online), json.loads(offline))
    texts = [word if isinstance(word, str) else str(word).lower() for word in words]
    lamp = thing(
        [point("on", PointKind.FLAG)],
        {"on": at("state", codes={"ON": 1, "OFF": 0})},
        availability=Availability(
            topic="lamp/there", path=(said,), online=texts[0], offline=texts[1]
        ),
    )
    mapping = MessageMapping([lamp])
    gone = mapping.take("lamp/there", f'{{"{said}":{offline}}}'.encode(), NOW)
    assert (gone.points, gone.reason) == (("x.on",), {0: "device offline"})
    assert mapping.take("lamp/there", f'{{"{said}":{online}}}'.encode(), NOW) is None
    for wrong in (b"offline", b"[]", b"{}", f'{{"{said}":7}}'.encode(), b'{"state":"asleep"}'):
        with pytest.raises(UnreadableMessageError):
            mapping.take("lamp/there", wrong, NOW)


# -- plain payloads, several devices ------------------------------------------------------------


def test_the_payload_itself_is_the_value():
    places = {"on": at(codes={"ON": 1, "OFF": 0}), "lux": at(topic="lux", scale=0.1, offset=2)}
    plain = MessageMapping([thing([point("on", PointKind.FLAG), point("lux")], places)])
    assert plain.take(TOPIC, b"ON", NOW).value[0] == 1
    assert plain.take("lux", b"480", NOW).value[0] == 50
    assert plain.take("lux", b"bright", NOW).quality[0] == Quality.BAD
    assert plain.take("lux", b"1_000", NOW).quality[0] == Quality.BAD
    assert plain.take("lux", b"nan", NOW).quality[0] == Quality.BAD


def test_two_devices_on_one_topic_and_one_tuple_a_list_of_points():
    both = MessageMapping(
        [
            thing([point("a", equipment="x")], {"a": at("a")}),
            thing([point("b", equipment="y")], {"b": at("b")}, name="y"),
        ]
    )
    first, second = take(both, {"a": 1, "b": 2}), take(both, {"a": 3, "b": 4})
    assert first.points == ("x.a", "y.b")
    assert first.points is second.points


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(noise):
    try:
        MessageMapping([LAMP]).take(TOPIC, noise, NOW)
    except UnreadableMessageError as error:
        assert error.reason


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["s", "on", "p", "note", "ts", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_crashes_it_and_no_value_is_ever_not_finite(document):
    try:
        frame = take(MessageMapping([LAMP]), document)
    except UnreadableMessageError:
        assert not isinstance(document, dict)
        return
    if frame is not None:
        for row, quality in enumerate(frame.quality):
            has_value = math.isfinite(frame.value[row]) or row in frame.text
            assert has_value == (quality != Quality.BAD)
            assert (row in frame.reason) == (quality != Quality.GOOD)

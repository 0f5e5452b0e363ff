import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.events import (
    Envelope,
    GatewayEvent,
    GatewayEventKind,
    Record,
    UnreadableRecordError,
    decode,
    encode,
)
from gateway.model.frame import Frame
from gateway.model.moment import Instant

ENVELOPE = Envelope(
    site="brocade-garden",
    gateway="gw-1",
    epoch="0f",
    seq=7,
    at=Instant(wall=1_795_284_209_007_359, mono=5, boot="b"),
)


def frame(rows: int = 3) -> Frame:
    return Frame(
        points=tuple(f"pump-{row}.motor_temperature" for row in range(rows)),
        value=np.array([81.25, np.nan, -0.0][:rows]),
        quality=np.array([0, 3, 1][:rows], "u1"),
        source_time=np.array([1, 2**60, -1][:rows]),
        text={2: "开"},
        reason={1: "no reply"},
    )


def test_a_frame_comes_back_as_it_was():
    sent = Record(envelope=ENVELOPE, body=frame())
    got = decode(encode(sent))
    assert got.envelope == ENVELOPE
    assert isinstance(got.body, Frame)
    assert got.body.points == sent.body.points
    assert got.body.value.tobytes() == sent.body.value.tobytes()
    assert got.body.quality.tolist() == [0, 3, 1]
    assert got.body.source_time.tolist() == [1, 2**60, -1]
    assert got.body.text == {2: "开"}
    assert got.body.reason == {1: "no reply"}


def test_the_same_list_of_points_decodes_to_the_same_tuple():
    data = encode(Record(envelope=ENVELOPE, body=frame()))
    assert decode(data).body.points is decode(bytes(data)).body.points


def test_an_event_comes_back_as_it_was():
    event = GatewayEvent(kind=GatewayEventKind.LINK_DOWN, subject="pump-room", detail="断线")
    assert decode(encode(Record(envelope=ENVELOPE, body=event))).body == event


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="2 points"):
        Frame(
            points=("a.b", "a.c"),
            value=np.zeros(2),
            quality=np.zeros(1, "u1"),
            source_time=np.zeros(2, "i8"),
        )


@given(st.data())
def test_a_cut_record_is_unreadable_and_never_half_read(data):
    whole = encode(Record(envelope=ENVELOPE, body=frame()))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(UnreadableRecordError):
        decode(whole[:cut])


@given(st.binary(max_size=200))
def test_foreign_bytes_are_unreadable(junk):
    with pytest.raises(UnreadableRecordError):
        decode(junk)

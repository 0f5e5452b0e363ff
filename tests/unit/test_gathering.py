"""Units of a link that answer shortly after one another are one frame."""

from __future__ import annotations

import numpy as np

from gateway.gathering import HELD, LONGEST, Gathering, Pace
from gateway.modbus.batch import one as own
from gateway.modbus.decode import Columns
from gateway.model.moment import SECOND, Instant

NOW = Instant(wall=1_000_000, mono=5_000, boot="boot-1")
A, B, C = ("a.x", "a.y"), ("b.x",), ("c.x", "c.y")


def said(*values: float, bad: str = "", text: str = "") -> Columns:
    """``bad``: why the last row is not good; ``text``: of the first."""
    quality = np.zeros(len(values), np.uint8)
    last = len(values) - 1
    if bad:
        quality[last] = 3
    return Columns(
        value=np.array(values),
        quality=quality,
        reason={last: bad} if bad else {},
        text={0: text} if text else {},
    )


def test_what_was_said_is_one_frame_at_the_moment_of_the_last() -> None:
    gathering = Gathering(Pace())
    gathering.add(own(A, said(1, 2, bad="no_reply")), NOW)
    gathering.add(own(B, said(3)), NOW.plus(100))
    gathering.add(own(C, said(4, 5, bad="no_register", text="on")), NOW.plus(HELD))
    ((frame, at),) = gathering.take()
    assert at == NOW.plus(HELD)
    assert frame.points == (*A, *B, *C)
    assert frame.value.tolist() == [1, 2, 3, 4, 5]
    assert frame.quality.tolist() == [0, 3, 0, 0, 3]
    assert frame.reason == {1: "no_reply", 4: "no_register"}
    assert frame.text == {3: "on"}
    assert set(frame.source_time.tolist()) == {at.wall}
    assert gathering.take() == []


def test_the_same_units_are_the_same_tuple_each_time() -> None:
    gathering = Gathering(Pace())
    found = []
    for _ in range(2):
        gathering.add(own(A, said(1, 2)), NOW)
        gathering.add(own(B, said(3)), NOW)
        ((frame, _),) = gathering.take()
        found.append(frame.points)
    assert found[0] is found[1]
    gathering.add(own(A, said(1, 2)), NOW)
    ((frame, _),) = gathering.take()
    assert frame.points is A, "alone it is the decoder's own"


def test_nothing_is_added_to_what_is_older_or_knows_the_unit_already() -> None:
    gathering = Gathering(Pace())
    assert gathering.takes(own(A, said()), NOW)
    gathering.add(own(A, said(1, 2)), NOW)
    assert gathering.takes(own(B, said()), NOW.plus(HELD))
    assert not gathering.takes(own(B, said()), NOW.plus(HELD + 1)), (
        "its receive time would not be true"
    )
    assert not gathering.takes(own(B, said()), NOW.plus(-1))
    assert not gathering.takes(own(A, said()), NOW), "two readings of a point are two frames"
    large = tuple(f"d.p{n}" for n in range(1999))
    assert not gathering.takes(own(large, said()), NOW)


def test_consumers_meet_no_more_than_some_compositions() -> None:
    gathering = Gathering(Pace())
    units = [(f"u{n}.x",) for n in range(400)]
    met = set()
    for unit in units:
        gathering.add(own(A, said(1, 2)), NOW)
        gathering.add(own(unit, said(7)), NOW)
        taken = gathering.take()
        assert [p for frame, _ in taken for p in frame.points] == [*A, *unit]
        assert [v for frame, _ in taken for v in frame.value.tolist()] == [1, 2, 7]
        met.update(frame.points for frame, _ in taken)
    assert len(met) < 256 + 400
    assert len([points for points in met if len(points) == 3]) == 256


def test_a_loop_in_time_holds_nothing_longer_for_one_late_turn() -> None:
    pace = Pace()
    for late in (0, 900, 40_000, 300, -20):
        pace.woke(late)
        assert pace.hold == HELD


def test_a_late_loop_does_not_make_a_frame_of_every_reply() -> None:
    """Each frame costs: then it would be later still."""
    pace = Pace()
    gathering = Gathering(pace)
    for _ in range(50):
        pace.woke(15_000)
    assert 100_000 < pace.hold <= LONGEST
    gathering.add(own(A, said(1, 2)), NOW)
    assert gathering.takes(own(B, said()), NOW.plus(5 * HELD))
    assert not gathering.takes(own(B, said()), NOW.plus(LONGEST + 1)), (
        "an alarm would wait for its frame"
    )


def test_the_hold_is_bounded_and_ends_with_the_lateness() -> None:
    pace = Pace()
    pace.woke(3600 * SECOND)  # the machine was suspended
    for _ in range(50):
        pace.woke(SECOND)
    assert pace.hold == LONGEST < SECOND
    for _ in range(50):
        pace.woke(200)
    assert pace.hold == HELD

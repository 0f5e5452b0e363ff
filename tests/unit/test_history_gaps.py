"""Gaps: from when to when there was no data, why, and none where there is no reason to say so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from records import record

from gateway.history.base import Cursor, Gap
from gateway.history.gaps import GapTracker
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.moment import DAY, HOUR, SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading

NOW = 1_795_233_600_000_000
NAMES = ("p.a", "p.b")


def point(name: str, stale_after: int = 3 * SECOND) -> Point:
    return Point(
        id=name,
        equipment="p",
        key=name,
        name=Text(zh=name, en=name),
        kind=PointKind.NUMBER,
        stale_after=stale_after,
    )


class House:
    """A gateway of two points, and what the tracker says of it."""

    def __init__(self, stale_after: int = 3 * SECOND) -> None:
        self.points = {name: point(name, stale_after) for name in NAMES}
        self.tracker = GapTracker(self.points)
        self.seq = 0
        self.wall_ahead = 0
        self.gaps: dict[tuple[str, int], Gap] = {}

    def at(self, second: float, boot: str = "b") -> Instant:
        mono = round(second * SECOND)
        return Instant(wall=NOW + mono + self.wall_ahead, mono=mono, boot=boot)

    def hear(self, second: float, boot: str = "b", reason: str = "", **values: float) -> None:
        self.seq += 1
        rows = {f"p.{key}": value for key, value in values.items()}
        bad = [row for row, value in enumerate(rows.values()) if math.isnan(value)]
        made = record(self.seq, rows, at=0, reason=dict.fromkeys(bad, reason) if reason else {})
        self._take(made, self.at(second, boot))

    def start(self, second: float, boot: str = "b") -> None:
        self.seq += 1
        event = GatewayEvent(kind=GatewayEventKind.STARTED, subject="g")
        self._take(replace(record(self.seq, {}, at=0), body=event), self.at(second, boot))

    def _take(self, made: Record, at: Instant) -> None:
        envelope = replace(made.envelope, at=at, seq=self.seq)
        self.tracker.take([replace(made, envelope=envelope)])
        self.gaps |= {(gap.point, gap.start): gap for gap in self.tracker.changes()}

    def found(self, name: str = "p.a") -> list[tuple[float, float | None, str]]:
        return [
            (
                (gap.start - NOW) / SECOND,
                None if gap.end is None else (gap.end - NOW) / SECOND,
                gap.reason,
            )
            for (point, _), gap in sorted(self.gaps.items())
            if point == name
        ]


def test_without_silence_there_is_no_gap() -> None:
    house = House()
    for second in range(100):
        house.hear(second, a=1.0, b=2.0)
    assert house.gaps == {}


def test_a_point_that_is_not_heard_of_has_an_open_gap_until_it_is() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    for second in range(1, 4):
        house.hear(second, b=1.0)
    assert house.found() == []
    house.hear(3.5, b=1.0)
    assert house.found() == [(0, None, "not_heard")]
    house.hear(6, b=1.0)
    house.hear(9, a=1.0, b=1.0)
    house.hear(10, a=1.0, b=1.0)
    assert house.found() == [(0, 9, "not_heard")]
    assert house.found("p.b") == []


def test_the_reason_is_that_of_the_bad_readings() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.hear(1, a=math.nan, b=1.0, reason="no_reply: unit 3")
    for second in range(2, 9):
        house.hear(second, a=math.nan, b=1.0, reason="no_connection")
    house.hear(9, a=5.0, b=1.0)
    assert house.found() == [(0, 9, "no_connection")]
    # What was bad before it was well again is no reason for what comes later.
    house.hear(12.5, b=1.0)
    house.hear(13, b=1.0)
    assert house.found()[1:] == [(9, None, "not_heard")]


def test_a_gap_shorter_than_stale_after_is_none_however_often_it_happens() -> None:
    house = House()
    for second in range(200):
        bad = second % 2
        house.hear(second, a=math.nan if bad else 1.0, b=1.0)
    assert house.gaps == {}


def test_a_silence_that_passed_within_one_batch_is_a_gap_too() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.hear(60, a=1.0, b=1.0)
    assert house.found() == [(0, 60, "not_heard")]


def test_a_point_that_was_never_heard_of_is_missing_from_the_start_on() -> None:
    house = House()
    house.start(10)
    for second in range(11, 20):
        house.hear(second, b=1.0)
    assert house.found() == [(10, None, "not_heard")]


def test_a_gateway_that_was_down_says_so() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.start(100)
    house.hear(101, a=1.0, b=1.0)
    assert house.found() == house.found("p.b") == [(0, 101, "gateway_down")]


def test_a_short_restart_is_no_gap() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.start(2)
    house.hear(2.5, a=1.0, b=1.0)
    assert house.gaps == {}


def test_what_is_still_silent_when_the_gateway_is_up_has_a_reason_of_its_own() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.start(100)
    for second in range(101, 110):
        house.hear(second, a=math.nan, b=1.0, reason="no_connection")
    house.hear(110, a=1.0, b=1.0)
    assert house.found() == [(0, 100, "gateway_down"), (100, 110, "no_connection")]
    assert house.found("p.b") == [(0, 101, "gateway_down")]


def test_records_that_were_lost_are_the_reason() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.seq += 20
    house.hear(20, a=1.0)
    assert house.found() == [(0, 20, "lost")]
    house.hear(21, b=1.0)
    house.hear(30, a=1.0)
    assert house.found("p.b") == [(0, 21, "lost"), (21, None, "not_heard")]


def test_numbers_that_no_record_had_are_not_lost() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    made = record(30, {"p.a": 1.0, "p.b": 1.0}, at=0)
    house.tracker.take([replace(made, envelope=replace(made.envelope, at=house.at(20)))], [(2, 29)])
    assert {gap.reason for gap in house.tracker.changes()} == {"not_heard"}


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_of_the_clock_is_no_gap(step: int) -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.wall_ahead = step
    house.hear(1, a=1.0, b=1.0)
    assert house.gaps == {}


def test_after_a_boot_the_wall_clock_tells() -> None:
    house = House()
    house.hear(0, a=1.0, b=1.0)
    house.wall_ahead = DAY
    house.start(1, boot="c")
    house.hear(2, boot="c", a=1.0, b=1.0)
    assert house.found() == [(0, DAY / SECOND + 2, "gateway_down")]


def test_a_restart_goes_on_with_what_the_history_has() -> None:
    house = House()
    newest = {
        "p.a": _reading(NOW, Quality.BAD),
        "p.b": _reading(NOW + 50 * SECOND, Quality.GOOD),
    }
    still = Gap(point="p.a", start=NOW - 9 * SECOND, end=None, reason="no_reply")
    over = Gap(point="p.b", start=NOW - 9 * SECOND, end=NOW, reason="no_reply")
    house.seq = 7
    house.tracker.recover(newest, [still, over], Cursor("e", 7))
    house.start(51)
    house.hear(52, a=1.0, b=1.0)
    assert house.found() == [(-9, 52, "no_reply")]
    assert house.found("p.b") == []


def test_records_lost_while_we_were_away_are_seen_by_their_numbers() -> None:
    house = House()
    newest = {name: _reading(NOW, Quality.GOOD) for name in NAMES}
    house.tracker.recover(newest, [], Cursor("e", 7))
    house.seq = 11
    house.hear(60, a=1.0, b=1.0)
    assert house.found() == [(0, 60, "lost")]


def test_a_thinned_point_has_no_gap_after_a_restart() -> None:
    """The history has its last value of long ago, and of others newer ones."""
    house = House()
    thinned = {name: replace(point, deadband=0.5) for name, point in house.points.items()}
    house.tracker = GapTracker(thinned)
    newest = {
        "p.a": _reading(NOW - 500 * SECOND, Quality.GOOD),
        "p.b": _reading(NOW, Quality.GOOD),
    }
    house.tracker.recover(newest, [], Cursor("e", 7))
    house.seq = 7
    house.start(0.5)
    house.hear(1, a=1.0, b=1.0)
    assert house.gaps == {}
    house.start(50)
    house.hear(51, a=1.0, b=1.0)
    assert house.found() == [(1, 51, "gateway_down")]


def _reading(received: int, quality: Quality) -> Reading:
    return Reading(
        value=1.0,
        text=None,
        quality=quality,
        reason=None,
        received=received,
        source_time=received,
    )

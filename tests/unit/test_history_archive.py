"""The parts of the embedded history: numbers without a loss, and every reading once whatever form
it is in, held against a dictionary."""

from __future__ import annotations

import math
import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from records import record

from gateway.history.archive import columns, reading, rollups, sealing
from gateway.history.archive.rollups import Level
from gateway.history.base import Cursor, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory, Longer
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.quality import Quality

NOW = 1_795_233_600_000_000
RNG = np.random.default_rng(7)
ODD = [0.0, -0.0, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, -1e308]


def bits(values: np.ndarray) -> list[int]:
    return np.where(np.isnan(values), math.nan, values).view(np.int64).tolist()


@pytest.mark.parametrize("level", [0, 1, 4])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.5],
        [math.nan] * 9,
        [math.nan, 1.0, math.nan, 2.0],
        ODD,
        [*ODD, math.nan],
        [n / 100 for n in range(-500, 500)],
        [n * 0.1 for n in range(300)],  # not the same floats as n / 10
        [float(np.float32(229.4 + n / 7)) for n in range(300)],
        [-n / 7 for n in range(300)],
        RNG.normal(0, 1e6, 500).tolist(),
    ],
)
def test_floats_come_back_bit_by_bit(values: list[float], level: int) -> None:
    numbers = np.array(values, dtype=np.float64)
    assert bits(columns.unpack_values(columns.pack_values(numbers, level))) == bits(numbers)


@pytest.mark.parametrize("level", [0, 1, 4])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [-(1 << 63)],
        [-(1 << 63), (1 << 63) - 1, 0, 5, -(1 << 63)],
        [(1 << 63) - 1, -(1 << 63), (1 << 63) - 1],
        [3] * 500 + [4] * 500,
        list(range(0, 10_000, 7)),
        [3, 9, 4] * 50,
        [3, 9, 4] * 50 + [3, 9],
        [3, 9, 4, 3, 9, 5],
        RNG.integers(-(1 << 63), (1 << 63) - 1, 300).tolist(),
        np.cumsum(RNG.integers(-200, 200, 300)).tolist(),
    ],
)
def test_integers_come_back(values: list[int], level: int) -> None:
    numbers = np.array(values, dtype=np.int64)
    assert columns.unpack_ints(columns.pack_ints(numbers, level)).tolist() == values


@pytest.mark.parametrize(
    "texts",
    [{}, {0: "a"}, {0: "a", 1: "a", 2: "b"}, {3: "中文", 4: ""}, {9: "z"}, {0: "a", 2: "a"}],
)
def test_texts_come_back(texts: dict[int, str]) -> None:
    assert columns.unpack_texts(columns.pack_texts(texts, 10, 1), 10) == texts


def test_process_values_take_about_a_byte() -> None:
    walk = np.round(50 + np.cumsum(RNG.normal(0, 0.05, 4096)), 2)
    for values in (walk, np.rint(walk * 100) * 0.01):
        assert len(columns.pack_values(values, 4)) < 1.2 * len(values)


class Truth:
    """Readings in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, tuple[float, str | None, int]]] = {}

    def put(self, point: str, time: int, value: float, text: str | None) -> None:
        self.rows.setdefault(point, {})[time] = (value, text, time - 5)

    def between(self, point: str, start: int, end: int) -> list[tuple[int, float]]:
        found = self.rows.get(point, {})
        return [(time, found[time][0]) for time in sorted(found) if start <= time < end]

    def newest(self, point: str, until: int) -> tuple[int, float, str | None] | None:
        times = [time for time in self.rows.get(point, {}) if time <= until]
        if not times:
            return None
        value, text, _ = self.rows[point][max(times)]
        return max(times), value, text

    def delete_before(self, wall: int) -> int:
        removed = 0
        for rows in self.rows.values():
            for time in [time for time in rows if time < wall]:
                del rows[time]
                removed += 1
        return removed


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals and files after a few readings."""
    monkeypatch.setattr(sealing, "SEAL_ROWS", 60)
    monkeypatch.setattr(sealing, "SEAL_ROWS_A_POINT", 1)
    monkeypatch.setattr(sealing, "SEAL_BATCHES", 7)
    monkeypatch.setattr(sealing, "FILE_ROWS_A_POINT", 40)
    monkeypatch.setattr(sealing, "_LONGEST_CHUNK", 50)
    monkeypatch.setattr(sealing, "_SHEETS", 3)


POINTS = [f"pump-{n // 10}.k{n}" for n in range(70)]  # two blocks


def same(value: float | None, expected: float) -> bool:
    return value is None if math.isnan(expected) else value == expected


def check(history: EmbeddedHistory, truth: Truth, rng: random.Random, now: int) -> None:
    newest = history.latest(POINTS)
    moment = rng.randrange(now - HOUR, now + SECOND)
    then = history.at(POINTS, moment)
    for point in POINTS:
        for found, until in ((newest, 1 << 62), (then, moment)):
            expected = truth.newest(point, until)
            if expected is None:
                assert point not in found
            else:
                known = found[point]
                assert (known.received, known.text) == (expected[0], expected[2]), point
                assert same(known.value, expected[1])
                assert known.source_time == expected[0] - 5
    for point in rng.sample(POINTS, 5):
        start = rng.randrange(now - 2 * HOUR, now)
        end = rng.randrange(start + 1, now + HOUR)
        limit = rng.choice([3, 1 << 30])
        series = history.range(point, start, end, limit)
        rows = truth.between(point, start, end)
        assert series.time.tolist() == [time for time, _ in rows[:limit]]
        expected = np.array([value for _, value in rows[:limit]])
        assert np.array_equal(series.value, expected, equal_nan=True)
        check_buckets(history, truth, point, start, end, rng.choice([1, 3, 7, 50]))


def check_buckets(
    history: EmbeddedHistory, truth: Truth, point: str, start: int, end: int, count: int
) -> None:
    found = history.buckets(point, start, end, count)
    edges = [*found.start.tolist(), end]
    assert edges[0] == start
    for part in range(count):
        rows = truth.between(point, edges[part], edges[part + 1])
        values = [value for _, value in rows if not math.isnan(value)]
        assert found.count[part] == len(values)
        if values:
            assert found.min[part] == min(values)
            assert found.max[part] == max(values)
            assert found.last[part] == values[-1]
            assert found.mean[part] == pytest.approx(sum(values) / len(values), abs=1e-9)
        else:
            assert math.isnan(found.mean[part])
        bad = not rows or any(math.isnan(value) for _, value in rows)
        assert (found.quality[part] == Quality.BAD) == bad


@pytest.mark.parametrize("seed", range(6))
def test_every_reading_is_there_once_in_whatever_form(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Clocks go back, times come twice, points come and go, the file is opened anew, old readings
    are deleted."""
    monkeypatch.setattr(reading, "_FINE", 10 * MINUTE if seed % 2 else MINUTE)
    rng = random.Random(seed)
    truth, now, seq = Truth(), NOW, 0
    history = EmbeddedHistory(tmp_path / "history.db")
    beside = EmbeddedHistory(tmp_path / "history.db", read_only=True)
    for _ in range(60):
        made = []
        for _ in range(rng.randrange(1, 12)):
            now += rng.choice([1, SECOND, SECOND, 10 * SECOND, 2 * MINUTE])
            if rng.random() < 0.02:
                now -= rng.choice([SECOND, 5 * MINUTE])
            at = now // SECOND * SECOND if rng.random() < 0.5 else now
            chosen = POINTS[:65] if rng.random() < 0.3 else rng.sample(POINTS, 4)
            rows = {
                name: math.nan if rng.random() < 0.05 else round(rng.gauss(50, 9), 2)
                for name in chosen
            }
            text = {row: rng.choice("ab") for row in range(2) if rng.random() < 0.3}
            seq += 1
            made.append(record(seq, rows, at=at, text=text))
            for row, (name, value) in enumerate(rows.items()):
                truth.put(name, at, value, text.get(row))
        history.write(made, Cursor("e", seq))
        if rng.random() < 0.1:
            history.close()
            history = EmbeddedHistory(tmp_path / "history.db")
        check(rng.choice((history, beside)), truth, rng, now)
    deleted = now - rng.choice([MINUTE, 20 * MINUTE])
    # One that was written twice, in two chunks, is counted twice.
    assert 0 <= history.delete_before(deleted) - truth.delete_before(deleted) < 20
    for point in POINTS:
        assert history.range(point, 0, 1 << 60, 1 << 30).time.tolist() == [
            time for time, _ in truth.between(point, 0, 1 << 60)
        ]
    for one in (history, beside):
        assert {name: found.received for name, found in one.latest(POINTS).items()} == {
            name: expected[0] for name in POINTS if (expected := truth.newest(name, 1 << 62))
        }
    later = deleted + MINUTE // 2
    assert 0 <= history.delete_before(later) - truth.delete_before(later) < 20
    assert history.delete_before(deleted) == 0
    beside.close()
    history.close()


def test_what_is_written_behind_a_deletion_stays(tmp_path: Path, small: None) -> None:
    """A clock that was set back writes what looks old: only what was there is deleted."""
    history = EmbeddedHistory(tmp_path / "history.db")
    times = range(100)
    history.write([record(n + 1, {"p.a": n}, at=NOW + n * SECOND) for n in times], Cursor("e", 100))
    assert history.delete_before(NOW + 50 * SECOND) == 50
    history.write([record(101, {"p.a": 7}, at=NOW + 10 * SECOND)], Cursor("e", 101))
    history.settle()
    found = history.range("p.a", 0, 1 << 60, 1000)
    assert found.value.tolist() == [7, *range(50, 100)]
    assert history.delete_before(NOW + 60 * SECOND) == 11
    assert history.range("p.a", 0, 1 << 60, 1000).value.tolist() == list(range(60, 100))
    history.close()


def test_a_block_that_somebody_else_filed_meanwhile_is_no_harm(tmp_path: Path) -> None:
    history = EmbeddedHistory(tmp_path / "history.db")
    history.write([record(1, {"p.a": 1.0}, at=NOW)], Cursor("e", 1))
    history.settle()
    works = (sealing.gather, sealing.file)
    history._due = [sealing.Due(work, block) for work in works for block in (0, 7)]
    history.write([record(2, {"p.a": 2.0}, at=NOW + 1)], Cursor("e", 2))
    assert history._due == []
    assert history.range("p.a", 0, 1 << 60, 9).value.tolist() == [1, 2]
    history.close()


def test_a_damaged_chunk_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    history = EmbeddedHistory(tmp_path / "history.db")
    rows = {"p.a": 1.0, "p.b": 2.0}
    made = [
        record(n, {name: value + n % 3 / 2 for name, value in rows.items()}, at=NOW + n)
        for n in range(1, 90)
    ]
    history.write(made, Cursor("e", 89))
    history.settle()
    with sqlite3.connect(tmp_path / "history.db") as file:
        file.execute("UPDATE chunks SET body = substr(body, 1, length(body) - 9) WHERE point = 1")
    with pytest.raises(HistoryUnavailableError, match=r"history\.db is damaged"):
        history.range("p.a", 0, 1 << 60, 99)
    assert len(history.range("p.b", 0, 1 << 60, 99).time) == 89
    history.close()


def test_roll_ups_stay_longer_than_readings(tmp_path: Path) -> None:
    history = EmbeddedHistory(tmp_path / "history.db", longer=Longer(minutes=DAY, hours=9 * DAY))
    values = [float(n % 97) for n in range(6 * 360)]  # 6 h, every 10 s
    history.write(
        [record(n + 1, {"p.a": v}, at=NOW + n * 10 * SECOND) for n, v in enumerate(values)],
        Cursor("e", len(values)),
    )
    end = NOW + 6 * HOUR
    before = {count: history.buckets("p.a", NOW, end, count) for count in (6, 12)}
    assert history.delete_before(end + HOUR) == len(values)
    assert history.range("p.a", 0, 1 << 60, 9).time.tolist() == []
    assert history.latest(["p.a"]) == {}
    for count, was in before.items():
        found = history.buckets("p.a", NOW, end, count)
        for column in ("start", "min", "max", "last", "count", "quality"):
            assert getattr(found, column).tolist() == getattr(was, column).tolist()
        assert found.mean.tolist() == pytest.approx(was.mean.tolist())
    # Parts that are shorter than what is left: a line lies in the part in which it begins.
    assert history.buckets("p.a", NOW, end, 6 * 120).count.sum() == len(values)
    assert history.delete_before(end + 2 * DAY) == 0
    hours = history.buckets("p.a", NOW, end, 12)
    assert hours.count.tolist() == [360, 0] * 6
    assert history.delete_before(end + 20 * DAY) == 0
    assert history.buckets("p.a", NOW, end, 12).count.tolist() == [0] * 12
    history.close()


def test_minutes_that_two_chunks_share_are_counted_once() -> None:
    half = [
        rollups.of_readings(*column)
        for column in (
            (np.array([NOW, NOW + 1]), np.array([1.0, 5.0]), np.zeros(2, np.uint8)),
            (np.array([NOW + 2, NOW + MINUTE]), np.array([3.0, 4.0]), np.zeros(2, np.uint8)),
        )
    ]
    bodies = []
    for lines in half:
        rolled, _ = rollups.grouped(lines, lines.time // MINUTE)
        bodies.append(rollups.pack(rolled, Level.MINUTE, columns.scaled(lines.low)))
    found = rollups.buckets(
        np.array([NOW, NOW + MINUTE, NOW + 2 * MINUTE]), rollups.unpack(bodies, Level.MINUTE)
    )
    assert found.count.tolist() == [3, 1]
    assert found.last.tolist() == [3, 4]
    assert found.mean.tolist() == [3, 4]

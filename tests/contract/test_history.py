"""Every history keeps the same contract: every reading once, and gaps stay gaps."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from records import record

from api.settings import demo_site
from gateway.history.base import Cursor, Gap, History
from gateway.history.embedded import EmbeddedHistory
from gateway.history.influx import InfluxHistory
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.moment import DAY, SECOND
from gateway.model.quality import Quality
from gateway.site import files as site_file

Open = Callable[[], History]
NOW = 1_795_233_600_000_000
HOT = "pump-2.motor_temperature"
LAMP = "lamp-1.power"


@pytest.fixture(params=["embedded", "influxdb"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """``opened()``: the same, at first empty, history once more, as after a restart."""
    with ExitStack() as ends:
        if request.param == "influxdb":
            server = request.getfixturevalue("influx_server")
            address = server.new_database()
            ends.callback(server.drop_database, address)

        def make() -> History:
            made: History
            if request.param == "embedded":
                made = EmbeddedHistory(tmp_path / "history.db")
            else:
                made = InfluxHistory(address, site_file.load(demo_site()), tmp_path / "parked")
            ends.callback(made.close)
            return made

        yield make
        assert not (tmp_path / "parked").exists(), (tmp_path / "parked").read_text()


@pytest.fixture
def history(opened: Open) -> History:
    return opened()


def test_what_is_written_is_read_back(history: History) -> None:
    history.write(
        [
            record(1, {HOT: 1.5, "p.b": math.nan}, at=100, reason={1: "timeout"}),
            record(2, {HOT: 0.1 + 0.2}, at=200),
        ],
        Cursor("e", 2),
    )
    series = history.range(HOT, 0, 1000, 10)
    assert series.time.tolist() == [100, 200]
    assert series.value.tolist() == [1.5, 0.1 + 0.2]
    assert series.quality.tolist() == [Quality.GOOD, Quality.GOOD]
    assert series.source_time.tolist() == [95, 195]
    bad = history.range("p.b", 0, 1000, 10)
    assert np.isnan(bad.value).tolist() == [True]
    assert bad.quality.tolist() == [Quality.BAD]
    assert history.cursor("g") == Cursor("e", 2)
    assert history.cursor("other") is None


def test_numbers_come_back_as_they_were(history: History) -> None:
    numbers = [0.0, -0.0, 21.0, -7.25, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 2.0**53 + 2]
    rows = [record(n, {HOT: value}, at=NOW + n) for n, value in enumerate(numbers, start=1)]
    history.write(rows, Cursor("e", len(rows)))
    assert history.range(HOT, NOW, NOW + SECOND, 99).value.tolist() == numbers


def test_a_range_is_half_open_and_limited(history: History) -> None:
    history.write([record(n, {"p.a": n}, at=n * 10) for n in range(1, 10)], Cursor("e", 9))
    assert history.range("p.a", 20, 50, 99).time.tolist() == [20, 30, 40]
    assert history.range("p.a", 20, 50, 2).time.tolist() == [20, 30]
    assert history.range("p.a", 0, 1 << 60, 99).time.tolist() == [n * 10 for n in range(1, 10)]
    assert history.range("p.unknown", 0, 99, 9).time.tolist() == []


def test_points_of_several_classes_are_kept_apart(history: History) -> None:
    rows = {HOT: 1, "pump-1.motor_temperature": 2, LAMP: 3, "p.motor_temperature": 4}
    history.write([record(1, rows, at=NOW)], Cursor("e", 1))
    for point, value in rows.items():
        assert history.range(point, NOW, NOW + 1, 9).value.tolist() == [value]
    assert {name: found.value for name, found in history.latest(rows).items()} == rows


def test_a_replay_changes_nothing_even_with_other_values(opened: Open) -> None:
    history = opened()
    history.write([record(n, {"p.a": n}, at=n) for n in (1, 2, 3)], Cursor("e", 3))
    history.write([record(n, {"p.a": -n}, at=n) for n in (2, 3)], Cursor("e", 3))
    assert history.range("p.a", 0, 99, 9).value.tolist() == [1, 2, 3]
    restarted = opened()
    restarted.write([record(n, {"p.a": 10 * n}, at=n) for n in (3, 4)], Cursor("e", 4))
    assert restarted.range("p.a", 0, 99, 9).value.tolist() == [1, 2, 3, 40]
    restarted.write([record(1, {"p.a": 7}, at=50, epoch="f")], Cursor("f", 1))
    assert restarted.range("p.a", 50, 99, 9).value.tolist() == [7]
    assert opened().cursor("g") == Cursor("f", 1)


def test_the_cursor_goes_on_though_the_clock_goes_back(opened: Open) -> None:
    history = opened()
    history.write([record(1, {"p.a": 1}, at=NOW)], Cursor("e", 1))
    history.write([record(2, {"p.a": 2}, at=NOW - DAY)], Cursor("e", 2))
    assert history.cursor("g") == Cursor("e", 2)
    restarted = opened()
    restarted.write([record(3, {"p.a": 3}, at=NOW - DAY + 1)], Cursor("e", 3))
    assert opened().cursor("g") == Cursor("e", 3)
    assert restarted.range("p.a", 0, NOW + 1, 9).value.tolist() == [2, 3, 1]


def test_of_two_readings_at_the_same_time_the_later_record_is_kept(history: History) -> None:
    rows = [record(1, {"p.a": 1}, at=7), record(2, {"p.a": 2}, at=7)]
    history.write([*rows, record(3, {"p.a": math.nan}, at=7)], Cursor("e", 3))
    found = history.range("p.a", 0, 9, 9)
    assert np.isnan(found.value).tolist() == [True]
    assert found.quality.tolist() == [Quality.BAD]


def test_gateway_events_only_move_the_cursor(history: History) -> None:
    frame = record(1, {"p.a": 1}, at=1)
    event = Record(
        envelope=frame.envelope,
        body=GatewayEvent(kind=GatewayEventKind.STARTED, subject="g"),
    )
    history.write([event], Cursor("e", 1))
    assert history.cursor("g") == Cursor("e", 1)
    assert history.latest(["p.a", "g"]) == {}


def test_the_cursor_moves_on_over_records_that_could_not_be_read(history: History) -> None:
    history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 3))
    history.write([record(2, {"p.a": 2}, at=2)], Cursor("e", 5))
    assert history.cursor("g") == Cursor("e", 5)
    assert history.range("p.a", 0, 9, 9).value.tolist() == [1]


def test_buckets_keep_gaps(history: History) -> None:
    rows = {0: 1.0, 4: 3.0, 9: 2.0, 10: math.nan, 12: 5.0, 31: math.nan}
    history.write(
        [record(n, {"p.a": value}, at=at) for n, (at, value) in enumerate(rows.items(), start=1)],
        Cursor("e", len(rows)),
    )
    found = history.buckets("p.a", 0, 40, 4)
    assert found.start.tolist() == [0, 10, 20, 30]
    assert found.count.tolist() == [3, 1, 0, 0]
    assert found.min.tolist()[:2] == [1, 5]
    assert found.mean.tolist()[:2] == [2, 5]
    assert found.max.tolist()[:2] == [3, 5]
    assert found.last.tolist()[:2] == [2, 5]
    for column in (found.min, found.mean, found.max, found.last):
        assert np.isnan(column[2:]).all()
    assert found.quality.tolist() == [Quality.GOOD, Quality.BAD, Quality.BAD, Quality.BAD]


def test_buckets_tile_the_stretch_exactly(history: History) -> None:
    history.write([record(n, {"p.a": n}, at=n) for n in range(1, 101)], Cursor("e", 100))
    for count in (1, 3, 7, 99, 100, 250):
        found = history.buckets("p.a", 1, 101, count)
        assert len(found.start) == count
        assert found.start[0] == 1
        assert found.count.sum() == 100
        full = found.count > 0
        assert np.nansum(found.mean[full] * found.count[full]) == pytest.approx(5050)
    assert history.buckets("p.none", 1, 101, 3).count.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="0 buckets"):
        history.buckets("p.a", 1, 101, 0)


def test_latest_is_the_newest_by_receive_time(history: History) -> None:
    text = 'a "quoted" \\ text,\nof=two lines, 中文\\'
    history.write(
        [
            record(1, {HOT: 1, LAMP: math.nan}, at=10, text={1: text}),
            record(2, {HOT: 2}, at=30),
            record(3, {HOT: math.nan}, at=20),
        ],
        Cursor("e", 3),
    )
    found = history.latest([HOT, LAMP, "p.unknown"])
    assert set(found) == {HOT, LAMP}
    assert (found[HOT].value, found[HOT].received, found[HOT].source_time) == (2, 30, 25)
    assert (found[LAMP].value, found[LAMP].text, found[LAMP].quality) == (None, text, Quality.BAD)


def test_the_latest_of_many_points_are_those_that_were_asked_for(history: History) -> None:
    rows = {f"p.k{n}": float(n) for n in range(300)}
    history.write([record(1, rows, at=NOW)], Cursor("e", 1))
    asked = [f"p.k{n}" for n in range(0, 400, 2)]
    found = history.latest(asked)
    assert {name: reading.value for name, reading in found.items()} == {
        name: rows[name] for name in asked if name in rows
    }


def test_only_what_is_older_is_deleted(history: History) -> None:
    history.write(
        [record(n, {HOT: n, "p.b": n}, at=n * SECOND) for n in range(1, 11)], Cursor("e", 10)
    )
    assert history.delete_before(6 * SECOND) == 10
    for point in (HOT, "p.b"):
        assert history.range(point, 0, 99 * SECOND, 99).value.tolist() == [6, 7, 8, 9, 10]
    assert history.cursor("g") == Cursor("e", 10)
    assert history.delete_before(99 * SECOND) == 10
    assert history.cursor("g") == Cursor("e", 10)


def test_at_is_the_newest_until_then(history: History) -> None:
    history.write(
        [
            record(1, {HOT: 1, LAMP: math.nan}, at=NOW, text={1: "off"}),
            record(2, {HOT: 2}, at=NOW + 30),
            record(3, {HOT: math.nan}, at=NOW + 20),
        ],
        Cursor("e", 3),
    )
    assert history.at([HOT, LAMP], NOW - 1) == {}
    found = history.at([HOT, LAMP, "p.unknown"], NOW)
    assert set(found) == {HOT, LAMP}
    assert (found[HOT].value, found[HOT].received, found[HOT].source_time) == (1, NOW, NOW - 5)
    assert (found[LAMP].value, found[LAMP].text) == (None, "off")
    values = [history.at([HOT], NOW + after)[HOT].value for after in (19, 20, 29, 30, 999)]
    assert values == [1, None, None, 2, 2]
    many = [f"p.k{n}" for n in range(100)]
    history.write([record(4, dict.fromkeys(many, 7.0), at=NOW + 40)], Cursor("e", 4))
    assert len(history.at(many, NOW + 40)) == 100
    assert history.at(many, NOW + 39) == {}


def test_gaps_are_those_that_touch_the_time(opened: Open) -> None:
    history = opened()
    gaps = [
        Gap(point=HOT, start=NOW + 10, end=NOW + 20, reason="no_reply: unit 3, 1 s"),
        Gap(point=HOT, start=NOW + 30, end=None, reason='no_connection: "x" \\ y'),
        Gap(point=LAMP, start=NOW, end=NOW + 5, reason="gateway_down"),
    ]
    history.write([record(1, {HOT: 1.0}, at=NOW)], Cursor("e", 1), gaps)
    hot, still, lamp = gaps
    assert list(history.gaps([LAMP, HOT], NOW, NOW + 99)) == [lamp, hot, still]
    assert list(history.gaps([HOT], NOW, NOW + 10)) == []
    assert list(history.gaps([HOT], NOW, NOW + 11)) == [hot]
    assert list(history.gaps([HOT], NOW + 19, NOW + 25)) == [hot]
    assert list(history.gaps([HOT], NOW + 20, NOW + 30)) == []
    assert list(history.gaps([HOT, LAMP], 1 << 61, (1 << 61) + 1)) == [still]
    assert list(history.gaps([], NOW, NOW + 99)) == []
    assert list(history.gaps(["p.unknown"], NOW, NOW + 99)) == []
    over = Gap(point=HOT, start=still.start, end=NOW + 60, reason="no_reply")
    other = Gap(point="p.new", start=NOW, end=None, reason="not_heard")
    history.write([record(2, {HOT: 1.0}, at=NOW + 60)], Cursor("e", 2), [over, other])
    restarted = opened()
    assert list(restarted.gaps([HOT], NOW, NOW + 99)) == [hot, over]
    assert list(restarted.gaps([HOT, "p.new"], 1 << 61, (1 << 61) + 1)) == [other]
    assert restarted.latest(["p.new"]) == {}


def test_gaps_stay_when_readings_go(history: History) -> None:
    gap = Gap(point=HOT, start=NOW, end=NOW + SECOND, reason="no_reply")
    history.write([record(1, {HOT: 1.0}, at=NOW)], Cursor("e", 1), [gap])
    assert history.delete_before(NOW + DAY) == 1
    assert list(history.gaps([HOT], NOW, NOW + 1)) == [gap]
    assert history.delete_before(NOW + 9999 * DAY) == 0
    assert list(history.gaps([HOT], NOW, NOW + 1)) == []


def test_nothing_younger_is_deleted_while_it_is_written(history: History) -> None:
    """Gate 28: one thread writes, another deletes all but the newest 20 s, by one history as in
    the gateway."""
    names = [HOT, LAMP, "p.a"]
    written, failures = [0], []

    def write() -> None:
        try:
            for first in range(1, 200, 10):
                made = [
                    record(n, dict.fromkeys(names, float(n)), at=NOW + n * SECOND)
                    for n in range(first, first + 10)
                ]
                history.write(made, Cursor("e", first + 9))
                written[0] = first + 9
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        now = written[0]
        history.delete_before(NOW + (now - 20) * SECOND)
        for name in names:
            times = history.range(name, 0, NOW + DAY, 1 << 20).time.tolist()
            have = {(time - NOW) // SECOND for time in times}
            assert have.issuperset(range(max(1, now - 20), now + 1))
            assert min(have, default=999) >= now - 20
    thread.join()
    assert failures == []
    history.delete_before(NOW + 190 * SECOND)
    for name in names:
        found = history.range(name, 0, NOW + DAY, 1 << 20)
        assert found.value.tolist() == list(range(190, 201))

"""The embedded history: every reading once, gaps stay gaps, readers beside the writer."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.history.base import Cursor, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.model.quality import Quality


def record(
    seq: int, rows: dict[str, float], *, at: int, epoch: str = "e", **more: object
) -> Record:
    bad = [math.isnan(value) for value in rows.values()]
    frame = Frame(
        points=tuple(rows),
        value=np.array(list(rows.values())),
        quality=np.where(bad, Quality.BAD, Quality.GOOD).astype(np.uint8),
        source_time=np.full(len(rows), at - 5, dtype=np.int64),
        **more,  # type: ignore[arg-type]
    )
    envelope = Envelope(
        site="s", gateway="g", epoch=epoch, seq=seq, at=Instant(wall=at, mono=at, boot="b")
    )
    return Record(envelope=envelope, body=frame)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[EmbeddedHistory]:
    made = EmbeddedHistory(tmp_path / "history.db")
    yield made
    made.close()


def all_rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(
            "SELECT name, time, value, quality FROM readings JOIN points ON id = point "
            "ORDER BY name, time"
        ).fetchall()


def test_what_is_written_is_read_back(history: EmbeddedHistory) -> None:
    history.write(
        [
            record(1, {"p.a": 1.5, "p.b": math.nan}, at=100, reason={1: "timeout"}),
            record(2, {"p.a": 0.1 + 0.2}, at=200),
        ],
        Cursor("e", 2),
    )
    series = history.range("p.a", 0, 1000, 10)
    assert series.time.tolist() == [100, 200]
    assert series.value.tolist() == [1.5, 0.1 + 0.2]
    assert series.source_time.tolist() == [95, 195]
    bad = history.range("p.b", 0, 1000, 10)
    assert np.isnan(bad.value).tolist() == [True]
    assert bad.quality.tolist() == [Quality.BAD]
    assert history.cursor("g") == Cursor("e", 2)
    assert history.cursor("other") is None


def test_a_range_is_half_open_and_limited(history: EmbeddedHistory) -> None:
    history.write([record(n, {"p.a": n}, at=n * 10) for n in range(1, 10)], Cursor("e", 9))
    assert history.range("p.a", 20, 50, 99).time.tolist() == [20, 30, 40]
    assert history.range("p.a", 20, 50, 2).time.tolist() == [20, 30]
    assert history.range("p.unknown", 0, 99, 9).time.tolist() == []


def test_a_replay_changes_nothing_even_with_other_values(
    history: EmbeddedHistory, tmp_path: Path
) -> None:
    history.write([record(n, {"p.a": n}, at=n) for n in (1, 2, 3)], Cursor("e", 3))
    before = all_rows(tmp_path / "history.db")
    history.write([record(n, {"p.a": -n}, at=n) for n in (2, 3)], Cursor("e", 3))
    assert all_rows(tmp_path / "history.db") == before
    history.write([record(n, {"p.a": 10 * n}, at=n) for n in (3, 4)], Cursor("e", 4))
    assert history.range("p.a", 0, 99, 9).value.tolist() == [1, 2, 3, 40]
    history.write([record(1, {"p.a": 7}, at=50, epoch="f")], Cursor("f", 1))
    assert history.range("p.a", 50, 99, 9).value.tolist() == [7]
    assert history.cursor("g") == Cursor("f", 1)


def test_rows_and_cursor_are_one_transaction(
    history: EmbeddedHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    with monkeypatch.context() as patch:
        patch.setattr("gateway.history.embedded._STORE", "INSERT INTO absent VALUES (?,?,?,?,?,?)")
        with pytest.raises(HistoryUnavailableError, match="no such table"):
            history.write([record(2, {"p.new": 2}, at=2)], Cursor("e", 2))
    assert history.cursor("g") == Cursor("e", 1)
    assert [row[0] for row in all_rows(tmp_path / "history.db")] == ["p.a"]
    history.write([record(2, {"p.new": 2}, at=2)], Cursor("e", 2))
    assert history.range("p.new", 0, 9, 9).value.tolist() == [2]


def test_of_two_readings_at_the_same_time_the_later_record_is_kept(
    history: EmbeddedHistory,
) -> None:
    history.write([record(n, {"p.a": n}, at=7) for n in (1, 2, 3)], Cursor("e", 3))
    assert history.range("p.a", 0, 9, 9).value.tolist() == [3]


def test_gateway_events_only_move_the_cursor(history: EmbeddedHistory, tmp_path: Path) -> None:
    frame = record(1, {"p.a": 1}, at=1)
    event = Record(
        envelope=frame.envelope,
        body=GatewayEvent(kind=GatewayEventKind.STARTED, subject="g"),
    )
    history.write([event], Cursor("e", 1))
    assert history.cursor("g") == Cursor("e", 1)
    assert all_rows(tmp_path / "history.db") == []


def test_buckets_keep_gaps(history: EmbeddedHistory) -> None:
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


def test_buckets_tile_the_stretch_exactly(history: EmbeddedHistory) -> None:
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


def test_latest_is_the_newest_by_receive_time(history: EmbeddedHistory) -> None:
    history.write(
        [
            record(1, {"p.a": 1, "p.t": math.nan}, at=10, text={1: "ok"}),
            record(2, {"p.a": 2}, at=30),
        ],
        Cursor("e", 2),
    )
    found = history.latest(["p.a", "p.t", "p.unknown"])
    assert set(found) == {"p.a", "p.t"}
    assert (found["p.a"].value, found["p.a"].received, found["p.a"].source_time) == (2, 30, 25)
    assert (found["p.t"].value, found["p.t"].text) == (None, "ok")


def test_only_what_is_older_is_deleted(history: EmbeddedHistory) -> None:
    history.write(
        [record(n, {"p.a": n, "p.b": n}, at=n * SECOND) for n in range(1, 11)], Cursor("e", 10)
    )
    assert history.delete_before(6 * SECOND) == 10
    for point in ("p.a", "p.b"):
        assert history.range(point, 0, 99 * SECOND, 99).value.tolist() == [6, 7, 8, 9, 10]
    assert history.cursor("g") == Cursor("e", 10)


def test_a_reader_of_a_file_that_is_not_there_yet_finds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    reader = EmbeddedHistory(path, read_only=True)
    assert reader.cursor("g") is None
    assert reader.range("p.a", 0, 9, 9).time.tolist() == []
    assert reader.buckets("p.a", 0, 9, 2).count.tolist() == [0, 0]
    assert reader.latest(["p.a"]) == {}
    with pytest.raises(HistoryUnavailableError, match="read only"):
        reader.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    writer = EmbeddedHistory(path)
    writer.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    assert reader.range("p.a", 0, 9, 9).value.tolist() == [1]
    reader.close()
    writer.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    history = EmbeddedHistory(path)
    with pytest.raises(HistoryUnavailableError, match="version 9"):
        history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))


_READER = """
import sys
from pathlib import Path
from gateway.history.embedded import EmbeddedHistory
history = EmbeddedHistory(Path(sys.argv[1]), read_only=True)
for _ in sys.stdin:
    found = history.range("p.a", 0, 1 << 60, 1 << 30)
    assert found.value.tolist() == found.time.tolist()
    print(len(found.time), flush=True)
"""


def test_threads_and_another_process_read_while_it_is_written(
    history: EmbeddedHistory, tmp_path: Path
) -> None:
    beside = subprocess.Popen(
        [sys.executable, "-c", _READER, str(tmp_path / "history.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert beside.stdin is not None
    assert beside.stdout is not None
    stop = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                found = history.buckets("p.a", 1, 1001, 10)
                assert found.count.sum() % 10 == 0  # ten rows a transaction, whole or not at all
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    seen = []
    for batch in range(30):
        seqs = range(batch * 10 + 1, batch * 10 + 11)
        history.write([record(n, {"p.a": n}, at=n) for n in seqs], Cursor("e", seqs[-1]))
        beside.stdin.write("look\n")
        beside.stdin.flush()
        seen.append(int(beside.stdout.readline()))
    stop.set()
    for thread in threads:
        thread.join()
    beside.stdin.close()
    assert beside.wait() == 0
    assert failures == []
    assert seen == [10 * n for n in range(1, 31)]


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    history = EmbeddedHistory(tmp_path / "history.db")
    history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    assert history.range("p.a", 0, 9, 9).value.tolist() == [1]
    history.close()
    assert [path.name for path in tmp_path.iterdir()] == ["history.db"]

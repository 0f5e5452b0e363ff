"""The embedded history, in what is its own: one file, readers beside the writer. What every
history keeps is in ``tests/contract/test_history.py``."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from records import record

from gateway.history.base import Cursor, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory


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

"""The embedded history, in what is its own: one file, readers beside the writer. What every
history keeps is in ``tests/contract/test_history.py``."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import history_file
import pytest
from records import record

from gateway.history.archive import sealing
from gateway.history.archive.rows import Rows
from gateway.history.base import Cursor, Gap, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory
from gateway.model.moment import DAY, SECOND

NOW = 1_795_233_600_000_000


@pytest.fixture
def history(tmp_path: Path) -> Iterator[EmbeddedHistory]:
    made = EmbeddedHistory(tmp_path / "history.db")
    yield made
    made.close()


def all_rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return [tuple(row) for row in history_file.readings(connection)]


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


def test_bug_two_who_made_the_file_at_once_were_in_the_way_of_each_other(
    history: EmbeddedHistory, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "history.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        faults: list[Exception] = []

        def write() -> None:
            try:
                history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
            except HistoryUnavailableError as fault:
                faults.append(fault)

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.2)
        other.execute("COMMIT")
        writer.join(10)
    assert (faults, history.cursor("g")) == ([], Cursor("e", 1))


def test_the_last_of_the_disk_is_left_but_what_is_free_in_the_file_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, chance = tmp_path / "history.db", random.Random(5)
    room = 1 << 20
    monkeypatch.setattr("gateway.history.archive.sqlite.room", lambda _folder, _left: room)

    def write(seq: int) -> None:
        noise = {f"p.{n}": chance.random() for n in range(500)}
        history.write([record(seq, noise, at=seq * SECOND)], Cursor("e", seq))

    with closing(EmbeddedHistory(path, left_bytes=1)) as history:
        for seq in range(1, 6):
            write(seq)
        room = -5
        kept = 5
        with pytest.raises(HistoryUnavailableError, match="full"):
            while True:
                write(kept + 1)
                kept += 1
        assert history.cursor("g") == Cursor("e", kept)
        history.delete_before(kept * SECOND)
        write(kept + 1)
        found = history.range("p.0", 0, 99 * SECOND, 99).time
        assert found.tolist() == [kept * SECOND, (kept + 1) * SECOND]


def test_rows_and_cursor_are_one_transaction(
    history: EmbeddedHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    with monkeypatch.context() as patch:
        patch.setattr("gateway.history.embedded._STORE_GAP", "INSERT INTO absent VALUES (?,?,?,?)")
        gap = Gap(point="p.newer", start=1, end=2, reason="lost")
        with pytest.raises(HistoryUnavailableError, match="no such table"):
            history.write([record(2, {"p.new": 2}, at=2)], Cursor("e", 2), [gap])
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


OLD = [
    (
        f"p.k{n % 3}",
        NOW + n * SECOND,
        None if n % 50 == 7 else n / 4,
        "open" if n % 9 == 0 else None,
        n % 2,
    )
    for n in range(20_000)
]


def test_a_file_of_version_1_is_converted_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    history_file.write_version_1(str(path), OLD)
    beside = EmbeddedHistory(path, read_only=True)
    with pytest.raises(HistoryUnavailableError, match="version 1: the gateway converts it"):
        beside.latest(["p.k0"])
    history = EmbeddedHistory(path)
    assert history.cursor("g") == Cursor("e", 7)  # a gateway asks before it writes
    assert all_rows(path) == sorted(
        (point, time, value, quality) for point, time, value, _, quality in OLD
    )
    assert history.latest(["p.k0"])["p.k0"].text == "open"
    found = beside.at(["p.k0"], NOW + 18 * SECOND)["p.k0"]
    assert (found.value, found.text, found.source_time) == (18 / 4, "open", NOW + 18 * SECOND - 5)
    history.write([record(8, {"p.k0": 1.0}, at=NOW + DAY)], Cursor("e", 8))
    assert len(history.range("p.k0", 0, 1 << 60, 1 << 30).time) == 6668
    assert beside.latest(["p.k0"])["p.k0"].value == 1.0
    beside.close()
    history.close()


def test_a_conversion_that_is_killed_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.db"
    history_file.write_version_1(str(path), OLD)
    made: list[int] = []
    insert = sealing.insert_chunks

    def dies(connection: sqlite3.Connection, rows: Rows) -> None:
        made.append(len(rows))
        if len(made) == 2:
            raise sqlite3.OperationalError("killed")
        insert(connection, rows)

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "insert_chunks", dies)
        with pytest.raises(HistoryUnavailableError, match="killed"):
            EmbeddedHistory(path).cursor("g")
    history = EmbeddedHistory(path)
    assert len(history.range("p.k0", 0, 1 << 60, 1 << 30).time) == 6667
    history.close()
    assert len(all_rows(path)) == len(OLD)


def test_whatever_is_on_disk_at_any_moment_is_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and its log, copied at every statement of writing, sealing, filing and deleting,
    as a kill would leave them: all readings up to the cursor are there, each once."""
    monkeypatch.setattr(sealing, "SEAL_ROWS", 40)
    monkeypatch.setattr(sealing, "SEAL_ROWS_A_POINT", 1)
    monkeypatch.setattr(sealing, "FILE_ROWS_A_POINT", 60)
    folder, copies = tmp_path / "first", tmp_path / "copy"
    folder.mkdir()
    history = EmbeddedHistory(folder / "history.db")
    seen: set[int] = set()
    rng = random.Random(5)

    def look(_statement: str) -> None:
        if rng.random() < 0.7:
            return
        shutil.rmtree(copies, ignore_errors=True)
        shutil.copytree(folder, copies)
        (copies / "history.db-shm").unlink(missing_ok=True)
        copied = EmbeddedHistory(copies / "history.db")
        cursor = copied.cursor("g")
        last = 0 if cursor is None else cursor.seq
        for point in ("p.a", "p.b"):
            found = copied.range(point, 0, 1 << 60, 1 << 30)
            assert found.value.tolist() == list(range(1, last + 1))
            assert copied.latest([point])[point].value == last if last else True
        copied.close()
        if last:
            with closing(sqlite3.connect(copies / "history.db")) as file:
                assert len(history_file.readings(file)) == 2 * last
        seen.add(last)

    history.write([record(1, {"p.a": 1, "p.b": 1}, at=NOW)], Cursor("e", 1))
    with history._file.writing() as connection:
        connection.set_trace_callback(look)
    for first in range(2, 200, 9):
        made = [record(n, {"p.a": n, "p.b": n}, at=NOW + n) for n in range(first, first + 9)]
        history.write(made, Cursor("e", first + 8))
    with closing(sqlite3.connect(folder / "history.db")) as file:
        (chunks,) = file.execute("SELECT count(*) FROM chunks").fetchone()
    assert chunks >= 4
    assert len(seen) > 15
    connection.set_trace_callback(None)
    history.close()


def test_nothing_younger_is_deleted_while_it_is_written(
    history: EmbeddedHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gate 28: a thread writes, another deletes all but the newest 100 s."""
    monkeypatch.setattr(sealing, "SEAL_ROWS", 100)
    monkeypatch.setattr(sealing, "FILE_ROWS_A_POINT", 150)
    names = [f"p.k{n}" for n in range(70)]
    written, failures = [0], []

    def write() -> None:
        try:
            for first in range(1, 1500, 10):
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
    removed = 0
    while thread.is_alive():
        now = written[0]
        removed += history.delete_before(NOW + (now - 100) * SECOND)
        for name in (names[0], names[-1]):
            times = history.range(name, 0, 1 << 60, 1 << 30).time.tolist()
            have = {(time - NOW) // SECOND for time in times}
            assert have.issuperset(range(max(1, now - 100), now + 1))
            assert min(have, default=1 << 30) >= now - 100
    thread.join()
    assert failures == []
    removed += history.delete_before(NOW + 1400 * SECOND)
    assert removed == 70 * 1399
    assert history.range(names[5], 0, 1 << 60, 1 << 30).value.tolist() == list(range(1400, 1501))


def test_the_points_of_a_large_site_are_each_kept_under_their_own_number(tmp_path: Path) -> None:
    """They are named all at once, more than one question may hold, beside some that are known."""
    names = [f"p.a{n}" for n in range(1700)]
    for begun in (1, 2):
        with closing(EmbeddedHistory(tmp_path / "history.db")) as history:
            some = dict(zip(names[: 900 * begun], range(1700), strict=False))
            history.write([record(begun, some, at=begun)], Cursor("e", begun))
    with closing(EmbeddedHistory(tmp_path / "history.db")) as history:
        for n in (0, 499, 500, 899, 900, 1699):
            times = [1, 2] if n < 900 else [2]
            assert history.range(names[n], 0, 9, 9).time.tolist() == times
            assert history.range(names[n], 0, 9, 9).value.tolist() == [n] * len(times)

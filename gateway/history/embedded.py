"""The history in one SQLite file: a row a reading, keyed by point and receive time.

One connection writes (in the gateway); each thread that reads borrows a read-only connection, so
readers, in this process or another, neither wait for the writer nor stop it (WAL). A commit is
durable when ``write`` returns (``synchronous=FULL``), because the spool then forgets the rows.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np

from gateway.history.base import Buckets, Cursor, HistoryUnavailableError, Series
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.quality import Quality
from gateway.model.reading import Reading

_VERSION = 1
_SCHEMA = """
CREATE TABLE points (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE readings (
  point INTEGER NOT NULL REFERENCES points (id),
  time INTEGER NOT NULL,
  value REAL,
  text TEXT,
  quality INTEGER NOT NULL,
  source_time INTEGER NOT NULL,
  PRIMARY KEY (point, time)
) WITHOUT ROWID;
CREATE TABLE cursors (
  gateway TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
"""
_STORE = """
INSERT OR REPLACE INTO readings (point, time, value, text, quality, source_time)
VALUES (?, ?, ?, ?, ?, ?)
"""
_RANGE = """
SELECT time, value, quality, source_time FROM readings
WHERE point = ? AND time >= ? AND time < ? ORDER BY time LIMIT ?
"""
_BUCKET = """
SELECT min(value), avg(value), max(value), count(value), max(quality) FROM readings
WHERE point = ? AND time >= ? AND time < ?
"""
_LAST_VALUE = """
SELECT value FROM readings
WHERE point = ? AND time >= ? AND time < ? AND value IS NOT NULL ORDER BY time DESC LIMIT 1
"""
_LATEST = """
SELECT time, value, text, quality, source_time FROM readings
WHERE point = ? ORDER BY time DESC LIMIT 1
"""
_KEY = itemgetter(0, 1)
_BUSY_MS = 5_000

Row = tuple[int, int, float | None, str | None, int, int]


class EmbeddedHistory:
    """``read_only``: for a process beside the gateway; the file need not exist yet."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._ids: dict[str, int] = {}

    def write(self, records: Sequence[Record], cursor: Cursor) -> None:
        gateway = records[0].envelope.gateway
        with self._write_transaction() as connection:
            stored = _cursor(connection, gateway)
            if stored is not None and stored.epoch == cursor.epoch and stored.seq >= cursor.seq:
                return
            fresh = [record for record in records if not _passed(record, stored)]
            points = {name for record in fresh for name in _points(record)}
            ids = self._ids_for_writing(connection, points)
            connection.executemany(_STORE, sorted(_rows(fresh, ids), key=_KEY))
            connection.execute(
                "INSERT OR REPLACE INTO cursors (gateway, epoch, seq) VALUES (?, ?, ?)",
                (gateway, cursor.epoch, cursor.seq),
            )
        # Only now: the ids of a transaction that was rolled back mean nothing.
        self._ids.update(ids)

    def cursor(self, gateway: str) -> Cursor | None:
        with self._read_transaction() as connection:
            return _cursor(connection, gateway) if connection is not None else None

    def range(self, point: str, start: int, end: int, limit: int) -> Series:
        with self._read_transaction() as connection:
            number = _point_id(connection, point)
            rows: list[Any] = []
            if connection is not None and number is not None:
                rows = connection.execute(_RANGE, (number, start, end, limit)).fetchall()
        time, value, quality, source = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Series(
            time=np.array(time, dtype=np.int64),
            value=np.array(value, dtype=np.float64),
            quality=np.array(quality, dtype=np.uint8),
            source_time=np.array(source, dtype=np.int64),
        )

    def buckets(self, point: str, start: int, end: int, count: int) -> Buckets:
        if end <= start or count < 1:
            raise ValueError(f"{count} buckets from {start} to {end}")
        # Python's integers: no product overflows, and the parts tile the stretch exactly.
        edges = [start + -(-part * (end - start) // count) for part in range(count + 1)]
        low, mean, high, last = (np.full(count, math.nan) for _ in range(4))
        filled = np.zeros(count, dtype=np.int64)
        quality = np.full(count, Quality.BAD, dtype=np.uint8)
        with self._read_transaction() as connection:
            number = _point_id(connection, point)
            if connection is not None and number is not None:
                # A range scan a part, each of them a seek and a walk along the key, is faster
                # than one GROUP BY, which sorts all rows first.
                for part in range(count):
                    place = (number, edges[part], edges[part + 1])
                    *values, rows, worst = connection.execute(_BUCKET, place).fetchone()
                    if worst is not None:
                        quality[part] = worst
                    if rows:
                        filled[part] = rows
                        low[part], mean[part], high[part] = values
                        last[part] = connection.execute(_LAST_VALUE, place).fetchone()[0]
        return Buckets(
            start=np.array(edges[:-1], dtype=np.int64),
            min=low,
            mean=mean,
            max=high,
            last=last,
            count=filled,
            quality=quality,
        )

    def latest(self, points: Collection[str]) -> Mapping[str, Reading]:
        newest: dict[str, Reading] = {}
        with self._read_transaction() as connection:
            for point in points:
                number = _point_id(connection, point)
                if connection is None or number is None:
                    continue
                row = connection.execute(_LATEST, (number,)).fetchone()
                if row is not None:
                    time, value, text, quality, source = row
                    newest[point] = Reading(
                        value=value,
                        text=text,
                        quality=Quality(quality),
                        reason=None,
                        received=time,
                        source_time=source,
                    )
        return newest

    def delete_before(self, wall: int) -> int:
        removed = 0
        with self._write_transaction() as connection:
            numbers = [number for (number,) in connection.execute("SELECT id FROM points")]
        for number in numbers:
            # A transaction a point, so that a write waits for one of them at most.
            with self._write_transaction() as connection:
                removed += connection.execute(
                    "DELETE FROM readings WHERE point = ? AND time < ?", (number, wall)
                ).rowcount
        return removed

    def close(self) -> None:
        # The writer last: only the last connection, and only if it may write, clears the log.
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _ids_for_writing(
        self, connection: sqlite3.Connection, points: Iterable[str]
    ) -> dict[str, int]:
        ids = dict(self._ids)
        for name in points:
            if name not in ids:
                connection.execute("INSERT OR IGNORE INTO points (name) VALUES (?)", (name,))
                found = connection.execute("SELECT id FROM points WHERE name = ?", (name,))
                ids[name] = found.fetchone()[0]
        return ids

    @contextmanager
    def _write_transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, _named_errors(self._path):
            if self._writer is None:
                self._writer = self._open_for_writing()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _read_transaction(self) -> Iterator[sqlite3.Connection | None]:
        """A connection inside a read transaction: one state of the file for all its queries.
        None while there is no file yet."""
        with _named_errors(self._path):
            connection = self._borrow()
            if connection is None:
                yield None
                return
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            self._readers.put(connection)

    def _borrow(self) -> sqlite3.Connection | None:
        try:
            return self._readers.get_nowait()
        except Empty:
            return self._open_for_reading()

    def _open_for_writing(self) -> sqlite3.Connection:
        if self._read_only:
            raise HistoryUnavailableError(f"{self._path} was opened to be read only")
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise HistoryUnavailableError(
                    f"{self._path} is of version {version}, this program knows {_VERSION}"
                )
            if version == 0:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_for_reading(self) -> sqlite3.Connection | None:
        if not self._path.exists():
            return None
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_MS / 1000,
        )
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            # Between the making of the file and of its tables.
            connection.close()
            return None
        return connection


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HistoryUnavailableError(f"{path}: {error}") from error


def _cursor(connection: sqlite3.Connection, gateway: str) -> Cursor | None:
    row = connection.execute(
        "SELECT epoch, seq FROM cursors WHERE gateway = ?", (gateway,)
    ).fetchone()
    return Cursor(*row) if row is not None else None


def _point_id(connection: sqlite3.Connection | None, point: str) -> int | None:
    if connection is None:
        return None
    row = connection.execute("SELECT id FROM points WHERE name = ?", (point,)).fetchone()
    return int(row[0]) if row is not None else None


def _passed(record: Record, stored: Cursor | None) -> bool:
    envelope = record.envelope
    return stored is not None and stored.epoch == envelope.epoch and envelope.seq <= stored.seq


def _points(record: Record) -> tuple[str, ...]:
    return record.body.points if isinstance(record.body, Frame) else ()


def _rows(records: Iterable[Record], ids: Mapping[str, int]) -> Iterator[Row]:
    """A row a reading; in frames that share a point and a time the later one wins."""
    for record in records:
        frame, time = record.body, record.envelope.at.wall
        if not isinstance(frame, Frame):
            continue
        columns = zip(
            frame.points,
            frame.value.tolist(),
            frame.quality.tolist(),
            frame.source_time.tolist(),
            strict=True,
        )
        for row, (point, value, quality, source_time) in enumerate(columns):
            kept = None if math.isnan(value) else value
            yield ids[point], time, kept, frame.text.get(row), quality, source_time

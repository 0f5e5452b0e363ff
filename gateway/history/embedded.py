"""The history in one SQLite file: what is new as it came, what is older in compressed chunks.

A commit is durable when ``write`` returns, readers in this and other processes see one state of
the file at a time. How readings are laid down: :mod:`gateway.history.archive`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import reading, rollups, sealing, trimming
from gateway.history.archive import rows as columns_of
from gateway.history.archive.newest import Newest
from gateway.history.archive.rows import Rows
from gateway.history.archive.sqlite import HistoryFile
from gateway.history.base import Buckets, Cursor, Gap, Series
from gateway.history.parking import Parking
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY
from gateway.model.reading import Reading

_STORE_GAP = """
INSERT INTO gaps (point, start, "end", reason) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET "end" = excluded."end", reason = excluded.reason
"""
_FILED_FOR_WRITTEN = 4
"""Readings that are filed for each that is written, at most; a block at least."""
_SHAPES = 4096
"""Lists of points whose numbers are remembered."""
_ASKED_AT_ONCE = 500
"""Names in one question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Longer:
    """µs for which roll-ups stay when the readings they are of are deleted."""

    minutes: int = 60 * DAY
    hours: int = 1800 * DAY


class EmbeddedHistory:
    """``read_only``: for a process beside the gateway; the file need not exist yet.
    ``left_bytes``: of the disk that new readings leave free for others."""

    parking: Parking | None = None

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        longer: Longer | None = None,
        left_bytes: int = 0,
    ) -> None:
        self._file = HistoryFile(path, read_only=read_only, left_bytes=left_bytes)
        self._longer = longer or Longer()
        self._names = threading.Lock()
        self._numbers: dict[str, int] = {}
        """Of points, as far as they are committed."""
        self._columns: dict[tuple[str, ...], NDArray[np.int64]] = {}
        """Numbers of the points of a frame."""
        self._due: list[sealing.Due] | None = None
        """What is still to be done with the sheets; None: not known."""
        self._latest = threading.Lock()
        self._newest = Newest()

    # -- writing ------------------------------------------------------------------------------

    def write(self, records: Sequence[Record], cursor: Cursor, gaps: Sequence[Gap] = ()) -> None:
        gateway = records[0].envelope.gateway
        columns = self._columns if len(self._columns) < _SHAPES else {}
        # Until it is committed: the numbers of a transaction that was rolled back mean nothing.
        self._columns = {}
        with self._file.writing(sparing=True) as connection:
            stored = _cursor(connection, gateway)
            if stored is not None and stored.epoch == cursor.epoch and stored.seq >= cursor.seq:
                return
            fresh = [record for record in records if not _passed(record, stored)]
            shapes = {points for record in fresh if (points := _points(record)) not in columns}
            named = {gap.point for gap in gaps}.union(*shapes)
            numbers = _number(connection, named, self._numbers)
            for points in shapes:
                columns[points] = np.array([numbers[name] for name in points], dtype=np.int64)
            rows = columns_of.of_records(fresh, columns)
            if len(rows):
                _append(connection, rows)
            connection.executemany(
                _STORE_GAP,
                [(numbers[gap.point], gap.start, gap.end, gap.reason) for gap in gaps],
            )
            connection.execute(
                "INSERT OR REPLACE INTO cursors (gateway, epoch, seq) VALUES (?, ?, ?)",
                (gateway, cursor.epoch, cursor.seq),
            )
        self._numbers, self._columns = numbers, columns
        self._tidy(len(rows))

    def _tidy(self, written: int) -> None:
        """Seal the log if it is full, and file a part of what is due."""
        if self._due == [] and not self._is_log_full():
            return
        with self._file.writing() as connection:
            points = len(self._numbers)
            if sealing.is_log_full(connection, points):
                sealing.seal(connection)
                self._due = None
            due = sealing.due(connection, points) if self._due is None else self._due
            filed = 0
            while due and filed <= _FILED_FOR_WRITTEN * written:
                filed += due[0].work(connection, due[0].block)
                due = due[1:]
            # Inside, because whoever deletes files too, and then nobody knows what is due.
            self._due = due

    def _is_log_full(self) -> bool:
        with self._file.reading() as connection:
            return connection is not None and sealing.is_log_full(connection, len(self._numbers))

    def settle(self) -> None:
        """Seal and file all there is, whatever its length: for figures and tests."""
        with self._file.writing() as connection:
            sealing.seal(connection)
            for (block,) in connection.execute("SELECT DISTINCT block FROM sheets").fetchall():
                sealing.file(connection, block)
            self._due = None

    def delete_before(self, wall: int) -> int:
        walls = (wall, wall - self._longer.minutes, wall - self._longer.hours)
        with self._file.writing() as connection:
            trimming.prepare(connection, wall)
            self._due = None
            blocks = trimming.blocks(connection)
        removed = 0
        for block in blocks:
            # A transaction a block, so that a write waits for one of them at most.
            with self._file.writing() as connection:
                removed += trimming.delete(connection, block, walls)
        with self._file.writing() as connection:
            removed += trimming.hide(connection, wall)
            connection.execute('DELETE FROM gaps WHERE "end" < ?', (walls[-1],))
        return removed

    # -- reading ------------------------------------------------------------------------------

    def cursor(self, gateway: str) -> Cursor | None:
        with self._file.reading() as connection:
            return _cursor(connection, gateway) if connection is not None else None

    def range(self, point: str, start: int, end: int, limit: int) -> Series:
        with self._file.reading() as connection:
            rows = columns_of.empty()
            number = self._known(connection, (point,)).get(point)
            if connection is not None and number is not None:
                rows = reading.readings(connection, number, start, end, limit)
        return Series(
            time=rows.time, value=rows.value, quality=rows.quality, source_time=rows.source
        )

    def buckets(self, point: str, start: int, end: int, count: int) -> Buckets:
        """Parts of ten minutes and more are made of roll-ups: their edges, but the first and the
        last, lie at whole minutes, those of parts of 30 hours and more at whole hours."""
        if end <= start or count < 1:
            raise ValueError(f"{count} buckets from {start} to {end}")
        with self._file.reading() as connection:
            number = self._known(connection, (point,)).get(point)
            if connection is not None and number is not None:
                return reading.buckets(connection, number, start, end, count)
        return rollups.buckets(reading.edges_of(start, end, count)[0], rollups.joined(()))

    def latest(self, points: Collection[str]) -> Mapping[str, Reading]:
        with self._file.reading() as connection:
            if connection is None:
                return {}
            with self._latest:
                self._newest = self._newest.follow(connection)
                return self._newest.readings(self._known(connection, points), points)

    def at(self, points: Collection[str], wall: int) -> Mapping[str, Reading]:
        with self._file.reading() as connection:
            if connection is None:
                return {}
            numbers = self._known(connection, points)
            asked = {name: numbers[name] for name in points if name in numbers}
            return reading.newest_at(connection, asked, wall)

    def gaps(self, points: Collection[str], start: int, end: int) -> Sequence[Gap]:
        found: list[Gap] = []
        with self._file.reading() as connection:
            if connection is None:
                return found
            numbers = self._known(connection, points)
            for name in points:
                found += [
                    Gap(point=name, start=first, end=last, reason=reason)
                    for first, last, reason in connection.execute(
                        'SELECT start, "end", reason FROM gaps WHERE point = ? AND start < ? '
                        'AND ("end" IS NULL OR "end" > ?) ORDER BY start',
                        (numbers.get(name), end, start),
                    )
                ]
        return found

    def close(self) -> None:
        self._file.close()

    def _known(
        self, connection: sqlite3.Connection | None, names: Collection[str]
    ) -> Mapping[str, int]:
        """The numbers of names, of these at least as far as they have one."""
        numbers = self._numbers
        if connection is not None and any(name not in numbers for name in names):
            with self._names:
                (count,) = connection.execute("SELECT count(*) FROM points").fetchone()
                if count > len(self._numbers):
                    self._numbers = dict(connection.execute("SELECT name, id FROM points"))
                numbers = self._numbers
        return numbers


def _append(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.execute(
        'INSERT INTO log (start, "end", rows, body) VALUES (?, ?, ?, ?)',
        (int(rows.time.min()), int(rows.time.max()), len(rows), columns_of.pack(rows, 0)),
    )


def _number(
    connection: sqlite3.Connection, names: Iterable[str], known: dict[str, int]
) -> dict[str, int]:
    """The numbers of ``names`` and of all that are known; new names get one."""
    # Sorted: points of one piece of equipment are neighbours, and those of a frame mostly are.
    new = sorted(name for name in names if name not in known)
    if not new:
        return known
    # All at once: at the first start of a large site they are tens of thousands.
    rows = [(name,) for name in new]
    connection.executemany("INSERT OR IGNORE INTO points (name) VALUES (?)", rows)
    numbers = dict(known)
    for begin in range(0, len(new), _ASKED_AT_ONCE):
        part = new[begin : begin + _ASKED_AT_ONCE]
        places = ",".join("?" * len(part))
        asked = f"SELECT name, id FROM points WHERE name IN ({places})"  # noqa: S608
        numbers.update(connection.execute(asked, part))
    return numbers


def _cursor(connection: sqlite3.Connection, gateway: str) -> Cursor | None:
    row = connection.execute(
        "SELECT epoch, seq FROM cursors WHERE gateway = ?", (gateway,)
    ).fetchone()
    return Cursor(*row) if row is not None else None


def _passed(record: Record, stored: Cursor | None) -> bool:
    envelope = record.envelope
    return stored is not None and stored.epoch == envelope.epoch and envelope.seq <= stored.seq


def _points(record: Record) -> tuple[str, ...]:
    return record.body.points if isinstance(record.body, Frame) else ()

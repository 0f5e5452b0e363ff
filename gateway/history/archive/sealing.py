"""Log → sheets → chunks; each step in a transaction of the caller's, so that whoever reads, and
whoever comes after a crash, finds every reading in one form and not in two.

Costs are spread: a seal sorts a stretch of the log, as wide as memory allows; a block is filed
when it has some thousand readings a point, and only so many blocks at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import columns, rollups
from gateway.history.archive import rows as columns_of
from gateway.history.archive.newest import Newest
from gateway.history.archive.rollups import Level
from gateway.history.archive.rows import Rows
from gateway.history.archive.schema import BLOCK
from gateway.model.moment import HOUR

SEAL_ROWS, SEAL_ROWS_A_POINT = 256 * 1024, 24
SEAL_BATCHES = 128
"""Each costs a reader some 20 µs."""
SEAL_SPAN = HOUR
FILE_ROWS_A_POINT = 4096
FILE_SPAN = 12 * HOUR
_LONGEST_CHUNK = 2 * FILE_ROWS_A_POINT
_SHEETS = 48
"""Of a block that are not filed: more are made one."""
_SHEET_LEVEL, _CHUNK_LEVEL = 1, 4


class Due(NamedTuple):
    work: Callable[[sqlite3.Connection, int], int]
    """Returns the number of readings."""
    block: int


def is_log_full(connection: sqlite3.Connection, points: int) -> bool:
    """Whether the log of a history of ``points`` points is to be sealed."""
    batches, rows, start, end = connection.execute(
        'SELECT count(*), total(rows), min(start), max("end") FROM log'
    ).fetchone()
    if not batches:
        return False
    full = max(SEAL_ROWS, SEAL_ROWS_A_POINT * points)
    return bool(rows >= full or batches >= SEAL_BATCHES or end - start >= SEAL_SPAN)


def seal(connection: sqlite3.Connection) -> None:
    """The whole log into sheets."""
    parts = connection.execute("SELECT id, body FROM log ORDER BY id").fetchall()
    if not parts:
        return
    rows = columns_of.joined([columns_of.unpack(body) for _, body in parts])
    newest = Newest.load(connection)
    newest.take(rows)
    newest.store(connection)
    rows = rows.sorted()
    block = rows.point // BLOCK
    edges = [*(np.flatnonzero(np.diff(block)) + 1).tolist(), len(rows)]
    begin = 0
    for end in edges if len(rows) else ():
        _insert_sheet(connection, int(block[begin]), rows.part(begin, end))
        begin = end
    connection.execute("DELETE FROM log WHERE id <= ?", (parts[-1][0],))


def _insert_sheet(connection: sqlite3.Connection, block: int, rows: Rows) -> None:
    body = columns_of.pack(rows, _SHEET_LEVEL)
    connection.execute(
        'INSERT INTO sheets (block, start, "end", rows, body) VALUES (?, ?, ?, ?, ?)',
        (block, int(rows.time.min()), int(rows.time.max()), len(rows), body),
    )


def due(connection: sqlite3.Connection, points: int) -> list[Due]:
    """What is to be done with the sheets of a history of ``points`` points."""
    found = []
    for block, sheets, rows, start, end in connection.execute(
        'SELECT block, count(*), sum(rows), min(start), max("end") FROM sheets GROUP BY block'
    ):
        members = min(BLOCK, max(1, points - block * BLOCK))
        if rows >= FILE_ROWS_A_POINT * members or end - start >= FILE_SPAN:
            found.append(Due(file, block))
        elif sheets >= _SHEETS:
            found.append(Due(gather, block))
    return found


def gather(connection: sqlite3.Connection, block: int) -> int:
    """The sheets of ``block`` into one; the number of readings."""
    rows = _take_sheets(connection, block)
    if len(rows):
        _insert_sheet(connection, block, rows)
    return len(rows)


def file(connection: sqlite3.Connection, block: int) -> int:
    """The sheets of ``block`` into chunks; the number of readings."""
    rows = _take_sheets(connection, block)
    if len(rows):
        insert_chunks(connection, rows)
    return len(rows)


def _take_sheets(connection: sqlite3.Connection, block: int) -> Rows:
    found = connection.execute(
        "SELECT id, body FROM sheets WHERE block = ? ORDER BY id", (block,)
    ).fetchall()
    connection.execute(
        "DELETE FROM sheets WHERE block = ? AND id <= ?", (block, found[-1][0] if found else 0)
    )
    return columns_of.joined([columns_of.unpack(body) for _, body in found]).sorted()


def insert_chunks(connection: sqlite3.Connection, rows: Rows) -> None:
    """``rows``, sorted, of points of one block, as chunks and roll-ups."""
    axes: dict[bytes, int] = {}
    lines = {level: _rolled(rows, level) for level in Level}
    runs = rows.runs().tolist()
    for first, behind in pairwise(runs):
        for begin in range(first, behind, _LONGEST_CHUNK):
            end = min(begin + _LONGEST_CHUNK, behind)
            _insert_chunk(connection, rows, (begin, end), axes, lines)


_Rolled = tuple[rollups.Lines, NDArray[np.int64]]


def _rolled(rows: Rows, level: Level) -> _Rolled:
    """Lines of ``level`` of all points, and the row at which each begins; none goes on in
    another chunk."""
    part = rows.time // level.length
    lines = rollups.of_readings(rows.time, rows.value, rows.quality)
    keys = np.zeros(len(rows), dtype=np.int64)
    cuts = (np.diff(rows.point) != 0) | (np.diff(part) != 0)
    runs = rows.runs()
    place = np.arange(len(rows)) - np.repeat(runs[:-1], np.diff(runs))
    cuts |= np.diff(place // _LONGEST_CHUNK) != 0
    keys[1:] = np.cumsum(cuts)
    return rollups.grouped(lines, keys)


def _insert_chunk(
    connection: sqlite3.Connection,
    rows: Rows,
    span: tuple[int, int],
    axes: dict[bytes, int],
    lines: dict[Level, _Rolled],
) -> None:
    begin, end = span
    point = int(rows.point[begin])
    time, value = rows.time[begin:end], rows.value[begin:end]
    start, last = int(time[0]), int(time[-1])
    axis = pack_axis(time, rows.source[begin:end])
    if axis not in axes:
        axes[axis] = _inserted(
            connection.execute(
                'INSERT INTO axes (block, "end", body) VALUES (?, ?, ?)',
                (point // BLOCK, last, axis),
            )
        )
    has = ~np.isnan(value)
    form = columns.scaled(value if has.all() else value[has]) if has.any() else None
    text = rows.part(begin, end).text if rows.text else {}
    body = columns.join(
        (
            columns.pack_values(value, _CHUNK_LEVEL, form),
            columns.pack_ints(rows.quality[begin:end].astype(np.int64), _CHUNK_LEVEL),
            columns.pack_texts(text, end - begin, _CHUNK_LEVEL),
        )
    )
    chunk = _inserted(
        connection.execute(
            'INSERT INTO chunks (point, start, "end", rows, axis, body) VALUES (?, ?, ?, ?, ?, ?)',
            (point, start, last, end - begin, axes[axis], body),
        )
    )
    for level, (rolled, begins) in lines.items():
        places = slice(*np.searchsorted(begins, (begin, end)).tolist())
        packed = rollups.pack(rolled.part(np.arange(places.start, places.stop)), level, form)
        connection.execute(
            'INSERT INTO rollups (chunk, level, point, start, "end", body) '
            "VALUES (?, ?, ?, ?, ?, ?)",
            (chunk, level, point, start, last, packed),
        )


def pack_axis(time: NDArray[np.int64], source: NDArray[np.int64]) -> bytes:
    return columns.join(
        (columns.pack_ints(time, _CHUNK_LEVEL), columns.pack_ints(source - time, _CHUNK_LEVEL))
    )


@columns.damage()
def unpack_axis(body: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Receive and source times."""
    times, sources = (columns.unpack_ints(part) for part in columns.split(body))
    return times, sources + times


@columns.damage()
def unpack_chunk(
    body: bytes, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8], dict[int, str]]:
    """Values, quality and texts."""
    values, quality, texts = columns.split(body)
    return (
        columns.unpack_values(values),
        columns.unpack_ints(quality).astype(np.uint8),
        columns.unpack_texts(texts, rows),
    )


def _inserted(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise sqlite3.DatabaseError("a row was inserted and has no number")
    return cursor.lastrowid

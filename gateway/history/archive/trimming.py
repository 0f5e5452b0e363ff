"""Deleting what is old, in steps that are short enough for a ``write`` to wait for one."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import sealing
from gateway.history.archive.newest import Newest
from gateway.history.archive.rollups import Level
from gateway.history.archive.schema import BLOCK

_FIRST = -(1 << 63)


def prepare(connection: sqlite3.Connection, wall: int) -> None:
    """What is older than ``wall`` is in chunks, and so in roll-ups too."""
    if connection.execute("SELECT 1 FROM log WHERE start < ? LIMIT 1", (wall,)).fetchone():
        sealing.seal(connection)
    blocks = connection.execute("SELECT DISTINCT block FROM sheets WHERE start < ?", (wall,))
    for (block,) in blocks.fetchall():
        sealing.file(connection, block)


def hide(connection: sqlite3.Connection, wall: int) -> int:
    """From here on no chunk of now shows a reading older than ``wall``; the number of readings
    in chunks that go on behind it. To be called when what lies before it is deleted."""
    hidden = 0
    floors = connection.execute("SELECT chunk, wall FROM floors").fetchall()
    times: dict[int, NDArray[np.int64]] = {}
    for (point,) in connection.execute("SELECT id FROM points").fetchall():
        for number, axis in connection.execute(
            'SELECT id, axis FROM chunks WHERE point = ? AND "end" >= ? AND start < ?',
            (point, wall, wall),
        ).fetchall():
            if axis not in times:
                times[axis] = _times(connection, axis)
            was = max((old for newest, old in floors if number <= newest), default=_FIRST)
            before, behind = np.searchsorted(times[axis], (min(was, wall), wall)).tolist()
            hidden += behind - before
    connection.execute("DELETE FROM floors WHERE wall <= ?", (wall,))
    connection.execute(
        "INSERT INTO floors (chunk, wall) SELECT coalesce(max(id), 0), ? FROM chunks WHERE true "
        "ON CONFLICT DO UPDATE SET wall = max(wall, excluded.wall)",
        (wall,),
    )
    newest = Newest.load(connection)
    newest.forget_before(wall)
    newest.store(connection)
    return hidden


def blocks(connection: sqlite3.Connection) -> range:
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM points").fetchone()
    return range(last // BLOCK + 1)


def delete(connection: sqlite3.Connection, block: int, walls: tuple[int, int, int]) -> int:
    """Chunks, minutes and hours of a block that lie before each of ``walls``; the number of
    readings that were not hidden before."""
    chunks, *levels = walls
    removed = 0
    floors = connection.execute("SELECT chunk, wall FROM floors").fetchall()
    for point in range(block * BLOCK, (block + 1) * BLOCK):
        place = (point, chunks)
        for number, rows, axis, start in connection.execute(
            'SELECT id, rows, axis, start FROM chunks WHERE point = ? AND "end" < ?', place
        ).fetchall():
            was = max((old for newest, old in floors if number <= newest), default=_FIRST)
            hidden = np.searchsorted(_times(connection, axis), was) if was > start else 0
            removed += rows - int(hidden)
        connection.execute('DELETE FROM chunks WHERE point = ? AND "end" < ?', place)
        for level, wall in zip(Level, levels, strict=True):
            connection.execute(
                'DELETE FROM rollups WHERE point = ? AND level = ? AND "end" < ?',
                (point, level, wall),
            )
    connection.execute('DELETE FROM axes WHERE block = ? AND "end" < ?', (block, chunks))
    return removed


def _times(connection: sqlite3.Connection, axis: int) -> NDArray[np.int64]:
    (body,) = connection.execute("SELECT body FROM axes WHERE id = ?", (axis,)).fetchone()
    return sealing.unpack_axis(body)[0]

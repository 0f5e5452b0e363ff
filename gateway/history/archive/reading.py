"""Asking the file: what one point said, in a stretch of time, in parts of it, at a moment."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import rollups, sealing
from gateway.history.archive import rows as columns_of
from gateway.history.archive.newest import Newest
from gateway.history.archive.rollups import Level, Lines
from gateway.history.archive.rows import Rows
from gateway.history.archive.schema import BLOCK
from gateway.history.base import Buckets
from gateway.model.moment import HOUR, MINUTE
from gateway.model.quality import Quality
from gateway.model.reading import Reading

_FINE = 10 * MINUTE
"""µs: parts of a chart that are shorter are made of readings, longer ones of minutes."""
_COARSE = 30 * HOUR
"""Parts that are longer are made of hours."""
_FIRST = -(1 << 63)
_ALWAYS = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A chunk, or (``id`` None) all that is in sheets and log."""

    id: int | None
    start: int
    end: int
    floor: int = _FIRST
    """What is older was deleted."""
    recent: Rows | None = None


def clusters(
    connection: sqlite3.Connection, point: int, start: int, end: int
) -> Iterator[list[Chunk]]:
    """Chunks with readings in start ≤ time < end, by time; those that overlap each other, as
    after a clock was set back, together, each list in the order of their writing."""
    chunks = [*_chunks(connection, point, start, end)]
    recent = _recent(connection, point, start, end)
    if len(recent):
        chunks.append(
            Chunk(id=None, start=int(recent.time[0]), end=int(recent.time[-1]), recent=recent)
        )
    chunks.sort(key=lambda chunk: chunk.start)
    cluster: list[Chunk] = []
    reach = _FIRST
    for chunk in chunks:
        if cluster and chunk.start > reach:
            yield _in_order(cluster)
            cluster = []
        cluster.append(chunk)
        reach = max(reach, chunk.end)
    if cluster:
        yield _in_order(cluster)


def _in_order(cluster: list[Chunk]) -> list[Chunk]:
    return sorted(cluster, key=lambda chunk: _ALWAYS if chunk.id is None else chunk.id)


def _chunks(connection: sqlite3.Connection, point: int, start: int, end: int) -> Iterator[Chunk]:
    floors = connection.execute("SELECT chunk, wall FROM floors").fetchall()
    for number, begin, last in connection.execute(
        'SELECT id, start, "end" FROM chunks WHERE point = ? AND "end" >= ? AND start < ?',
        (point, start, end),
    ):
        floor = max((wall for newest, wall in floors if number <= newest), default=_FIRST)
        if floor <= last:
            yield Chunk(id=number, start=max(begin, floor), end=last, floor=floor)


def _recent(connection: sqlite3.Connection, point: int, start: int, end: int) -> Rows:
    found = connection.execute(
        'SELECT body FROM sheets WHERE block = ? AND "end" >= ? AND start < ? ORDER BY id',
        (point // BLOCK, start, end),
    ).fetchall()
    found += connection.execute(
        'SELECT body FROM log WHERE "end" >= ? AND start < ? ORDER BY id', (start, end)
    ).fetchall()
    parts = [part for (body,) in found if len(part := columns_of.unpack(body, point))]
    return columns_of.joined(parts).sorted()


def load(connection: sqlite3.Connection, point: int, cluster: Sequence[Chunk]) -> Rows:
    """The readings of ``cluster``, by time."""
    parts = [_loaded(connection, point, chunk) for chunk in cluster]
    return parts[0] if len(parts) == 1 else columns_of.joined(parts).sorted()


def _loaded(connection: sqlite3.Connection, point: int, chunk: Chunk) -> Rows:
    if chunk.recent is not None:
        return chunk.recent
    axis, body = connection.execute(
        "SELECT axes.body, chunks.body FROM chunks JOIN axes ON axes.id = axis WHERE chunks.id = ?",
        (chunk.id,),
    ).fetchone()
    time, source = sealing.unpack_axis(axis)
    value, quality, text = sealing.unpack_chunk(body, len(time))
    rows = Rows(
        point=np.full(len(time), point, dtype=np.int64),
        time=time,
        value=value,
        quality=quality,
        source=source,
        text=text,
    )
    kept = int(np.searchsorted(time, chunk.floor))
    return rows.part(kept, len(rows)) if kept else rows


def readings(connection: sqlite3.Connection, point: int, start: int, end: int, limit: int) -> Rows:
    """The first ``limit`` readings with start ≤ time < end."""
    parts: list[Rows] = []
    missing = limit
    for cluster in clusters(connection, point, start, end):
        if missing <= 0:
            break
        rows = load(connection, point, cluster)
        begin, behind = np.searchsorted(rows.time, (start, end)).tolist()
        parts.append(rows.part(begin, min(behind, begin + missing)))
        missing -= len(parts[-1])
    return columns_of.joined(parts)


def buckets(
    connection: sqlite3.Connection, point: int, start: int, end: int, count: int
) -> Buckets:
    edges, level = edges_of(start, end, count)
    parts: list[Lines] = []
    used: set[int] = set()
    for cluster in clusters(connection, point, start, end):
        numbers = {chunk.id for chunk in cluster if chunk.id is not None}
        first = cluster[0]
        inside = start <= first.start and first.end < end
        if level is not None and len(cluster) == len(numbers) == 1 and inside:
            continue
        used |= numbers
        rows = load(connection, point, cluster)
        begin, behind = np.searchsorted(rows.time, (start, end)).tolist()
        parts.append(
            rollups.of_readings(
                rows.time[begin:behind], rows.value[begin:behind], rows.quality[begin:behind]
            )
        )
    parts += _rolled(connection, point, (start, end), level, used)
    return rollups.buckets(edges, rollups.joined(parts))


def edges_of(start: int, end: int, count: int) -> tuple[NDArray[np.int64], Level | None]:
    """The edges of ``count`` parts, and what the parts are made of; None: of readings. Long
    parts are whole minutes or hours long, but the first and the last."""
    # Python's integers: no product overflows, and the parts tile the stretch exactly.
    edges = [start + -(-part * (end - start) // count) for part in range(count + 1)]
    length = (end - start) // count
    level = None if length < _FINE else Level.MINUTE if length < _COARSE else Level.HOUR
    if level is not None:
        unit = level.length
        edges[1:-1] = [edge // unit * unit for edge in edges[1:-1]]
    return np.array(edges, dtype=np.int64), level


def _rolled(
    connection: sqlite3.Connection,
    point: int,
    span: tuple[int, int],
    level: Level | None,
    used: set[int],
) -> Iterator[Lines]:
    """Roll-ups of what is not in ``used``: of chunks that are there and need not be read, and of
    those that were deleted; minutes go before hours do."""
    start, end = span
    if level is None and not _is_trimmed(connection, start):
        return
    for kind in (Level.MINUTE, Level.HOUR):
        if kind is Level.MINUTE and level is Level.HOUR:
            continue
        found = connection.execute(
            'SELECT chunk, start, "end", body FROM rollups '
            'WHERE point = ? AND level = ? AND "end" >= ? AND start < ?',
            (point, kind, start, end),
        ).fetchall()
        bodies = [body for chunk, _, _, body in found if chunk not in used]
        used = used | {chunk for chunk, _, _, _ in found}
        if bodies:
            lines = rollups.unpack(bodies, kind)
            yield lines.part((lines.time + kind.length > start) & (lines.time < end))


def _is_trimmed(connection: sqlite3.Connection, start: int) -> bool:
    """Whether readings from ``start`` on were deleted."""
    row = connection.execute("SELECT 1 FROM floors WHERE wall > ? LIMIT 1", (start,)).fetchone()
    return row is not None


def newest_at(
    connection: sqlite3.Connection, points: Mapping[str, int], wall: int
) -> dict[str, Reading]:
    """The newest reading of each with time ≤ ``wall``."""
    recent = _recent_at(connection, set(points.values()), wall)
    found = recent.readings(points, points)
    for name, point in points.items():
        begin = found[name].received + 1 if name in found else _FIRST
        older = _newest_in_chunks(connection, point, begin, wall)
        if older is not None:
            found[name] = older
    return found


def _recent_at(connection: sqlite3.Connection, points: set[int], wall: int) -> Newest:
    newest = Newest()
    blocks = {point // BLOCK for point in points}
    for block in sorted(blocks):
        for (body,) in connection.execute(
            "SELECT body FROM sheets WHERE block = ? AND start <= ? ORDER BY id", (block, wall)
        ):
            newest.take(_until(columns_of.unpack(body), wall))
    for (body,) in connection.execute("SELECT body FROM log WHERE start <= ? ORDER BY id", (wall,)):
        newest.take(_until(columns_of.unpack(body), wall))
    return newest


def _until(rows: Rows, wall: int) -> Rows:
    late = rows.time > wall
    return rows.chosen(np.flatnonzero(~late)) if late.any() else rows


def _newest_in_chunks(
    connection: sqlite3.Connection, point: int, begin: int, wall: int
) -> Reading | None:
    """With begin ≤ time ≤ wall."""
    (last,) = connection.execute(
        'SELECT max("end") FROM chunks WHERE point = ? AND "end" <= ?', (point, wall)
    ).fetchone()
    best: Rows | None = None
    # The one that ends last before the moment, and those that the moment lies in.
    reach = max(begin, wall + 1 if last is None else last)
    for chunk in sorted(_chunks(connection, point, reach, wall + 1), key=lambda one: one.id or 0):
        rows = _loaded(connection, point, chunk)
        end = int(np.searchsorted(rows.time, wall, "right"))
        if end and rows.time[end - 1] >= begin:
            best, begin = rows.part(end - 1, end), int(rows.time[end - 1])
    if best is None:
        return None
    value = float(best.value[0])
    return Reading(
        value=None if math.isnan(value) else value,
        text=best.text.get(0),
        quality=Quality(int(best.quality[0])),
        reason=None,
        received=int(best.time[0]),
        source_time=int(best.source[0]),
    )

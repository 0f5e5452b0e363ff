"""What the history leaves out of what rules saw: values that have not moved; pure.

A reading is left out if it is of the same quality as the one of its point that was kept last, has
the same text, differs by no more than the point's ``deadband`` and came less than ``keep_every``
after it. A point without a deadband keeps everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE
from gateway.model.point import Point

KEEP_EVERY = 10 * MINUTE
"""Of a point with a deadband that does not say it."""
_NEVER = np.iinfo(np.int64).min
_SHAPES = 4096


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Places:
    """Of the points of a frame that are thinned: rows here and rows there."""

    mine: NDArray[np.int64]
    theirs: NDArray[np.int64]


class Thinning:
    """Not safe for several threads."""

    def __init__(self, points: Mapping[str, Point]) -> None:
        thinned = [point for point in points.values() if point.deadband is not None]
        self._row = {point.id: row for row, point in enumerate(thinned)}
        self._deadband = np.array([point.deadband for point in thinned], dtype=np.float64)
        every = [point.keep_every or KEEP_EVERY for point in thinned]
        self._every = np.array(every, dtype=np.int64)
        self._value = np.full(len(thinned), np.nan)
        self._quality = np.zeros(len(thinned), dtype=np.uint8)
        self._wall = np.full(len(thinned), _NEVER, dtype=np.int64)
        self._text: dict[int, str] = {}
        self._places_of: dict[tuple[str, ...], _Places] = {}

    def thin(self, record: Record) -> Record:
        """``record`` without what is left out; the same object if that is nothing."""
        frame = record.body
        if not self._row or not isinstance(frame, Frame):
            return record
        places = self._places(frame.points)
        if not len(places.mine):
            return record
        kept = self._kept(frame, places, record.envelope.at.wall)
        if kept.all():
            return record
        rows = np.ones(len(frame.points), dtype=np.bool_)
        rows[places.theirs] = kept
        return replace(record, body=_part(frame, np.flatnonzero(rows)))

    def _kept(self, frame: Frame, places: _Places, wall: int) -> NDArray[np.bool_]:
        mine, theirs = places.mine, places.theirs
        value, quality = frame.value[theirs], frame.quality[theirs]
        last = self._value[mine]
        with np.errstate(invalid="ignore"):
            moved = ~(np.abs(value - last) <= self._deadband[mine])
        moved &= ~(np.isnan(value) & np.isnan(last))
        since = wall - np.maximum(self._wall[mine], -(1 << 61))
        # Before what was kept: a clock was set back, and what is kept is found by its time.
        kept: NDArray[np.bool_] = moved | (quality != self._quality[mine])
        kept |= (since >= self._every[mine]) | (since < 0)
        if frame.text or self._text:
            for place, (row, there) in enumerate(zip(mine.tolist(), theirs.tolist(), strict=True)):
                kept[place] |= frame.text.get(there) != self._text.get(row)
        rows = mine[kept]
        self._value[rows], self._quality[rows] = value[kept], quality[kept]
        self._wall[rows] = wall
        if frame.text or self._text:
            for row, there in zip(rows.tolist(), theirs[kept].tolist(), strict=True):
                self._text.pop(row, None)
                if there in frame.text:
                    self._text[row] = frame.text[there]
        return kept

    def _places(self, points: tuple[str, ...]) -> _Places:
        places = self._places_of.get(points)
        if places is None:
            if len(self._places_of) >= _SHAPES:
                self._places_of.clear()
            pairs = [(self._row[p], there) for there, p in enumerate(points) if p in self._row]
            table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            places = self._places_of[points] = _Places(mine=table[:, 0], theirs=table[:, 1])
        return places


def _part(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    """The rows of ``frame`` that are named."""
    chosen = rows.tolist()
    text, reason = (
        {new: said[old] for new, old in enumerate(chosen) if old in said} if said else {}
        for said in (frame.text, frame.reason)
    )
    return Frame(
        points=tuple(frame.points[row] for row in chosen),
        value=frame.value[rows],
        quality=frame.quality[rows],
        source_time=frame.source_time[rows],
        text=text,
        reason=reason,
    )

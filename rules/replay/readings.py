"""The readings of the history that can change what a rule says, and when to look.

The history has left out what did not move, so the last reading of a point goes on until the next
one, or until the beginning of a gap; how it is stored is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.history.base import Gap, History, Series
from gateway.model.point import Point
from gateway.model.quality import Quality
from rules.replay.watched import Watched, beat

_AT_ONCE = 500_000
"""Readings of one point that are in memory."""
_POINTS_AT_ONCE = 50

Times = NDArray[np.int64]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, kw_only=True, slots=True)
class Readings:
    """Sorted by time; ``column`` is the place of the point in ``points``."""

    points: tuple[str, ...]
    time: Times
    column: NDArray[np.intp]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    moments: Times
    """When something can come of it: those times, those after a delay, and a steady beat."""
    read: int
    """How many the history gave."""


@dataclass(frozen=True, slots=True)
class _Kept:
    time: Times
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


def read(
    history: History,
    watched: Sequence[Watched],
    installed: Mapping[str, Point],
    *,
    start: int,
    end: int,
    told: Callable[[float], None],
) -> Readings:
    """Everything from ``start`` to ``end`` (µs UTC); ``told`` hears how much of it is done, and
    may raise to end it."""
    kept: list[_Kept] = []
    moments: list[Times] = [np.arange(start, end, beat(start, end), dtype=np.int64)]
    count = 0
    for first in range(0, len(watched), _POINTS_AT_ONCE):
        part = watched[first : first + _POINTS_AT_ONCE]
        names = [one.point for one in part]
        before = history.at(names, start)
        gaps = history.gaps(names, start, end)
        for at, one in enumerate(part, first):
            found = before.get(one.point)
            line = _Line(one, installed[one.point], beat(start, end))
            if found is not None:
                line.begin(start, found.value, found.quality)
            mine = [gap for gap in gaps if gap.point == one.point]
            share = partial(_share, told, at, len(watched))
            count += line.take(history, mine, start, end, share)
            made = line.kept()
            kept.append(made)
            moments += [made.time, *(made.time + delay for delay in one.delays if delay)]
    time = _joined([one.time for one in kept], np.int64)
    order = np.argsort(time, kind="stable")
    column = np.repeat(np.arange(len(kept)), [len(one.time) for one in kept])
    looked = np.unique(np.concatenate(moments))
    return Readings(
        points=tuple(one.point for one in watched),
        time=time[order],
        column=column[order],
        value=_joined([one.value for one in kept], np.float64)[order],
        quality=_joined([one.quality for one in kept], np.uint8)[order],
        moments=looked[looked < end],
        read=count,
    )


def _share(told: Callable[[float], None], done: int, of: int, part: float) -> None:
    told((done + part) / of)


def _joined(parts: Sequence[NDArray[_T]], kind: type[_T]) -> NDArray[_T]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


class _Line:
    """One point: what of its readings is kept."""

    def __init__(self, watched: Watched, point: Point, cell: int) -> None:
        self._watched = watched
        self._point = point
        self._cell = cell
        self._thresholds = np.array(sorted(watched.thresholds), float)
        self._parts: list[_Kept] = []
        self._last: tuple[int, float] | None = None
        """What the reading before said: its side of every threshold, and its value."""

    def begin(self, at: int, value: float | None, quality: Quality) -> None:
        """What was known when it began."""
        known = np.nan if value is None else value
        self._keep(np.array([at]), np.array([known]), np.array([quality], np.uint8))

    def take(
        self,
        history: History,
        gaps: Sequence[Gap],
        start: int,
        end: int,
        told: Callable[[float], None],
    ) -> int:
        """The readings in pieces; how many there were. ``told`` hears after each, for one point
        that moved all the time may take longer than a job may be silent."""
        count, begin = 0, start
        while begin < end:
            series = history.range(self._point.id, begin, end, _AT_ONCE)
            count += len(series.time)
            is_last = len(series.time) < _AT_ONCE
            behind = end if is_last else int(series.time[-1]) + 1
            here = [gap for gap in gaps if begin <= self._silent_from(gap) < behind]
            self._keep(*self._with_gaps(series, here))
            begin = behind
            told((begin - start) / (end - start))
        return count

    def kept(self) -> _Kept:
        parts = self._parts
        return _Kept(
            np.concatenate([p.time for p in parts] or [np.empty(0, np.int64)]),
            np.concatenate([p.value for p in parts] or [np.empty(0)]),
            np.concatenate([p.quality for p in parts] or [np.empty(0, np.uint8)]),
        )

    def _silent_from(self, gap: Gap) -> int:
        return gap.start + self._point.stale_after

    def _with_gaps(
        self, series: Series, gaps: Sequence[Gap]
    ) -> tuple[Times, NDArray[np.float64], NDArray[np.uint8]]:
        """The readings, and a stale one where a gap begins to count."""
        silent = [
            self._silent_from(gap)
            for gap in gaps
            if gap.end is None or self._silent_from(gap) < gap.end
        ]
        if not silent:
            return series.time, series.value, series.quality
        time = np.concatenate([series.time, np.array(silent, np.int64)])
        order = np.argsort(time, kind="stable")
        value = np.concatenate([series.value, np.full(len(silent), np.nan)])
        stale = np.full(len(silent), Quality.STALE, np.uint8)
        return time[order], value[order], np.concatenate([series.quality, stale])[order]

    def _keep(self, time: Times, value: NDArray[np.float64], quality: NDArray[np.uint8]) -> None:
        """Of these readings those that say something else than the one before."""
        if not len(time):
            return
        known = np.where(quality < Quality.STALE, value, np.nan)
        side = self._side(known, quality)
        before_side = np.concatenate([[-1 if self._last is None else self._last[0]], side[:-1]])
        wanted = side != before_side
        if self._watched.every_change:
            last = np.nan if self._last is None else self._last[1]
            before = np.concatenate([[last], known[:-1]])
            wanted |= (known != before) & ~np.isnan(known)
        if self._watched.is_sampled:
            cell = time // self._cell
            wanted |= np.concatenate([cell[1:] != cell[:-1], [True]])
        self._last = int(side[-1]), float(known[-1])
        self._parts.append(_Kept(time[wanted], known[wanted], quality[wanted]))

    def _side(self, known: NDArray[np.float64], quality: NDArray[np.uint8]) -> Times:
        """A number that is equal for readings that no comparison tells apart."""
        below = np.searchsorted(self._thresholds, known, "left")
        upto = np.searchsorted(self._thresholds, known, "right")
        side = (below + upto) * 8 + np.where(quality < Quality.STALE, quality, 0)
        return np.where(np.isnan(known), -2 - quality.astype(np.int64), side)

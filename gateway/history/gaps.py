"""From when to when there was no data of a point, and why; pure.

Every frame is followed before anything is thinned. A gap of a point is open when it has had no
value for longer than its ``stale_after``; it begins with the last value before it and ends with
the first after it. Within one boot the monotonic clock tells how long it was, so that a step of
the wall clock makes no gap.

    value … value ─────── silence longer than stale_after ─────── value
                 └ start                              not thinned └ end

Why, the first that is true: the gateway was down, records were lost on the way, the reason of the
newest bad reading, the point was not heard of. What a gateway that was down does not bring back
once it is up again is a second gap, with a reason of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.history.base import Cursor, Gap
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.model.numbers import Numbers, overlap
from gateway.model.point import Point
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from gateway.model.reason import Reason

_NEVER = np.iinfo(np.int64).min
_ALL = slice(None)
_SHAPES = 4096
"""Lists of points whose rows are remembered."""
_BEFORE = "before"
"""Stands for the boot of readings of which only the wall time is known."""


class GapTracker:
    """A row a point of ``points``; not safe for several threads."""

    def __init__(self, points: Mapping[str, Point]) -> None:
        self._points = tuple(points)
        self._row = {point: row for row, point in enumerate(self._points)}
        self._stale_after = np.array([p.stale_after for p in points.values()], dtype=np.int64)
        self._is_thinned = [p.deadband is not None for p in points.values()]
        rows = len(self._points)
        self._wall = np.full(rows, _NEVER, dtype=np.int64)
        """Of the newest value, or of when we began to wait for one."""
        self._mono = np.zeros(rows, dtype=np.int64)
        self._boot = np.zeros(rows, dtype=np.int64)
        self._has_begun = False
        self._is_open = np.zeros(rows, dtype=np.bool_)
        self._is_down = np.zeros(rows, dtype=np.bool_)
        """Open since the gateway was down."""
        self._open: dict[int, Gap] = {}
        self._bad: dict[int, str] = {}
        """Row → reason of the newest reading, while that is bad."""
        self._boots = {_BEFORE: 0}
        self._rows: dict[tuple[str, ...], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._cursor: Cursor | None = None
        self._newest: Instant | None = None
        self._lost_until: int | None = None
        """Wall time behind which records were lost the last time, and before which."""
        self._lost_from = 0
        self._started: Instant | None = None
        self._changed: dict[tuple[str, int], Gap] = {}

    def recover(
        self, newest: Mapping[str, Reading], gaps: Iterable[Gap], cursor: Cursor | None
    ) -> None:
        """Go on behind ``cursor`` with what the history has: ``newest`` readings, open ``gaps``.

        Of a thinned point the history need not have the newest value; as it has no open gap, it
        was heard of when all others were, or not much before."""
        self._cursor = cursor
        told = max((reading.received for reading in newest.values()), default=_NEVER)
        for point, reading in newest.items():
            row = self._row.get(point)
            if row is not None:
                self._wall[row] = told if self._is_thinned[row] else reading.received
        for gap in gaps:
            row = self._row.get(gap.point)
            if row is not None and gap.end is None:
                self._open[row] = gap
                self._is_open[row] = True
                self._wall[row] = gap.start

    def take(self, records: Sequence[Record], unused: Iterable[Numbers] = ()) -> None:
        """Follow ``records``, oldest first, to the last of them. Numbers that are missing between
        them were lost, but for ``unused`` ones."""
        for record in records:
            self._follow(record, unused)
        if records:
            self._sweep(records[-1].envelope.at)

    def changes(self) -> tuple[Gap, ...]:
        """The gaps that are new or have changed since this was called last."""
        changed = tuple(self._changed.values())
        self._changed = {}
        return changed

    def _follow(self, record: Record, unused: Iterable[Numbers]) -> None:
        envelope, body = record.envelope, record.body
        at = envelope.at
        before, self._newest = self._newest, at
        last = self._cursor
        self._cursor = Cursor(envelope.epoch, envelope.seq)
        # Numbers before a start were reserved, not lost: see gateway.spool.queue.
        began = isinstance(body, GatewayEvent) and body.kind is GatewayEventKind.STARTED
        if last is not None and last.epoch == envelope.epoch and not began:
            missing = envelope.seq - 1 - last.seq
            is_lost = missing > overlap(unused, last.seq, envelope.seq - 1)
        else:
            is_lost = False
        if is_lost:
            self._lost_from = before.wall if before is not None else _NEVER
            self._lost_until = at.wall
        if not self._has_begun:
            # From here on we wait for what was never heard of.
            self._has_begun = True
            self._hear(np.flatnonzero(self._wall == _NEVER), at)
        if isinstance(body, Frame):
            self._take_frame(body, at)
        elif isinstance(body, GatewayEvent) and body.kind is GatewayEventKind.STARTED:
            self._start(at)

    def _start(self, at: Instant) -> None:
        """Nothing was heard while the gateway was down."""
        silent = ~self._is_open & (self._silence(at, _ALL) > self._stale_after)
        for row in np.flatnonzero(silent).tolist():
            self._begin(row, int(self._wall[row]), Reason.GATEWAY_DOWN)
        self._started = at
        self._bad = {}

    def _take_frame(self, frame: Frame, at: Instant) -> None:
        mine, theirs = self._places(frame.points)
        has = frame.quality[theirs] <= Quality.UNCERTAIN
        heard = mine[has]
        silent = self._silence(at, heard) > self._stale_after[heard]
        for row in heard[silent | self._is_open[heard]].tolist():
            if not self._is_open[row]:
                self._begin(row, int(self._wall[row]), self._why(row))
            self._end(row, at.wall)
        self._hear(heard, at)
        if self._bad:
            for row in heard.tolist():
                self._bad.pop(row, None)
        for place in np.flatnonzero(~has).tolist():
            row, there = int(mine[place]), int(theirs[place])
            self._bad[row] = frame.reason.get(there) or Reason.NOT_HEARD.told()

    def _sweep(self, at: Instant) -> None:
        silent = self._silence(at, _ALL) > self._stale_after
        for row in np.flatnonzero(silent & ~self._is_open).tolist():
            self._begin(row, int(self._wall[row]), self._why(row))
        started = self._started
        if started is None:
            return
        # What is silent though the gateway has long been up has a reason of its own.
        over = np.flatnonzero(self._is_down & (self._stale_after < at.since(started)))
        self._hear(over, started)
        for row in over.tolist():
            self._end(row, started.wall)
            self._begin(row, started.wall, self._why(row))
        if at.since(started) > int(self._stale_after.max(initial=0)):
            self._started = None

    def _begin(self, row: int, start: int, why: Reason | str) -> None:
        reason = why.told() if isinstance(why, Reason) else why
        gap = Gap(point=self._points[row], start=start, end=None, reason=reason)
        self._open[row] = gap
        self._is_open[row] = True
        self._is_down[row] = why is Reason.GATEWAY_DOWN
        self._changed[gap.point, gap.start] = gap

    def _end(self, row: int, wall: int) -> None:
        gap = self._open.pop(row)
        self._is_open[row] = self._is_down[row] = False
        # A clock that was set back may say that it ended before it began.
        end = max(wall, gap.start)
        closed = Gap(point=gap.point, start=gap.start, end=end, reason=gap.reason)
        self._changed[gap.point, gap.start] = closed

    def _why(self, row: int) -> Reason | str:
        if self._lost_until is not None and self._wall[row] <= self._lost_until:
            lost = self._lost_from == _NEVER or self._wall[row] <= self._lost_from
            if lost and row not in self._bad:
                return Reason.LOST
        return self._bad.get(row, Reason.NOT_HEARD)

    def _hear(self, rows: NDArray[np.int64], at: Instant) -> None:
        boot = self._boots.setdefault(at.boot, len(self._boots))
        self._wall[rows], self._mono[rows], self._boot[rows] = at.wall, at.mono, boot

    def _silence(self, at: Instant, rows: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """µs since the newest value of each of ``rows``."""
        same = self._boot[rows] == self._boots.get(at.boot, -1)
        return np.where(same, at.mono - self._mono[rows], at.wall - self._wall[rows])

    def _places(self, points: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows here and rows there of the points that we have."""
        places = self._rows.get(points)
        if places is None:
            if len(self._rows) >= _SHAPES:
                self._rows.clear()
            pairs = [(self._row[p], there) for there, p in enumerate(points) if p in self._row]
            table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            places = self._rows[points] = (table[:, 0], table[:, 1])
        return places

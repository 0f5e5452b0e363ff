"""What the units of one link said shortly after one another, as one frame. Pure.

Everything behind it pays a price for each frame, whatever its size. The units of a link are read
in a steady order, so that the same compositions come again and again, each as the same tuple of
points: what a consumer derived from it stays good.

A loop that is late brings the replies of a round further apart. If each of them became a frame of
its own then, it would be later still; so :class:`Pace` has what is gathered held the longer, the
later the loop is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np

from gateway.modbus.batch import Said
from gateway.modbus.decode import Columns
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant

HELD = SECOND // 50
"""µs by which the first reading of a frame is at most older than the last, whose receive time is
that of the frame, as long as the loop is in time."""
LONGEST = SECOND // 4
"""µs: the same, however late the loop is. No alarm waits longer than that for its frame."""
_IN_TIME = HELD // 4
"""µs by which a loop that has little to do may wake late."""
_TURNS = 10
"""Of the loop within which a round is to end up in one frame: each reply costs one."""
_KNOWN_LATE = 0.9
"""Weight of what was known of the lateness before a wake: one long turn among many short ones
makes no late loop."""
_LARGEST = 2000
"""Rows."""
_KNOWN = 256
"""Compositions of a link. Beyond that each unit has a frame of its own: consumers remember every
composition that they meet."""


class Pace:
    """How late the loop is, and how long it makes sense to hold back what is gathered."""

    def __init__(self) -> None:
        self._late = 0.0
        """µs; of the last wakes."""

    def woke(self, late: int) -> None:
        """Somebody who slept was woken ``late`` µs after the moment that he asked for."""
        # A machine that was suspended has been late by hours, and is not late now.
        self._late = _KNOWN_LATE * self._late + (1 - _KNOWN_LATE) * min(max(late, 0), LONGEST)

    @property
    def hold(self) -> int:
        """µs: :data:`HELD` to :data:`LONGEST`."""
        if self._late <= _IN_TIME:
            return HELD
        return min(max(round(_TURNS * self._late), HELD), LONGEST)


class Gathering:
    """The readings of one link that were received and not yet handed on. ``pace``: that of all
    links of the process."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._parts: list[Said] = []
        self._units: set[tuple[str, ...]] = set()
        """The points of each of them."""
        self._rows = 0
        self._first: Instant | None = None
        self._last: Instant | None = None
        self._points_of: dict[tuple[tuple[str, ...], ...], tuple[str, ...]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._parts

    def takes(self, said: Said, at: Instant) -> bool:
        """Whether what was ``said``, received at ``at``, may be added; if not, take first what
        there is."""
        if self._first is None:
            return True
        return (
            0 <= at.since(self._first) <= self._pace.hold
            and self._rows + len(said.points) <= _LARGEST
            and self._units.isdisjoint(said.units)
        )

    def add(self, said: Said, at: Instant) -> None:
        self._parts.append(said)
        self._units.update(said.units)
        self._rows += len(said.points)
        self._first, self._last = self._first or at, at

    def take(self) -> list[tuple[Frame, Instant]]:
        """What was added, with the moment at which the last of it was received: one frame, unless
        too many compositions are known."""
        parts, at = self._parts, self._last
        self._parts, self._rows, self._first, self._last = [], 0, None, None
        self._units.clear()
        if at is None:
            return []
        points = self._composed(parts)
        if points is None:
            singly = [own for part in parts for own in part.each()]
            return [(_frame(own.points, (own.columns,), at), at) for own in singly]
        return [(_frame(points, [part.columns for part in parts], at), at)]

    def _composed(self, parts: Sequence[Said]) -> tuple[str, ...] | None:
        """The points of ``parts``; None where too many compositions are known."""
        if len(parts) == 1 and len(parts[0].units) == 1:
            return parts[0].points
        own = tuple(part.points for part in parts)
        known = self._points_of.get(own)
        if known is None and len(self._points_of) < _KNOWN:
            known = self._points_of[own] = tuple(chain.from_iterable(own))
        return known


def _frame(points: tuple[str, ...], columns: Sequence[Columns], at: Instant) -> Frame:
    if len(columns) == 1:
        (only,) = columns
        value, quality, text, reason = only.value, only.quality, only.text, only.reason
    else:
        value = np.concatenate([one.value for one in columns])
        quality = np.concatenate([one.quality for one in columns])
        sizes = [len(one.value) for one in columns]
        text = _moved([one.text for one in columns], sizes)
        reason = _moved([one.reason for one in columns], sizes)
    return Frame(
        points=points,
        value=value,
        quality=quality,
        source_time=np.full(len(points), at.wall, dtype=np.int64),
        text=text,
        reason=reason,
    )


def _moved(words: Iterable[Mapping[int, str]], sizes: Sequence[int]) -> dict[int, str]:
    """Row → word in the frame, from those in its parts."""
    found: dict[int, str] = {}
    begin = 0
    for own, size in zip(words, sizes, strict=True):
        if own:
            found.update({begin + row: word for row, word in own.items()})
        begin += size
    return found

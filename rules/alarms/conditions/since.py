"""Since when each row is as it is, by both clocks of the boot in which that began."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.model.moment import SECOND, Instant

_Rows = NDArray[np.intp]
_Times = NDArray[np.int64]
_STEP = 2 * SECOND
"""µs by which the wall clock must move against the monotonic one to count as stepped."""


class Since:
    """``changed``: of every row whether it is to be kept again; set where its time changes."""

    def __init__(self, changed: NDArray[np.bool_]) -> None:
        self._changed = changed
        self._wall = np.zeros(len(changed), np.int64)
        self._mono = np.zeros(len(changed), np.int64)
        self._boot = np.zeros(len(changed), np.int64)
        self._boots: dict[str, int] = {"": 0}

    def put(self, rows: _Rows, since: Instant, age: int | _Times = 0) -> None:
        """``age``: µs of each of ``rows`` before ``since``."""
        self._changed[rows] = True
        self._wall[rows] = since.wall - age
        self._mono[rows] = since.mono - age
        self._boot[rows] = self._boots.setdefault(since.boot, len(self._boots))

    def of(self, rows: _Rows) -> list[Instant]:
        boots = {found: boot for boot, found in self._boots.items()}
        columns = (self._wall[rows], self._mono[rows], self._boot[rows])
        return [
            Instant(wall=wall, mono=mono, boot=boots[boot])
            for wall, mono, boot in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def elapsed(self, rows: _Rows, at: Instant) -> _Times:
        """``Instant.since`` over arrays: µs from each of ``rows`` until ``at``.

        Where a restart has set the wall clock back before that, nobody knows how long it has
        been: the row is measured from the first instant that is seen of this boot.
        """
        same_boot = self._boot[rows] == self._boots.get(at.boot, -1)
        behind = rows[~same_boot & (self._wall[rows] > at.wall)]
        if behind.size:
            self.put(behind, at)
            same_boot = self._boot[rows] == self._boots[at.boot]
        return np.where(same_boot, at.mono - self._mono[rows], at.wall - self._wall[rows])

    def anchor_again(self, rows: _Rows, now: Instant) -> None:
        """After a step of the wall clock: the wall side of those of this boot follows the
        monotonic side."""
        offset = now.wall - now.mono
        moved = np.abs(self._wall[rows] - self._mono[rows] - offset) > _STEP
        moved &= self._boot[rows] == self._boots.get(now.boot, -1)
        self._wall[rows[moved]] = self._mono[rows[moved]] + offset
        self._changed[rows[moved]] = True

"""The time of day at which a rule holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.model.moment import MINUTE
from rules.measures import Hours


class OpenHours:
    """Of every row, whether its rule holds now; told by the wall clock of the site."""

    def __init__(self, hours: Sequence[Hours | None], zone: tzinfo) -> None:
        self._zone = zone
        timed = [(row, one) for row, one in enumerate(hours) if one is not None]
        self.rows = np.array([row for row, _ in timed], np.intp)
        self._hours = [one for _, one in timed]
        self._is_open = np.ones(len(hours), np.bool_)
        self._minute: int | None = None

    def turn(self, wall: int) -> NDArray[np.intp]:
        """Move on to ``wall`` (µs UTC); the rows whose rules have just come to hold."""
        minute = wall // MINUTE
        if minute == self._minute or not self.rows.size:
            return self.rows[:0]
        self._minute = minute
        local = datetime.fromtimestamp(minute * 60, tz=self._zone)
        was = self._is_open[self.rows]
        now = np.array([_holds(one, local) for one in self._hours], np.bool_)
        self._is_open[self.rows] = now
        return self.rows[now & ~was]

    def shut(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        return ~self._is_open[rows]


def _holds(hours: Hours, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    begin, end = hours.begin, hours.end
    if end > begin:
        return begin <= minute < end and local.weekday() in hours.days
    yesterday = (local - timedelta(days=1)).weekday()
    late = minute >= begin and local.weekday() in hours.days
    return late or (minute < end and yesterday in hours.days)

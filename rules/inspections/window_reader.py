"""Reading from the history what lines are judged by over a time.

It is asked in the thread of the rounds, and never while the ledger is being written: the alarms
wait for neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from gateway.history.base import History, HistoryUnavailableError, Series
from gateway.model.point import Point, Text
from rules.inspections.items import RoundItem
from rules.inspections.windows import Away, Window, stretch

MOST = 30
"""Lines that are read for in one turn; the others come in the next."""
_AT_ONCE = 500_000
_NO_HISTORY = Away(Text(zh="这里没有历史数据", en="there is no history here"))


class WindowReader:
    """The history as the rounds ask it; without one every answer is :class:`Away`."""

    def __init__(self, history: History | None, points: Mapping[str, Point]) -> None:
        self._history = history
        self._points = points

    def read(self, lines: Iterable[RoundItem], end: int) -> dict[str, Window]:
        """Line → its stretch of time before ``end`` (µs UTC), of at most :data:`MOST`; once the
        history is away it is not asked again."""
        found: dict[str, Window] = {}
        away: Away | None = _NO_HISTORY if self._history is None else None
        for line in lines:
            if len(found) >= MOST:
                break
            if away is None:
                try:
                    found[line.key] = self._one(line, end)
                    continue
                except HistoryUnavailableError as error:
                    said = f"{error}"
                    away = Away(
                        Text(zh=f"历史数据读不到：{said}", en=f"the history is away: {said}")
                    )
            found[line.key] = away
        return found

    def _one(self, line: RoundItem, end: int) -> Window:
        assert self._history is not None
        assert line.proving.over is not None
        (name,) = line.points
        start = end - line.proving.over.time
        before = self._history.at([name], start).get(name)
        gaps = self._history.gaps([name], start, end)
        series = _joined(self._pieces(name, start, end))
        point = self._points[name]
        return stretch(point, before, series, gaps, start=start, end=end, band=line.band)

    def _pieces(self, name: str, start: int, end: int) -> list[Series]:
        assert self._history is not None
        pieces = [self._history.range(name, start, end, _AT_ONCE)]
        while len(pieces[-1].time) == _AT_ONCE:
            behind = int(pieces[-1].time[-1]) + 1
            pieces.append(self._history.range(name, behind, end, _AT_ONCE))
        return pieces


def _joined(pieces: list[Series]) -> Series:
    return Series(
        time=np.concatenate([one.time for one in pieces]),
        value=np.concatenate([one.value for one in pieces]),
        quality=np.concatenate([one.quality for one in pieces]),
        source_time=np.concatenate([one.source_time for one in pieces]),
    )

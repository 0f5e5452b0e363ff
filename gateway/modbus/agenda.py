"""Whose turn it is next, without a look at everybody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from gateway.modbus.unit import PolledUnit
from gateway.model.moment import Instant

_AT_ONCE = -(2**62)
"""µs: before every moment."""


class Agenda:
    """When each of ``units`` is due. A unit is :meth:`put` on it whenever that has changed; one
    that has fallen silent leaves by itself, and is put on it again when it is back.

    By the monotonic clock alone: no process outlives the boot that it began in.
    """

    def __init__(self, units: Sequence[PolledUnit]) -> None:
        self._units = units
        self._place = {id(unit): place for place, unit in enumerate(units)}
        self._turns: list[tuple[int, int]] = []
        """µs, and a place in ``units``. Those that hold no more are passed over when they come."""
        for unit in units:
            self.put(unit)

    def put(self, unit: PolledUnit) -> None:
        heappush(self._turns, (_moment(unit), self._place[id(unit)]))

    def wait(self, now: Instant) -> int | None:
        """µs until somebody is due; 0 if somebody is, None if there is nobody."""
        while self._turns:
            moment, place = self._turns[0]
            if self._holds(moment, place):
                return max(0, moment - now.mono)
            heappop(self._turns)
        return None

    def due(self, now: Instant) -> list[PolledUnit]:
        """Those whose turn has come, in the order of ``units``. They stay due until they are put
        on the agenda for another time: whoever is interrupted forgets nobody."""
        found: dict[int, int] = {}
        while self._turns and self._turns[0][0] <= now.mono:
            moment, place = heappop(self._turns)
            if self._holds(moment, place):
                found[place] = moment
        for place, moment in found.items():
            heappush(self._turns, (moment, place))
        return [self._units[place] for place in sorted(found)]

    def _holds(self, moment: int, place: int) -> bool:
        unit = self._units[place]
        return moment == _moment(unit) and not unit.silent


def _moment(unit: PolledUnit) -> int:
    return _AT_ONCE if unit.due is None else unit.due.mono

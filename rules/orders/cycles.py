"""Duty cycles: how often a repaired thing has worked since, counted from readings. Pure.

A cycle is a bit of the same equipment that goes on and off again, or one more of a counter that
the device itself keeps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rules.measures import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycles:
    """How the duty cycles of a piece of equipment are counted, and how many of them show that its
    repair holds."""

    point: str
    """Point key."""
    comparison: Comparison | None
    """The point passes it during a cycle; None: the point is a counter."""
    limit: float
    times: int

    def is_on(self, value: float) -> bool:
        match self.comparison:
            case Comparison.ABOVE:
                return value > self.limit
            case Comparison.BELOW:
                return value < self.limit
            case Comparison.NOT_EQUALS:
                return value != self.limit
            case _:
                return value == self.limit


class CycleCounter:
    """Counts whole cycles that lie between two readings nothing of which is missing.

    It remembers nothing over a restart: a cycle that is under way then does not count.
    """

    def __init__(self, cycles: Cycles) -> None:
        self._cycles = cycles
        self._last = math.nan
        self._begun: int | None = None
        self._is_shown = False

    def lose(self) -> None:
        """Something is not known: what is under way does not count."""
        self._last, self._begun, self._is_shown = math.nan, None, False

    def see(self) -> None:
        """The condition was judged, and was false: at least once from one cycle to the next."""
        self._is_shown = True

    def take(self, value: float, at: int) -> tuple[int, int] | None:
        """A good reading at ``at`` (µs UTC): how many cycles have ended by it, and when the first
        of them began; None: none."""
        last, self._last = self._last, value
        if math.isnan(last):
            self._begun = at if self._cycles.comparison is None else None
            return None
        if self._cycles.comparison is None:
            return self._counted(round(value - last), at)
        was, is_on = self._cycles.is_on(last), self._cycles.is_on(value)
        if is_on and not was:
            self._begun = at
        elif was and not is_on and self._begun is not None:
            begun, self._begun = self._begun, None
            shown, self._is_shown = self._is_shown, False
            return (1, begun) if shown else None
        return None

    def _counted(self, more: int, at: int) -> tuple[int, int] | None:
        begun, shown = self._begun, self._is_shown
        if more == 0:
            return None
        self._begun, self._is_shown = at, False
        # A counter that runs backwards was set anew, or is another one.
        return (more, begun) if more > 0 and shown and begun is not None else None

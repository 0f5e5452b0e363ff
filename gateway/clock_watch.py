"""Noticing that somebody moved the wall clock. Pure."""

from __future__ import annotations

from gateway.model.moment import SECOND, Instant

TOLERANCE = 2 * SECOND
"""µs between the two clocks that are no step: a time server slews by less."""


class ClockWatch:
    """Compares how far the wall clock and the monotonic clock went."""

    def __init__(self, start: Instant) -> None:
        self._last = start

    def look(self, now: Instant) -> int:
        """µs by which the wall clock was stepped since the last look; 0 if it was not."""
        wall, mono = now.wall - self._last.wall, now.mono - self._last.mono
        same_boot = now.boot == self._last.boot
        self._last = now
        step = wall - mono
        if not same_boot or abs(step) <= TOLERANCE:
            return 0
        return step

"""How long the history is kept, by a clock that may be wrong.

A machine whose clock is a year ahead at start, until a time server is reached, would delete
everything. So nothing is deleted before the clock has gone on for long without a step; and where
it was far from what the history says, or was stepped far, not before we have run for as long as is
kept: then what was there before is old by any clock.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gateway.history.base import History
from gateway.model.moment import DAY, HOUR, Instant

_log = structlog.get_logger(__name__)

_QUIET = HOUR
"""µs without a step before the clock is believed."""
_FAR = HOUR
"""µs of a step that is no correction."""
_SILENCE = DAY
"""µs between the newest reading and now that make the clock doubtful."""


class Retention:
    """Deletes readings older than ``keep`` µs. ``points``: those of the site."""

    def __init__(self, history: History, points: Sequence[str], keep: int) -> None:
        self._history = history
        self._points = points
        self._keep = keep
        self._from: Instant | None = None
        """When the clock may be believed; None: not begun."""

    @property
    def has_begun(self) -> bool:
        return self._from is not None

    def begin(self, now: Instant) -> None:
        """To be called before anything new is written. Blocks; HistoryUnavailableError."""
        doubtful = self._silence(now) > _SILENCE
        self._from = now.plus(self._keep if doubtful else _QUIET)

    def stepped(self, now: Instant, step: int) -> None:
        """The wall clock was moved by ``step`` µs."""
        until = now.plus(self._keep if abs(step) > _FAR else _QUIET)
        if self._from is not None and until.since(self._from) > 0:
            self._from = until

    def trim(self, now: Instant) -> int:
        """The number of readings deleted. Blocks; HistoryUnavailableError."""
        if self._from is None or not now.reached(self._from):
            return 0
        if self._silence(now) > _SILENCE:
            _log.warning("history is not trimmed: its newest reading is more than a day old")
            return 0
        return self._history.delete_before(now.wall - self._keep)

    def _silence(self, now: Instant) -> int:
        """µs since the newest reading; 0 if there is none."""
        newest = (reading.received for reading in self._history.latest(self._points).values())
        return now.wall - max(newest, default=now.wall)

"""Whether the wall clock may be believed. Pure."""

from __future__ import annotations

from gateway.model.moment import MINUTE, Instant
from rules.ledger.timers import STEP

SETTLING = MINUTE
"""µs after a step of the wall clock within which it may be set right again."""


class StepWatch:
    """Tells a step of the wall clock: its distance from the monotonic clock jumps."""

    def __init__(self) -> None:
        self._offsets: dict[str, int] = {}

    def seen(self, at: Instant) -> bool:
        """Whether the clocks of ``at``'s machine have moved apart since they were last seen.

        The first look at a boot counts as a step: what happened before it is not known.
        """
        offset = at.wall - at.mono
        last = self._offsets.get(at.boot)
        if last is not None and abs(offset - last) <= STEP:
            return False
        self._offsets[at.boot] = offset
        return True


class Settling:
    """Not for a while after a step, for what is done by a wrong clock is not taken back. A start is
    no step."""

    def __init__(self) -> None:
        self._steps = StepWatch()
        self._begun = False
        self._stepped: Instant | None = None

    def is_over(self, now: Instant) -> bool:
        if self._steps.seen(now) and self._begun:
            self._stepped = now
        self._begun = True
        return self._stepped is None or now.since(self._stepped) >= SETTLING

"""How many messages a minute a channel gets. Pure: time is an argument.

A robot takes 20 a minute and then, for minutes, none. So 12 are for everything, and the rest for
fire and entrapment. What does not fit is gathered into one message, and while much comes in all
of it is gathered, four times a minute. Fire and entrapment go one by one as long as there is
room; where a burning house has more of them than a robot takes, they too share a message, for a
message of several is better than several that nobody gets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import StrEnum

from gateway.model.moment import MINUTE, SECOND, Instant
from rules.ledger.outbox import Waiting

HARD = 20
"""Messages a minute, after which robots are silent for a while."""
SINGLY = 16
"""As long as there are fewer in a minute, fire and entrapment go one by one."""
BETWEEN = 15 * SECOND
"""µs between two gathered messages."""
REST = MINUTE
"""µs in which a channel that was too fast gets nothing but fire and entrapment."""


class Next(StrEnum):
    """What a channel sends next."""

    NOTHING = "nothing"
    URGENT = "urgent"
    """One of fire and entrapment."""
    ALL_URGENT = "all_urgent"
    ROUTINE = "routine"
    ALL_ROUTINE = "all_routine"


class Pace:
    """Of one channel; ``digest_after``: routine messages a minute; ``hard``: all messages a
    minute that its provider takes, None where there is no such limit."""

    def __init__(
        self, digest_after: int, *, hard: int | None = None, tries: Iterable[Instant] = ()
    ) -> None:
        self._after = digest_after
        self._hard = hard
        self._tries = deque(tries)
        self._gathered: Instant | None = None
        """When the last message of several went."""
        self._rests_until: Instant | None = None

    @property
    def counts_up_to(self) -> int:
        """More messages than this wait are all the same to it."""
        return self._after + 1

    def next(self, waiting: Waiting, now: Instant) -> Next:
        tried = self._tried(now)
        if waiting.urgent:
            return self._next_urgent(waiting.urgent, tried, now)
        resting = self._rests_until is not None and not now.reached(self._rests_until)
        free = self._after - tried
        if not waiting.routine or resting or free <= 0:
            return Next.NOTHING
        much_comes = self._gathered is not None and now.since(self._gathered) < BETWEEN
        if much_comes:
            return Next.NOTHING
        return Next.ALL_ROUTINE if waiting.routine > free else Next.ROUTINE

    def tried(self, chosen: Next, now: Instant) -> None:
        """A message goes out now."""
        self._tries.append(now)
        if chosen in (Next.ALL_ROUTINE, Next.ALL_URGENT):
            self._gathered = now

    def rest(self, now: Instant) -> None:
        """The channel has said that it was too much."""
        self._rests_until = now.plus(REST)

    def _next_urgent(self, urgent: int, tried: int, now: Instant) -> Next:
        if self._hard is None or tried < SINGLY:
            return Next.URGENT
        last = self._tries[-1]
        if tried >= self._hard or now.since(last) < BETWEEN:
            return Next.NOTHING
        return Next.ALL_URGENT if urgent > 1 else Next.URGENT

    def _tried(self, now: Instant) -> int:
        """Attempts of the last minute."""
        while self._tries and not 0 <= now.since(self._tries[0]) < MINUTE:
            self._tries.popleft()
        return len(self._tries)

"""Until when, after a return, what comes may have been kept for us by the broker. Pure.

A message does not say whether it was said just now or waited for us for an hour. A broker gives
out what it has for a client in its order, so we say a word to ourselves when we are let in: what
comes before that word may have waited, what comes behind it was said later.

Limits: what is said between our return and the word counts as having waited (some milliseconds,
or the time that the backlog takes). Where the word does not come back, for a broker may forbid us
the topic, the backlog ends by the clock; one that takes longer then seems live from there on.
"""

from __future__ import annotations

import secrets

LONGEST = 120.0
"""Seconds after which our word is not waited for any more."""


class Backlog:
    """Of one connection after the other."""

    def __init__(self, client_id: str) -> None:
        self.topic = f"dutyroom/{client_id}/returned"
        self.word = b""
        """To be said on :attr:`topic`."""
        self._until: float | None = None

    def begin(self, now: float) -> None:
        """A connection is being made, at ``now`` s of a clock that never steps."""
        # The word of an earlier connection may still wait for us too.
        self.word = secrets.token_hex(8).encode()
        self._until = now + LONGEST

    def hear(self, word: bytes) -> None:
        if word == self.word:
            self._until = None

    def lasts(self, now: float) -> bool:
        return self._until is not None and now < self._until

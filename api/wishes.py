"""Against a flood of requests from outside: who asks very often has to wait.

What is remembered is this process's own and of a fixed size; a restart forgets it.
"""

from __future__ import annotations

import math

from api.problems import ProblemException
from gateway.clock import Clock
from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.people.throttle import Throttle


class Wishes:
    """An address may ask 5 times freely, at one place 20 people may; then each waits longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._address = Throttle(free=5, longest=HOUR)
        self._place = Throttle(free=20, longest=10 * MINUTE)

    def may_ask(self, address: str, code: str) -> None:
        """Count one more; raises a 429 for who has to wait, and then nothing is counted."""
        now = self._clock.now()
        counted = ((self._address, address), (self._place, code))
        wait = max(throttle.wait(key, now) for throttle, key in counted)
        if wait > 0:
            seconds = math.ceil(wait / SECOND)
            raise ProblemException(
                429,
                f"Too many requests. Try again in {seconds} s, or call the duty room.",
                headers={"Retry-After": str(seconds)},
            )
        for throttle, key in counted:
            throttle.tried(key, now)

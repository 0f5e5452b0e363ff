"""Against guessing passwords and PINs, without locking anybody out of the duty room.

What is remembered is this process's own and of a fixed size; a restart forgets it, and each of
several api processes counts for itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.problems import ProblemException
from gateway.clock import Clock
from gateway.model.moment import MINUTE, SECOND
from rules.people.throttle import Throttle

T = TypeVar("T")
Counted = tuple[Throttle, str]
"""A throttle and the key in it that a guess counts for."""

_AT_ONCE = 2
"""Argon2 takes 64 MB a check; a flood of guesses waits in line and takes no one else's thread."""
_IN_LINE = 100
"""Guesses that are checked or wait for it; more are sent away."""


class _Line:
    """Where checks wait for their turn."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_AT_ONCE)
        self._standing = 0

    @property
    def is_full(self) -> bool:
        return self._standing >= _IN_LINE

    async def run(self, work: Callable[[], T]) -> T:
        """``work`` in a thread."""
        self._standing += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._standing -= 1


class Guesses:
    """Counts each guess before it is checked, and takes it back if it was right.

    By account and address it takes 5 tries before the wait grows, up to 15 minutes. Guesses from
    many addresses at one account, or from one address at many accounts, count too; but not for
    an account at an address where it has logged in before: a guesser elsewhere never keeps it
    out there, and it does not stand in line behind the guesses either.

    Guesses at PINs count by who guesses and at whom, but also for each of the two alone: there
    are few PINs, so neither many names nor many helpers make more tries.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pair = Throttle(free=5, longest=15 * MINUTE)
        self._account = Throttle(free=20, longest=5 * MINUTE)
        self._address = Throttle(free=50, longest=MINUTE)
        self._person = Throttle(free=5, longest=15 * MINUTE)
        self._pin_by = Throttle(free=10, longest=15 * MINUTE)
        self._pin_of = Throttle(free=10, longest=15 * MINUTE)
        self._line = _Line()
        self._short_line = _Line()

    async def log_in(
        self,
        username: str,
        address: str,
        is_known: bool,
        check: Callable[[], T],
        wrong: type[Exception],
    ) -> T:
        """What ``check`` gives, in a thread; 429 for who has to wait.

        ``is_known``: this account has logged in at this address before. ``check`` raises
        ``wrong`` for a wrong guess.
        """
        counted: list[Counted] = [(self._pair, f"{address} {username}")]
        if not is_known:
            counted += [(self._account, username), (self._address, address)]
        line = self._short_line if is_known else self._line
        return await self._checked(counted, line, check, wrong)

    async def by_person(
        self, who: str, what: str, check: Callable[[], T], wrong: type[Exception]
    ) -> T:
        """As :meth:`log_in`, for ``who`` is logged in: guesses at ``what``, a PIN or the like."""
        return await self._checked(
            [(self._person, f"{who} {what}")], self._short_line, check, wrong
        )

    async def pin(self, who: str, of: str, check: Callable[[], T], wrong: type[Exception]) -> T:
        """As :meth:`by_person`, for ``who`` is logged in: guesses at the PIN of ``of``."""
        counted = [
            (self._person, f"{who} pin of {of}"),
            (self._pin_by, who),
            (self._pin_of, of),
        ]
        return await self._checked(counted, self._short_line, check, wrong)

    async def hashing(self, work: Callable[[], T]) -> T:
        """``work``, which takes a hash, in line with the others."""
        return await self._short_line.run(work)

    async def _checked(
        self,
        counted: Sequence[Counted],
        line: _Line,
        check: Callable[[], T],
        wrong: type[Exception],
    ) -> T:
        now = self._clock.now()
        wait = max(throttle.wait(key, now) for throttle, key in counted)
        if wait > 0:
            raise _too_many(wait)
        if line.is_full:
            raise _too_many(5 * SECOND)
        for throttle, key in counted:
            throttle.tried(key, now)
        try:
            found = await line.run(check)
        except wrong:
            raise
        except BaseException:
            self._take_back(counted, forget=False)
            raise
        self._take_back(counted[:1], forget=True)
        self._take_back(counted[1:], forget=False)
        return found

    @staticmethod
    def _take_back(counted: Sequence[Counted], *, forget: bool) -> None:
        for throttle, key in counted:
            throttle.was_right(key, forget=forget)


def _too_many(wait: int) -> ProblemException:
    seconds = math.ceil(wait / SECOND)
    return ProblemException(
        429,
        f"Too many attempts. Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )

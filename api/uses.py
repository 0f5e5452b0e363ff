"""How often links that were given out may be used, and how many large bodies are read at once."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, fail_after
from fastapi import Request

from api.problems import ProblemException
from gateway.clock import Clock
from gateway.model.moment import MINUTE, SECOND
from rules.people.throttle import Throttle

_READING_S = 120.0
"""So long a large body may take to arrive."""
_AT_ONCE = 8
"""Large bodies lie in memory until they are kept."""
_AT_ONCE_OUTSIDE = 4
"""The same for those who do not log in: they take no one else's place."""


class Uses:
    """What is remembered is this process's own and of a fixed size; a restart forgets it.

    Who tries tokens at an address is free 30 times; a link takes 200 steps and photographs. Then
    each waits longer, up to a minute, and a good link is never kept waiting by bad ones.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong = Throttle(free=30, longest=MINUTE)
        self._link = Throttle(free=200, longest=MINUTE)
        self._bodies = {True: CapacityLimiter(_AT_ONCE_OUTSIDE), False: CapacityLimiter(_AT_ONCE)}

    def was_wrong(self, address: str) -> None:
        """A token that is none; raises a 429 for who has tried very many."""
        self._count(self._wrong, address)

    def use(self, link: str) -> None:
        """Something is written by the link with this id; raises a 429."""
        self._count(self._link, link)

    @asynccontextmanager
    async def body(
        self, request: Request, most: int, *, outside: bool = False
    ) -> AsyncIterator[bytes]:
        """The body of ``request``, which has its place until the end of what is done with it;
        raises a 413 for one of more than ``most`` bytes."""
        async with self._bodies[outside]:
            yield await _read(request, most)

    def _count(self, throttle: Throttle, key: str) -> None:
        now = self._clock.now()
        wait = throttle.wait(key, now)
        if wait > 0:
            seconds = math.ceil(wait / SECOND)
            raise ProblemException(
                429,
                f"Too many requests. Try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        throttle.tried(key, now)


async def _read(request: Request, most: int) -> bytes:
    taken = bytearray()
    try:
        with fail_after(_READING_S):
            async for piece in request.stream():
                taken += piece
                if len(taken) > most:
                    raise ProblemException(
                        413, f"A file may have {most} bytes.", headers={"Connection": "close"}
                    )
    except TimeoutError:
        raise ProblemException(408, "The file did not arrive in time.") from None
    return bytes(taken)

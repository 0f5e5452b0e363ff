"""Asking the name service, in threads of its own: one that is dead keeps no thread from the ledger.

A question cannot be taken back, so each host has one under way at most. Who asks meanwhile waits
for the same answer, and is refused at once when that question has hung for too long.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → addresses; raises :class:`OSError`."""

_THREADS = 8
PATIENCE_S = 3.0
"""An answer that takes longer is not waited for by anybody new."""


class Names:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")
        self._under_way: dict[tuple[str, int], tuple[Future[list[str]], float]] = {}

    async def ask(self, host: str, port: int) -> list[str]:
        """What the name service says of ``host``."""
        key, now = (host, port), time.monotonic()
        question, since = self._under_way.get(key, (None, now))
        if question is None or question.done():
            question = self._threads.submit(_asked, host, port)
            self._under_way[key] = (question, now)
        elif now - since >= PATIENCE_S:
            raise OSError(f"the name service has not answered for {host} yet")
        await _answer(question)
        if self._under_way.get(key, (None, 0.0))[0] is question:
            del self._under_way[key]
        return question.result()


async def _answer(question: Future[list[str]]) -> None:
    """Until there is one; who stops waiting takes the question from no other."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()

    def tell(_question: Future[list[str]]) -> None:
        # The loop may be over by then.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(answered.set)

    question.add_done_callback(tell)
    await answered.wait()


def _asked(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("no name of a host") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


resolved: Resolve = Names().ask
"""The one of this process."""

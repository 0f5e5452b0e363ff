"""The gateway's own pace: what was taken is made safe, told, and written to the history.

None of these waits for another: a failing disk delays what is safe, a slow bus what is told, a
slow history its own backlog.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.history.base import HistoryUnavailableError
from gateway.history.retention import Retention
from gateway.history.writer import HistoryWriter
from gateway.intake import Intake

_log = structlog.get_logger(__name__)

_GATHER_S = 0.008
"""Between two syncs: what comes meanwhile costs one sync and one message together."""
_BEACON_S = 2.0
"""A silent gateway tells this often where its stream is."""
_HISTORY_EVERY_S = 1.0
_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_LAST_S = 5.0
"""For which the end waits for the disk."""
_NICE = 10
"""Of the thread that fills the history: with 50,000 readings a second on two cores the 99th
percentile of a poll's lag is half of what it is without."""
T = TypeVar("T")


class Keeping:
    def __init__(
        self, intake: Intake, writer: HistoryWriter, retention: Retention, clock: Clock
    ) -> None:
        self._intake = intake
        self._writer = writer
        self._retention = retention
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "history", initializer=_give_way)

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _aside(self, work: Callable[..., T], *arguments: object) -> T:
        """Do ``work`` where nobody waits for it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def sync_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEACON_S):
                    await self._intake.taken.wait()
            taken = await self._intake.sync()
            await self._clock.sleep(_GATHER_S if taken else _RETRY_S)

    async def tell_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEACON_S):
                    await self._intake.news.wait()
            if not await self._tell():
                await self._clock.sleep(_RETRY_S)

    async def commit(self) -> None:
        """Once by hand: make safe what was taken, and tell it in any case."""
        try:
            async with asyncio.timeout(_LAST_S):
                await self._intake.sync()
        except TimeoutError:
            _log.error("the disk does not answer, readings are not kept")
        await self._tell()

    async def _tell(self) -> bool:
        try:
            await self._intake.tell()
        except OSError as error:
            _log.error("spool cannot be read, readings wait", error=str(error))
            return False
        return True

    async def fill_for_ever(self) -> None:
        retry = _RETRY_S
        while True:
            if await self.fill():
                retry = _RETRY_S
                await self._clock.sleep(_HISTORY_EVERY_S)
            else:
                await self._clock.sleep(retry)
                retry = min(2 * retry, _LONGEST_RETRY_S)

    async def fill(self) -> bool:
        """Whether the history has all that is safe now; if not, the spool keeps it."""
        try:
            if not self._retention.has_begun:
                await self._aside(self._retention.begin, self._clock.now())
            if not self._writer.resumed:
                self._writer.resume(await self._aside(self._writer.cursor))
            while self._writer.behind:
                await self._aside(self._writer.step)
        except (HistoryUnavailableError, OSError) as error:
            metrics.history_failures.inc()
            _log.error("history cannot be written", error=str(error))
            return False
        return True


def _give_way() -> None:
    """Sealing a stretch of history computes for a second; who polls and tells goes before. On Linux
    each thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)

"""From a reading to a record that is safe: number, spool, sync, publish, acknowledge.

Evaluation never waits for a disk that fails: what it does not take is published all the same, and
made safe later under the same number. Messages are acknowledged, and the history is written, only
once that has happened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from time import perf_counter

import structlog

from gateway import failpoint, metrics
from gateway.bus.stream import Publisher
from gateway.model.equipment import Site
from gateway.model.events import Envelope, GatewayEvent, Record, encode
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.spool.queue import Spool, SpoolFullError

_log = structlog.get_logger(__name__)

_HANGS_S = 2.0
"""After so long a sync that has not ended counts as one that fails."""


class Intake:
    """``take`` any time; one task calls ``sync``, which carries all that was taken meanwhile, and
    one calls ``tell``. ``threads``: where the disk is waited for, at least two.
    """

    def __init__(self, site: Site, spool: Spool, publisher: Publisher, threads: Executor) -> None:
        self._threads = threads
        self._site = site
        self._spool = spool
        self._publisher = publisher
        self._unacknowledged: deque[tuple[int, Callable[[], None]]] = deque()
        self.taken = asyncio.Event()
        """Something waits for the disk. Set by ``take``, cleared by ``sync``."""
        self.news = asyncio.Event()
        """There is something to tell. Cleared by ``tell``."""
        self.disk_fails = False

    def take(
        self,
        body: Frame | GatewayEvent,
        at: Instant,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        """Number ``body`` and put it in the queue for the disk; False if there is no room.

        ``acknowledge`` is called once it is safe, and never if it was refused here. A frame
        without one was polled: it may make room for newer ones, for the device says it again.
        """
        seq = self._spool.next_seq
        envelope = Envelope(
            site=self._site.id,
            gateway=self._site.gateway,
            epoch=self._spool.epoch,
            seq=seq,
            at=at,
        )
        is_polled = acknowledge is None and isinstance(body, Frame)
        try:
            data = encode(Record(envelope=envelope, body=body))
            self._spool.append(seq, data, lasting=not is_polled)
        except SpoolFullError:
            rows = len(body.points) if isinstance(body, Frame) else 1
            metrics.readings_refused.inc(rows)
            return False
        if acknowledge is not None:
            self._unacknowledged.append((seq, acknowledge))
        self.taken.set()
        if self.disk_fails:
            self.news.set()
        return True

    def acknowledge_after_taken(self, acknowledge: Callable[[], None]) -> None:
        """Call ``acknowledge`` once all that was taken so far is safe: a repeat may be one of a
        message that still waits for the disk."""
        self._unacknowledged.append((self._spool.next_seq - 1, acknowledge))
        self.taken.set()

    async def sync(self) -> bool:
        """Make what was taken durable, and acknowledge it; whether the disk took it. If not, it
        waits in memory: call again."""
        self.taken.clear()
        before, begun = self._spool.synced, perf_counter()
        syncing = asyncio.get_running_loop().run_in_executor(self._threads, self._spool.sync)
        done, _ = await asyncio.wait((syncing,), timeout=_HANGS_S)
        if not done:
            self._disk_fails(f"no answer for {_HANGS_S:g} s")
        try:
            synced = await syncing
        except OSError as error:
            metrics.spool_sync_failures.inc()
            self._disk_fails(str(error))
            return False
        if self.disk_fails:
            self.disk_fails = False
            _log.info("spool is written again", waited=synced - before)
        if synced > before:
            metrics.spool_sync_seconds.observe(perf_counter() - begun)
            failpoint.reach(failpoint.AFTER_SPOOL)
        while self._unacknowledged and self._unacknowledged[0][0] <= synced:
            self._unacknowledged.popleft()[1]()
        self.news.set()
        return True

    async def tell(self) -> None:
        """Tell the bus what it has not heard, and where we are. OSError if the spool cannot be
        read at the moment: call again."""
        self.news.clear()
        await self._publisher.publish(ahead=self.disk_fails)

    def _disk_fails(self, why: str) -> None:
        if not self.disk_fails:
            _log.error("spool cannot be written, readings wait in memory", error=why)
        self.disk_fails = True
        self.news.set()

"""From a reading to a record that is safe: number, spool, sync, publish, acknowledge."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from time import perf_counter

from gateway import failpoint, metrics
from gateway.bus.stream import Publisher
from gateway.model.equipment import Site
from gateway.model.events import Envelope, GatewayEvent, Record, encode
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.spool import Spool, SpoolFullError


class Intake:
    """``take`` any time; one task calls ``commit``, which carries all that was taken meanwhile.

    ``threads``: where the disk is waited for.
    """

    def __init__(self, site: Site, spool: Spool, publisher: Publisher, threads: Executor) -> None:
        self._threads = threads
        self._site = site
        self._spool = spool
        self._publisher = publisher
        self._unacknowledged: deque[tuple[int, Callable[[], None]]] = deque()
        self.taken = asyncio.Event()
        """Set by ``take``, cleared by ``commit``."""

    def take(
        self,
        body: Frame | GatewayEvent,
        at: Instant,
        acknowledge: Callable[[], None] | None = None,
    ) -> bool:
        """Number ``body`` and put it in the queue for the disk; False if there is no room.

        ``acknowledge`` is called once it is safe, and never if it was refused here.
        """
        seq = self._spool.next_seq
        envelope = Envelope(
            site=self._site.id,
            gateway=self._site.gateway,
            epoch=self._spool.epoch,
            seq=seq,
            at=at,
        )
        try:
            self._spool.append(seq, encode(Record(envelope=envelope, body=body)))
        except SpoolFullError:
            rows = len(body.points) if isinstance(body, Frame) else 1
            metrics.readings_refused.inc(rows)
            return False
        if acknowledge is not None:
            self._unacknowledged.append((seq, acknowledge))
        self.taken.set()
        return True

    def acknowledge_after_taken(self, acknowledge: Callable[[], None]) -> None:
        """Call ``acknowledge`` once all that was taken so far is safe: a repeat may be one of a
        message that still waits for the disk."""
        self._unacknowledged.append((self._spool.next_seq - 1, acknowledge))
        self.taken.set()

    async def commit(self) -> None:
        """Make what was taken durable, tell the bus, acknowledge; with nothing taken, only tell
        the bus where we are. OSError if the disk does not take it: call again."""
        self.taken.clear()
        before, begun = self._spool.synced, perf_counter()
        synced = await asyncio.get_running_loop().run_in_executor(self._threads, self._spool.sync)
        if synced > before:
            metrics.spool_sync_seconds.observe(perf_counter() - begun)
            failpoint.reach(failpoint.AFTER_SPOOL)
        await self._publisher.publish()
        while self._unacknowledged and self._unacknowledged[0][0] <= synced:
            self._unacknowledged.popleft()[1]()

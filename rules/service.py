"""The rules as a service; it cannot tell whether bus and ledger are in this process or not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.bus.base import Bus
from gateway.bus.stream import Subscriber
from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import SECOND
from rules import metrics
from rules.inspections import service as rounds
from rules.ledger.store import Ledger
from rules.notify.dispatch import Dispatcher
from rules.notify.webhook import Webhook
from rules.rule import Rulebook
from rules.worker import CursorMovedError, Worker

CONSUMER = "rules"
"""The name under which the gateway keeps what the rules have not yet committed."""

_log = structlog.get_logger(__name__)

_TICK_S = 0.2
_COMMIT_SOONEST = SECOND // 10
"""µs between commits in a flood."""
_COMMIT_EVERY = SECOND
"""µs between commits where nobody waits for one: only the cursor moves."""
_RETRY_S = 1.0


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    bus: Bus,
    ledger: Ledger,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Evaluate, commit and send until ``stop``; the bus is started and closed by the caller."""
    async with Webhook() as webhook:
        dispatcher = Dispatcher(site=site, ledger=ledger, webhook=webhook, clock=clock)
        service = _Service(site=site, rulebook=rulebook, bus=bus, ledger=ledger, clock=clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dispatcher.run(stop))
            tasks.create_task(service.run(stop))
            tasks.create_task(
                rounds.run(
                    site=site,
                    rulebook=rulebook,
                    ledger=ledger,
                    latest=service.latest,
                    clock=clock,
                    stop=stop,
                )
            )


class _Service:
    def __init__(
        self, *, site: Site, rulebook: Rulebook, bus: Bus, ledger: Ledger, clock: Clock
    ) -> None:
        self._site = site
        self._bus = bus
        self._ledger = ledger
        self._clock = clock
        self.latest = Latest(site)
        """What the rounds are filled from; nothing is known until it is heard."""
        self._worker = Worker(site=site, rulebook=rulebook, ledger=ledger)
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Go on from the ledger's cursor, and again from there whenever somebody moved it."""
        while not stop.is_set():
            if not await self._load():
                await self._clock.sleep(_RETRY_S)
                continue
            subscriber = Subscriber(
                self._bus, self._site.id, self._site.gateway, CONSUMER, self._worker.cursor
            )
            listening = asyncio.create_task(self._listen(subscriber))
            try:
                await self._work(subscriber, listening, stop)
            except CursorMovedError as moved:
                _log.error("another worker has committed, loading again", found=str(moved))
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    async def _load(self) -> bool:
        try:
            await asyncio.to_thread(self._worker.load)
        except SQLAlchemyError as error:
            _log.error("ledger cannot be read", error=str(error))
            return False
        return True

    async def _listen(self, subscriber: Subscriber) -> None:
        async for batch in subscriber.records():
            records = [record for _, record in batch]
            self._worker.take(records)
            now = self._clock.now()
            for record in records:
                self.latest.take(record, now)
            metrics.records.inc(len(records))
            metrics.lost.set(subscriber.lost)
            behind = now.wall - records[-1].envelope.at.wall
            metrics.lag.set(behind / SECOND)
            if self._worker.has_changes:
                self._wake.set()

    async def _work(
        self, subscriber: Subscriber, listening: asyncio.Task[None], stop: asyncio.Event
    ) -> None:
        """Tick and commit: at once where somebody waits for it, else once a second."""
        committed_at = self._clock.now()
        retry_at = committed_at
        told: tuple[str, int] | None = None
        while True:
            # Read first: what came up before the end is still committed.
            last = stop.is_set()
            self._wake.clear()
            if listening.done():
                listening.result()
            now = self._clock.now()
            self._worker.tick(now)
            wait = _COMMIT_SOONEST if self._worker.has_changes else _COMMIT_EVERY
            wanted = now.since(committed_at) >= wait
            if last or (wanted and now.reached(retry_at)):
                if await self._commit():
                    committed_at = now
                    if self._worker.cursor not in (None, told):
                        told = self._worker.cursor
                        assert told is not None
                        await subscriber.committed(*told)
                else:
                    retry_at = now.plus(round(_RETRY_S * SECOND))
            if last:
                return
            await self._pause()

    async def _commit(self) -> bool:
        batch = self._worker.batch(self._clock.now())
        begun = perf_counter()
        try:
            await asyncio.to_thread(self._worker.write, batch)
        except SQLAlchemyError as error:
            metrics.commit_failures.inc()
            metrics.provisional.set(len(self._worker.provisional()))
            _log.error("ledger cannot commit, alarms are provisional", error=str(error))
            return False
        metrics.commits.observe(perf_counter() - begun)
        self._worker.settle(batch)
        metrics.provisional.set(len(self._worker.provisional()))
        for change in batch.changes:
            metrics.changes.labels(turn=change.turn.value).inc()
            _log.info(change.turn.value, alarm=change.occurrence, first_value=change.value)
        return True

    async def _pause(self) -> None:
        """Until the next tick, or until there is something to commit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._wake.wait()

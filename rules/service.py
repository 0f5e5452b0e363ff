"""The rules as a service; it cannot tell whether bus and ledger are in this process or not.

Of several workers of a site one leads (``standby``), and only it evaluates, sends and makes
rounds. While it leads it says every second how it stands (``provisional``), and at once what has
come up and the ledger does not take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.bus.base import Bus
from gateway.bus.stream import Subscriber
from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from rules import metrics, provisional, standby
from rules.inspections import service as rounds
from rules.ledger.store import Ledger
from rules.notify.dispatch import Dispatcher
from rules.notify.webhook import Webhook
from rules.provisional import Word
from rules.rule import Rulebook
from rules.standby import Leadership
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
_WORD_EVERY = SECOND
_HANGS = SECOND
"""µs after which a commit that people wait for counts as one that does not come."""


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    bus: Bus,
    ledger: Ledger,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Stand by, and while we lead evaluate, commit and send, until ``stop``; the bus is started
    and closed by the caller."""
    leadership = Leadership(standby.claim_of(ledger, site.id), clock)
    try:
        while await leadership.wait(stop):
            await _lead(
                site=site,
                rulebook=rulebook,
                bus=bus,
                ledger=ledger,
                clock=clock,
                stop=stop,
                leadership=leadership,
            )
            await leadership.give_up()
    finally:
        await leadership.give_up()


async def _lead(
    *,
    site: Site,
    rulebook: Rulebook,
    bus: Bus,
    ledger: Ledger,
    clock: Clock,
    stop: asyncio.Event,
    leadership: Leadership,
) -> None:
    """Until ``stop``, or until another worker leads."""
    over = asyncio.Event()
    service = _Service(
        site=site, rulebook=rulebook, bus=bus, ledger=ledger, clock=clock, leadership=leadership
    )
    async with Webhook() as webhook:
        dispatcher = Dispatcher(site=site, ledger=ledger, webhook=webhook, clock=clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(leadership.keep(stop, over))
            tasks.create_task(dispatcher.run(over))
            tasks.create_task(service.run(over))
            tasks.create_task(
                rounds.run(
                    site=site,
                    rulebook=rulebook,
                    ledger=ledger,
                    latest=service.latest,
                    clock=clock,
                    stop=over,
                )
            )


class _Service:
    def __init__(
        self,
        *,
        site: Site,
        rulebook: Rulebook,
        bus: Bus,
        ledger: Ledger,
        clock: Clock,
        leadership: Leadership,
    ) -> None:
        self._site = site
        self._bus = bus
        self._clock = clock
        self._leadership = leadership
        self.latest = Latest(site)
        """What the rounds are filled from; nothing is known until it is heard."""
        self._worker = Worker(site=site, rulebook=rulebook, ledger=ledger)
        self._name = provisional.worker_name()
        self._wake = asyncio.Event()
        self._ledger_takes = True
        """How the last commit ended."""
        self._waiting: Instant | None = None
        """Since when there is something to commit that people wait for."""

    async def run(self, stop: asyncio.Event) -> None:
        """Go on from the ledger's cursor, and again from there whenever somebody moved it."""
        while not stop.is_set():
            if not await self._load():
                await self._clock.sleep(_RETRY_S)
                continue
            subscriber = Subscriber(
                self._bus, self._site.id, self._site.gateway, CONSUMER, self._worker.cursor
            )
            beside = [
                asyncio.create_task(work)
                for work in (self._listen(subscriber), self._tick(), self._tell(subscriber))
            ]
            try:
                await self._work(subscriber, beside, stop)
            except CursorMovedError as moved:
                _log.error("another worker has committed, loading again", found=str(moved))
            finally:
                for task in beside:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _load(self) -> bool:
        try:
            await asyncio.to_thread(self._worker.load)
        except SQLAlchemyError as error:
            _log.error("ledger cannot be read", error=standby.cause(error))
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

    async def _tick(self) -> None:
        """Also while a commit is under way, however long it takes."""
        while True:
            self._worker.tick(self._clock.now())
            if self._worker.has_changes:
                self._wake.set()
            await asyncio.sleep(_TICK_S)

    async def _work(
        self, subscriber: Subscriber, beside: Sequence[asyncio.Task[None]], stop: asyncio.Event
    ) -> None:
        """Commit: at once where somebody waits for it, else once a second."""
        committed_at = self._clock.now()
        retry_at = committed_at
        told: tuple[str, int] | None = None
        while True:
            # Read first: what came up before the end is still committed.
            last = stop.is_set()
            self._wake.clear()
            for task in beside:
                if task.done():
                    task.result()
            now = self._clock.now()
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
        if not self._leadership.is_sure():
            self._ledger_takes = False
            return False
        batch = self._worker.batch(self._clock.now())
        begun = perf_counter()
        try:
            await asyncio.to_thread(self._worker.write, batch)
        except SQLAlchemyError as error:
            metrics.commit_failures.inc()
            if self._ledger_takes:
                _log.error(
                    "ledger cannot commit, alarms are provisional", error=standby.cause(error)
                )
            self._ledger_takes = False
            return False
        metrics.commits.observe(perf_counter() - begun)
        self._worker.settle(batch)
        if not self._ledger_takes:
            _log.info("ledger commits again", alarms=len(batch.changes))
        self._ledger_takes, self._waiting = True, None
        for change in batch.changes:
            metrics.changes.labels(turn=change.turn.value).inc()
            _log.info(change.turn.value, alarm=change.occurrence, first_value=change.value)
        return True

    async def _tell(self, subscriber: Subscriber) -> None:
        """Say how we stand, once a second and whenever that changes."""
        told, told_at = None, self._clock.now()
        while True:
            now = self._clock.now()
            takes, complete = self._takes(now), not subscriber.place.behind
            stand = (takes, complete, 0 if takes else self._worker.waiting)
            if stand != told or now.since(told_at) >= _WORD_EVERY:
                told, told_at = stand, now
                await self._say(now, takes, complete)
            await asyncio.sleep(_TICK_S)

    def _takes(self, now: Instant) -> bool:
        """Whether the ledger takes what comes up, as far as can be seen."""
        if not self._worker.has_changes:
            self._waiting = None
        elif self._waiting is None:
            self._waiting = now
        hangs = self._waiting is not None and now.since(self._waiting) >= _HANGS
        return self._ledger_takes and not hangs

    async def _say(self, now: Instant, takes: bool, complete: bool) -> None:
        waiting = [] if takes else self._worker.provisional()
        said = provisional.most_urgent(waiting)
        metrics.provisional.set(len(waiting))
        word = Word(
            site=self._site.id,
            worker=self._name,
            at=now,
            ledger_takes=takes,
            complete=complete,
            alarms=said,
            unsaid=len(waiting) - len(said),
        )
        await self._bus.publish(provisional.topic(self._site.id), provisional.encode(word))

    async def _pause(self) -> None:
        """Until the next look, or until there is something to commit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._wake.wait()

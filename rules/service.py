"""The rules as a service; it cannot tell whether bus and ledger are in this process or not.

Of several workers of a site one leads (``standby``), and only it evaluates, sends and makes
rounds. While it leads it says every second how it stands (``provisional``), and at once what has
come up and the ledger does not take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.bus.base import Bus
from gateway.bus.stream import Subscriber
from gateway.clock import Clock
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from rules import metrics, provisional, pruning, standby
from rules.contractor_link import Links
from rules.handover import service as shifts
from rules.inspections import service as rounds
from rules.ledger.store import Ledger
from rules.notify.carriers import carriers
from rules.notify.dispatch import Dispatcher
from rules.plans import service as plans
from rules.provisional import Word
from rules.register import service as register
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
_TURN_S = 0.002
"""For which records are evaluated before others have their turn."""
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
    public_url: str = "",
    link_key: bytes = b"",
    history: History | None = None,
) -> None:
    """Stand by, and while we lead evaluate, commit and send, until ``stop``; the bus is started
    and closed by the caller. ``public_url``: where people reach the page, for links; ``link_key``:
    what those of contractors are made with; ``history``: read by rounds, whose items look back;
    no alarm waits for it."""
    leadership = Leadership(standby.claim_of(ledger, site.id), clock)
    lead = _Lead(
        site=site,
        rulebook=rulebook,
        bus=bus,
        ledger=ledger,
        clock=clock,
        public_url=public_url,
        link_key=link_key,
        history=history,
        leadership=leadership,
    )
    try:
        while await leadership.wait(stop):
            await lead.run(stop)
            await leadership.give_up()
    finally:
        await leadership.give_up()


@dataclass(frozen=True, kw_only=True)
class _Lead:
    """All that is done by who leads, and by nobody else."""

    site: Site
    rulebook: Rulebook
    bus: Bus
    ledger: Ledger
    clock: Clock
    public_url: str
    link_key: bytes
    history: History | None
    leadership: Leadership

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, or until another worker leads."""
        over = asyncio.Event()
        site, ledger, clock = self.site, self.ledger, self.clock
        service = _Service(
            site=site,
            rulebook=self.rulebook,
            bus=self.bus,
            ledger=ledger,
            clock=clock,
            leadership=self.leadership,
        )
        async with carriers(site, clock) as by_channel, asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(
                site=site,
                ledger=ledger,
                carriers=by_channel,
                clock=clock,
                public_url=self.public_url,
                link_key=self.link_key,
            )
            tasks.create_task(self.leadership.keep(stop, over))
            tasks.create_task(dispatcher.run(over))
            tasks.create_task(service.run(over))
            for keep in self._books(service.latest):
                tasks.create_task(keep(site=site, ledger=ledger, clock=clock, stop=over))

    def _books(self, latest: Latest) -> Sequence[Callable[..., Coroutine[Any, Any, None]]]:
        """What is kept beside the alarms (``housekeeping``)."""
        rulebook = self.rulebook
        lasts = rulebook.order_book.contractor_link
        links = Links(key=self.link_key, lasts=lasts) if self.link_key else None
        return (
            partial(pruning.run, book=rulebook.register),
            partial(register.run, book=rulebook.register),
            partial(plans.run, rulebook=rulebook, latest=latest, links=links),
            partial(shifts.run, rulebook=rulebook, latest=latest),
            partial(rounds.run, rulebook=rulebook, latest=latest, history=self.history),
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
            now, begun = self._clock.now(), perf_counter()
            for record in records:
                self._worker.take((record,))
                self.latest.take(record, now)
                if perf_counter() - begun >= _TURN_S:
                    # In one process with the gateway no poll is to wait for a whole batch.
                    self._wake_if_waited_for()
                    await asyncio.sleep(0)
                    begun = perf_counter()
            metrics.records.inc(len(records))
            metrics.lost.set(subscriber.lost)
            behind = self._clock.now().wall - records[-1].envelope.at.wall
            metrics.lag.set(behind / SECOND)
            self._wake_if_waited_for()

    def _wake_if_waited_for(self) -> None:
        if self._worker.has_changes:
            self._wake.set()

    async def _tick(self) -> None:
        """Also while a commit is under way, however long it takes."""
        while True:
            self._worker.tick(self._clock.now())
            self._wake_if_waited_for()
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

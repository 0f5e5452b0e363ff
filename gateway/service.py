"""The gateway: every device is polled or heard, every reading made safe, told and kept.

    poll, message → derived points → spool → sync ┬→ bus
                                                  └→ history

Tasks: one a Modbus link, one for the broker session, one that makes safe, one that tells, one
that fills the history, one that keeps what was counted, one that watches. None of them waits for
another. Parts: ``devices`` (polled and heard), ``tally`` (derived points), ``intake`` and
``keeping`` (made safe, told, kept), ``watching`` (clock, spool, retention), ``answering``
(questions).
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import structlog

from gateway import metrics
from gateway.answering import answers
from gateway.bus.base import Bus
from gateway.bus.stream import Publisher
from gateway.clock import Clock
from gateway.devices import Devices
from gateway.history.base import History
from gateway.history.retention import Retention
from gateway.history.writer import HistoryWriter
from gateway.intake import Intake
from gateway.keeping import Keeping
from gateway.link_answers import Now
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Site
from gateway.model.events import GatewayEvent, GatewayEventKind
from gateway.model.moment import DAY, Instant
from gateway.spool.queue import Spool
from gateway.tally import Tally
from gateway.watching import Watching

_log = structlog.get_logger(__name__)

_RETRY_S = 1.0
_SWITCH_S = 0.00005
"""After which a thread that computes (history, ledger) lets the event loop go on. Each request that
is sent and each reply that is heard beside such a thread costs the loop as long as that: with
Python's own 5 ms a link is read at less than half its pace, with this nearly as if alone; and the
thread gets as much done."""
_COLLECT = (10_000, 10, 10)
"""Garbage is looked for after so many new objects, and seldom among old ones."""
_SETTLED_S = 15.0
"""After which everything that stays has been made."""
_WATCH_S = 1.0
_CHECKPOINT_S = 10.0
CHECKPOINT_FILE = "derived.json"
"""Beside the spool's folder."""


class Gateway:
    """All links of one site's gateway. The caller starts and closes ``bus``, and closes ``spool``
    and ``history`` after ``run`` has returned.

    ``keep``: µs of history to keep. ``pollers``: for tests; by default one a Modbus link.
    """

    def __init__(
        self,
        *,
        site: Site,
        spool: Spool,
        history: History,
        bus: Bus,
        clock: Clock,
        keep: int = 30 * DAY,
        pollers: Sequence[LinkPoller] | None = None,
    ) -> None:
        self._site = site
        self._clock = clock
        # Threads of their own: an alarm must not wait behind what else is slow today.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="spool")
        self._publisher = Publisher(spool, bus, site.id, site.gateway, self._threads)
        self.intake = Intake(site, spool, self._publisher, self._threads)
        writer = HistoryWriter(spool, history, site.gateway, site.points)
        self.retention = Retention(history, tuple(site.points), keep)
        self.keeping = Keeping(self.intake, writer, self.retention, clock)
        self.tally = Tally(site.equipment.values(), spool, spool.folder.parent / CHECKPOINT_FILE)
        self.devices = Devices(
            site=site,
            spool=spool,
            intake=self.intake,
            tally=self.tally,
            clock=clock,
            pollers=pollers,
        )
        self.watching = Watching(
            site=site,
            spool=spool,
            intake=self.intake,
            writer=writer,
            retention=self.retention,
            started=clock.now(),
        )
        self._answers = answers(
            site=site,
            spool=spool,
            history=history,
            bus=bus,
            devices=self.devices,
            clock=clock,
            now=self._now,
        )
        self._begun = False

    # -- one round by hand, for tests that turn the clock ---------------------------------------

    async def cycle(self, now: Instant) -> None:
        """Poll what is due at ``now``, make it safe, tell the bus, and fill the history."""
        self._begin(now)
        self.watching.look_at_clock(now)
        self.devices.settle(now)
        for poller in self.devices.pollers:
            await self.devices.poll(poller, now)
        await self.keeping.commit()
        await self.keeping.fill()

    # -- the service ----------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then what was taken is committed and, if the history can, written."""
        sys.setswitchinterval(_SWITCH_S)
        self._begin(self._clock.now())
        try:
            with _steady_heap():
                await self._work(stop)
        finally:
            await self._end()

    async def _work(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            parts: dict[str, Callable[[], Awaitable[None]]] = {
                "spool": self.keeping.sync_for_ever,
                "bus": self.keeping.tell_for_ever,
                "history": self.keeping.fill_for_ever,
                "derived": self._count_for_ever,
                "watch": self._watch_for_ever,
            }
            for poller in self.devices.pollers:
                work = partial(self.devices.poll_for_ever, poller)
                parts[f"link {poller.link.id}"] = work
            tasks = [group.create_task(self._keep_on(part, work)) for part, work in parts.items()]
            group.create_task(self.devices.listen_for_ever())
            await stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            # While the session still stands, so that the broker hears of it.
            await self.keeping.commit()
            self.devices.leave()

    def _begin(self, now: Instant) -> None:
        if self._begun:
            return
        self._begun = True
        self.tally.resume()
        self.devices.begin()
        self._publisher.start()
        self._answers.start()
        started = GatewayEvent(
            kind=GatewayEventKind.STARTED,
            subject=self._site.gateway,
            detail=self._site.fingerprint,
        )
        self.intake.take(started, now)

    async def _end(self) -> None:
        await self.devices.close()
        await self.keeping.commit()
        await self.keeping.fill()
        await self.keep_count()
        await self._answers.close()
        await self._publisher.close()
        self.keeping.close()
        self._threads.shutdown(wait=False)

    async def _keep_on(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Start ``work`` again if it fails in a way that nobody foresaw."""
        while True:
            try:
                await work()
            except Exception:
                metrics.loop_failures.labels(part).inc()
                _log.exception("part of the gateway failed, starting it again", part=part)
            await self._clock.sleep(_RETRY_S)

    def _now(self) -> Now:
        return Now(
            repeats=self.devices.repeated,
            disk_failing_since=self.watching.disk_failing_since,
            behind=self.watching.behind(self._clock.now()),
        )

    async def _watch_for_ever(self) -> None:
        while True:
            now = self._clock.now()
            self.devices.settle(now)
            self.devices.show()
            await self.watching.look(now)
            await self._clock.sleep(_WATCH_S)

    async def _count_for_ever(self) -> None:
        while True:
            await self._clock.sleep(_CHECKPOINT_S)
            await self.keep_count()

    async def keep_count(self) -> None:
        """Keep what was counted for the derived points."""
        try:
            await asyncio.to_thread(self.tally.keep, self.tally.checkpoint())
        except OSError as error:
            _log.error("what was counted cannot be kept", error=str(error))


@contextmanager
def _steady_heap() -> Iterator[None]:
    """Python stops everything while it looks for garbage, a good part of a second where a large
    site is all looked through. So what is there when we begin, and what is there once each device
    has been read and the rules have been laid out, is not looked through any more."""
    usual = gc.get_threshold()
    gc.set_threshold(*_COLLECT)
    gc.freeze()
    settled = asyncio.get_running_loop().call_later(_SETTLED_S, gc.freeze)
    try:
        yield
    finally:
        settled.cancel()
        gc.unfreeze()
        gc.set_threshold(*usual)

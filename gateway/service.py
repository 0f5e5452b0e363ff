"""The gateway: every device is polled or heard, every reading made safe, told and kept.

    poll, message → frame → spool → sync ┬→ bus
                                         └→ history

Tasks: one a Modbus link, one for the broker session, one that commits, one that fills the
history, one that watches clock and retention. None of them waits for another: a slow link delays
its own units, a slow history its own backlog.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import structlog

from gateway import metrics
from gateway.bus.base import Bus
from gateway.bus.stream import Publisher
from gateway.clock import Clock
from gateway.clock_watch import ClockWatch
from gateway.history.base import History, HistoryUnavailableError
from gateway.history.retention import Retention
from gateway.history.writer import HistoryWriter
from gateway.intake import Intake
from gateway.link_state import LinkState
from gateway.modbus.decode import Columns
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, ModbusLink, MqttLink, Site
from gateway.model.events import (
    GatewayEvent,
    GatewayEventKind,
    UnreadableRecordError,
    decode,
)
from gateway.model.frame import Frame
from gateway.model.moment import DAY, HOUR, SECOND, Instant, iso
from gateway.model.quality import Quality
from gateway.mqtt.link import MqttMessage, MqttSession
from gateway.mqtt.mapping import MessageMapping
from gateway.repeats import Delivery, Repeats
from gateway.spool import Spool

_log = structlog.get_logger(__name__)

_BEACON_S = 2.0
"""A silent gateway tells this often where its stream is."""
_HISTORY_EVERY_S = 1.0
_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_WATCH_S = 1.0
_DOUBT = SECOND
"""µs for which a message is held back that came again while those taken after it have not yet."""
_REMEMBERED = 1000
"""Records at the spool's end in which a message that is delivered again is looked for."""


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
        self._spool = spool
        self._history = history
        self._clock = clock
        self._retention = Retention(history, tuple(site.points), keep)
        equipment = _by_link(site)
        self._pollers = _pollers(site, equipment) if pollers is None else tuple(pollers)
        self._states = {p.link.id: LinkState(p.link.id, len(p.units)) for p in self._pollers}
        # Threads of their own: an alarm must not wait behind what else is slow today.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="spool")
        self._publisher = Publisher(spool, bus, site.id, site.gateway, self._threads)
        self._intake = Intake(site, spool, self._publisher, self._threads)
        self._writer = HistoryWriter(spool, history, site.gateway)
        self._clock_watch = ClockWatch(clock.now())
        self._repeats = Repeats(_REMEMBERED)
        mqtt = [link.id for link in site.links.values() if isinstance(link, MqttLink)]
        self._states.update({link: LinkState(link, 1) for link in mqtt})
        self._mapping = MessageMapping([thing for link in mqtt for thing in equipment[link]])
        self._by_message = {
            point.id for link in mqtt for thing in equipment[link] for point in thing.points
        }
        self._session = self._mqtt_session() if self._mapping.topics() else None
        self._heard: Instant | None = None
        self._deaf = asyncio.Event()
        """Set when we leave the broker ourselves."""
        self._started = 0
        """µs UTC; 0: not yet."""

    # -- one round by hand, for tests that turn the clock ---------------------------------------

    async def cycle(self, now: Instant) -> None:
        """Poll what is due at ``now``, make it safe, tell the bus, and fill the history."""
        self._begin(now)
        self._watch_clock(now)
        self._take_messages(self._repeats.settle(now.plus(-_DOUBT)))
        for poller in self._pollers:
            await self._poll(poller, now)
        await self._commit()
        await self._fill_history()

    # -- the service ----------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then what was taken is committed and, if the history can, written."""
        self._begin(self._clock.now())
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._commit_for_ever()),
                    group.create_task(self._keep_on("history", self._fill_for_ever)),
                    group.create_task(self._keep_on("watch", self._watch_for_ever)),
                    *(group.create_task(self._poll_for_ever(poller)) for poller in self._pollers),
                ]
                if self._session is not None:
                    group.create_task(self._session.run(self._deaf))
                await stop.wait()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                # While the session still stands, so that the broker hears of it.
                await self._commit()
                self._deaf.set()
        finally:
            await self._end()

    def hear(self, message: MqttMessage) -> None:
        """A message of a device; acknowledged once its readings are safe.

        Raises UnreadableMessageError for what holds no readings and never will.
        """
        metrics.mqtt_messages.inc()
        at = self._own_instant()
        frame = self._mapping.take(
            message.topic, message.payload, at.wall, retained=message.retained
        )
        if frame is None:
            message.ack()
            return
        delivery = Delivery(frame=frame, at=at, ack=message.ack)
        new, repeats = self._repeats.sort(delivery, again=message.again)
        self._take_messages(new)
        metrics.mqtt_repeats.inc(len(repeats))
        for repeat in repeats:
            self._intake.acknowledge_after_taken(repeat.ack)

    def _take_messages(self, deliveries: Sequence[Delivery]) -> None:
        """In their order; from the first for which there is no room, all are left to the broker."""
        for delivery in deliveries:
            if not self._intake.take(delivery.frame, delivery.at, delivery.ack):
                if self._session is not None:
                    self._session.leave("no room: the disk takes nothing")
                return
            self._repeats.add(delivery.frame)
            metrics.readings.labels("mqtt").inc(len(delivery.frame.points))

    def _own_instant(self) -> Instant:
        """Now, and never the same twice: receive times are the keys of the history."""
        now, last = self._clock.now(), self._heard
        if last is not None and now.boot == last.boot and now.mono <= last.mono:
            now = last.plus(1)
        self._heard = now
        return now

    def _begin(self, now: Instant) -> None:
        if self._started:
            return
        self._started = now.wall
        self._remember_messages()
        self._publisher.start()
        started = GatewayEvent(
            kind=GatewayEventKind.STARTED,
            subject=self._site.gateway,
            detail=self._site.fingerprint,
        )
        self._intake.take(started, now)

    async def _end(self) -> None:
        for poller in self._pollers:
            await poller.close()
        await self._commit()
        await self._fill_history()
        await self._publisher.close()
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

    # -- devices --------------------------------------------------------------------------------

    async def _poll_for_ever(self, poller: LinkPoller) -> None:
        async def work() -> None:
            while True:
                await self._poll(poller, None)
                await self._clock.sleep(poller.wait(self._clock.now()) / SECOND)

        await self._keep_on(f"link {poller.link.id}", work)

    async def _poll(self, poller: LinkPoller, at: Instant | None) -> None:
        """One round over the due units; received at ``at``, or when the reply is there."""
        begun = self._clock.now()
        polled = False
        async for points, columns in poller.poll(begun if at is None else at):
            polled = True
            self._take_poll(poller.link.id, points, columns, at or self._clock.now())
        if polled:
            seconds = self._clock.now().since(begun) / SECOND
            metrics.poll_seconds.labels(poller.link.id).observe(seconds)

    def _take_poll(self, link: str, points: tuple[str, ...], columns: Columns, at: Instant) -> None:
        metrics.polls.labels(link).inc()
        metrics.readings.labels(link).inc(len(points))
        frame = Frame(
            points=points,
            value=columns.value,
            quality=columns.quality,
            source_time=np.full(len(points), at.wall, dtype=np.int64),
            reason=columns.reason,
        )
        self._intake.take(frame, at)
        works = bool((columns.quality < Quality.BAD).any())
        reason = "" if works else next(iter(columns.reason.values()), "no value")
        if not works:
            # What follows the semicolon is a detail of the moment.
            metrics.poll_failures.labels(link, reason.split(";")[0]).inc()
        self._hear_of_link(link, points, works, reason, at)

    def _hear_of_link(
        self, link: str, source: tuple[str, ...] | str, works: bool, reason: str, at: Instant
    ) -> None:
        state = self._states[link]
        event = state.hear(source, works, reason)
        metrics.link_up.labels(link).set(bool(state.up))
        if event is not None:
            _log.info(event.kind.value, link=link, reason=event.detail)
            self._intake.take(event, at)

    def _mqtt_session(self) -> MqttSession:
        broker = self._site.broker
        if broker is None:
            raise ValueError(f"site {self._site.id} has MQTT devices and no broker")
        client_id = f"dutyroom-{self._site.id}-{self._site.gateway}-devices"
        topics = self._mapping.topics()
        return MqttSession(
            broker,
            client_id,
            topics,
            self.hear,
            self._hear_of_broker,
            has_room=lambda: self._spool.has_room,
        )

    def _hear_of_broker(self, connected: bool, reason: str) -> None:
        if not connected:
            self._repeats.forget_held()
        if self._deaf.is_set():
            return
        at = self._clock.now()
        for link in self._site.links.values():
            if isinstance(link, MqttLink):
                self._hear_of_link(link.id, "broker", connected, reason, at)

    def _remember_messages(self) -> None:
        """What is in the spool's end may be delivered again by a broker that was not told."""
        after = max(0, self._spool.synced - _REMEMBERED)
        for _, data in self._spool.read(after, limit=_REMEMBERED).records:
            with suppress(UnreadableRecordError):
                body = decode(data).body
                if isinstance(body, Frame) and self._by_message.issuperset(body.points):
                    self._repeats.add(body)

    # -- spool and history ----------------------------------------------------------------------

    async def _commit_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEACON_S):
                    await self._intake.taken.wait()
            if not await self._commit():
                await self._clock.sleep(_RETRY_S)

    async def _commit(self) -> bool:
        """Whether all that was taken is safe now; if not, it waits in memory."""
        try:
            await self._intake.commit()
        except OSError as error:
            metrics.spool_sync_failures.inc()
            _log.error("spool cannot be written, readings wait", error=str(error))
            return False
        return True

    async def _fill_for_ever(self) -> None:
        retry = _RETRY_S
        while True:
            if await self._fill_history():
                retry = _RETRY_S
                await self._clock.sleep(_HISTORY_EVERY_S)
            else:
                await self._clock.sleep(retry)
                retry = min(2 * retry, _LONGEST_RETRY_S)

    async def _fill_history(self) -> bool:
        """Whether the history has all that is safe now; if not, the spool keeps it."""
        try:
            if not self._retention.has_begun:
                await asyncio.to_thread(self._retention.begin, self._clock.now())
            if not self._writer.resumed:
                self._writer.resume(await asyncio.to_thread(self._writer.cursor))
            while self._writer.behind:
                await asyncio.to_thread(self._writer.step)
        except (HistoryUnavailableError, OSError) as error:
            metrics.history_failures.inc()
            _log.error("history cannot be written", error=str(error))
            return False
        return True

    # -- clock, retention, figures --------------------------------------------------------------

    async def _watch_for_ever(self) -> None:
        trimmed = self._clock.now()
        while True:
            now = self._clock.now()
            self._watch_clock(now)
            self._take_messages(self._repeats.settle(now.plus(-_DOUBT)))
            await asyncio.to_thread(self._show, now)
            if now.since(trimmed) >= HOUR:
                trimmed = now
                await self._trim(now)
            await self._clock.sleep(_WATCH_S)

    def _watch_clock(self, now: Instant) -> None:
        step = self._clock_watch.look(now)
        if step:
            detail = f"{step / SECOND:+.3f} s, to {iso(now.wall, self._site.zone)}"
            _log.warning("wall clock was stepped", by=detail)
            self._retention.stepped(now, step)
            event = GatewayEvent(
                kind=GatewayEventKind.CLOCK_STEP, subject=self._site.gateway, detail=detail
            )
            self._intake.take(event, now)

    async def _trim(self, now: Instant) -> None:
        try:
            removed = await asyncio.to_thread(self._retention.trim, now)
        except HistoryUnavailableError as error:
            _log.error("history cannot be trimmed", error=str(error))
            return
        if removed:
            _log.info("history trimmed", readings=removed)

    def _show(self, now: Instant) -> None:
        spool = self._spool
        metrics.spool_records.set(spool.synced)
        metrics.spool_bytes.set(spool.size)
        metrics.spool_torn.set(spool.torn)
        metrics.spool_shed.set(spool.shed)
        for consumer in spool.consumers:
            metrics.spool_backlog.labels(consumer).set(spool.backlog(consumer))
        since = self._writer.written or self._started
        metrics.history_behind.set((now.wall - since) / SECOND if self._writer.behind else 0)
        if self._session is not None:
            metrics.mqtt_quarantined.set(self._session.quarantine.count)


def _by_link(site: Site) -> defaultdict[str, list[Equipment]]:
    found: defaultdict[str, list[Equipment]] = defaultdict(list)
    for thing in site.equipment.values():
        found[thing.link].append(thing)
    return found


def _pollers(site: Site, equipment: defaultdict[str, list[Equipment]]) -> tuple[LinkPoller, ...]:
    return tuple(
        LinkPoller(link, equipment[link.id])
        for link in site.links.values()
        if isinstance(link, ModbusLink) and equipment[link.id]
    )

"""Every device is polled or heard, and what it said is taken in.

A slow link delays its own units.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.gathering import Gathering, Pace
from gateway.intake import Intake
from gateway.link_state import LinkState
from gateway.modbus.batch import Said
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, ModbusLink, MqttLink, Site
from gateway.model.events import UnreadableRecordError, decode
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.model.reason import code_of
from gateway.mqtt.link import MqttMessage, MqttSession
from gateway.mqtt.mapping import MessageMapping
from gateway.repeats import Delivery, Repeats
from gateway.spool.queue import Spool
from gateway.tally import Tally

_log = structlog.get_logger(__name__)

_DOUBT = SECOND
"""µs for which a message is held back that came again while those taken after it have not yet."""
_REMEMBERED = 1000
"""Records at the spool's end in which a message that is delivered again is looked for."""


class Devices:
    """All links of a site. ``pollers``: for tests; by default one a Modbus link."""

    def __init__(
        self,
        *,
        site: Site,
        spool: Spool,
        intake: Intake,
        tally: Tally,
        clock: Clock,
        pollers: Sequence[LinkPoller] | None = None,
    ) -> None:
        self._site = site
        self._spool = spool
        self._intake = intake
        self._tally = tally
        self._clock = clock
        equipment = _by_link(site)
        self.pollers = _pollers(site, equipment) if pollers is None else tuple(pollers)
        self._pace = Pace()
        self._polled = {p.link.id: _Polled(p.link.id, self._pace) for p in self.pollers}
        self._states = {p.link.id: LinkState(p.link.id, len(p.units)) for p in self.pollers}
        self._repeats = Repeats(_REMEMBERED)
        mqtt = [link.id for link in site.links.values() if isinstance(link, MqttLink)]
        self._states.update({link: LinkState(link, 1) for link in mqtt})
        things = [thing for link in mqtt for thing in equipment[link]]
        self._mapping = MessageMapping(things, site.zone)
        self._by_message = {point.id for thing in things for point in thing.points}
        self.session = self._mqtt_session() if self._mapping.topics() else None
        self.listeners: list[Callable[[MqttMessage, Frame | None, int], None]] = []
        """Who else wants to hear what messages say: message, its readings, received at (µs)."""
        self.repeated = 0
        """Messages that were delivered once more."""
        self._heard: Instant | None = None
        self._deaf = asyncio.Event()
        """Set when we leave the broker ourselves."""

    def begin(self) -> None:
        """What is in the spool's end may be delivered again by a broker that was not told."""
        for _, data in self._spool.last(_REMEMBERED).records:
            with suppress(UnreadableRecordError):
                body = decode(data).body
                if isinstance(body, Frame) and self._by_message.issuperset(body.points):
                    self._repeats.add(self._tally.sources(body))

    async def close(self) -> None:
        for poller in self.pollers:
            await poller.close()

    # -- polled ---------------------------------------------------------------------------------

    async def poll_for_ever(self, poller: LinkPoller) -> None:
        await self._clock.sleep(poller.lead)
        while True:
            await self.poll(poller, None)
            asleep = self._clock.now()
            wait = poller.wait(asleep)
            await self._clock.sleep(wait / SECOND)
            self._pace.woke(self._clock.now().since(asleep) - wait)

    async def poll(self, poller: LinkPoller, at: Instant | None) -> None:
        """One round over the due units; received at ``at``, or when the reply is there.

        What follows shortly on one another is one frame; nothing is held back for longer than
        :attr:`Pace.hold`, nor over the end of the round.
        """
        begun = self._clock.now()
        polled = False
        try:
            moment = begun if at is None else at
            async for said in poller.poll(moment, within=self._pace.hold):
                polled = True
                self.take_poll(poller.link.id, said, at or self._clock.now())
        finally:
            self.hand_on(poller.link.id)
        if polled:
            seconds = self._clock.now().since(begun) / SECOND
            self._polled[poller.link.id].seconds.observe(seconds)

    def take_poll(self, link: str, said: Said, at: Instant) -> None:
        """What units of ``link`` said, to be handed on together with what their neighbours say."""
        polled = self._polled[link]
        polled.count(said)
        if not polled.gathering.takes(said, at):
            self.hand_on(link)
        if polled.timer is None:
            loop = asyncio.get_running_loop()
            polled.timer = loop.call_later(self._pace.hold / SECOND, self.hand_on, link)
        polled.gathering.add(said, at)
        if not said.columns.reason:
            self._hear_of_link(link, said.units, True, "", at)
            return
        for own in said.each():
            works = own.works
            reason = "" if works else next(iter(own.columns.reason.values()))
            if not works:
                metrics.poll_failures.labels(link, code_of(reason)).inc()
            self._hear_of_link(link, own.units, works, reason, at)

    def hand_on(self, link: str) -> None:
        """Take in what ``link`` has brought."""
        polled = self._polled[link]
        if polled.timer is not None:
            polled.timer.cancel()
            polled.timer = None
        polled.show()
        for frame, at in polled.gathering.take():
            self._intake.take(self._tally.step(frame, at), at)

    def _hear_of_link(
        self, link: str, sources: Iterable[Hashable], works: bool, reason: str, at: Instant
    ) -> None:
        state = self._states[link]
        event = state.hear(sources, works, reason)
        if event is not None:
            metrics.link_up.labels(link).set(bool(state.up))
            _log.info(event.kind.value, link=link, reason=event.detail)
            if link in self._polled:
                self.hand_on(link)  # first what shows it
            self._intake.take(event, at)

    # -- heard ----------------------------------------------------------------------------------

    async def listen_for_ever(self) -> None:
        """Until :meth:`leave`."""
        if self.session is not None:
            await self.session.run(self._deaf)

    def leave(self) -> None:
        self._deaf.set()

    def show(self) -> None:
        if self.session is not None:
            metrics.mqtt_quarantined.set(self.session.quarantine.count)

    def hear(self, message: MqttMessage) -> None:
        """A message of a device; acknowledged once its readings are safe.

        Raises UnreadableMessageError for what holds no readings and never will.
        """
        metrics.mqtt_messages.inc()
        at = self._own_instant()
        frame = self._mapping.take(
            message.topic,
            message.payload,
            at.wall,
            retained=message.retained,
            late=message.backlog,
        )
        for listener in self.listeners:
            listener(message, frame, at.wall)
        if frame is None:
            message.ack()
            if self.session is not None:
                self.session.ask(self._mapping.requests_on(message.topic))
            return
        delivery = Delivery(frame=frame, at=at, ack=message.ack)
        new, repeats = self._repeats.sort(delivery, again=message.again)
        self._take_messages(new)
        self.repeated += len(repeats)
        metrics.mqtt_repeats.inc(len(repeats))
        for repeat in repeats:
            self._intake.acknowledge_after_taken(repeat.ack)

    def settle(self, now: Instant) -> None:
        """Take the messages that were held back for too long."""
        self._take_messages(self._repeats.settle(now.plus(-_DOUBT)))

    def _take_messages(self, deliveries: Sequence[Delivery]) -> None:
        """In their order; from the first for which there is no room, all are left to the broker."""
        for delivery in deliveries:
            if not self._take_message(delivery):
                if self.session is not None:
                    self.session.leave("the disk takes nothing")
                return
            self._repeats.add(delivery.frame)
            metrics.readings.labels("mqtt").inc(len(delivery.frame.points))

    def _take_message(self, delivery: Delivery) -> bool:
        if not self._spool.has_room:
            # Asked first: what comes again must not be counted twice by the tally.
            metrics.readings_refused.inc(len(delivery.frame.points))
            return False
        frame = self._tally.step(delivery.frame, delivery.at)
        return self._intake.take(frame, delivery.at, delivery.ack)

    def _own_instant(self) -> Instant:
        """Now, and never the same twice: receive times are the keys of the history."""
        now, last = self._clock.now(), self._heard
        if last is not None and now.boot == last.boot and now.mono <= last.mono:
            now = last.plus(1)
        self._heard = now
        return now

    def _mqtt_session(self) -> MqttSession:
        broker = self._site.broker
        if broker is None:
            raise ValueError(f"site {self._site.id} has MQTT devices and no broker")
        return MqttSession(
            broker,
            f"dutyroom-{self._site.id}-{self._site.gateway}-devices",
            self._mapping.topics(),
            self.hear,
            self._hear_of_broker,
            requests=self._mapping.requests(),
            due=self._mapping.requests_due,
            has_room=lambda: self._spool.has_room,
            clock=self._clock,
        )

    def _hear_of_broker(self, connected: bool, reason: str) -> None:
        if not connected:
            self._repeats.forget_held()
        if self._deaf.is_set():
            return
        at = self._clock.now()
        for link in self._site.links.values():
            if isinstance(link, MqttLink):
                self._hear_of_link(link.id, ("broker",), connected, reason, at)


class _Polled:
    """What goes with one polled link."""

    def __init__(self, link: str, pace: Pace) -> None:
        self.gathering = Gathering(pace)
        self.timer: asyncio.TimerHandle | None = None
        """Hands on what was gathered."""
        self.seconds = metrics.poll_seconds.labels(link)
        self._polls = metrics.polls.labels(link)
        self._readings = metrics.readings.labels(link)
        self._units = self._rows = 0
        """Polled since they were last shown: a counter costs more than a reading."""

    def count(self, said: Said) -> None:
        self._units += len(said.units)
        self._rows += len(said.points)

    def show(self) -> None:
        self._polls.inc(self._units)
        self._readings.inc(self._rows)
        self._units = self._rows = 0


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

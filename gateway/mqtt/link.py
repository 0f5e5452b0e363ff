"""One session with a broker, for devices: it comes back after every loss."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from paho.mqtt.client import MQTTMessage

from gateway.clock import Clock, SystemClock
from gateway.model.equipment import Broker
from gateway.model.reason import Reason
from gateway.mqtt.backlog import Backlog
from gateway.mqtt.connection import CONNECT_TIMEOUT, Connection, NotPublishedError
from gateway.mqtt.document import UnreadableMessageError
from gateway.mqtt.overflow import DROPPED_TOPIC, Overflow
from gateway.mqtt.quarantine import Quarantine

__all__ = ["MqttMessage", "MqttSession", "NotPublishedError"]

_log = structlog.get_logger(__name__)

KEEPALIVE = 30
"""Seconds; a broker that has fallen silent is given up after one and a half times as many."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 8.0
"""Seconds between attempts to connect, before up to a quarter is added at random."""
_SETTLED = 15.0
"""Seconds after which a connection has proven to be one."""
_SUSPICIOUS = 3
"""Connections in a row that the broker closes before that: somebody else has our id."""
_REQUEST_PAUSE = 0.02
"""Seconds between two requests, lest all answers come at once: brokers drop what piles up."""
_FIRST = 100
"""Messages of a connection that may be ones sent before, though a careless broker does not say
so; one may have some twenty under way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttMessage:
    topic: str
    payload: bytes
    retained: bool
    """The broker had kept it: it may be old."""
    again: bool = False
    """The broker may have sent it before: it says so, or took our session up again just now."""
    backlog: bool = False
    """It came again, or the broker may have kept it for us while we were away: see
    :mod:`gateway.mqtt.backlog`."""
    ack: Callable[[], None] = field(repr=False)
    """Tell the broker that the message is safe. Until then it may send it again; a broker stops
    sending after some twenty messages that nobody acknowledged."""


class MqttSession:
    """Hears ``topics`` for as long as :meth:`run` runs; building it does not connect.

    ``on_message`` is called in the event loop for each message and must not block. If it raises,
    the message is counted in :attr:`quarantine` and acknowledged, since it would fail again.
    ``on_state`` hears of every connection made, lost, refused or not reached, with the reason.
    The session is persistent: what a broker receives meanwhile is delivered on return.
    ``requests``: (topic, payload) to say whenever the broker has let us in, such as those that
    make devices tell all that they know; ``due``: which to say now, asked about once a second
    with seconds of a clock that never steps. ``has_room``: asked before connecting; see
    :meth:`leave`.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        topics: Sequence[str],
        on_message: Callable[[MqttMessage], None],
        on_state: Callable[[bool, str], None] | None = None,
        *,
        requests: Sequence[tuple[str, bytes]] = (),
        due: Callable[[float], Iterable[tuple[str, bytes]]] = lambda _: (),
        has_room: Callable[[], bool] = lambda: True,
        keepalive: int = KEEPALIVE,
        clock: Clock | None = None,
    ) -> None:
        if not topics:
            raise ValueError("a session needs topics to hear")
        self.quarantine = Quarantine()
        self.overflow = Overflow()
        self.connected = False
        """Whether the broker has let us in and confirmed what we hear."""
        self.reason = ""
        """Why it is not connected, or what it does not hear."""
        self.heard = 0
        """Messages since the start."""
        self.lost = 0
        """Connections lost since the start."""
        self.broker = broker
        self._client_id = client_id
        self._topics = tuple(topics)
        self._on_message = on_message
        self._on_state = on_state
        self._requests = tuple(requests)
        self._due = due
        self._has_room = has_room
        self._keepalive = keepalive
        self._clock = SystemClock() if clock is None else clock
        self._connection: Connection | None = None
        self._deliveries = 0
        """On this connection."""
        self._backlog = Backlog(client_id)
        self._to_say: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        """Requests that wait for their turn on this connection."""
        self._short_lived = 0
        """Connections in a row that the broker soon closed."""

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, stay connected, come back after every loss, until ``stop`` is set."""
        stopped = asyncio.create_task(stop.wait())
        failures = 0
        try:
            while not stop.is_set():
                if not self._has_room():
                    await asyncio.wait((stopped,), timeout=_FIRST_WAIT)
                    continue
                try:
                    proven = await self._connect(stopped)
                except Exception:
                    # Nobody foresaw it, and nobody would listen if this ended.
                    _log.exception("connection with the broker failed", broker=self.broker.host)
                    proven = False
                failures = 0 if proven else min(failures + 1, 8)
                wait = min(_FIRST_WAIT * 2**failures, _LONGEST_WAIT)
                await asyncio.wait((stopped,), timeout=wait * (1 + random.random() / 4))
        finally:
            stopped.cancel()

    async def publish(self, topic: str, payload: bytes, within: float = 5.0) -> None:
        """Returns when the broker has read the message, which it keeps for nobody.

        Raises :class:`NotPublishedError` if it has not in ``within`` s; it is then not sent once
        more, but may have arrived.
        """
        if self._connection is None or not self.connected:
            raise NotPublishedError(self.reason or Reason.NO_CONNECTION.told(), never_sent=True)
        await self._connection.publish(topic, payload, within)

    def ask(self, requests: Iterable[tuple[str, bytes]]) -> None:
        """Say ``requests`` (topic, payload) soon, whether they arrive or not; nothing while not
        connected."""
        if self.connected:
            for request in requests:
                self._to_say.put_nowait(request)

    def leave(self, detail: str = "") -> None:
        """End the connection because a message cannot be taken now, and come back when there is
        room: what was not acknowledged is then delivered again, in its order. Without that a
        broker would send nothing more after some twenty of them."""
        if self._connection is not None:
            self._connection.leave(Reason.NO_ROOM.told(detail))

    async def _connect(self, stopped: asyncio.Task[bool]) -> bool:
        """One connection from made to broken; whether it was a good one."""
        connection = Connection(
            self.broker,
            self._client_id,
            (*self._topics, self._backlog.topic),
            self._hear,
            keepalive=self._keepalive,
        )
        self._backlog.begin(_seconds())
        self._connection, self._deliveries, self._to_say = connection, 0, asyncio.Queue()
        asking: asyncio.Task[None] | None = None
        accepted, begun = False, _seconds()
        try:
            await connection.open()
            accepted = await self._let_in(connection, stopped)
            if accepted:
                connection.listen(DROPPED_TOPIC)
                self.ask(self._requests)
                asking = asyncio.create_task(self._say_in_turn(connection))
                while not connection.broken.done() and not stopped.done():
                    await self._watch(connection, stopped)
        finally:
            if asking is not None:
                asking.cancel()
            self._connection = None
            lived_long = _seconds() - begun >= _SETTLED
            try:
                self._lose(connection, accepted=accepted, lived_long=lived_long)
            finally:
                await connection.close()
        return accepted and (lived_long or not connection.closed_by_broker)

    async def _let_in(self, connection: Connection, stopped: asyncio.Task[bool]) -> bool:
        """Whether the broker took us and said what we may hear."""
        await asyncio.wait(
            (connection.subscribed, connection.broken, stopped),
            timeout=CONNECT_TIMEOUT,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if connection.broken.done() or stopped.done():
            return False
        if not connection.subscribed.done():
            connection.lose(Reason.NO_REPLY.told(f"{CONNECT_TIMEOUT:g} s"))
            return False
        # Without our own word the backlog ends by the clock.
        refused = [t for t in connection.subscribed.result() if t != self._backlog.topic]
        connection.mark(self._backlog.topic, self._backlog.word)
        self.connected = True
        self._tell(not refused, Reason.REFUSED.told(", ".join(refused)[:200]) if refused else "")
        return True

    async def _watch(self, connection: Connection, stopped: asyncio.Task[bool]) -> None:
        await asyncio.wait(
            (connection.broken, stopped),
            timeout=min(1.0, self._keepalive / 10),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not connection.broken.done():
            connection.watch()
            self.ask(self._due(_seconds()))

    async def _say_in_turn(self, connection: Connection) -> None:
        while True:
            connection.say(*await self._to_say.get())
            await asyncio.sleep(_REQUEST_PAUSE)

    def _lose(self, connection: Connection, *, accepted: bool, lived_long: bool) -> None:
        """The connection is broken, or we were told to stop and say nothing of it."""
        self.connected = False
        self.lost += accepted
        soon = accepted and connection.closed_by_broker and not lived_long
        self._short_lived = self._short_lived + 1 if soon else 0
        if not connection.broken.done():
            return
        reason = connection.broken.result()
        if self._short_lived >= _SUSPICIOUS:
            reason = Reason.SAME_CLIENT.told(self._client_id)
        self._tell(False, reason)

    def _tell(self, connected: bool, reason: str) -> None:
        self.reason = reason
        if self._on_state is not None:
            self._on_state(connected, reason)

    def _hear(self, connection: Connection, message: MQTTMessage) -> None:
        def ack() -> None:
            connection.ack(message)

        try:
            if message.topic == DROPPED_TOPIC:
                self._hear_of_overflow(bytes(message.payload))
                return
            if message.topic == self._backlog.topic:
                self._backlog.hear(bytes(message.payload))
                ack()
                return
            self.heard += 1
            self._deliveries += 1
            again = connection.resumed and self._deliveries <= _FIRST
            returning = connection.resumed and self._backlog.lasts(_seconds())
            self._on_message(
                MqttMessage(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    retained=message.retain,
                    again=message.dup or again,
                    backlog=message.dup or returning,
                    ack=ack,
                )
            )
        except Exception as error:
            self._put_aside(message, error)
            ack()

    def _hear_of_overflow(self, payload: bytes) -> None:
        dropped = self.overflow.hear(payload)
        if dropped:
            _log.error("broker dropped messages", messages=dropped, broker=self.broker.host)

    def _put_aside(self, message: MQTTMessage, error: Exception) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "a topic that is no UTF-8"
        foreseen = isinstance(error, UnreadableMessageError)
        reason = str(error) if foreseen else Reason.FAILED.told(f"{type(error).__name__}: {error}")
        entry = self.quarantine.put(topic, bytes(message.payload), reason, self._clock.now().wall)
        # Said ever more rarely: a device that talks nonsense must not fill the log.
        if entry.count.bit_count() == 1:
            _log.warning(
                "message put aside",
                count=entry.count,
                topic=entry.topic,
                sample=entry.sample,
                reason=entry.reason,
                exc_info=None if foreseen else error,
            )


def _seconds() -> float:
    return asyncio.get_running_loop().time()

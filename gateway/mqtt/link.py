"""One session with a broker, for devices: the only file that imports paho for them.

paho is driven from asyncio instead of from its own thread: that thread dies without a word when
a packet cannot be parsed, and does not see sockets beyond the 1,024th descriptor.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.model.equipment import Broker

_log = structlog.get_logger(__name__)

_KEEPALIVE = 30
_CONNECT_TIMEOUT = 5.0
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 8.0
"""Seconds between attempts to connect, before up to a quarter is added at random."""
_QOS = 1
_FIRST = 100
"""Messages of a connection that may be ones sent before, though a careless broker does not say
so; one may have some twenty under way."""
_SAMPLE = 200
"""Bytes of a quarantined message that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttMessage:
    topic: str
    payload: bytes
    retained: bool
    """The broker had kept it: it may be old."""
    again: bool = False
    """The broker may have sent it before: it says so, or took our session up again just now."""
    ack: Callable[[], None] = field(repr=False)
    """Tell the broker that the message is safe. Until then it may send it again; a broker stops
    sending after some twenty messages that nobody acknowledged."""


@dataclass(kw_only=True, slots=True)
class Quarantine:
    """Messages that could not be read: how many, and the last one."""

    count: int = 0
    topic: str = ""
    sample: bytes = b""
    reason: str = ""


class MqttSession:
    """Hears ``topics`` for as long as :meth:`run` runs; building it does not connect.

    ``on_message`` is called in the event loop for each message and must not block. If it raises,
    the message is counted in :attr:`quarantine` and acknowledged, since it would fail again.
    ``on_state`` hears of every connection made, lost, refused or not reached, with the reason.
    The session is persistent: what a broker receives meanwhile is delivered on return.
    ``has_room``: asked before connecting; see :meth:`leave`.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        topics: Sequence[str],
        on_message: Callable[[MqttMessage], None],
        on_state: Callable[[bool, str], None] | None = None,
        *,
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        self.quarantine = Quarantine()
        self.connected = False
        """Whether the broker has let us in and confirmed what we hear."""
        self._broker = broker
        self._topics = tuple(topics)
        if not topics:
            raise ValueError("a session needs topics to hear")
        self._on_message = on_message
        self._on_state = on_state
        self._has_room = has_room
        self._leaving = False
        """Nothing more is heard on this connection, so that nothing overtakes what was refused."""
        self._resumed = False
        self._deliveries = 0
        """On this connection."""
        self._ended = asyncio.Event()
        self._socket: socket.socket | None = None
        self._connection = 0
        """Counts connections: a message id means nothing on another one."""
        self._client = self._paho(client_id)

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, stay connected, come back after every loss, until ``stop`` is set."""
        self._loop = asyncio.get_running_loop()
        stopped = asyncio.create_task(stop.wait())
        failures = 0
        try:
            while not stop.is_set():
                if not self._has_room():
                    await asyncio.wait((stopped,), timeout=_FIRST_WAIT)
                    continue
                self._ended.clear()
                before = self._connection
                if await self._connect():
                    await self._serve(stopped)
                failures = 0 if self._connection > before else min(failures + 1, 8)
                wait = min(_FIRST_WAIT * 2**failures, _LONGEST_WAIT)
                await asyncio.wait((stopped,), timeout=wait * (1 + random.random() / 4))
        finally:
            stopped.cancel()
            self._client.disconnect()
            self._guarded(self._client.loop_write)
            self._detach()

    def leave(self, reason: str) -> None:
        """End the connection because a message cannot be taken now, and come back when there is
        room: what was not acknowledged is then delivered again, in its order. Without that a
        broker would send nothing more after some twenty of them."""
        if not self._leaving and self.connected:
            self._leaving = True
            # Not from here: this may be called by paho, in the middle of reading.
            self._loop.call_soon(self._part, reason)

    def _part(self, reason: str) -> None:
        self._lose(reason)
        self._client.disconnect()
        self._guarded(self._client.loop_write)

    async def _connect(self) -> bool:
        """Open the socket in a thread, for name look-up and connecting block."""
        try:
            await asyncio.to_thread(
                self._client.connect, self._broker.host, self._broker.port, _KEEPALIVE
            )
        except (OSError, ValueError) as error:
            self._tell(False, f"cannot connect: {error}")
            return False
        return True

    async def _serve(self, stopped: asyncio.Task[bool]) -> None:
        """Until the connection or the service ends."""
        patience = self._loop.time() + _CONNECT_TIMEOUT
        ended = asyncio.create_task(self._ended.wait())
        try:
            while not ended.done() and not stopped.done():
                await asyncio.wait((ended, stopped), timeout=1, return_when=asyncio.FIRST_COMPLETED)
                self._guarded(self._client.loop_misc)
                if not self.connected and self._loop.time() > patience:
                    self._lose("the broker does not answer")
        finally:
            ended.cancel()

    def _paho(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_TIMEOUT
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls is not None:
            tls = self._broker.tls
            client.tls_set(tls.authorities, tls.certificate, tls.key)
        client.on_connect = self._accepted
        client.on_subscribe = self._subscribed
        client.on_disconnect = lambda _c, _u, _flags, reason, _p: self._lose(str(reason))
        client.on_message = self._heard
        # These three are called in the connecting thread as well.
        client.on_socket_open = lambda _c, _u, sock: self._soon(self._attach, sock)
        client.on_socket_register_write = lambda _c, _u, _sock: self._soon(self._want_write)
        client.on_socket_close = lambda _c, _u, _sock: self._detach()
        return client

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has the session
            self._loop.call_soon_threadsafe(call, *arguments)

    def _attach(self, opened: socket.socket) -> None:
        if opened.fileno() >= 0:
            self._socket = opened
            self._loop.add_reader(opened, self._read)

    def _detach(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None

    def _want_write(self) -> None:
        if self._socket is not None:
            self._loop.add_writer(self._socket, self._write)

    def _read(self) -> None:
        self._guarded(self._client.loop_read)
        # What TLS has already decrypted, no file descriptor tells of.
        while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            self._guarded(self._client.loop_read)

    def _write(self) -> None:
        self._guarded(self._client.loop_write)
        if self._socket is not None and not self._client.want_write():
            self._loop.remove_writer(self._socket)

    def _guarded(self, step: Callable[[], object]) -> None:
        """A packet that paho cannot parse costs the connection, never the session."""
        try:
            step()
        except Exception as error:
            self._lose(f"{type(error).__name__}: {error}")

    def _lose(self, reason: str) -> None:
        self._detach()
        was_connected, self.connected = self.connected, False
        if was_connected:
            self._tell(False, reason)
        self._ended.set()

    def _tell(self, connected: bool, detail: str) -> None:
        if self._on_state is not None:
            self._on_state(connected, detail)

    def _accepted(self, client: Client, _userdata: Any, flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._tell(False, f"refused: {reason}")
            return
        self._connection += 1
        self._leaving, self._resumed, self._deliveries = False, flags.session_present, 0
        client.subscribe([(topic, _QOS) for topic in self._topics])

    def _subscribed(self, _c: Client, _userdata: Any, _mid: int, reasons: Any, _p: Any) -> None:
        refused = [
            topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure
        ]
        self.connected = True
        because = f"the broker refuses to let us hear {', '.join(refused)}" if refused else ""
        self._tell(not refused, because)

    def _heard(self, client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if self._leaving:
            return
        connection, number, qos = self._connection, message.mid, message.qos
        self._deliveries += 1
        again = message.dup or (self._resumed and self._deliveries <= _FIRST)

        def ack() -> None:
            # On a later connection the same number may belong to another message.
            if self._socket is not None and connection == self._connection:
                client.ack(number, qos)

        try:
            self._on_message(
                MqttMessage(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    retained=message.retain,
                    again=again,
                    ack=ack,
                )
            )
        except Exception as error:
            self._put_aside(message, error)
            ack()

    def _put_aside(self, message: MQTTMessage, error: Exception) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "a topic that is no UTF-8"
        self.quarantine.count += 1
        self.quarantine.topic = topic
        self.quarantine.sample = bytes(message.payload[:_SAMPLE])
        self.quarantine.reason = str(error) or type(error).__name__
        # Said ever more rarely: a device that talks nonsense must not fill the log.
        if self.quarantine.count.bit_count() == 1:
            _log.warning("message put aside", **asdict(self.quarantine))

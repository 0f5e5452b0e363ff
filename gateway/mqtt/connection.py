"""One connection with a broker, from made to broken: the only file that imports paho for devices.

paho is driven from asyncio instead of from its own thread: that thread dies without a word when
a packet cannot be parsed, and does not see sockets beyond the 1,024th descriptor. A connection is
never made again: of what a client of paho has not got rid of, it would send the rest on the next
one, and a command must not arrive an hour late.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.model.equipment import Broker
from gateway.model.reason import Reason

CONNECT_TIMEOUT = 5.0
_FAREWELL = 1.0
"""Seconds that the broker has to take note that we left."""
_QOS = 1
"""Of what is heard."""
_NOTHING = "dutyroom/-"
"""A topic that nobody hears: a broker confirms in its turn that it is not heard any more."""


class NotPublishedError(Exception):
    """The broker did not show that it has the message; it may have it all the same, unless it was
    ``never_sent``."""

    def __init__(self, reason: str, *, never_sent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.never_sent = never_sent


class Connection:
    """Building it does not connect. ``topics`` are heard at QoS 1, and the broker keeps what comes
    for us while we are away.

    ``on_message`` hears of every message, in the event loop; it must not block.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        topics: Sequence[str],
        on_message: Callable[[Connection, MQTTMessage], None],
        *,
        keepalive: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._broker = broker
        self._topics = tuple(topics)
        self._on_message = on_message
        self._keepalive = keepalive
        self.resumed = False
        """Whether the broker had kept our session."""
        self.subscribed: asyncio.Future[list[str]] = self._loop.create_future()
        """Set with the topics that the broker refuses to let us hear."""
        self.broken: asyncio.Future[str] = self._loop.create_future()
        """Set, with the reason, when nothing more will come."""
        self.closed_by_broker = False
        self._leaving = False
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._subscription: int | None = None
        self._opened: socket.socket | None = None
        self._socket: socket.socket | None = None
        """The one opened, as long as it is read."""
        self._last_heard = self._loop.time()
        self._client = self._paho(client_id)

    async def open(self) -> None:
        """Open the socket in a thread: reading certificates, name look-up and connecting block."""
        try:
            await asyncio.to_thread(self._open)
        except (OSError, ValueError) as error:
            self.lose(Reason.NO_CONNECTION.told(str(error)))

    def _open(self) -> None:
        tls = self._broker.tls
        if tls is not None:
            self._client.tls_set(tls.authorities, tls.certificate, tls.key)
        self._client.connect(self._broker.host, self._broker.port, self._keepalive)

    def watch(self) -> None:
        """To be called a few times in ``keepalive``: asks a silent broker for a sign of life, and
        gives up one that gives none for one and a half times as long."""
        self._guarded(self._client.loop_misc)
        silent = self._loop.time() - self._last_heard
        if silent > 1.5 * self._keepalive:
            self.lose(Reason.NO_REPLY.told(f"{silent:.0f} s"))

    def ack(self, message: MQTTMessage) -> None:
        if self._socket is not None:
            self._client.ack(message.mid, message.qos)

    def listen(self, topic: str) -> None:
        """Hear ``topic`` too, if the broker lets us."""
        self._client.subscribe(topic, 0)

    def say(self, topic: str, payload: bytes) -> None:
        """Publish, whether it arrives or not."""
        self._client.publish(topic, payload, 0)

    def mark(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, so that it queues up behind what the broker has for us."""
        self._client.publish(topic, payload, _QOS)

    async def publish(self, topic: str, payload: bytes, within: float) -> None:
        """Publish and wait ``within`` s for a sign that the broker has read it.

        At QoS 0, so that no broker keeps it for a device that is away. Such a message is not
        acknowledged, but what is asked behind it is: a broker reads one after the other.
        Raises :class:`NotPublishedError`.
        """
        info = self._client.publish(topic, payload, 0)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise NotPublishedError(Reason.NO_CONNECTION.told(), never_sent=True)
        _, mid = self._client.unsubscribe(_NOTHING)
        if mid is None:
            raise NotPublishedError(Reason.NO_CONNECTION.told())
        confirmed = self._unconfirmed[mid] = self._loop.create_future()
        try:
            await asyncio.wait(
                (confirmed, self.broken), timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            del self._unconfirmed[mid]
        if not confirmed.done():
            broken = self.broken.done()
            raise NotPublishedError(
                self.broken.result() if broken else Reason.NO_REPLY.told(f"{within:g} s")
            )

    async def close(self) -> None:
        """Take leave, and wait until the broker knows: what comes for us from now on it keeps."""
        opened, in_order = self._opened, self._leaving or not self.broken.done()
        self.leave("")
        if opened is None or opened.fileno() < 0:
            return
        if not in_order:
            opened.close()
            return
        # paho closes its own socket as soon as it has said farewell.
        rest = socket.socket(fileno=os.dup(opened.fileno()))
        rest.setblocking(False)
        with rest, contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_FAREWELL):
                self._guarded(self._client.disconnect)
                while self._client.want_write() and opened.fileno() >= 0:
                    self._guarded(self._client.loop_write)
                    await asyncio.sleep(0.01)
                while await self._loop.sock_recv(rest, 65536):
                    pass
        if opened.fileno() >= 0:
            opened.close()

    def leave(self, reason: str) -> None:
        """Hear nothing more from now on; the connection is to be closed in good order."""
        self._leaving = not self.broken.done()
        self.lose(reason)

    def lose(self, reason: str, *, by_broker: bool = False) -> None:
        """Nothing more is heard, whatever still comes."""
        self._detach()
        if not self.broken.done():
            self.closed_by_broker = by_broker
            self.broken.set_result(reason)

    def _paho(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._broker.password)
        client.on_connect = self._accepted
        client.on_subscribe = self._may_hear
        client.on_unsubscribe = self._confirmed
        client.on_disconnect = lambda _c, _u, _flags, reason, _p: self.lose(
            Reason.NO_CONNECTION.told(str(reason)), by_broker=True
        )
        client.on_message = self._message
        # These three are called in the connecting thread as well.
        client.on_socket_open = lambda _c, _u, sock: self._soon(self._attach, sock)
        client.on_socket_register_write = lambda _c, _u, _sock: self._soon(self._want_write)
        client.on_socket_close = lambda _c, _u, _sock: self._detach()
        return client

    def _accepted(self, client: Client, _userdata: Any, flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self.lose(Reason.REFUSED.told(str(reason)))
            return
        self.resumed = flags.session_present
        _, self._subscription = client.subscribe([(topic, _QOS) for topic in self._topics])

    def _may_hear(self, _c: Client, _userdata: Any, mid: int, reasons: Any, _p: Any) -> None:
        if mid == self._subscription and not self.subscribed.done():
            said = zip(self._topics, reasons, strict=False)
            self.subscribed.set_result([topic for topic, reason in said if reason.is_failure])

    def _confirmed(self, _c: Client, _userdata: Any, mid: int, _reasons: Any, _p: Any) -> None:
        waiting = self._unconfirmed.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        # One read may bring several: nothing overtakes the one that made us leave.
        if not self.broken.done():
            self._on_message(self, message)

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has the connection
            self._loop.call_soon_threadsafe(call, *arguments)

    def _attach(self, opened: socket.socket) -> None:
        if self.broken.done():
            opened.close()
        elif opened.fileno() >= 0:
            self._opened = self._socket = opened
            self._last_heard = self._loop.time()
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
        self._last_heard = self._loop.time()
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
            self.lose(Reason.WRONG_REPLY.told(f"{type(error).__name__}: {error}"))

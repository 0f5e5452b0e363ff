"""The bus through an MQTT broker, so that gateway, rules and API may be separate processes.

paho runs in a thread of its own and hands messages over to the event loop. Messages are sent at
QoS 1 in a clean session: what the broker or the connection loses, the stream asks for again, so
nothing is queued without limit on either side. What is of no use later goes at QoS 0: paho sends
a QoS 1 message that was not acknowledged once more on the next connection, however late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway import metrics
from gateway.bus.base import BusRefusedError, Handler, matches
from gateway.model.equipment import Broker
from gateway.paho_poll import install

_log = structlog.get_logger(__name__)

_KEEPALIVE = 10
_FIRST_ANSWER = 3.0
"""Seconds that ``start`` gives a broker to say yes or no."""
_LONGEST_WAIT = 15
"""Seconds between attempts to reconnect, at most."""
_QUEUED = 1000
"""Messages that may wait for a broker that does not acknowledge; more are dropped."""
_REFUSALS = ("Bad user name or password", "Not authorized")


class MqttBus:
    """``client_id``: unique at the broker; a second client of the same id throws the first out."""

    def __init__(self, broker: Broker, client_id: str) -> None:
        self._broker = broker
        self._handlers: dict[int, tuple[str, Handler]] = {}
        self._numbers = count()
        self._retained: dict[str, bytes] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered = asyncio.Event()
        self._refusal = ""
        self._connected = False
        install()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            tls = broker.tls
            self._client.tls_set(tls.authorities, tls.certificate, tls.key)
        self._client.reconnect_delay_set(1, _LONGEST_WAIT)
        self._client.max_queued_messages_set(_QUEUED)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    @property
    def connected(self) -> bool:
        return self._connected

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=_KEEPALIVE)
        self._client.loop_start()
        try:
            async with asyncio.timeout(_FIRST_ANSWER):
                await self._answered.wait()
        except TimeoutError:
            _log.warning("broker does not answer, trying on", **self._where())
        if self._refusal:
            await self.close()
            raise BusRefusedError(
                f"broker {self._broker.host}:{self._broker.port} refuses user "
                f"{self._broker.username!r}: {self._refusal}"
            )

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, once: bool = False
    ) -> None:
        if retain:
            self._retained[topic] = payload
        if not self._connected:
            metrics.bus_dropped.inc(not retain)
            return
        info = self._client.publish(topic, payload, qos=0 if once else 1, retain=retain)
        metrics.bus_dropped.inc(info.rc != paho.MQTT_ERR_SUCCESS)

    def subscribe(self, topic_filter: str, handler: Handler) -> Callable[[], None]:
        number = next(self._numbers)
        self._handlers[number] = (topic_filter, handler)
        if self._connected:
            self._client.subscribe(topic_filter, qos=1)

        def unsubscribe() -> None:
            self._handlers.pop(number, None)
            if all(topic_filter != other for other, _ in self._handlers.values()):
                self._client.unsubscribe(topic_filter)

        return unsubscribe

    async def close(self) -> None:
        self._handlers.clear()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._connected = False

    def _where(self) -> dict[str, object]:
        return {"broker": f"{self._broker.host}:{self._broker.port}"}

    # -- on paho's thread: an exception here would end it -------------------------------------

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._hand_over(self._take_answer, "" if not reason.is_failure else str(reason))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._hand_over(self._take_loss, str(reason))

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._hand_over(self._deliver, topic, message.payload)

    def _hand_over(self, call: Callable[..., None], *arguments: object) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # The loop has ended before us; nobody is left to hear it.
            return

    # -- on the event loop --------------------------------------------------------------------

    def _take_answer(self, failure: str) -> None:
        if failure:
            _log.error("broker refuses the connection", reason=failure, **self._where())
            if failure in _REFUSALS:
                self._refusal = failure
                self._answered.set()
            return
        self._connected = True
        for topic_filter in dict.fromkeys(other for other, _ in self._handlers.values()):
            self._client.subscribe(topic_filter, qos=1)
        for topic, payload in self._retained.items():
            self._client.publish(topic, payload, qos=1, retain=True)
        self._answered.set()
        _log.info("broker connected", **self._where())

    def _take_loss(self, reason: str) -> None:
        if self._connected:
            _log.warning("broker lost", reason=reason, **self._where())
        self._connected = False

    def _deliver(self, topic: str, payload: bytes) -> None:
        for topic_filter, handler in tuple(self._handlers.values()):
            if matches(topic_filter, topic):
                try:
                    handler(topic, payload)
                except Exception:
                    _log.exception("bus handler failed", topic=topic)

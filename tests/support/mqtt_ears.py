"""Ends of an MQTT connection for tests: a session that notes what it hears, and a device."""

import asyncio
import time
from contextlib import asynccontextmanager

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt.link import MqttSession


async def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


class Hearer:
    """A session and what it heard; messages are acknowledged unless ``ack`` is False."""

    def __init__(
        self, broker, *, topics=("lamp/status", "lamp/online"), name="gw", ack=True, **how
    ):
        self.heard = []
        self.states = []
        self.ack = ack
        self.fail_on = None
        self.session = MqttSession(broker, name, topics, self._hear, self._state, **how)

    def _hear(self, message):
        if self.fail_on is not None and message.payload == self.fail_on:
            raise RuntimeError("cannot be read")
        self.heard.append(message)
        if self.ack:
            message.ack()

    def _state(self, connected, detail):
        self.states.append((connected, detail))

    def payloads(self):
        return [message.payload for message in self.heard]

    @asynccontextmanager
    async def running(self):
        stop = asyncio.Event()
        task = asyncio.create_task(self.session.run(stop))
        try:
            yield self
        finally:
            stop.set()
            await asyncio.wait_for(task, 10)


class Publisher:
    """A device."""

    def __init__(self, broker):
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(broker.username, broker.password)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()

    def say(self, payload, topic="lamp/status", **how):
        self.client.publish(topic, payload, qos=1, **how).wait_for_publish(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

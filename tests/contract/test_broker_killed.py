"""Gate 15: what Mosquitto has acknowledged outlives kill -9, with the settings that
``deploy/docs/running.md`` asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from brokers import DURABLE, PASSWORD, USER, BrokerProcess, mosquitto_broker
from paho.mqtt.enums import CallbackAPIVersion
from product import ROOT

from gateway.mqtt.link import MqttMessage, MqttSession

TOPICS = ["d/+"]
MESSAGES = 200


@pytest.fixture
def broker(mosquitto: str, tmp_path: Path, free_port: int):
    with mosquitto_broker(mosquitto, tmp_path, free_port, durable=True) as made:
        yield made


def session(broker: BrokerProcess, heard: list[bytes]) -> MqttSession:
    def hear(message: MqttMessage) -> None:
        heard.append(message.payload)
        message.ack()

    return MqttSession(broker.address, "gateway", TOPICS, hear)


def publish_acknowledged(broker: BrokerProcess) -> list[bytes]:
    """Messages to ``d/x``; returns when the broker has acknowledged all of them."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="device")
    client.username_pw_set(USER, PASSWORD)
    client.connect(broker.address.host, broker.address.port)
    client.loop_start()
    sent = [f"{number}".encode() for number in range(MESSAGES)]
    for payload in sent:
        client.publish("d/x", payload, qos=1).wait_for_publish(10)
    client.loop_stop()
    return sent


async def listens(broker: BrokerProcess, heard: list[bytes], enough, until) -> None:
    """Be there, with a session that the broker keeps, until there is ``enough``."""
    there, stop = session(broker, heard), asyncio.Event()
    running = asyncio.create_task(there.run(stop))
    await until(lambda: there.connected and enough())
    stop.set()
    await running


def test_queued_messages_outlive_kill_minus_nine(broker: BrokerProcess, until) -> None:
    heard: list[bytes] = []
    asyncio.run(listens(broker, heard, lambda: True, until))
    sent = publish_acknowledged(broker)
    broker.kill()
    broker.start()
    asyncio.run(listens(broker, heard, lambda: len(heard) >= len(sent), until))
    assert heard == sent


def test_the_settings_that_are_tested_are_those_that_are_documented() -> None:
    page = (ROOT / "deploy/docs/running.md").read_text(encoding="utf-8")
    assert [line for line in DURABLE if line not in page] == []

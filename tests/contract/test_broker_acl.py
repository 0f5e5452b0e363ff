"""Experiment 65: with the shipped access list a device speaks for itself and for nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from brokers import PASSWORD, USER, BrokerProcess, mosquitto_broker
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.bus.mqtt import MqttBus
from gateway.bus.questions import Answers, NoAnswerError, Questions
from gateway.clock import SystemClock

ACL = Path(__file__).parents[2] / "deploy" / "compose" / "acl"
LOBBY, GATE = "shellyplus1pm-lobby", "shellyplus1pm-gate"


@pytest.fixture
def broker(mosquitto: str, tmp_path: Path, free_port: int) -> Iterator[BrokerProcess]:
    with mosquitto_broker(
        mosquitto, tmp_path, free_port, devices=[LOBBY, GATE], acl=ACL
    ) as running:
        yield running


@pytest.fixture
def connect(broker: BrokerProcess) -> Iterator[Callable[[str], Client]]:
    """``connect(user)``: a client that is subscribed to everything that it may hear."""
    clients: list[Client] = []

    def made(user: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{user}")
        client.username_pw_set(user, PASSWORD)
        heard: list[tuple[str, bytes]] = []
        client.user_data_set(heard)
        client.on_message = lambda _client, heard, message: heard.append(
            (message.topic, message.payload)
        )
        subscribed: list[int] = []
        client.on_subscribe = lambda *_: subscribed.append(1)
        client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        client.connect("127.0.0.1", broker.address.port)
        client.loop_start()
        clients.append(client)
        _until(lambda: subscribed)
        return client

    yield made
    for client in clients:
        client.disconnect()
        client.loop_stop()


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def test_a_device_reaches_its_own_topics_only(connect: Callable[[str], Client]) -> None:
    dutyroom, lobby, gate = connect(USER), connect(LOBBY), connect(GATE)
    forged = [
        f"{GATE}/events/rpc",
        f"{GATE}/online",
        "dutyroom/brocade-garden/rules/provisional",
        "dutyroom/brocade-garden/gw-1/events",
        "dutyroom/brocade-garden/gw-1/questions",
        "dutyroom/brocade-garden/gw-1/answers/asker-1",
    ]
    for topic in forged:
        lobby.publish(topic, b"forged", qos=1).wait_for_publish(10)
    # The broker keeps the order of one sender: when this has come, the others would have.
    lobby.publish(f"{LOBBY}/events/rpc", b"own", qos=1).wait_for_publish(10)
    gate.publish(f"{GATE}/online", b"true", qos=1).wait_for_publish(10)
    _until(lambda: len(dutyroom.user_data_get()) >= 2)
    assert sorted(dutyroom.user_data_get()) == [
        (f"{GATE}/online", b"true"),
        (f"{LOBBY}/events/rpc", b"own"),
    ]
    # And it hears of nobody else's.
    assert lobby.user_data_get() == [(f"{LOBBY}/events/rpc", b"own")]
    assert gate.user_data_get() == [(f"{GATE}/online", b"true")]


def test_a_question_reaches_the_gateway_and_no_device_hears_it(
    broker: BrokerProcess, connect: Callable[[str], Client]
) -> None:
    lobby = connect(LOBBY)

    async def ask() -> Mapping[str, object]:
        theirs, ours = MqttBus(broker.address, "gateway"), MqttBus(broker.address, "serve")
        await theirs.start()
        await ours.start()

        async def links(body: Mapping[str, object]) -> Mapping[str, object]:
            return {"asked": body["who"]}

        place = ("brocade-garden", "gw-1")
        clock = SystemClock()
        answers = Answers(theirs, *place, tells={"links": links}, acts={}, clock=clock)
        questions = Questions(ours, *place, clock=clock)
        answers.start()
        questions.start()
        try:
            deadline = time.monotonic() + 15
            while True:
                # Until both are subscribed, which they do not tell.
                with suppress(NoAnswerError):
                    return await questions.ask("links", {"who": "us"}, within=1)
                assert time.monotonic() < deadline
        finally:
            questions.close()
            await answers.close()
            await theirs.close()
            await ours.close()

    assert asyncio.run(ask()) == {"asked": "us"}
    assert lobby.user_data_get() == []

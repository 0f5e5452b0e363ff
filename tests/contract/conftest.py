"""The buses under contract: in memory, on Mosquitto, on amqtt; each with a broker of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from brokers import BrokerProcess, amqtt_broker, mosquitto_broker

from gateway.bus.base import Bus
from gateway.bus.memory import MemoryBus
from gateway.bus.mqtt import MqttBus

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """``await until(lambda: ...)``: wait for a condition, fail after 15 s."""

    async def wait(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not true():  # noqa: ASYNC110  # some conditions are in other processes
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: int
) -> Iterator[BrokerProcess]:
    if request.param == "mosquitto":
        made = mosquitto_broker(request.getfixturevalue("mosquitto"), tmp_path, free_port)
    else:
        made = amqtt_broker(tmp_path, free_port)
    with made:
        yield made


@pytest.fixture(params=["memory", "mosquitto", "amqtt"])
def make_bus(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: int
) -> Iterator[Callable[[str], Bus]]:
    """``make_bus(client_id)``: buses that reach each other."""
    if request.param == "memory":
        memory = MemoryBus()
        yield lambda _client_id: memory
        return
    if request.param == "mosquitto":
        made = mosquitto_broker(request.getfixturevalue("mosquitto"), tmp_path, free_port)
    else:
        made = amqtt_broker(tmp_path, free_port)
    with made:
        yield lambda client_id: MqttBus(made.address, client_id)

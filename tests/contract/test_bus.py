"""Every bus keeps the same contract."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from gateway.bus.base import Bus, BusRefusedError, matches
from gateway.bus.mqtt import MqttBus

Make = Callable[[str], Bus]


@pytest.mark.parametrize(
    ("topic_filter", "topic", "same"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("+", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("a/+/#", "a", False),
    ],
)
def test_filters(topic_filter: str, topic: str, same: bool) -> None:
    assert matches(topic_filter, topic) is same


def test_what_is_published_arrives_in_order_as_the_same_bytes(make_bus: Make, until) -> None:
    async def check() -> None:
        one, two = make_bus("one"), make_bus("two")
        heard: list[tuple[str, bytes]] = []
        two.subscribe("site/+/events", lambda topic, payload: heard.append((topic, payload)))
        await one.start()
        await two.start()
        # A first message until one arrives: the broker takes its time to subscribe.
        while not heard:
            await one.publish("site/first/events", b"")
            await asyncio.sleep(0.05)
        big = bytes(range(256)) * 2000
        await one.publish("site/other/cursor", b"not for us")
        for payload in (b"\x00\xff", big, b"end"):
            await one.publish("site/g/events", payload)
        await until(lambda: heard[-1][1] == b"end")
        assert [entry for entry in heard if entry[0] == "site/g/events"] == [
            ("site/g/events", b"\x00\xff"),
            ("site/g/events", big),
            ("site/g/events", b"end"),
        ]
        assert not any(topic.endswith("cursor") for topic, _ in heard)
        await one.close()
        await two.close()

    asyncio.run(check())


def test_the_last_retained_message_is_there_for_who_comes_late(make_bus: Make, until) -> None:
    async def check() -> None:
        one, two = make_bus("one"), make_bus("two")
        await one.publish("cursor/rules", b"early", retain=True)
        await one.start()
        await one.publish("cursor/rules", b"late", retain=True)
        await two.start()
        heard: list[bytes] = []
        two.subscribe("cursor/+", lambda _topic, payload: heard.append(payload))
        await until(lambda: heard[-1:] == [b"late"])
        await one.close()
        await two.close()

    asyncio.run(check())


def test_a_handler_that_fails_stops_nothing_and_unsubscribing_stops_it(make_bus: Make) -> None:
    async def check() -> None:
        bus = make_bus("one")
        heard: list[bytes] = []
        removed: list[bytes] = []

        def fail(_topic: str, _payload: bytes) -> None:
            raise RuntimeError("on purpose")

        bus.subscribe("t", fail)
        stop = bus.subscribe("t", lambda _topic, payload: removed.append(payload))
        bus.subscribe("t", lambda _topic, payload: heard.append(payload))
        await bus.start()
        stop()
        while b"last" not in heard:
            await bus.publish("t", b"last")
            await asyncio.sleep(0.05)
        assert removed == []
        await bus.close()

    asyncio.run(check())


def test_refused_credentials_are_one_clear_error(broker) -> None:
    async def check() -> None:
        bus = MqttBus(replace(broker.address, password="wrong"), "one")
        with pytest.raises(BusRefusedError, match=r"127\.0\.0\.1:\d+ refuses user 'dutyroom'"):
            await bus.start()

    asyncio.run(check())


def test_a_broker_that_is_killed_and_comes_back_is_joined_again(broker, until) -> None:
    async def check() -> None:
        one, two = MqttBus(broker.address, "one"), MqttBus(broker.address, "two")
        heard: list[bytes] = []
        two.subscribe("t", lambda _topic, payload: heard.append(payload))
        await one.start()
        await two.start()
        broker.kill()
        await until(lambda: not one.connected and not two.connected)
        dropped = REGISTRY.get_sample_value("dutyroom_bus_dropped_total")
        assert dropped is not None
        async with asyncio.timeout(0.5):
            await one.publish("t", b"while it was away")
        assert REGISTRY.get_sample_value("dutyroom_bus_dropped_total") == dropped + 1
        broker.start()
        await until(lambda: one.connected and two.connected)
        while b"again" not in heard:
            await one.publish("t", b"again")
            await asyncio.sleep(0.05)
        assert b"while it was away" not in heard
        await one.close()
        await two.close()

    asyncio.run(check())


def test_a_thousand_open_files_do_not_keep_the_bus_from_hearing(broker, until) -> None:
    """select() knows no descriptor above 1,023: joined again after two hundred browsers had come,
    the bus never heard anything more."""

    async def check() -> None:
        bus = MqttBus(broker.address, "one")
        heard: list[bytes] = []
        bus.subscribe("t", lambda _topic, payload: heard.append(payload))
        await bus.start()
        await bus.publish("t", b"here")
        await until(lambda: heard == [b"here"])
        await bus.close()

    with ExitStack() as open_files:
        for _ in range(1100):
            open_files.enter_context(Path(os.devnull).open("rb"))
        asyncio.run(check())


def test_a_broker_that_is_not_there_yet_is_waited_for(broker, until) -> None:
    async def check() -> None:
        broker.kill()
        bus = MqttBus(broker.address, "one")
        heard: list[bytes] = []
        bus.subscribe("t", lambda _topic, payload: heard.append(payload))
        await bus.start()
        assert not bus.connected
        broker.start()
        await until(lambda: bus.connected)
        while not heard:
            await bus.publish("t", b"at last")
            await asyncio.sleep(0.05)
        await bus.close()

    asyncio.run(check())

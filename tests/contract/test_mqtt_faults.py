"""Experiments B14 to B22 of the devices' session, on real brokers."""

import asyncio
import contextlib
import json
import threading
import time
from pathlib import Path

import pytest
from brokers import amqtt_broker, mosquitto_broker
from mqtt_ears import Hearer, Publisher, until
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.model.equipment import Equipment
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import MqttPlace
from gateway.model.reason import Reason, code_of
from gateway.mqtt.connection import NotPublishedError
from gateway.mqtt.mapping import MessageMapping

ACL = Path(__file__).parents[2] / "deploy" / "compose" / "acl"
TOPIC = "lamp/status"
NAME = Text(zh="灯", en="Lamp")


@pytest.fixture
def make_mosquitto(mosquitto, tmp_path, free_port):
    with contextlib.ExitStack() as brokers:
        yield lambda **how: brokers.enter_context(
            mosquitto_broker(mosquitto, tmp_path, free_port, **how)
        )


@pytest.fixture(params=["mosquitto", "amqtt"])
def pausable(request, tmp_path, free_port):
    if request.param == "mosquitto":
        made = mosquitto_broker(request.getfixturevalue("mosquitto"), tmp_path, free_port)
    else:
        made = amqtt_broker(tmp_path, free_port)
    with made:
        yield made
        made.resume()


def codes(hearer):
    return [code_of(reason) for connected, reason in hearer.states if not connected]


# -- B14 --------------------------------------------------------------------------------------


def test_a_broker_is_restarted_while_a_device_speaks(make_mosquitto):
    """B14: heard again within 10 s, and nothing that was said is lost."""
    broker = make_mosquitto(durable=True)
    sent = [b"%d" % number for number in range(300)]
    stop = threading.Event()

    def speak():
        # As a device does: it says everything, and paho says again what was not acknowledged.
        for payload in sent:
            device.client.publish(TOPIC, payload, qos=1)
            stop.wait(0.01)

    async def run():
        async with Hearer(broker.address).running() as hearer:
            await until(lambda: hearer.session.connected)
            speaking = asyncio.create_task(asyncio.to_thread(speak))
            await until(lambda: len(hearer.heard) > 50)
            await asyncio.to_thread(broker.stop)
            await until(lambda: not hearer.session.connected)
            await asyncio.to_thread(broker.start)
            begun = time.monotonic()
            await until(lambda: hearer.session.connected)
            assert time.monotonic() - begun < 10
            await speaking
            await until(lambda: set(sent) <= set(hearer.payloads()))
            # Not in their order: what a device says while its client comes back may overtake what
            # the client says again.
            assert set(hearer.payloads()) == set(sent)

    device = Publisher(broker.address)
    try:
        asyncio.run(run())
    finally:
        stop.set()
        device.close()


# -- B16 --------------------------------------------------------------------------------------

KEEPALIVE = 2
"""Seconds, of 30 in the product: the scale is 1:15."""


def test_a_broker_that_stands_still_is_noticed_within_two_keepalives(pausable, capsys):
    async def run():
        async with Hearer(pausable.address, keepalive=KEEPALIVE).running() as hearer:
            await until(lambda: hearer.session.connected)
            await asyncio.sleep(2 * KEEPALIVE)
            assert hearer.states == [(True, "")]  # silence alone is no fault
            pausable.pause()
            begun = time.monotonic()
            await until(lambda: not hearer.session.connected)
            noticed = time.monotonic() - begun
            assert hearer.session.reason.startswith("no_reply: ")
            # While it stands still every attempt to come back is in vain, and said.
            await until(lambda: len(hearer.states) >= 3)
            assert codes(hearer) == ["no_reply"] * (len(hearer.states) - 1)
            pausable.resume()
            await until(lambda: hearer.session.connected)
        return noticed

    noticed = asyncio.run(run())
    with capsys.disabled():
        print(f"\nbroker stands still: noticed after {noticed:.1f} s, keepalive {KEEPALIVE} s")
    assert noticed <= 2 * KEEPALIVE


def test_a_broker_that_stands_still_from_the_beginning_is_said(pausable):
    """Nothing was said of it: the link's state stayed unknown for ever."""

    async def run():
        pausable.pause()
        async with Hearer(pausable.address).running() as hearer:
            await until(lambda: hearer.states)
            assert hearer.states[0] == (False, "no_reply: 5 s")

    asyncio.run(run())


# -- B20 --------------------------------------------------------------------------------------


def test_what_the_broker_drops_is_counted(make_mosquitto):
    """B20: a device's messages have no numbers; that some are missing, the broker knows. With the
    shipped access list."""
    broker = make_mosquitto(settings=["max_queued_messages 20", "sys_interval 1"], acl=ACL)

    async def run():
        hearer = Hearer(broker.address, ack=False)
        async with hearer.running():
            await until(lambda: hearer.session.overflow.told)
            device = Publisher(broker.address)
            for number in range(100):
                device.say(b"%d" % number)
            device.close()
            await until(lambda: hearer.session.overflow.dropped >= 60)
            # Twenty under way, twenty in the queue.
            assert hearer.session.overflow.dropped == 100 - 20 - 20
            assert hearer.session.quarantine.count == 0

    asyncio.run(run())


# -- B21 --------------------------------------------------------------------------------------


def test_two_clients_with_one_id_are_named(make_mosquitto):
    broker = make_mosquitto()

    async def run():
        async with Hearer(broker.address, name="gateway-1").running() as hearer:
            await until(lambda: hearer.session.connected)
            other.connect(broker.address.host, broker.address.port)
            other.loop_start()
            await until(lambda: "same_client" in codes(hearer), 40)
            assert hearer.session.reason == Reason.SAME_CLIENT.told("gateway-1")
            # Ever more rarely, lest the two do nothing but throw each other out.
            assert len(hearer.states) < 10

    other = Client(CallbackAPIVersion.VERSION2, client_id="gateway-1")
    other.username_pw_set(broker.address.username, broker.address.password)
    other.reconnect_delay_set(1, 1)
    try:
        asyncio.run(run())
    finally:
        other.disconnect()
        other.loop_stop()


def test_a_broker_that_is_restarted_twice_is_not_another_client(make_mosquitto):
    broker = make_mosquitto()

    async def run():
        async with Hearer(broker.address).running() as hearer:
            for _ in range(2):
                await until(lambda: hearer.session.connected)
                broker.kill()
                await until(lambda: not hearer.session.connected)
                await asyncio.to_thread(broker.start)
            await until(lambda: hearer.session.connected)
            assert set(codes(hearer)) == {"no_connection"}

    asyncio.run(run())


# -- B22 --------------------------------------------------------------------------------------

HOSTILE = {
    "not_utf8": b'{"on": "\xff\xfe"}',
    "too_large": b'{"on": "' + b"x" * 10_000_000 + b'"}',
    "not_json": b'{"on": NaN}',
    "double_key": b'{"on": 1, "on": 0}',
    "unexpected": b"[1, 2]",
}
DEEP = b'{"on": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"


def lamp(topics):
    points = tuple(
        Point(id=f"{n}.on", equipment=f"{n}", key="on", name=NAME, kind=PointKind.FLAG)
        for n, _ in enumerate(topics)
    )
    return [
        Equipment(
            id=f"{n}",
            name=NAME,
            equipment_class="lamp",
            profile="p",
            model=NAME,
            area="a",
            link="l",
            unit=None,
            poll=30 * SECOND,
            points=(points[n],),
            mqtt={"on": MqttPlace(topic=topic, path=("on",))},
        )
        for n, topic in enumerate(topics)
    ]


async def longest_lag(stop):
    """Seconds by which the loop was late at worst."""
    worst = 0.0
    while not stop.is_set():
        begun = time.monotonic()
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - begun - 0.005)
    return worst


def test_hostile_messages_are_put_aside_and_hold_nobody_up(make_mosquitto, capsys):
    """B22, over the wire; that each is refused within 10 ms a test of the mapping shows."""
    broker = make_mosquitto()
    topics = {reason: f"lamp/{reason}" for reason in HOSTILE}
    mapping = MessageMapping(lamp([*topics.values(), TOPIC]))
    frames = []

    async def run():
        hearer = Hearer(broker.address, topics=mapping.topics())

        def hear(message):
            frames.append(mapping.take(message.topic, message.payload, int(time.time() * SECOND)))
            message.ack()

        hearer.session._on_message = hear
        lags = []
        async with hearer.running():
            await until(lambda: hearer.session.connected)
            for turn in range(3):  # the machine has other work: the best of three
                stop = asyncio.Event()
                watching = asyncio.create_task(longest_lag(stop))
                for reason, payload in HOSTILE.items():
                    await asyncio.to_thread(device.say, payload, topic=topics[reason])
                await asyncio.to_thread(device.say, DEEP, topic=topics["not_json"])
                await asyncio.to_thread(device.say, b'{"on": true}')
                await until(lambda turn=turn: len(frames) > turn)
                stop.set()
                lags.append(await watching)
            entries = {entry.topic: entry for entry in hearer.session.quarantine.entries}
            assert hearer.session.quarantine.count == 3 * (len(HOSTILE) + 1)
            assert {code_of(e.reason): e.topic for e in entries.values()} == topics
            assert entries["lamp/not_json"].count == 6
            assert all(len(entry.sample) <= 200 for entry in entries.values())
            assert hearer.states == [(True, "")]
        return min(lags)

    device = Publisher(broker.address)
    try:
        lag = asyncio.run(run())
    finally:
        device.close()
    with capsys.disabled():
        print(f"\nhostile messages: the loop was late by {1000 * lag:.0f} ms")
    assert [frame.value.tolist() for frame in frames] == [[1.0]] * 3
    assert lag < 0.1


# -- telling devices ----------------------------------------------------------------------------


class Observer:
    """Notes what is said on a topic."""

    def __init__(self, broker, topic):
        self.heard = []
        self.ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(broker.username, broker.password)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = lambda _c, _u, message: self.heard.append(message.payload)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert self.ready.wait(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def test_what_is_published_is_acknowledged(broker):
    async def run():
        async with Hearer(broker.address).running() as hearer:
            await until(lambda: hearer.session.connected)
            for number in range(30):
                await hearer.session.publish("lamp/set", b"%d" % number)
            await until(lambda: len(observer.heard) >= 30)
            assert observer.heard == [b"%d" % number for number in range(30)]
            together = [hearer.session.publish("lamp/set", b"x") for _ in range(50)]
            await asyncio.gather(*together)
            await until(lambda: len(observer.heard) >= 80)

    observer = Observer(broker.address, "lamp/set")
    try:
        asyncio.run(run())
    finally:
        observer.close()


def test_without_a_connection_nothing_is_published(free_port, make_mosquitto):
    broker = make_mosquitto()

    async def run():
        hearer = Hearer(broker.address)
        with pytest.raises(NotPublishedError) as refused:
            await hearer.session.publish("lamp/set", b"on")
        assert refused.value.never_sent
        async with hearer.running():
            await until(lambda: hearer.session.connected)
            broker.kill()
            await until(lambda: not hearer.session.connected)
            with pytest.raises(NotPublishedError) as refused:
                await hearer.session.publish("lamp/set", b"on")
            assert refused.value.never_sent
            assert refused.value.reason.startswith("no_connection")

    asyncio.run(run())


def test_a_command_that_nobody_acknowledged_is_not_told_later(make_mosquitto):
    """paho would say it again on the next connection, however much later that is."""
    broker = make_mosquitto()

    async def run():
        async with Hearer(broker.address).running() as hearer:
            await until(lambda: hearer.session.connected)
            broker.pause()
            with pytest.raises(NotPublishedError) as silent:
                await hearer.session.publish("lamp/set", b"late", within=0.2)
            assert (silent.value.reason, silent.value.never_sent) == ("no_reply: 0.2 s", False)
            telling = asyncio.create_task(hearer.session.publish("lamp/set", b"later", within=20))
            await asyncio.sleep(0)
            broker.kill()  # what stood in its socket is gone
            with pytest.raises(NotPublishedError):
                await telling
            await asyncio.to_thread(broker.start)
            observer = Observer(broker.address, "lamp/set")
            await until(lambda: hearer.session.connected)
            await hearer.session.publish("lamp/set", b"now")
            await until(lambda: observer.heard)
            observer.close()
            assert observer.heard == [b"now"]

    asyncio.run(run())


def test_devices_are_asked_for_all_they_know_whenever_we_are_back(make_mosquitto):
    broker = make_mosquitto()
    request = json.dumps({"id": 1, "src": "lamp/dutyroom", "method": "Shelly.GetStatus"}).encode()
    room = True

    async def run():
        nonlocal room
        hearer = Hearer(broker.address, requests=[("lamp/rpc", request)], has_room=lambda: room)
        observer = Observer(broker.address, "lamp/rpc")
        async with hearer.running():
            await until(lambda: observer.heard == [request])
            hearer.session.ask([("lamp/rpc", b"more"), ("lamp/rpc", b"and more")])
            await until(lambda: observer.heard == [request, b"more", b"and more"])
            observer.close()
            room = False  # until somebody listens again
            broker.kill()
            await until(lambda: not hearer.session.connected)
            hearer.session.ask([("lamp/rpc", b"in vain")])
            await asyncio.to_thread(broker.start)
            again = Observer(broker.address, "lamp/rpc")
            room = True
            await until(lambda: again.heard == [request])
            again.close()

    asyncio.run(run())

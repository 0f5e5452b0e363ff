"""Commands over real wires: a Modbus device, and lamps behind a broker."""

import asyncio

import pytest
from brokers import mosquitto_broker
from mqtt_ears import until
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.bus.questions import QuestionRefusedError
from gateway.clock import SystemClock
from gateway.commands.telling import Commands
from gateway.modbus.link import ModbusSession
from gateway.model.equipment import AllowedCommand, Equipment, ModbusLink, Site
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, RegisterType
from gateway.mqtt.link import MqttSession
from gateway.mqtt.mapping import MessageMapping
from gateway.profile.files import SHIPPED, load_profiles
from gateway.site.document import EquipmentDocument
from gateway.site.equipment import installed
from simulators.wire import DeviceOnMqtt, ModbusWire

NAME = Text(zh="名", en="Name")
VALUES = {"output": 1.0, "power": 18.0, "voltage": 229.0, "current": 0.08, "energy": 40.0}


def site(*things):
    return Site(
        id="s",
        name=NAME,
        gateway="g",
        timezone="Asia/Shanghai",
        links={},
        areas={},
        equipment={thing.id: thing for thing in things},
        broker=None,
        commands=tuple(
            AllowedCommand(equipment=thing.id, point=key, low=-50, high=254, roles=("technician",))
            for thing in things
            for key in thing.writes
        ),
        scenario=None,
        fingerprint="f",
        file="site.yaml",
    )


def question(equipment, key, value, command="c1"):
    said = {"equipment": equipment, "point": key, "value": value, "command": command}
    until = SystemClock().now().wall + 15 * SECOND
    return said | {"role": "technician", "by": "li", "until": until}


def board():
    places = {
        "output": ModbusPlace(function=Function.COIL, address=3, type=RegisterType.BIT),
        "level": ModbusPlace(
            function=Function.HOLDING, address=40, type=RegisterType.INT16, scale=0.5
        ),
        "speed": ModbusPlace(function=Function.HOLDING, address=50, type=RegisterType.FLOAT32),
    }
    kinds = {"output": PointKind.FLAG, "level": PointKind.NUMBER, "speed": PointKind.NUMBER}
    return Equipment(
        id="board",
        name=NAME,
        equipment_class="lighting_circuit",
        profile="p",
        model=NAME,
        area="a",
        link="line",
        unit=7,
        poll=SECOND,
        points=tuple(
            Point(id=f"board.{key}", equipment="board", key=key, name=NAME, kind=kind, decimals=1)
            for key, kind in kinds.items()
        ),
        modbus=places,
        writes=places,
    )


def test_a_modbus_device_is_written_and_read_back(free_port):
    link = ModbusLink(id="line", host="127.0.0.1", port=free_port, timeout=2.0)
    thing = board()

    async def run():
        wire, session = ModbusWire(link, [thing]), ModbusSession(link)
        await wire.start({"board": {"output": 0.0, "level": 0.0, "speed": 0.0}})
        commands = Commands(site(thing), {"line": session}, None, clock=SystemClock())
        try:
            told = {"output": 1, "level": -20.5, "speed": 12.3}
            for key, value in told.items():
                answer = await commands(question("board", key, value, command=key))
                assert answer == {"read_back": pytest.approx(value), "quality": "good"}
            await wire.close()
            with pytest.raises(QuestionRefusedError) as refusal:
                await commands(question("board", "output", 0, command="later"))
            assert refusal.value.code in ("no_connection", "no_reply")
        finally:
            await session.close()

    asyncio.run(asyncio.wait_for(run(), 30))


def lamp(profile, topic):
    said = {
        "id": "lamp",
        "name": {"zh": "灯", "en": "Lamp"},
        "profile": profile,
        "area": "a",
        "link": "l",
        "topic": topic,
        "silence": "60s",
    }
    return installed(EquipmentDocument.model_validate(said), load_profiles([SHIPPED])[profile])


class Devices:
    """The gateway's end: a session with what it takes to hear ``thing`` and to tell it."""

    def __init__(self, broker, thing):
        self.mapping = MessageMapping([thing])
        self.frames = []
        self.session = MqttSession(
            broker, "gw", self.mapping.topics(), self._hear, requests=self.mapping.requests()
        )
        self.commands = Commands(site(thing), {}, self.session, clock=SystemClock())

    def _hear(self, message):
        received = SystemClock().now().wall
        frame = self.mapping.take(
            message.topic, message.payload, received, retained=message.retained
        )
        if frame is not None:
            self.frames.append((message.topic, frame))
        self.commands.hear(message, frame, received)
        message.ack()


def test_a_shelly_is_asked_for_its_status_and_answers(broker):
    thing = lamp("shelly-plus-1pm", "shellies/lamp-1")

    async def run():
        ours = Devices(broker.address, thing)
        device, stop = DeviceOnMqtt(thing, broker.address), asyncio.Event()
        device.start()
        running = asyncio.create_task(ours.session.run(stop))

        try:
            await until(lambda: ours.session.connected)
            while "shellies/lamp-1/dutyroom/rpc" not in dict(ours.frames):
                # Asked when we came; it may have come after us.
                await ours.session.publish(*ours.mapping.requests()[0])
                device.show({"lamp": VALUES}, SystemClock().now().wall, silent=False)
                await asyncio.sleep(0.05)
        finally:
            stop.set()
            await running
            await device.close()
        frame = dict(ours.frames)["shellies/lamp-1/dutyroom/rpc"]
        assert dict(zip(frame.points, frame.value.tolist(), strict=True)) == {
            f"lamp.{key}": value for key, value in VALUES.items()
        }
        assert frame.reason == {}

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_lamp_behind_a_broker_is_switched_and_says_so(broker):
    topic = "zigbee2mqtt/lamp-2"
    thing = lamp("zigbee2mqtt-light", topic)

    def obey(client, _userdata, message):
        client.publish(topic, message.payload, qos=1)

    async def run():
        ours, stop = Devices(broker.address, thing), asyncio.Event()
        running = asyncio.create_task(ours.session.run(stop))
        try:
            await until(lambda: ours.session.connected)
            for value in (1, 0):
                answer = await ours.commands(question("lamp", "output", value, f"c{value}"))
                assert answer == {"read_back": value, "quality": "good"}
            bulb.on_message = None
            with pytest.raises(QuestionRefusedError) as refusal:
                await ours.commands(question("lamp", "output", 1, "c3"))
            assert refusal.value.code == "no_reply"
        finally:
            stop.set()
            await running

    bulb = Client(CallbackAPIVersion.VERSION2)
    bulb.username_pw_set(broker.address.username, broker.address.password)
    bulb.on_connect = lambda client, *_: client.subscribe(f"{topic}/set", 1)
    bulb.on_message = obey
    bulb.connect(broker.address.host, broker.address.port)
    bulb.loop_start()
    try:
        asyncio.run(asyncio.wait_for(run(), 60))
    finally:
        bulb.disconnect()
        bulb.loop_stop()


@pytest.fixture
def keeper(mosquitto, tmp_path, free_port):
    """A broker that keeps messages for who is away, of QoS 1 only."""
    with mosquitto_broker(mosquitto, tmp_path, free_port) as made:
        yield made


def test_a_lamp_that_was_away_is_not_told_later(keeper):
    """A broker keeps what is published at QoS 1, and the lamp obeyed when it was back."""
    topic, told = "zigbee2mqtt/lamp-4", []
    thing = lamp("zigbee2mqtt-light", topic)

    def bulb():
        client = Client(CallbackAPIVersion.VERSION2, client_id="bulb", clean_session=False)
        client.username_pw_set(keeper.address.username, keeper.address.password)
        client.on_connect = lambda client, *_: client.subscribe(f"{topic}/set", 1)
        client.on_subscribe = lambda *_: told.append("subscribed")
        client.on_message = lambda _c, _u, message: told.append(message.payload)
        client.connect(keeper.address.host, keeper.address.port)
        client.loop_start()
        return client

    def leave(client):
        client.disconnect()
        client.loop_stop()

    async def run():
        ours, stop = Devices(keeper.address, thing), asyncio.Event()
        running = asyncio.create_task(ours.session.run(stop))
        back = bulb()
        try:
            await until(lambda: ours.session.connected and told)
            leave(back)
            # Nobody knows that it is away: it has no last will.
            with pytest.raises(QuestionRefusedError) as refusal:
                await ours.commands(question("lamp", "output", 1, "c1"))
            assert refusal.value.code == "no_reply"
            back = bulb()
            await until(lambda: told.count("subscribed") == 2)
            await ours.session.publish(f"{topic}/set", b"now")
            await until(lambda: b"now" in told)
            assert told == ["subscribed", "subscribed", b"now"]
        finally:
            leave(back)
            stop.set()
            await running

    asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize(
    ("profile", "topic", "told"),
    [
        ("shelly-plus-1pm", "shellies/lamp-1", {"output": (0, 1)}),
        ("zigbee2mqtt-light", "zigbee2mqtt/lamp-2", {"output": (0, 1), "brightness": (120, 30)}),
        ("tasmota-relay", "lamp-3", {"output": (0, 1)}),
    ],
)
def test_a_simulated_lamp_obeys_and_is_read_back(broker, profile, topic, told):
    thing = lamp(profile, topic)
    said = dict.fromkeys(thing.mqtt, 1.0)

    async def live(device):
        while True:
            said.update(device.told())
            device.show({"lamp": said}, SystemClock().now().wall, silent=False)
            await asyncio.sleep(0.02)

    async def run():
        ours, stop = Devices(broker.address, thing), asyncio.Event()
        device = DeviceOnMqtt(thing, broker.address)
        device.start()
        tasks = [asyncio.create_task(ours.session.run(stop)), asyncio.create_task(live(device))]
        try:
            await until(lambda: ours.session.connected and ours.frames)
            for key, values in told.items():
                for value in values:
                    order = question("lamp", key, value, f"{key}{value}")
                    answer = await ours.commands(order)
                    assert answer == {"read_back": value, "quality": "good"}
                    assert said[key] == value
        finally:
            stop.set()
            await tasks[0]
            tasks[1].cancel()
            await device.close()

    asyncio.run(asyncio.wait_for(run(), 60))

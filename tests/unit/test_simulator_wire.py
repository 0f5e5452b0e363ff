"""Values on the wire and in the store: registers, messages, state and event log."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokers import amqtt_broker
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

from gateway.clock import SystemClock
from gateway.model.equipment import Broker, Equipment, ModbusLink, Site
from gateway.model.profile import ByteOrder, Function, ModbusPlace, RegisterType
from gateway.site import files as site_file
from simulators import scenario, service
from simulators.messages import changed, full_status, rounded
from simulators.registers import NOT_AVAILABLE, differences, encode, lay
from simulators.store import WorldStore
from simulators.wire import DeviceOnMqtt, ModbusWire, WireError
from simulators.world import Event, Simulation

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
NOW = 1_795_000_000_250_000
AVAILABILITY = "zigbee2mqtt/tower-1-lobby/availability"
ONLINE, OFFLINE = b'{"state": "online"}', b'{"state": "offline"}'


@pytest.fixture(scope="module")
def site() -> Site:
    return site_file.load(DEMO)


@pytest.fixture(scope="module")
def simulation(site: Site) -> Simulation:
    return Simulation(site, scenario.load(site))


def place(kind: RegisterType = RegisterType.UINT16, **fields: Any) -> ModbusPlace:
    return ModbusPlace(function=Function.INPUT, address=0, type=kind, **fields)


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (place(), 513.4, (513,)),
        (place(), 70_000, (65_535,)),
        (place(), -5, (0,)),
        (place(RegisterType.INT16), -5, (0xFFFB,)),
        (place(scale=0.01, offset=-273.15), 75.0, (34_815,)),
        (place(scale=10), 1294, (129,)),
        (place(RegisterType.UINT32), 0x0001_0002, (1, 2)),
        (place(RegisterType.UINT32, order=ByteOrder.CDAB), 0x0001_0002, (2, 1)),
        (place(RegisterType.INT32), -2, (0xFFFF, 0xFFFE)),
        (place(RegisterType.FLOAT32), 1.0, (0x3F80, 0)),
        (place(bit=2), 1, (4,)),
        (place(bit=2), 0, (0,)),
        (place(bit=8, width=8), 18, (0x1200,)),
        (place(bit=0, width=8, scale=0.1), 1.75, (18,)),
        (place(bit=0, width=8), 300, (255,)),
        (place(bit=4, width=4), -3, (0,)),
    ],
)
def test_values_become_registers(where: ModbusPlace, value: float, words: tuple[int, ...]) -> None:
    assert encode(where, value) == words


def pump_room(site: Site) -> list[Equipment]:
    return [thing for thing in site.equipment.values() if thing.link == "pump-room"]


def booster_set(site: Site) -> list[Equipment]:
    return [thing for thing in pump_room(site) if thing.unit == 1]


def test_parts_of_one_register_are_put_together_beside_its_bits(
    site: Site, simulation: Simulation
) -> None:
    values = simulation.values(simulation.first)["lift-1"]
    moving = {**values, "floor": 12.0, "speed": 1.7, "going_up": 1.0, "sensor_faults": 5.0}
    moving |= {"going_down": 0.0, "level": 0.0, "door_open": 0.0, "person": 1.0}
    (run,) = lay([site.equipment["lift-1"]], {"lift-1": moving})
    words = dict(enumerate(run.words, run.start))
    assert words[0x12] == 12 << 8 | 17
    assert words[0x11] == 1 << 12 | 1 << 8 | 5


def test_registers_far_apart_are_two_runs_and_nothing_lies_between(
    site: Site, simulation: Simulation
) -> None:
    panel = [thing for thing in site.equipment.values() if thing.link == "fire"]
    near, far = lay(panel, simulation.values(simulation.first))
    assert (near.start, len(near.words)) == (0, 6)
    assert (far.start, len(far.words)) == (9499, 1)


def test_bits_of_one_register_are_put_together_and_gaps_say_not_available(
    site: Site, simulation: Simulation
) -> None:
    (run,) = lay(booster_set(site), simulation.values(simulation.first))
    assert run.function is Function.INPUT
    words = dict(enumerate(run.words, run.start))
    assert words[207] == 0b000111  # register 208: pumps 1, 2 and 3 present
    assert words[400] == 0b011  # register 401: remote and running
    assert words[420] == 0b001  # register 421: the third pump rests
    assert words[300] == NOT_AVAILABLE
    # register 418: motor temperature of pump 2 in 0.01 K
    celsius = simulation.values(simulation.first)["pump-2"]["motor_temperature"]
    assert words[417] / 100 - 273.15 == pytest.approx(celsius, abs=0.006)


def test_only_runs_that_differ_are_written(site: Site, simulation: Simulation) -> None:
    before = lay(booster_set(site), simulation.values(simulation.first))
    after = [replace(run, words=[0, *run.words[1:]]) for run in before]
    assert differences(before, before) == ()
    assert differences(before, after) == tuple(after)


def test_a_modbus_client_reads_what_the_model_says(
    site: Site, simulation: Simulation, free_port: int
) -> None:
    async def scene() -> None:
        wire = ModbusWire(
            ModbusLink(id="pump-room", host="127.0.0.1", port=free_port, timeout=1.0),
            pump_room(site),
        )
        values = simulation.values(simulation.first)
        await wire.start(values)
        client = AsyncModbusTcpClient("127.0.0.1", port=free_port, timeout=2, retries=0)
        try:
            assert await client.connect()
            first = await client.read_input_registers(400, count=10, device_id=1)
            assert first.registers[0] == 0b011
            hot = {**values, "pump-1": {**values["pump-1"], "motor_temperature": 80.0}}
            await wire.show(hot)
            second = await client.read_input_registers(407, count=1, device_id=1)
            assert second.registers == [35_315]
            beyond = await client.read_input_registers(5000, count=1, device_id=1)
            assert beyond.isError()
        finally:
            client.close()
            await wire.close()

    asyncio.run(scene())


def test_bug_devices_that_speak_no_mqtt_wanted_a_broker(
    tmp_path: Path, site: Site, free_port: int
) -> None:
    asked = ModbusLink(id="garden", host="127.0.0.1", port=free_port, timeout=1.0)
    lights = {name: one for name, one in site.equipment.items() if one.link == "garden"}
    board = replace(site, links={"garden": asked}, equipment=lights)
    played = replace(scenario.load(site), faults=(), watches=(), follows={})
    stop = asyncio.Event()
    stop.set()

    def play(of: Site) -> None:
        asyncio.run(
            service.run(
                site=of,
                scenario=played,
                broker=None,
                folder=tmp_path,
                clock=SystemClock(),
                stop=stop,
            )
        )

    play(board)
    with pytest.raises(ValueError, match="lamp-1 speaks MQTT, and there is no broker"):
        play(replace(board, equipment={**lights, "lamp-1": site.equipment["lamp-1"]}))


def test_coils_are_served_at_their_own_address(site: Site, free_port: int) -> None:
    light = site.equipment["lamp-1"]
    board = replace(
        light,
        unit=7,
        mqtt={},
        modbus={
            key: ModbusPlace(function=Function.COIL, address=address, type=RegisterType.BIT)
            for key, address in (("output", 19), ("power", 21))
        },
    )

    async def scene() -> None:
        link = ModbusLink(id="board", host="127.0.0.1", port=free_port, timeout=1.0)
        wire = ModbusWire(link, [board])
        await wire.start({board.id: {"output": 0.0, "power": 1.0}})
        client = AsyncModbusTcpClient("127.0.0.1", port=free_port, timeout=2, retries=0)
        try:
            assert await client.connect()
            answer = await client.read_coils(19, count=3, device_id=7)
            assert answer.bits[:3] == [False, False, True]
            await wire.show({board.id: {"output": 1.0, "power": 1.0}})
            answer = await client.read_coils(19, count=3, device_id=7)
            assert answer.bits[:3] == [True, False, True]
        finally:
            client.close()
            await wire.close()

    asyncio.run(scene())


def test_a_taken_port_is_one_clear_error(
    site: Site, simulation: Simulation, free_port: int
) -> None:
    async def scene() -> None:
        other = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port)
        link = ModbusLink(id="pump-room", host="127.0.0.1", port=free_port, timeout=1.0)
        async with other:
            with pytest.raises(WireError, match=f"127.0.0.1:{free_port}"):
                await ModbusWire(link, pump_room(site)).start(simulation.values(simulation.first))

    asyncio.run(scene())


def test_a_full_status_is_what_a_shelly_says(site: Site) -> None:
    light = site.equipment["lamp-1"]
    said = {"output": 1.0, "power": 17.91, "voltage": 229.44, "current": 0.0839, "energy": 41.5}
    (message,) = full_status(light, rounded(light, said), NOW)
    assert message.topic == "shellyplus1pm-lobby/events/rpc"
    assert json.loads(message.payload) == {
        "src": "shellyplus1pm-lobby",
        "dst": "shellyplus1pm-lobby/events",
        "method": "NotifyFullStatus",
        "params": {
            "ts": 1_795_000_000.25,
            "switch:0": {
                "id": 0,
                "output": True,
                "apower": 17.9,
                "voltage": 229.4,
                "current": 0.084,
                "aenergy": {"total": 41.5},
            },
        },
    }


def test_a_change_says_only_what_changed(site: Site) -> None:
    light = site.equipment["lamp-1"]
    before = {"output": 1.0, "power": 17.9, "voltage": 229.4, "current": 0.084, "energy": 41.5}
    assert changed(light, before, before, NOW) == []
    (message,) = changed(light, before, before | {"power": 0.0}, NOW)
    document = json.loads(message.payload)
    assert document["method"] == "NotifyStatus"
    assert document["params"] == {"ts": 1_795_000_000.25, "switch:0": {"id": 0, "apower": 0.0}}


def test_a_silent_device_is_said_to_be_away_and_tells_everything_when_it_is_back(
    site: Site, simulation: Simulation, free_port: int, tmp_path: Path
) -> None:
    """On a real broker: what it says of itself is kept there, and silence is silence."""
    light, values = site.equipment["lamp-2"], simulation.values(simulation.first)
    said: list[tuple[str, bytes]] = []

    async def scene(broker: Broker) -> None:
        listener = Client(CallbackAPIVersion.VERSION2)
        listener.username_pw_set(broker.username, broker.password)
        listener.on_message = lambda _client, _data, heard: said.append(
            (heard.topic, bytes(heard.payload))
        )
        subscribed = threading.Event()
        listener.on_subscribe = lambda *_: subscribed.set()
        listener.connect(broker.host, broker.port)
        listener.subscribe("zigbee2mqtt/#", qos=1)
        listener.loop_start()
        assert await asyncio.to_thread(subscribed.wait, 10)
        device = DeviceOnMqtt(light, broker)
        device.start()
        moment = NOW
        try:
            for silent, expected in ((False, ONLINE), (True, OFFLINE), (False, ONLINE)):
                before = len(said)
                deadline = asyncio.get_running_loop().time() + 10
                while (AVAILABILITY, expected) not in said[before:] or (
                    not silent and len(said) < before + 2
                ):
                    assert asyncio.get_running_loop().time() < deadline, said
                    moment += 200_000
                    device.show(values, moment, silent=silent)
                    await asyncio.sleep(0.02)
        finally:
            await device.close()
            listener.loop_stop()

    with amqtt_broker(tmp_path, free_port) as process:
        asyncio.run(scene(process.address))
    topics = [topic for topic, _ in said]
    away = said.index((AVAILABILITY, OFFLINE))
    back = said.index((AVAILABILITY, ONLINE), away)
    assert back == away + 1
    assert topics[0] == topics[back] == AVAILABILITY
    assert json.loads(said[back + 1][1])["state"] == "ON"


def event(number: int) -> Event:
    return Event(number=number, elapsed=float(number), kind="above", equipment="pump-2")


def logged(folder: Path) -> list[int]:
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [json.loads(line)["number"] for line in lines]


def test_a_world_is_found_again_as_it_was_left(simulation: Simulation, tmp_path: Path) -> None:
    store = WorldStore(tmp_path, scenario="abc")
    assert store.load() is None
    world, _ = simulation.step(simulation.first)
    store.save(world)
    store.close()
    assert WorldStore(tmp_path, scenario="abc").load() == world
    assert WorldStore(tmp_path, scenario="another").load() is None


def test_events_made_again_after_a_kill_are_logged_once(tmp_path: Path) -> None:
    store = WorldStore(tmp_path, scenario="abc")
    store.append([event(1), event(2)], NOW)
    store.close()
    again = WorldStore(tmp_path, scenario="abc")
    again.append([event(2), event(3)], NOW)
    again.close()
    assert logged(tmp_path) == [1, 2, 3]


def test_a_line_cut_by_a_kill_is_written_again(tmp_path: Path) -> None:
    store = WorldStore(tmp_path, scenario="abc")
    store.append([event(1), event(2)], NOW)
    store.close()
    log = tmp_path / "events.jsonl"
    log.write_bytes(log.read_bytes()[:-5])
    again = WorldStore(tmp_path, scenario="abc")
    again.append([event(2)], NOW)
    again.close()
    assert logged(tmp_path) == [1, 2]


def test_an_unreadable_state_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"scenario": "abc", "world": {"ticks"')
    assert WorldStore(tmp_path, scenario="abc").load() is None
    assert (tmp_path / "state.unreadable").is_file()


def test_a_new_world_begins_a_new_log(simulation: Simulation, tmp_path: Path) -> None:
    store = WorldStore(tmp_path, scenario="abc")
    store.append([event(1)], NOW)
    store.begin(simulation.first, NOW)
    store.append([event(1)], NOW)
    store.close()
    assert logged(tmp_path) == [1]
    assert len(list(tmp_path.glob("events-until-*.jsonl"))) == 1

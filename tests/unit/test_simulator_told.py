"""What simulated devices take for a command, by registers and by message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from gateway.model.equipment import Equipment, ModbusLink, Site
from gateway.model.profile import ByteOrder, Function, ModbusPlace, RegisterType
from gateway.profile.files import SHIPPED, load_profiles
from gateway.site import files as site_file
from gateway.site.document import EquipmentDocument
from gateway.site.equipment import installed
from simulators.device_fault import DeviceFault, DeviceFaultKind
from simulators.messages import commanded
from simulators.model import Values
from simulators.registers import decode, encode, written
from simulators.wire import ModbusWire

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
LIGHTS = ("garden-lights", "garage-lights")
LIT = {name: {"output": 1.0, "feedback": 1.0} for name in LIGHTS}
SHELLY = b'{"id":2,"src":"dutyroom-command","method":"Switch.Set","params":{"id":0,"on":%s}}'


@pytest.fixture(scope="module")
def site() -> Site:
    return site_file.load(DEMO)


@pytest.fixture(scope="module")
def tasmota() -> Equipment:
    said = {
        "id": "lamp",
        "name": {"zh": "灯", "en": "Lamp"},
        "profile": "tasmota-relay",
        "area": "a",
        "link": "l",
        "topic": "lamp",
        "silence": "60s",
    }
    profiles = load_profiles([SHIPPED])
    return installed(EquipmentDocument.model_validate(said), profiles["tasmota-relay"])


# -- by registers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "fields"),
    [
        (RegisterType.UINT16, 513.0, {}),
        (RegisterType.INT16, -5.5, {"scale": 0.5}),
        (RegisterType.INT32, -70_000.0, {"order": ByteOrder.CDAB}),
        (RegisterType.UINT64, 2.0**40, {"order": ByteOrder.DCBA}),
        (RegisterType.BCD32, 1234.5, {"scale": 0.1}),
        (RegisterType.FLOAT32, 12.5, {"order": ByteOrder.BADC}),
        (RegisterType.FLOAT64, -1.25, {"offset": 3.0}),
        (RegisterType.UINT16, 7.0, {"bit": 8, "width": 4}),
    ],
)
def test_what_was_written_is_read_as_the_value_that_it_is(
    kind: RegisterType, value: float, fields: dict[str, object]
) -> None:
    place = ModbusPlace(function=Function.HOLDING, address=4, type=kind, **fields)  # type: ignore[arg-type]
    assert decode(place, encode(place, value)) == pytest.approx(value)


def board(site: Site) -> list[Equipment]:
    return [site.equipment[name] for name in LIGHTS]


def test_coils_are_told_alone_and_together(site: Site) -> None:
    things = board(site)
    garden, garage = ({name: {"output": 0.0}} for name in LIGHTS)
    assert written(things, Function.COIL, 0, [0]) == garden
    assert written(things, Function.COIL, 0, [0, 0]) == garden | garage
    assert written(things, Function.COIL, 0, [0, 0, 1]) is None
    assert written(things, Function.COIL, 2, [0]) is None
    assert written(things, Function.HOLDING, 0, [0]) is None


def test_half_a_value_is_no_value_and_a_lift_takes_none(site: Site) -> None:
    place = ModbusPlace(function=Function.HOLDING, address=4, type=RegisterType.FLOAT32)
    thing = replace(board(site)[0], writes={"level": place})
    words = encode(place, 40.0)
    assert written([thing], Function.HOLDING, 4, words) == {thing.id: {"level": 40.0}}
    assert written([thing], Function.HOLDING, 4, words[:1]) is None
    assert written([thing], Function.HOLDING, 5, words[1:]) is None
    for forbidden in ("lift", "fire_panel", "fire_detector"):
        guarded = replace(thing, equipment_class=forbidden)
        assert written([guarded], Function.HOLDING, 4, words) is None


Scene = Callable[[ModbusWire, AsyncModbusTcpClient], Awaitable[None]]


def on_the_wire(things: list[Equipment], values: Values, port: int, scene: Scene) -> None:
    async def play() -> None:
        wire = ModbusWire(ModbusLink(id="l", host="127.0.0.1", port=port, timeout=1.0), things)
        await wire.start(values)
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)
        try:
            assert await client.connect()
            await scene(wire, client)
        finally:
            client.close()
            await wire.close()

    asyncio.run(asyncio.wait_for(play(), 30))


def test_a_coil_shows_what_was_written_and_then_what_came_of_it(site: Site, free_port: int) -> None:
    async def scene(wire: ModbusWire, client: AsyncModbusTcpClient) -> None:
        async def coils() -> list[bool]:
            return (await client.read_coils(0, count=2, device_id=1)).bits[:2]

        answer = await client.write_coil(0, False, device_id=1)
        assert not answer.isError()
        await wire.show(LIT)  # nothing has moved yet: the relay keeps what it was told
        assert await coils() == [False, True]
        assert wire.told() == {"garden-lights": {"output": 0.0}}
        assert wire.told() == {}
        await wire.show(LIT)  # the world did not care: that is what is read again
        assert await coils() == [True, True]
        answer = await client.write_coils(0, [False, False], device_id=1)
        assert not answer.isError()
        assert wire.told() == {name: {"output": 0.0} for name in LIGHTS}

    on_the_wire(board(site), LIT, free_port, scene)


def test_what_is_not_to_be_written_is_refused_and_stays(site: Site, free_port: int) -> None:
    async def scene(wire: ModbusWire, client: AsyncModbusTcpClient) -> None:
        assert (await client.write_coil(2, True, device_id=1)).isError()
        assert (await client.write_register(0, 1, device_id=1)).isError()
        busy = DeviceFault(equipment="garden-lights", kind=DeviceFaultKind.EXCEPTION, code=6)
        await wire.show(LIT, {"garden-lights": [busy]})
        assert (await client.write_coil(0, False, device_id=1)).isError()
        await wire.show(LIT)
        assert wire.told() == {}
        assert (await client.read_coils(0, count=2, device_id=1)).bits[:2] == [True, True]

    on_the_wire(board(site), LIT, free_port, scene)


def test_a_fire_panel_refuses_whatever_is_written(site: Site, free_port: int) -> None:
    panel = [thing for thing in site.equipment.values() if thing.link == "fire"]
    quiet = {thing.id: dict.fromkeys(thing.modbus, 0.0) for thing in panel}

    async def scene(wire: ModbusWire, client: AsyncModbusTcpClient) -> None:
        for thing in panel:
            for place in thing.modbus.values():
                answer = await client.write_register(place.address, 1, device_id=1)
                assert answer.isError()
        assert wire.told() == {}

    on_the_wire(panel, quiet, free_port, scene)


# -- by message -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lamp", "topic", "payload", "told"),
    [
        ("lamp-1", "shellyplus1pm-lobby/rpc", SHELLY % b"true", {"output": 1}),
        ("lamp-1", "shellyplus1pm-lobby/rpc", SHELLY % b"false", {"output": 0}),
        ("lamp-1", "shellyplus1pm-lobby/rpc", SHELLY % b'"maybe"', {}),
        ("lamp-1", "shellyplus1pm-lobby/rpc", SHELLY.replace(b"Set", b"Toggle") % b"true", {}),
        ("lamp-1", "shellyplus1pm-hall/rpc", SHELLY % b"true", {}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b'{"state": "OFF"}', {"output": 0}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b'{"brightness":120}', {"brightness": 120}),
        (
            "lamp-2",
            "zigbee2mqtt/tower-1-lobby/set",
            b'{"brightness": 90, "state": "ON", "transition": 2}',
            {"output": 1, "brightness": 90},
        ),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b'{"brightness": 1e999}', {}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b'{"brightness": null}', {}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b"[" * 100_000, {}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b"\xff\xfe", {}),
        ("lamp-2", "zigbee2mqtt/tower-1-lobby/set", b"", {}),
    ],
)
def test_a_message_tells_a_lamp_what_its_profile_says(
    site: Site, lamp: str, topic: str, payload: bytes, told: dict[str, float]
) -> None:
    assert commanded(site.equipment[lamp], topic, payload) == told


def test_a_word_alone_is_a_command_too(tasmota: Equipment) -> None:
    assert commanded(tasmota, "cmnd/lamp/POWER", b"ON") == {"output": 1}
    assert commanded(tasmota, "cmnd/lamp/POWER", b"OFF") == {"output": 0}
    assert commanded(tasmota, "cmnd/lamp/POWER", b"TOGGLE") == {}
    assert commanded(tasmota, "cmnd/lamp/STATUS", b"10") == {}

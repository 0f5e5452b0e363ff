"""What devices do wrong: on values, on words, and as scenarios name it. Pure."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.files.documents import ConfigurationError
from gateway.model.equipment import Equipment, Site
from gateway.model.moment import HOUR
from gateway.model.profile import ByteOrder, Function, ModbusPlace, RegisterType
from gateway.site import files as site_file
from simulators import scenario
from simulators.device_fault import DeviceFault, DeviceFaultKind, Memory, device_clock, spoiled
from simulators.registers import lay
from simulators.world import TICK, Simulation

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
K = DeviceFaultKind


@pytest.fixture(scope="module")
def site() -> Site:
    return site_file.load(DEMO)


def fault(kind: DeviceFaultKind, *points: str, **fields: object) -> DeviceFault:
    return DeviceFault(equipment="meter-1", kind=kind, points=points, **fields)


def said(memory: Memory, energy: float, *faults: DeviceFault) -> float:
    values = {"meter-1": {"energy": energy, "power": 1.0}}
    return memory.disturbed(values, {"meter-1": faults} if faults else {})["meter-1"]["energy"]


def test_a_frozen_device_says_what_it_said_and_afterwards_what_is() -> None:
    memory, frozen = Memory(), fault(K.FROZEN)
    assert [said(memory, 100), said(memory, 101, frozen), said(memory, 105, frozen)] == [
        100,
        101,
        101,
    ]
    assert said(memory, 106) == 106
    assert said(memory, 110, frozen) == 110


def test_counters_begin_again() -> None:
    memory, reset = Memory(), fault(K.RESET, "energy")
    assert [said(memory, 100, reset), said(memory, 103, reset)] == [0, 3]
    assert said(Memory(), 10_003, fault(K.ROLLOVER, "energy", modulus=10_000)) == 3


def words_of(place: ModbusPlace, value: float, wrong: DeviceFault, site: Site) -> list[int]:
    thing: Equipment = replace(site.equipment["meter-1"], modbus={"energy": place})
    runs = lay([thing], {thing.id: {"energy": value}})
    (run,) = spoiled(runs, thing, [wrong])
    return run.words


def place(kind: RegisterType, **fields: object) -> ModbusPlace:
    return ModbusPlace(function=Function.INPUT, address=10, type=kind, **fields)


@pytest.mark.parametrize(
    ("where", "wrong", "words"),
    [
        (place(RegisterType.UINT32), fault(K.SWAPPED), [2, 1]),
        (place(RegisterType.UINT16), fault(K.NOT_AVAILABLE), [0xFFFF]),
        (place(RegisterType.INT16, absent=(0x8000,)), fault(K.NOT_AVAILABLE), [0x8000]),
        (
            place(RegisterType.UINT32, absent=(0x7FFF_FFFE,)),
            fault(K.NOT_AVAILABLE),
            [0x7FFF, 0xFFFE],
        ),
        (
            place(RegisterType.UINT32, absent=(0x7FFF_FFFE,), order=ByteOrder.CDAB),
            fault(K.NOT_AVAILABLE),
            [0xFFFE, 0x7FFF],
        ),
        (place(RegisterType.UINT32), fault(K.WRONG_WORDS, words=(7,)), [7, 7]),
        (place(RegisterType.UINT32), fault(K.NAN), [1, 2]),
        (place(RegisterType.UINT32), fault(K.SWAPPED, "power"), [1, 2]),
    ],
)
def test_words_are_as_the_faulty_device_has_them(
    site: Site, where: ModbusPlace, wrong: DeviceFault, words: list[int]
) -> None:
    assert words_of(where, 0x0001_0002, wrong, site) == words


def test_no_number_is_laid_in_the_order_of_the_profile(site: Site) -> None:
    high, low = words_of(place(RegisterType.FLOAT32), 1.0, fault(K.INFINITY), site)
    assert struct.unpack(">f", struct.pack(">HH", high, low)) == (math.inf,)
    dcba = place(RegisterType.FLOAT32, order=ByteOrder.DCBA)
    low, high = words_of(dcba, 1.0, fault(K.NAN), site)
    assert math.isnan(struct.unpack("<f", struct.pack(">HH", low, high))[0])


def test_clocks_of_other_times() -> None:
    now = 1_795_233_600_000_000 + 7
    assert device_clock(now, ()) == now
    assert device_clock(now, [fault(K.CLOCK_BEHIND)]) == now - 8 * HOUR
    assert device_clock(now, [fault(K.CLOCK_1970)]) < 2 * 24 * HOUR
    assert device_clock(now, [fault(K.CLOCK_2099)]) >= 4_070_908_800_000_000


def test_the_shipped_scenario_plays_device_faults_and_logs_them(site: Site) -> None:
    simulation = Simulation(site, scenario.load(replace(site, scenario="machines")))
    world, events = simulation.first, []
    for _ in range(round(50 / TICK)):
        world, happened = simulation.step(world)
        events += [(e.kind, e.equipment, e.detail) for e in happened]
    assert ("fault_begin", "garden-lights", "exception") in events
    assert ("fault_end", "garden-lights", "exception") in events
    assert {
        name: [f.kind for f in own] for name, own in simulation.device_faults(world).items()
    } == {
        "pump-room-climate": [K.FROZEN],
        "meter-1": [K.NAN],
    }


def test_mistakes_in_device_faults_are_named(tmp_path: Path, site: Site) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: {zh: 我的, en: Mine}\n"
        "ambient: 24\n"
        "motor_time: 20s\n"
        "water: {demand: 1, swing: 0, period: 2m}\n"
        "device_faults:\n"
        "  - {at: 1s, lasts: 1s, equipment: meter-1, kind: exception}\n"
        "  - {at: 1s, lasts: 1s, equipment: meter-1, kind: mute, code: 6}\n"
        "  - {at: 1s, lasts: 1s, equipment: meter-1, kind: nonsense}\n"
        "  - {at: 1s, lasts: 1s, equipment: metre-1, kind: mute}\n"
        "  - {at: 1s, lasts: 1s, equipment: meter-1, kind: reset, points: [energy]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        scenario.load(replace(site, scenario="mine.yaml", file=str(tmp_path / "site.yaml")))
    assert [(p.line, p.name) for p in caught.value.problems] == [
        (6, "device_faults.0.code"),
        (7, "device_faults.1.code"),
        (8, "device_faults.2.kind"),
        (9, "device_faults.3.equipment"),
        (10, "device_faults.4.points"),
    ]

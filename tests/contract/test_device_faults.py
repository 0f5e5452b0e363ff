"""Section A of the experiments on a real wire: a device or the way to it fails, and what the
gateway makes of it. The rule of all: a value is never wrong; it is missing, with a reason."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from fault_proxy import Fault, FaultProxy, Kind

from gateway.clock import ManualClock
from gateway.derive import Derivation
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, Framing, ModbusLink, Site
from gateway.model.frame import Frame
from gateway.model.moment import SECOND
from gateway.model.profile import Derived, DerivedKind
from gateway.model.quality import Quality
from gateway.model.reason import Reason, code_of
from gateway.mqtt.mapping import MessageMapping, UnreadableMessageError
from gateway.site import files as site_file
from simulators import scenario
from simulators.device_fault import (
    NONSENSE,
    DeviceFault,
    DeviceFaultKind,
    Memory,
    device_clock,
    spoken,
    topics,
)
from simulators.messages import full_status, rounded
from simulators.model import Values
from simulators.wire import ModbusWire
from simulators.world import TICK, Simulation, World

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
NOW = 1_795_233_600 * SECOND
K = DeviceFaultKind
TIMEOUT = 0.3


@pytest.fixture(scope="module")
def site() -> Site:
    return site_file.load(DEMO)


@pytest.fixture(scope="module")
def simulation(site: Site) -> Simulation:
    return Simulation(site, replace(scenario.load(site), faults=(), watches=()))


@dataclass(frozen=True)
class Said:
    """What the gateway says of a point."""

    value: float
    quality: Quality
    reason: str

    @property
    def code(self) -> str:
        return code_of(self.reason)


Heard = dict[str, Said]
"""Point id → what was said last."""


@dataclass
class Line:
    """A simulated link, the proxy before it, and the gateway's poller; the world moves a second
    from poll to poll."""

    simulation: Simulation
    wire: ModbusWire
    proxy: FaultProxy
    poller: LinkPoller
    world: World
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    memory: Memory = field(default_factory=Memory)
    faults: dict[str, list[DeviceFault]] = field(default_factory=dict)

    async def show(self) -> Values:
        """The world a second later, on the wire; what is true."""
        for _ in range(round(1 / TICK)):
            self.world, _ = self.simulation.step(self.world)
        true = self.simulation.values(self.world)
        await self.wire.show(self.memory.disturbed(true, self.faults), self.faults)
        self.clock.advance(1)
        return true

    async def poll(self) -> tuple[Values, Heard]:
        true = await self.show()
        heard: Heard = {}
        async for said in self.poller.poll(self.clock.now()):
            columns = said.columns
            for row, point in enumerate(said.points):
                heard[point] = Said(
                    float(columns.value[row]),
                    Quality(columns.quality[row]),
                    columns.reason.get(row, ""),
                )
        return true, heard

    def fail(self, *faults: DeviceFault) -> None:
        self.faults = {}
        for fault in faults:
            self.faults.setdefault(fault.equipment, []).append(fault)


@asynccontextmanager
async def line(
    site: Site,
    simulation: Simulation,
    link: str,
    *,
    framing: Framing = Framing.TCP,
    limit: int | None = None,
    things: Sequence[Equipment] | None = None,
) -> AsyncIterator[Line]:
    behind = things or [thing for thing in site.equipment.values() if thing.link == link]
    with_port = ModbusLink(
        id=link, host="127.0.0.1", port=_free(), timeout=TIMEOUT, framing=framing
    )
    wire = ModbusWire(with_port, behind)
    await wire.start(simulation.values(simulation.first))
    rtu = framing is Framing.RTU
    proxy = FaultProxy("127.0.0.1", with_port.port, rtu=rtu, limit=limit, seed=5)
    await proxy.start()
    poller = LinkPoller(replace(with_port, port=proxy.port), behind)
    try:
        yield Line(
            simulation=simulation, wire=wire, proxy=proxy, poller=poller, world=simulation.first
        )
    finally:
        await poller.close()
        await proxy.stop()
        await wire.close()


def _free() -> int:
    from worlds import free_port

    return free_port()


def play(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


def wrong(true: Values, heard: Heard, tolerance: float = 0.02) -> list[str]:
    """Points that are said to be good, or uncertain, with a value that is not the true one."""
    found = []
    for point, said in heard.items():
        name, key = point.split(".")
        if said.quality >= Quality.BAD:
            if not math.isnan(said.value):
                found.append(f"{point}: bad, and {said.value}")
        elif key in true[name]:
            truth = true[name][key]
            if abs(said.value - truth) > max(tolerance * abs(truth), 10):
                found.append(f"{point}: {said.value}, and it is {truth}")
    return found


def of(heard: Heard, equipment: str) -> Heard:
    return {point: said for point, said in heard.items() if point.startswith(f"{equipment}.")}


# -- the way --------------------------------------------------------------------------------------

WAYS = [
    (Fault(Kind.HOLD), {Reason.NO_REPLY}),
    (Fault(Kind.DROP), {Reason.NO_REPLY}),
    (Fault(Kind.CUT), {Reason.NO_REPLY, Reason.WRONG_REPLY}),
    (Fault(Kind.LATE, seconds=2 * TIMEOUT), {Reason.NO_REPLY}),
    (Fault(Kind.RESET), {Reason.WRONG_REPLY, Reason.NO_CONNECTION}),
    (Fault(Kind.GARBAGE), {Reason.WRONG_REPLY, Reason.NO_REPLY}),
    (Fault(Kind.BABBLE), {Reason.WRONG_REPLY, Reason.NO_REPLY}),
    (Fault(Kind.UNIT), {Reason.WRONG_REPLY}),
    (Fault(Kind.FUNCTION), {Reason.WRONG_REPLY}),
    (Fault(Kind.SHORT), {Reason.WRONG_REPLY}),
    (Fault(Kind.LONG), {Reason.WRONG_REPLY}),
    (Fault(Kind.COUNT), {Reason.WRONG_REPLY, Reason.NO_REPLY}),
]
ONLY_TCP = [
    (Fault(Kind.TRANSACTION), {Reason.WRONG_REPLY}),
    (Fault(Kind.NO_TRANSACTION), {Reason.WRONG_REPLY}),
]
ONLY_RTU = [(Fault(Kind.CRC), {Reason.WRONG_REPLY, Reason.NO_REPLY})]


@pytest.mark.parametrize(
    ("framing", "fault", "reasons"),
    [
        *((Framing.TCP, *way) for way in WAYS + ONLY_TCP),
        *((Framing.RTU, *way) for way in WAYS + ONLY_RTU),
    ],
    ids=lambda given: getattr(given, "kind", given if isinstance(given, Framing) else ""),
)
def test_a1_a3_a4_a6_what_the_way_does_is_never_a_value(
    site: Site, simulation: Simulation, framing: Framing, fault: Fault, reasons: set[Reason]
) -> None:
    """Bad from the first poll, for a reason that fits, and in step again afterwards."""

    async def story() -> None:
        async with line(site, simulation, "power-room", framing=framing) as room:
            true, heard = await room.poll()
            assert {said.quality for said in heard.values()} == {Quality.GOOD}
            room.proxy.inject(fault)
            true, heard = await room.poll()
            assert wrong(true, heard) == []
            assert room.proxy.spoiled[fault.kind]
            assert {said.quality for said in heard.values()} == {Quality.BAD}
            assert {said.code for said in heard.values()} <= {r.value for r in reasons} | {
                Reason.NO_CONNECTION.value,
                Reason.NO_REPLY.value,
            }
            assert {said.code for said in heard.values()} & {r.value for r in reasons}
            room.proxy.clear()
            await in_step(room)

    play(story)


async def in_step(room: Line, polls: int = 12) -> None:
    """Good again within ``polls``, whatever the backoff of the connection; nothing wrong meanwhile.
    The poller's backoff goes by the true clock, so it is given up to three seconds."""
    ends = asyncio.get_running_loop().time() + 6
    while True:
        true, heard = await room.poll()
        assert wrong(true, heard) == []
        if heard and {said.quality for said in heard.values()} == {Quality.GOOD}:
            return
        assert asyncio.get_running_loop().time() < ends, heard
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", [Kind.SLICE, Kind.LATENCY, Kind.CLOSE])
@pytest.mark.parametrize("framing", Framing)
def test_a6_a7_what_only_delays_is_read(
    site: Site, simulation: Simulation, framing: Framing, kind: Kind
) -> None:
    """One byte at a time; a slow way; a device that closes after each reply."""

    async def story() -> None:
        async with line(site, simulation, "power-room", framing=framing) as room:
            room.proxy.inject(Fault(kind, seconds=TIMEOUT / 4))
            for _ in range(4):
                true, heard = await room.poll()
                assert wrong(true, heard) == []
            good = {point for point, said in heard.items() if said.quality is Quality.GOOD}
            assert good == heard.keys() or kind is Kind.CLOSE
            assert good

    play(story)


def test_a7_a_device_that_resets_everything_leaves_descriptors_flat(
    site: Site, simulation: Simulation
) -> None:
    async def story() -> None:
        async with line(site, simulation, "garden", limit=1) as room:
            await room.poll()
            before = psutil.Process().num_fds()
            room.proxy.inject(Fault(Kind.RESET))
            for _ in range(60):
                true, heard = await room.poll()
                assert wrong(true, heard) == []
            assert room.proxy.accepted <= 3, "tried again without waiting"
            assert psutil.Process().num_fds() <= before + 2
            room.proxy.clear()
            await in_step(room)

    play(story)


def test_a1_a_held_unit_costs_its_neighbours_one_timeout_a_probe(
    site: Site, simulation: Simulation
) -> None:
    """One unit is mute: it alone is bad, and the others of its line are read at every poll."""

    async def story() -> None:
        async with line(site, simulation, "pump-room") as room:
            room.fail(DeviceFault(equipment="bearing-2", kind=K.MUTE))
            took = []
            loop = asyncio.get_running_loop()
            for number in range(8):
                begun = loop.time()
                true, heard = await room.poll()
                took.append(loop.time() - begun)
                assert wrong(true, heard) == []
                assert {s.quality for s in of(heard, "leak-1").values()} == {Quality.GOOD}, number
                mute = of(heard, "bearing-2")
                assert {s.quality for s in mute.values()} <= {Quality.BAD}
            assert sorted(took)[4] < TIMEOUT / 2, "a silent unit is only probed"
            room.fail()
            await in_step(room)

    play(story)


# -- the device -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 10, 11])
@pytest.mark.parametrize("framing", Framing)
def test_gate_5_an_exception_is_a_reason_and_never_a_zero(
    site: Site, simulation: Simulation, framing: Framing, code: int
) -> None:
    """Gate 5 (A5): exceptions 1–6, 0A and 0B: the reason is shown, and there is no value."""

    async def story() -> None:
        async with line(site, simulation, "power-room", framing=framing) as room:
            await room.poll()
            room.fail(DeviceFault(equipment="meter-1", kind=K.EXCEPTION, code=code))
            for _ in range(3):
                true, heard = await room.poll()
                assert wrong(true, heard) == []
                meter = of(heard, "meter-1")
                assert all(math.isnan(said.value) for said in meter.values())
                assert {said.quality for said in meter.values()} == {Quality.BAD}
                unexplained = {s.reason for s in meter.values() if not explained(s, code)}
                assert not unexplained
                climate = of(heard, "power-room-climate")
                assert {said.quality for said in climate.values()} == {Quality.GOOD}
            room.fail()
            await in_step_after_probe(room)

    play(story)


def explained(said: Said, code: int) -> bool:
    """By the exception itself; or, once that has been tried part by part, by what was learnt."""
    learnt = {Reason.NO_REGISTER.value} if code <= 4 else set()
    return said.code in learnt or re.search(rf"[:,] {code} [a-z]", said.reason) is not None


async def in_step_after_probe(room: Line, polls: int = 700) -> None:
    """Good again, after as many polls as a probed unit or a probed address has to wait."""
    for _ in range(polls):
        true, heard = await room.poll()
        assert wrong(true, heard) == []
        if of(heard, "meter-1") and {s.quality for s in heard.values()} == {Quality.GOOD}:
            return
    raise AssertionError(f"not good again within {polls} polls: {heard}")


def test_a5_a_slow_device_is_read_if_it_answers_in_time(site: Site, simulation: Simulation) -> None:
    async def story() -> None:
        async with line(site, simulation, "garden") as room:
            room.fail(DeviceFault(equipment="garden-lights", kind=K.SLOW, wait=TIMEOUT / 3))
            true, heard = await room.poll()
            assert wrong(true, heard) == []
            assert {said.quality for said in heard.values()} == {Quality.GOOD}
            room.fail(DeviceFault(equipment="garden-lights", kind=K.SLOW, wait=3 * TIMEOUT))
            true, heard = await room.poll()
            assert {said.code for said in heard.values()} == {Reason.NO_REPLY.value}

    play(story)


@pytest.mark.parametrize("kind", [K.NAN, K.INFINITY, K.NOT_AVAILABLE])
def test_a10_what_is_no_number_is_no_value(
    site: Site, simulation: Simulation, kind: DeviceFaultKind
) -> None:
    """NaN, infinity, 0xFFFF: bad quality with its reason; the neighbours are good."""
    by_word = kind is K.NOT_AVAILABLE
    link = "pump-room" if by_word else "power-room"
    name, key = ("pump-2", "motor_temperature") if by_word else ("meter-1", "voltage_l1")

    async def story() -> None:
        async with line(site, simulation, link) as room:
            room.fail(DeviceFault(equipment=name, kind=kind, points=(key,)))
            true, heard = await room.poll()
            said = heard[f"{name}.{key}"]
            assert math.isnan(said.value)
            assert said.quality is Quality.BAD
            assert said.code in (Reason.NOT_A_NUMBER.value, Reason.NOT_AVAILABLE.value)
            others = of(heard, name).keys() - {f"{name}.{key}"}
            assert {heard[point].quality for point in others} == {Quality.GOOD}
            assert wrong(true, heard) == []

    play(story)


def test_a11_swapped_words_are_named_by_the_range_check(site: Site, simulation: Simulation) -> None:
    async def story() -> None:
        async with line(site, simulation, "power-room") as room:
            room.fail(DeviceFault(equipment="meter-1", kind=K.SWAPPED, points=("voltage_l1",)))
            _, heard = await room.poll()
            said = heard["meter-1.voltage_l1"]
            assert said.quality is not Quality.GOOD
            assert said.code in (Reason.OUT_OF_RANGE.value, Reason.NOT_A_NUMBER.value)
            assert heard["meter-1.voltage_l2"].quality is Quality.GOOD

    play(story)


@pytest.mark.parametrize("kind", [K.ROLLOVER, K.RESET])
def test_a11_a_counter_that_begins_again_gives_a_sane_delta(
    site: Site, simulation: Simulation, kind: DeviceFaultKind
) -> None:
    """It rolls over, or the meter is exchanged: never a negative or a giant growth."""
    meter = site.equipment["meter-1"]
    rolls = simulation.values(simulation.first)["meter-1"]["energy_import"] + 0.2
    used = replace(meter.points[0], id="meter-1.used", key="used", low=None, high=None, decimals=4)
    follows = Derived(kind=DerivedKind.DELTA, of=("energy_import",), rollover=rolls)
    counting = replace(meter, points=(*meter.points, used), derived={"used": follows})
    derivation = Derivation([counting])
    fault = DeviceFault(equipment="meter-1", kind=kind, points=("energy_import",), modulus=rolls)

    async def story() -> None:
        counter: list[float] = []
        grown: list[float] = []
        async with line(site, simulation, "power-room") as room:
            for second in range(120):
                room.fail(*([fault] if kind is K.ROLLOVER or second >= 60 else []))
                await room.show()
                at = room.clock.now()
                async for said in room.poller.poll(at):
                    points, columns = said.points, said.columns
                    if "meter-1.energy_import" not in points:
                        continue
                    counter.append(float(columns.value[points.index("meter-1.energy_import")]))
                    frame = Frame(
                        points=points,
                        value=columns.value,
                        quality=columns.quality,
                        source_time=np.full(len(points), at.wall, dtype=np.int64),
                        reason=columns.reason,
                    )
                    derived = derivation.step(frame, at)
                    grown.append(float(derived.value[derived.points.index(used.id)]))
        assert min(counter) < 10 < 40_000 < max(counter), "it began again"
        assert math.isnan(grown[0])
        assert all(0 <= value < 1 for value in grown[1:])
        if kind is K.ROLLOVER:
            assert sum(grown[1:]) == pytest.approx(counter[-1] + rolls - counter[0], abs=0.05)

    play(story)


def test_a11_words_of_another_thing_are_not_good(site: Site, simulation: Simulation) -> None:
    async def story() -> None:
        async with line(site, simulation, "power-room") as room:
            room.fail(
                DeviceFault(
                    equipment="meter-1", kind=K.WRONG_WORDS, points=("frequency",), words=(0x7F00,)
                )
            )
            _, heard = await room.poll()
            assert heard["meter-1.frequency"].quality is not Quality.GOOD

    play(story)


# -- messages -------------------------------------------------------------------------------------

NOTHING = DeviceFault(equipment="lamp-1", kind=K.MUTE)
"""What is no fault of a report that is made all the same."""


def report(
    site: Site, simulation: Simulation, fault: DeviceFault, at: int = NOW, retained: bool = False
) -> Heard:
    """What the gateway makes of a full report of lamp-1 with ``fault``."""
    light = site.equipment["lamp-1"]
    values = rounded(light, simulation.values(simulation.first)[light.id])
    mapping = MessageMapping([light])
    heard: Heard = {}
    stamp = device_clock(at, [fault])
    for message in full_status(light, spoken(values, [fault]), stamp):
        frame = mapping.take(message.topic, message.payload, at, retained=retained)
        assert frame is not None
        for row, point in enumerate(frame.points):
            heard[point] = Said(
                float(frame.value[row]), Quality(frame.quality[row]), frame.reason.get(row, "")
            )
    return heard


@pytest.mark.parametrize("kind", [K.CLOCK_1970, K.CLOCK_2099, K.CLOCK_BEHIND])
def test_b46_a_clock_of_another_time_is_flagged(
    site: Site, simulation: Simulation, kind: DeviceFaultKind
) -> None:
    """Stamps of 1970, 2099 and −8 h: receive time kept, flagged (experiment 46)."""
    heard = report(site, simulation, DeviceFault(equipment="lamp-1", kind=kind))
    assert heard
    assert all(said.quality is not Quality.GOOD for said in heard.values())
    assert {said.code for said in heard.values()} <= {
        Reason.DEVICE_CLOCK.value,
        Reason.LATE.value,
        Reason.TOO_OLD.value,
    }
    assert not any(math.isnan(said.value) for said in heard.values())


@pytest.mark.parametrize("payload", NONSENSE, ids=lambda payload: repr(payload[:20]))
def test_b22_nonsense_is_no_good_value(site: Site, payload: bytes) -> None:
    """Put aside, or bad: and the next message is taken."""
    light = site.equipment["lamp-1"]
    mapping = MessageMapping([light])
    for topic in topics(light):
        with suppress(UnreadableMessageError):
            frame = mapping.take(topic, payload, NOW)
            assert frame is None or Quality.GOOD not in frame.quality
    heard = report(site, Simulation(site, replace(scenario.load(site), faults=())), NOTHING)
    assert {said.quality for said in heard.values()} == {Quality.GOOD}


@pytest.mark.parametrize("kind", [K.NAN, K.INFINITY])
def test_a10_a_message_without_a_number_has_no_value(
    site: Site, simulation: Simulation, kind: DeviceFaultKind
) -> None:
    fault = DeviceFault(equipment="lamp-1", kind=kind, points=("power",))
    with suppress(UnreadableMessageError):
        said = report(site, simulation, fault)["lamp-1.power"]
        assert math.isnan(said.value)
        assert said.quality is Quality.BAD


def test_b19_a_retained_report_is_state_and_not_live_beyond_its_age(
    site: Site, simulation: Simulation
) -> None:
    light = site.equipment["lamp-1"]
    values = rounded(light, simulation.values(simulation.first)[light.id])
    mapping = MessageMapping([light])
    (message,) = full_status(light, values, NOW - 3600 * SECOND)
    frame = mapping.take(message.topic, message.payload, NOW, retained=True)
    assert frame is not None
    assert min(frame.quality) > Quality.GOOD

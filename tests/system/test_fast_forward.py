"""The whole way of a reading on a real Modbus wire, with the clock turned by hand.

Nothing sleeps: each turn moves the simulated world, polls it through TCP, and carries what the
gateway spooled over the bus into the rules and the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from worlds import demo_site, free_port

from gateway import site as site_file
from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Subscriber
from gateway.clock import ManualClock
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Broker, ModbusLink, Site
from gateway.model.moment import HOUR, SECOND
from gateway.model.quality import Quality
from gateway.service import Gateway
from gateway.spool import Spool
from rules.ledger.store import Ledger, open_ledger
from rules.orders.lifecycle import OrderState
from rules.rulebook import load_rulebook
from rules.worker import Worker
from simulators import scenario as scenarios
from simulators.wire import ModbusWire
from simulators.world import TICK, Simulation, World

START = 1_795_233_600 * SECOND
"""2026-11-21T04:00Z, noon in Shanghai."""
TEMPERATURE = "pump-2.motor_temperature"


@dataclass(kw_only=True)
class Compound:
    """A simulated world and its clock; both go on while the duty room is down."""

    site: Site
    simulation: Simulation
    wires: Mapping[str, ModbusWire]
    """By link."""
    clock: ManualClock
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.simulation.first

    async def live(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.world, _ = self.simulation.step(self.world)
        values = self.simulation.values(self.world)
        for wire in self.wires.values():
            await wire.show(values)
        self.clock.advance(seconds)


@dataclass(kw_only=True)
class DutyRoom:
    """Gateway, bus, rules and stores of one run of the product."""

    compound: Compound
    gateway: Gateway
    spool: Spool
    history: EmbeddedHistory
    ledger: Ledger
    worker: Worker
    records: AsyncIterator[list]
    heard: int
    """The last record that the bus has brought."""

    async def pass_by(self, seconds: float, *, turn: float = 1.0) -> None:
        """Let ``seconds`` pass in turns."""
        for _ in range(round(seconds / turn)):
            await self.compound.live(turn)
            await self.turn()

    async def turn(self) -> None:
        now = self.compound.clock.now()
        await self.gateway.cycle(now)
        while self.heard < self.spool.synced:
            batch = await asyncio.wait_for(anext(self.records), 10)
            self.worker.take(record for _, record in batch)
            self.heard = batch[-1][0]
        self.worker.tick(now)
        self.worker.commit(now)

    def latest(self, point: str) -> float:
        reading = self.history.latest([point]).get(point)
        return float("nan") if reading is None or reading.value is None else reading.value

    def alarms(self):
        with self.ledger.read(self.compound.site.id) as view:
            return view.alarms(limit=100)

    def orders(self):
        with self.ledger.read(self.compound.site.id) as view:
            return view.orders(limit=100)

    def order_events(self, order):
        with self.ledger.read(self.compound.site.id) as view:
            return [event.event for event in view.order_events(order)]


@asynccontextmanager
async def duty_room(compound: Compound, data: Path) -> AsyncIterator[DutyRoom]:
    """A run of the product on ``data``, ended without ceremony."""
    site, bus = compound.site, MemoryBus()
    spool = Spool.open(data / "spool")
    history = EmbeddedHistory(data / "history.db")
    ledger = open_ledger(data / "ledger.db")
    gateway = Gateway(site=site, spool=spool, history=history, bus=bus, clock=compound.clock)
    worker = Worker(site=site, rulebook=load_rulebook(site), ledger=ledger)
    worker.load()
    await bus.start()
    subscriber = Subscriber(bus, site.id, site.gateway, "rules", worker.cursor)
    records = subscriber.records()
    room = DutyRoom(
        compound=compound,
        gateway=gateway,
        spool=spool,
        history=history,
        ledger=ledger,
        worker=worker,
        records=records,
        heard=worker.cursor[1] if worker.cursor else 0,
    )
    try:
        yield room
    finally:
        await records.aclose()
        await bus.close()
        spool.close()
        history.close()
        ledger.close()


@asynccontextmanager
async def compound(folder: Path, hot: list[tuple[float, float]]) -> AsyncIterator[Compound]:
    site = site_file.load(demo_site(folder / "site", hot=hot))
    site = site_file.with_broker(
        site, Broker(host="127.0.0.1", port=free_port(), username="", password="")
    )
    things = site.equipment.values()
    wires = {
        link.id: ModbusWire(link, [thing for thing in things if thing.link == link.id])
        for link in site.links.values()
        if isinstance(link, ModbusLink)
    }
    simulation = Simulation(site, scenarios.load(site))
    world = Compound(site=site, simulation=simulation, wires=wires, clock=ManualClock(START))
    for wire in wires.values():
        await wire.start(simulation.values(world.world))
    try:
        yield world
    finally:
        for wire in wires.values():
            await wire.close()


def test_a_hot_pump_becomes_one_order_whose_clock_runs_out(tmp_path):
    async def story() -> None:
        async with (
            compound(tmp_path, hot=[(20, 7000)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(20)
            assert room.alarms() == []
            await room.pass_by(20)
            (alarm,) = room.alarms()
            (order,) = room.orders()
            assert alarm.point == TEMPERATURE
            assert list(order.alarms) == [alarm.id]
            assert 75 < alarm.value < 100
            # Ten seconds of delay, counted from the first reading beyond the limit.
            assert alarm.raised_at - alarm.first_reading_at == 10 * SECOND
            history = room.history.range(TEMPERATURE, START, START + HOUR, 1000)
            assert history.value[history.time == alarm.first_reading_at] == [alarm.value]
            assert len(history.time) == 40
            await room.pass_by(7140, turn=60)
            assert "breach" not in room.order_events(order.id)
            await room.pass_by(60, turn=60)
            assert room.order_events(order.id).count("breach") == 1
            (order,) = room.orders()
            assert order.state is OrderState.OPEN
            await room.pass_by(60)
            assert room.alarms()[0].cleared_at is not None, "cool again after 7,000 s"
            assert len(room.orders()) == 1

    asyncio.run(story())


@pytest.mark.parametrize("rebooted", [False, True])
def test_killed_within_the_delay_the_alarm_comes_when_it_would_have_come(tmp_path, rebooted):
    """Gate 39 in small: five of ten seconds of delay, a restart, and it fires at ten."""

    async def story() -> None:
        async with compound(tmp_path, hot=[(20, 600)]) as world:
            async with duty_room(world, tmp_path / "data") as room:
                while not room.latest(TEMPERATURE) > 75:
                    await room.pass_by(1)
                await room.pass_by(4)
                assert room.alarms() == []
            if rebooted:
                world.clock.reboot("boot-2")
            await world.live(3)
            async with duty_room(world, tmp_path / "data") as room:
                await room.pass_by(2)
                assert room.alarms() == []
                await room.pass_by(2)
                (alarm,) = room.alarms()
                assert alarm.raised_at - alarm.first_reading_at == 10 * SECOND
                assert len(room.orders()) == 1

    asyncio.run(story())


def test_a_link_that_dies_leaves_the_alarm_and_no_value(tmp_path):
    """No data never clears: the alarm stays, and the reading is bad, not old and not zero."""

    async def story() -> None:
        async with (
            compound(tmp_path, hot=[(20, 60)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(45)
            assert len(room.alarms()) == 1
            await world.wires["pump-room"].close()
            for _ in range(90):
                world.clock.advance(1)
                await room.turn()
            (alarm,) = room.alarms()
            assert alarm.cleared_at is None
            reading = room.history.latest([TEMPERATURE])[TEMPERATURE]
            assert reading.quality is Quality.BAD
            assert reading.value is None

    asyncio.run(story())


def test_a_step_of_the_wall_clock_moves_no_limit(tmp_path):
    async def story() -> None:
        async with (
            compound(tmp_path, hot=[(5, 9000)]) as world,
            duty_room(world, tmp_path / "data") as room,
        ):
            await room.pass_by(40)
            (order,) = room.orders()
            world.clock.step_wall(3 * 3600)
            await room.pass_by(7000, turn=50)
            assert "breach" not in room.order_events(order.id)
            await room.pass_by(250, turn=50)
            assert room.order_events(order.id).count("breach") == 1

    asyncio.run(story())

"""The product on a real Modbus wire, with the clock turned by hand.

Nothing sleeps: each turn moves the simulated world, polls it through TCP, and carries what the
gateway spooled over the bus into the rules and the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from worlds import demo_site, free_port

from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Subscriber
from gateway.clock import ManualClock
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Broker, ModbusLink, Site
from gateway.model.moment import SECOND
from gateway.service import Gateway
from gateway.site import files as site_file
from gateway.spool.queue import Spool
from rules.ledger.store import Ledger, open_ledger
from rules.rulebook import load_rulebook
from rules.worker import Worker
from simulators import scenario as scenarios
from simulators.store import WorldStore
from simulators.wire import ModbusWire
from simulators.world import TICK, Event, Simulation, World

START = 1_795_233_600 * SECOND
"""2026-11-21T04:00Z, noon in Shanghai."""
CUT = "link-cut"
"""In the log of what happened, a link that is cut."""


@dataclass(kw_only=True)
class Compound:
    """A simulated world and its clock; both go on while the duty room is down."""

    site: Site
    simulation: Simulation
    wires: dict[str, ModbusWire]
    """By link."""
    clock: ManualClock
    truth: WorldStore | None = None
    """Where what happens is logged; None: nowhere."""
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.simulation.first

    async def live(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.world, events = self.simulation.step(self.world)
            self.clock.advance(TICK)
            if self.truth is not None:
                self.truth.append(events, self.clock.now().wall)
        values = self.simulation.values(self.world)
        for wire in self.wires.values():
            await wire.show(values)

    async def cut(self, link: str) -> None:
        """What hangs on ``link`` cannot be reached."""
        await self.wires[link].close()
        self._happened("fault_begin", f"link.{link}", CUT)

    async def mend(self, link: str) -> None:
        wire = wire_of(self.site, link)
        await wire.start(self.simulation.values(self.world))
        self.wires[link] = wire
        self._happened("fault_end", f"link.{link}", CUT)

    def _happened(self, kind: str, equipment: str, detail: str) -> None:
        """Something that no model knows of, numbered with the rest."""
        number = self.world.events + 1
        self.world = replace(self.world, events=number)
        elapsed = self.world.elapsed
        event = Event(number=number, elapsed=elapsed, kind=kind, equipment=equipment, detail=detail)
        if self.truth is not None:
            self.truth.append([event], self.clock.now().wall)


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

    def alarms_of(self, equipment):
        return [alarm for alarm in self.alarms() if alarm.equipment == equipment]

    def orders_of(self, equipment):
        return [order for order in self.orders() if order.equipment == equipment]

    def overdue(self, order):
        """How often it was said that the time to complete ``order`` is over."""
        with self.ledger.read(self.compound.site.id) as view:
            events = view.order_events(order)
        return [(event.event, event.why) for event in events].count(("breach", "complete"))


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


def without_broker(site: Site) -> Site:
    """``site`` without what speaks over the broker: there is none here, and a link that nothing
    is ever heard of is an alarm."""
    address = Broker(host="127.0.0.1", port=free_port(), username="", password="")
    site = site_file.with_broker(site, address)
    links = {name: link for name, link in site.links.items() if isinstance(link, ModbusLink)}
    there = {name: thing for name, thing in site.equipment.items() if thing.link in links}
    return replace(site, links=links, equipment=there)


@asynccontextmanager
async def compound(
    folder: Path,
    hot: list[tuple[float, float]],
    burning: list[tuple[float, float]] | None = None,
) -> AsyncIterator[Compound]:
    site = site_file.load(demo_site(folder / "site", hot=hot, burning=burning or []))
    async with inhabited(without_broker(site)) as world:
        yield world


@asynccontextmanager
async def inhabited(site: Site, truth: WorldStore | None = None) -> AsyncIterator[Compound]:
    """The world of ``site``, which names its scenario."""
    simulation = Simulation(site, scenarios.load(site))
    wires = {link: wire_of(site, link) for link in site.links}
    world = Compound(
        site=site, simulation=simulation, wires=wires, clock=ManualClock(START), truth=truth
    )
    for wire in wires.values():
        await wire.start(simulation.values(world.world))
    try:
        yield world
    finally:
        for wire in world.wires.values():
            await wire.close()


def wire_of(site: Site, link: str) -> ModbusWire:
    terms = site.links[link]
    assert isinstance(terms, ModbusLink)
    return ModbusWire(terms, [thing for thing in site.equipment.values() if thing.link == link])

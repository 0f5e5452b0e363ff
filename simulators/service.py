"""The simulators as a service: the world moves by the clock and shows itself on the wires."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway.clock import Clock
from gateway.model.equipment import Broker, Equipment, ModbusLink, Site
from gateway.model.moment import SECOND, Instant
from simulators import wishes
from simulators.device_fault import Memory
from simulators.model import Values
from simulators.scenario import Scenario
from simulators.store import WorldStore
from simulators.wire import DeviceOnMqtt, ModbusWire
from simulators.world import TICK, Simulation, World, tell, wish

log = structlog.get_logger("simulators")

_SAVE_EVERY = 1 * SECOND
_MANY = 100
"""Pieces of equipment that are shown at each tick."""
_LONGEST_LEAP = 5.0
"""s that the world catches up after a pause; it slept through the rest."""


async def run(
    *,
    site: Site,
    scenario: Scenario,
    broker: Broker | None,
    folder: Path,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Play ``scenario`` on the wires of ``site`` until ``stop``; the world is kept in ``folder``.

    1. Take up the world where it was left, or begin one. 2. Lay the wires. 3. Tick.
    Raises :class:`~simulators.wire.WireError` if a link's address cannot be served, and
    :class:`ValueError` for devices that speak MQTT where there is no ``broker``.
    """
    simulation = Simulation(site, scenario)
    store = WorldStore(folder, scenario=scenario.fingerprint)
    things = list(site.equipment.values())
    play = _Play(
        simulation=simulation,
        store=store,
        registers=[
            ModbusWire(link, [thing for thing in things if thing.link == link.id])
            for link in site.links.values()
            if isinstance(link, ModbusLink)
        ],
        devices=_on_mqtt(things, broker),
        world=_take_up(simulation, store, folder, clock.now().wall),
        folder=folder,
    )
    try:
        await play.open()
        await play.until(stop, clock)
    finally:
        await play.close()


def _on_mqtt(things: Sequence[Equipment], broker: Broker | None) -> list[DeviceOnMqtt]:
    speaking = [thing for thing in things if thing.mqtt]
    if broker is None and speaking:
        raise ValueError(f"{speaking[0].id} speaks MQTT, and there is no broker")
    return [] if broker is None else [DeviceOnMqtt(thing, broker) for thing in speaking]


def _take_up(simulation: Simulation, store: WorldStore, folder: Path, wall: int) -> World:
    world = store.load()
    if world is not None and simulation.fits(world):
        log.info("the simulated world goes on", elapsed=world.elapsed)
        return world
    # What was wished of an earlier world is not wished of this one.
    world = wish(simulation.first, (), wishes.size(folder))
    store.begin(world, wall)
    log.info("a simulated world begins")
    return world


@dataclass(kw_only=True)
class _Play:
    """A world under way, its store and its wires."""

    simulation: Simulation
    store: WorldStore
    registers: Sequence[ModbusWire]
    devices: Sequence[DeviceOnMqtt]
    world: World
    folder: Path
    memory: Memory = field(default_factory=Memory)
    shown: int = 0
    """Which of the turns was shown last."""

    @property
    def _turns(self) -> int:
        """Of a large site a part of the links is shown at each tick, and each about once a second:
        no meter has new values more often."""
        return min(1 + len(self.simulation.things) // _MANY, round(1 / TICK))

    async def open(self) -> None:
        for wire in self.registers:
            await wire.start(self.simulation.values(self.world))
        for device in self.devices:
            device.start()

    async def until(self, stop: asyncio.Event, clock: Clock) -> None:
        """Tick as the clock goes, and show and save the world, until ``stop``."""
        before, owed = clock.now(), 0.0
        saved = before
        while not stop.is_set():
            await clock.sleep(TICK)
            now = clock.now()
            owed = min(owed + now.since(before) / SECOND, _LONGEST_LEAP)
            before = now
            while owed >= TICK:
                owed -= TICK
                self._tick(now)
            await self._show(now)
            if now.since(saved) >= _SAVE_EVERY:
                await asyncio.to_thread(self.store.save, self.world)
                saved = now

    def _tick(self, now: Instant) -> None:
        told = self._told()
        wished, upto = wishes.after(self.folder, self.world.wished)
        if told or upto != self.world.wished:
            # Kept before it has any effect: set back by a kill, the world makes the same events.
            self.world = wish(tell(self.world, told), wished, upto)
            self.store.save(self.world)
        self.world, events = self.simulation.step(self.world)
        self.store.append(events, now.wall)
        for event in events:
            log.info("simulated", what=event.kind, equipment=event.equipment)

    def _told(self) -> Values:
        """What the devices were told since the last tick."""
        told = {name: own for wire in self.registers for name, own in wire.told().items()}
        for device in self.devices:
            own = device.told()
            if own:
                told[device.equipment] = own
        return told

    async def _show(self, now: Instant) -> None:
        faults = self.simulation.device_faults(self.world)
        values = self.memory.disturbed(self.simulation.values(self.world), faults)
        self.shown = (self.shown + 1) % self._turns
        for wire in self.registers[self.shown :: self._turns]:
            await wire.show(values, faults)
        silent = self.simulation.silent(self.world)
        for device in self.devices:
            name = device.equipment
            device.show(values, now.wall, silent=name in silent, faults=faults.get(name, ()))

    async def close(self) -> None:
        """Keep the world as it is and take the wires down."""
        self.store.save(self.world)
        for device in self.devices:
            await device.close()
        for wire in self.registers:
            await wire.close()
        self.store.close()

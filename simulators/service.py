"""The simulators as a service: the world moves by the clock and shows itself on the wires."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.clock import Clock
from gateway.model.equipment import Broker, ModbusLink, Site
from gateway.model.moment import SECOND, Instant
from simulators.scenario import Scenario
from simulators.store import WorldStore
from simulators.wire import DeviceOnMqtt, ModbusWire
from simulators.world import TICK, Simulation, World

log = structlog.get_logger("simulators")

_SAVE_EVERY = 1 * SECOND
_LONGEST_LEAP = 5.0
"""s that the world catches up after a pause; it slept through the rest."""


async def run(
    *,
    site: Site,
    scenario: Scenario,
    broker: Broker,
    folder: Path,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Play ``scenario`` on the wires of ``site`` until ``stop``; the world is kept in ``folder``.

    1. Take up the world where it was left, or begin one. 2. Lay the wires. 3. Tick.
    Raises :class:`~simulators.wire.WireError` if a link's address cannot be served.
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
        devices=[DeviceOnMqtt(thing, broker) for thing in things if thing.mqtt],
        world=_take_up(simulation, store, clock.now().wall),
    )
    try:
        await play.open()
        await play.until(stop, clock)
    finally:
        await play.close()


def _take_up(simulation: Simulation, store: WorldStore, wall: int) -> World:
    world = store.load()
    if world is not None and simulation.fits(world):
        log.info("the simulated world goes on", elapsed=world.elapsed)
        return world
    world = simulation.first
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
        self.world, events = self.simulation.step(self.world)
        self.store.append(events, now.wall)
        for event in events:
            log.info("simulated", what=event.kind, equipment=event.equipment)

    async def _show(self, now: Instant) -> None:
        values = self.simulation.values(self.world)
        for wire in self.registers:
            await wire.show(values)
        silent = self.simulation.silent(self.world)
        for device in self.devices:
            device.show(values, now.wall, silent=device.equipment in silent)

    async def close(self) -> None:
        """Keep the world as it is and take the wires down."""
        self.store.save(self.world)
        for device in self.devices:
            await device.close()
        for wire in self.registers:
            await wire.close()
        self.store.close()

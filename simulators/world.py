"""All simulated equipment of a site under one scenario. Pure: a world goes in, the next comes out.

A world moves in ticks of fixed length, so the same scenario always makes the same events with
the same numbers, however often it was interrupted and taken up again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from gateway.documents import ConfigurationError, Problem, problem_in
from gateway.model.equipment import Equipment, Site
from simulators import lamp, pump
from simulators.scenario import Fault, Scenario

TICK = 0.2
"""s."""
_WARM_UP = 300.0
"""s for which a new world has been running unseen, so that it is found warm."""
_RUN_TIMES = (3120.4, 3104.9, 3131.2, 3140.0, 3150.0, 3160.0)
"""h that the pumps of a set have run before."""
CLASSES = ("booster", "pump", "lamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened in the world, numbered from 1 without a gap."""

    number: int
    elapsed: float
    """s since the scenario began."""
    kind: str
    """``fault_begin``, ``fault_end``, ``above``, ``below``, ``within``, or what a model did."""
    equipment: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Everything that changes."""

    ticks: int
    events: int
    """How many events have been numbered."""
    sets: Mapping[str, pump.PumpSet]
    """``link/unit`` → the booster set behind it."""
    lamps: Mapping[str, lamp.Lamp]
    """Equipment id → lamp."""
    crossed: tuple[bool, ...]
    """Which of the scenario's watches are beyond their limit."""

    @property
    def elapsed(self) -> float:
        """s since the scenario began."""
        return round(self.ticks * TICK, 3)


Values = Mapping[str, Mapping[str, float]]
"""Equipment id → point key → value."""


class Simulation:
    """What does not change: which equipment belongs to which model, and the scenario.

    Raises :class:`ConfigurationError` for equipment that no model can play.
    """

    def __init__(self, site: Site, scenario: Scenario) -> None:
        self._scenario = scenario
        self._things = tuple(site.equipment.values())
        problems = unplayable(site)
        if problems:
            raise ConfigurationError(problems)
        missing = list(self._unplayed(site))
        if missing:
            raise ConfigurationError(missing)

    @cached_property
    def _pumps(self) -> Mapping[tuple[str, int], str]:
        """(set, number of the pump) → equipment id."""
        return {
            (_set_of(thing), thing.parameters["pump"]): thing.id
            for thing in self._things
            if thing.equipment_class == "pump"
        }

    @cached_property
    def first(self) -> World:
        """The world at second 0 of its scenario: warm, and nothing wrong yet."""
        names = {_set_of(thing) for thing in self._things if thing.equipment_class != "lamp"}
        world = World(
            ticks=-round(_WARM_UP / TICK),
            events=0,
            sets={name: pump.PumpSet(pumps=self._new_pumps(name)) for name in sorted(names)},
            lamps={t.id: lamp.Lamp() for t in self._things if t.equipment_class == "lamp"},
            crossed=(False,) * len(self._scenario.watches),
        )
        while world.ticks < 0:
            world, _ = self.step(world)
        return replace(world, events=0)

    def fits(self, world: World) -> bool:
        """Whether ``world`` has the equipment of this site; a changed site needs a new one."""
        return (
            world.lamps.keys() == self.first.lamps.keys()
            and len(world.crossed) == len(self.first.crossed)
            and {name: set(state.pumps) for name, state in world.sets.items()}
            == {name: set(state.pumps) for name, state in self.first.sets.items()}
        )

    def _new_pumps(self, name: str) -> dict[int, pump.Pump]:
        numbers = sorted(number for place, number in self._pumps if place == name)
        # A set whose pumps are not in the site file still has some.
        return {
            number: pump.Pump(temperature=self._scenario.ambient, run_time=3600 * hours)
            for number, hours in zip(numbers or (1, 2, 3), _RUN_TIMES, strict=False)
        }

    def step(self, world: World) -> tuple[World, tuple[Event, ...]]:
        """The world one tick later, and what happened in it."""
        then = round((world.ticks + 1) * TICK, 3)
        happened = list(self._turns_of_fate(world.elapsed, then))
        sets, lamps = {}, {}
        for name, state in world.sets.items():
            sets[name], did = pump.step(state, self._conditions(name, then), TICK)
            happened += [(word, self._pumps[name, n], "") for n, word in did if self._has(name, n)]
        for name, light in world.lamps.items():
            burnt = any(fault.equipment == name for fault in self._active(then))
            lamps[name], words = lamp.step(light, on=True, burnt_out=burnt, dt=TICK)
            happened += [(word, name, "") for word in words]
        after = replace(world, ticks=world.ticks + 1, sets=sets, lamps=lamps)
        crossed, crossings = self._crossings(after)
        happened += crossings
        events = tuple(
            Event(number=number, elapsed=then, kind=kind, equipment=equipment, detail=detail)
            for number, (kind, equipment, detail) in enumerate(happened, world.events + 1)
        )
        return replace(after, crossed=crossed, events=world.events + len(events)), events

    def values(self, world: World) -> Values:
        """What the devices of ``world`` have to say."""
        return {thing.id: self._values_of(world, thing) for thing in self._things}

    def _values_of(self, world: World, thing: Equipment) -> Mapping[str, float]:
        if thing.equipment_class == "lamp":
            return lamp.values(world.lamps[thing.id])
        state = world.sets[_set_of(thing)]
        if thing.equipment_class == "booster":
            return pump.set_values(state)
        return pump.pump_values(state.pumps[thing.parameters["pump"]])

    def _unplayed(self, site: Site) -> Iterator[Problem]:
        values = self.values(self.first)
        for thing in self._things:
            keys = [point.key for point in thing.points if point.key not in values[thing.id]]
            if keys:
                wrong = f"no simulator plays its {', '.join(keys)}"
                mend = "choose a profile that the simulators know, or drop simulation:"
                yield _problem(site, thing, wrong, mend)

    def _has(self, name: str, number: int) -> bool:
        return (name, number) in self._pumps

    def _active(self, at: float) -> Iterator[Fault]:
        return (fault for fault in self._scenario.faults if fault.begins <= at < fault.ends)

    def _conditions(self, name: str, at: float) -> pump.Conditions:
        scenario = self._scenario
        numbers = {self._pumps[key]: key[1] for key in self._pumps if key[0] == name}
        wave = math.sin(2 * math.pi * at / scenario.period)
        return pump.Conditions(
            demand=max(scenario.demand + scenario.swing * wave, 0.0),
            ambient=scenario.ambient,
            motor_time=scenario.motor_time,
            fault_rise={
                numbers[fault.equipment]: fault.rise
                for fault in self._active(at)
                if fault.equipment in numbers
            },
        )

    def _turns_of_fate(self, before: float, after: float) -> Iterator[tuple[str, str, str]]:
        for fault in self._scenario.faults:
            if before < fault.begins <= after:
                yield "fault_begin", fault.equipment, fault.kind
            if before < fault.ends <= after:
                yield "fault_end", fault.equipment, fault.kind

    def _crossings(self, world: World) -> tuple[tuple[bool, ...], list[tuple[str, str, str]]]:
        values = self.values(world)
        watches = self._scenario.watches
        now = tuple(watch.crossed(values[watch.equipment][watch.point]) for watch in watches)
        changes = []
        for watch, was, beyond in zip(watches, world.crossed, now, strict=True):
            if beyond != was:
                side = "above" if watch.above is not None else "below"
                changes.append((side if beyond else "within", watch.equipment, watch.point))
        return now, changes


def _set_of(thing: Equipment) -> str:
    return f"{thing.link}/{thing.unit}"


def unplayable(site: Site) -> list[Problem]:
    """A problem for each equipment of a class that no simulator knows."""
    mend = f"simulated are {', '.join(CLASSES)}; a real site drops simulation:"
    return [
        _problem(site, t, f"there is no simulator for the class {t.equipment_class!r}", mend)
        for t in site.equipment.values()
        if t.equipment_class not in CLASSES
    ]


def _problem(site: Site, thing: Equipment, wrong: str, mend: str) -> Problem:
    where = ("equipment", list(site.equipment).index(thing.id))
    return problem_in(site.file, where, wrong, mend)


def to_plain(world: World) -> dict[str, Any]:
    """``world`` as what JSON can hold; the inverse of :func:`from_plain`."""
    return asdict(world)


def from_plain(plain: Mapping[str, Any]) -> World:
    """The world in ``plain``. Raises KeyError, TypeError or ValueError for anything else."""
    return World(
        ticks=int(plain["ticks"]),
        events=int(plain["events"]),
        sets={name: _set_from(state) for name, state in plain["sets"].items()},
        lamps={name: lamp.Lamp(**state) for name, state in plain["lamps"].items()},
        crossed=tuple(bool(beyond) for beyond in plain["crossed"]),
    )


def _set_from(plain: Mapping[str, Any]) -> pump.PumpSet:
    pumps = {int(number): pump.Pump(**state) for number, state in plain["pumps"].items()}
    return pump.PumpSet(pumps=pumps, tank=plain["tank"], filling=plain["filling"])

"""All simulated equipment of a site under one scenario. Pure: a world goes in, the next comes out.

A world moves in ticks of fixed length, so the same scenario always makes the same events with
the same numbers, however often it was interrupted and taken up again. How a thing behaves is said
by its model (:mod:`simulators.cast`); here they are put together and reach each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gateway.documents import ConfigurationError, Problem, problem_in
from gateway.model.equipment import Equipment, Site
from simulators.cast import MODELS, PLAYERS
from simulators.model import (
    Around,
    Effect,
    Fault,
    Given,
    Mains,
    Model,
    Values,
    public_mains,
)
from simulators.scenario import Scenario

TICK = 0.2
"""s."""
_WARM_UP = 300.0
"""s for which a new world has been running unseen, so that it is found warm."""


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


Bodies = Mapping[str, Mapping[str, Any]]
"""Name of the model → place of the body → its state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Everything that changes."""

    ticks: int
    events: int
    """How many events have been numbered."""
    bodies: Bodies
    crossed: tuple[bool, ...]
    """Which of the scenario's watches are beyond their limit."""

    @property
    def elapsed(self) -> float:
        """s since the scenario began."""
        return round(self.ticks * TICK, 3)


@dataclass(frozen=True, kw_only=True)
class _Body:
    """One body of the site: who plays it, and which equipment reports on it."""

    model: Model
    place: str
    things: Sequence[Equipment]


class Simulation:
    """What does not change: which equipment belongs to which body, and the scenario.

    Raises :class:`ConfigurationError` for equipment that no model can play.
    """

    def __init__(self, site: Site, scenario: Scenario) -> None:
        self._scenario = scenario
        self._things = tuple(site.equipment.values())
        problems = unplayable(site)
        if problems:
            raise ConfigurationError(problems)
        self._bodies = _bodies(self._things)
        missing = list(self._unplayed(site))
        if missing:
            raise ConfigurationError(missing)
        self._supplies = _grouped(self._things, lambda thing: thing.supplied_by)
        self._areas = _grouped(self._things, lambda thing: thing.area)

    @cached_property
    def first(self) -> World:
        """The world at second 0 of its scenario: warm, and nothing wrong yet."""
        world = World(
            ticks=-round(_WARM_UP / TICK),
            events=0,
            bodies=self._new_bodies,
            crossed=(False,) * len(self._scenario.watches),
        )
        while world.ticks < 0:
            world, _ = self.step(world)
        return replace(world, events=0)

    @cached_property
    def _new_bodies(self) -> Bodies:
        bodies: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for body in self._bodies:
            begun = body.model.begin(body.things, self._scenario.ambient)
            bodies[body.model.name][body.place] = begun
        return bodies

    def fits(self, world: World) -> bool:
        """Whether ``world`` has the equipment of this site; a changed site needs a new one."""
        return len(world.crossed) == len(self._scenario.watches) and _outline(
            world.bodies
        ) == _outline(self._new_bodies)

    def step(self, world: World) -> tuple[World, tuple[Event, ...]]:
        """The world one tick later, and what happened in it.

        1. What each body does to others, as it is now, reaches them. 2. Each moves by its model.
        3. Limits that were crossed and faults that began or ended join what the bodies did.
        """
        then = round((world.ticks + 1) * TICK, 3)
        happened = list(self._turns_of_fate(world.elapsed, then))
        given = self._given(then, self._reaching(world, then))
        bodies: dict[str, dict[str, Any]] = {name: {} for name in world.bodies}
        for body in self._bodies:
            before = world.bodies[body.model.name][body.place]
            after, deeds = body.model.step(body.things, before, given, TICK)
            bodies[body.model.name][body.place] = after
            happened += [(word, name, "") for name, word in deeds]
        moved = replace(world, ticks=world.ticks + 1, bodies=bodies)
        crossed, crossings = self._crossings(moved)
        happened += crossings
        events = tuple(
            Event(number=number, elapsed=then, kind=kind, equipment=equipment, detail=detail)
            for number, (kind, equipment, detail) in enumerate(happened, world.events + 1)
        )
        return replace(moved, crossed=crossed, events=world.events + len(events)), events

    def values(self, world: World) -> Values:
        """What the equipment of ``world`` has to say, heard or not."""
        return self._values(world.bodies)

    def silent(self, world: World) -> frozenset[str]:
        """The equipment that does not answer at all."""
        return frozenset(name for name, effect in self._effects(world).items() if effect.silent)

    def _values(self, bodies: Bodies) -> Values:
        return {
            name: values
            for body in self._bodies
            for name, values in body.model.values(
                body.things, bodies[body.model.name][body.place]
            ).items()
        }

    def _effects(self, world: World) -> Mapping[str, Effect]:
        effects = dict.fromkeys((thing.id for thing in self._things), Effect())
        for body in self._bodies:
            state = world.bodies[body.model.name][body.place]
            effects.update(body.model.effects(body.things, state))
        return effects

    def _reaching(self, world: World, then: float) -> Mapping[str, Around]:
        """Equipment id → what reaches it of the others, of the street, and of its fate."""
        effects = self._effects(world)
        street = Mains(voltage=public_mains(then))
        heat = {
            area: sum(effects[name].heat for name in names) for area, names in self._areas.items()
        }
        feeding = {thing.id: self._feeding(thing.id, effects, street) for thing in self._things}
        faults: defaultdict[str, dict[str, Fault]] = defaultdict(dict)
        for fault in self._scenario.faults:
            if fault.begins <= then < fault.ends:
                faults[fault.equipment][fault.kind] = fault
        machines = self._scenario.follows
        return {
            thing.id: Around(
                faults=faults.get(thing.id, {}),
                mains=feeding[thing.id],
                load=self._drawn(thing.id, effects),
                turns=thing.id not in machines or effects[machines[thing.id]].turns,
                heat=heat[thing.area],
            )
            for thing in self._things
        }

    def _feeding(self, name: str, effects: Mapping[str, Effect], street: Mains) -> Mains:
        """What the equipment ``name`` is supplied with, through whatever lies between."""
        feeder = self._feeders.get(name)
        if feeder is None:
            return street
        passed_on = effects[feeder].feeds
        return self._feeding(feeder, effects, street) if passed_on is None else passed_on

    def _drawn(self, name: str, effects: Mapping[str, Effect]) -> float:
        """W that everything draws which the equipment ``name`` supplies, near and far."""
        return sum(
            effects[supplied].draws + self._drawn(supplied, effects)
            for supplied in self._supplies.get(name, ())
        )

    @cached_property
    def _feeders(self) -> Mapping[str, str]:
        return {t.id: t.supplied_by for t in self._things if t.supplied_by is not None}

    def _given(self, at: float, around: Mapping[str, Around]) -> Given:
        scenario = self._scenario
        wave = math.sin(2 * math.pi * at / scenario.period)
        return Given(
            elapsed=at,
            ambient=scenario.ambient,
            motor_time=scenario.motor_time,
            room_time=scenario.room_time,
            demand=max(scenario.demand + scenario.swing * wave, 0.0),
            around=around,
        )

    def _unplayed(self, site: Site) -> Iterator[Problem]:
        values = self._values(self._new_bodies)
        for thing in self._things:
            keys = [point.key for point in thing.points if point.key not in values[thing.id]]
            if keys:
                wrong = f"no simulator plays its {', '.join(keys)}"
                mend = "choose a profile that the simulators know, or drop simulation:"
                yield _problem(site, thing, wrong, mend)

    def _turns_of_fate(self, before: float, after: float) -> Iterator[tuple[str, str, str]]:
        for fault in self._scenario.faults:
            if before < fault.begins <= after:
                yield "fault_begin", fault.equipment, fault.kind
            if before < fault.ends <= after:
                yield "fault_end", fault.equipment, fault.kind

    def _crossings(self, world: World) -> tuple[tuple[bool, ...], list[tuple[str, str, str]]]:
        values, silent = self.values(world), self.silent(world)
        watches = self._scenario.watches
        # Nothing crosses a limit unheard: of what is silent, all stays as it was said last.
        now = tuple(
            was
            if watch.equipment in silent
            else watch.crossed(values[watch.equipment][watch.point])
            for watch, was in zip(watches, world.crossed, strict=True)
        )
        changes = []
        for watch, was, beyond in zip(watches, world.crossed, now, strict=True):
            if beyond != was:
                side = "above" if watch.above is not None else "below"
                changes.append((side if beyond else "within", watch.equipment, watch.point))
        return now, changes


def _bodies(things: Sequence[Equipment]) -> tuple[_Body, ...]:
    reporting: defaultdict[tuple[str, str], list[Equipment]] = defaultdict(list)
    for thing in things:
        model = PLAYERS[thing.equipment_class]
        reporting[model.name, model.body_of(thing)].append(thing)
    return tuple(
        _Body(model=MODELS[name], place=place, things=tuple(members))
        for (name, place), members in reporting.items()
    )


def _grouped(
    things: Sequence[Equipment], key: Callable[[Equipment], str | None]
) -> Mapping[str, Sequence[str]]:
    """``key`` of the equipment → the ids of all that have it."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for thing in things:
        name = key(thing)
        if name is not None:
            groups[name].append(thing.id)
    return groups


def _outline(bodies: Bodies) -> Mapping[str, Mapping[str, Any]]:
    """Which bodies there are, and which members each has."""
    return {
        name: {place: MODELS[name].members(state) for place, state in states.items()}
        for name, states in bodies.items()
    }


def unplayable(site: Site) -> list[Problem]:
    """A problem for each equipment of a class that no simulator knows."""
    mend = f"simulated are {', '.join(PLAYERS)}; a real site drops simulation:"
    return [
        _problem(site, t, f"there is no simulator for the class {t.equipment_class!r}", mend)
        for t in site.equipment.values()
        if t.equipment_class not in PLAYERS
    ]


def _problem(site: Site, thing: Equipment, wrong: str, mend: str) -> Problem:
    where = ("equipment", list(site.equipment).index(thing.id))
    return problem_in(site.file, where, wrong, mend)


def to_plain(world: World) -> dict[str, Any]:
    """``world`` as what JSON can hold; the inverse of :func:`from_plain`."""
    bodies = {
        name: {place: MODELS[name].plain(state) for place, state in states.items()}
        for name, states in world.bodies.items()
    }
    return {
        "ticks": world.ticks,
        "events": world.events,
        "bodies": bodies,
        "crossed": world.crossed,
    }


def from_plain(plain: Mapping[str, Any]) -> World:
    """The world in ``plain``. Raises KeyError, TypeError or ValueError for anything else."""
    return World(
        ticks=int(plain["ticks"]),
        events=int(plain["events"]),
        bodies={
            name: {place: MODELS[name].restored(state) for place, state in states.items()}
            for name, states in plain["bodies"].items()
        },
        crossed=tuple(bool(beyond) for beyond in plain["crossed"]),
    )

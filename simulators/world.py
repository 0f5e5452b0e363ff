"""All simulated equipment of a site under one scenario. Pure: a world goes in, the next comes out.

A world moves in ticks of fixed length, so the same scenario always makes the same events with
the same numbers, however often it was interrupted and taken up again. How a thing behaves is said
by its model (:mod:`simulators.cast`); here they are put together and reach each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from gateway.model.equipment import Equipment, Site
from gateway.model.point import Point
from simulators import injection
from simulators.cast import MODELS, PLAYERS
from simulators.device_fault import DeviceFault, DeviceFaults
from simulators.injection import Injections, Wish
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
from simulators.plain import quiet
from simulators.scenario import Scenario

TICK = 0.2
"""s."""
_WARM_UP = 300.0
"""s for which a new world has been running unseen, so that it is found warm."""
_MANY = 100
"""Bodies beyond which a world is warmed up for less long, so that it begins in some seconds."""


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
    told: Values = field(default_factory=dict)
    """What devices were told, which reaches them in the next tick."""
    injected: Injections = ()
    """Faults that were asked for beside those of the scenario."""
    wished: int = 0
    """Up to which byte of the wishes they were taken."""

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

    What no model plays, of a class or of a profile's points, is plain (:mod:`simulators.plain`).
    """

    def __init__(self, site: Site, scenario: Scenario) -> None:
        self._scenario = scenario
        self.things = tuple(site.equipment.values())
        self._bodies = _bodies(self.things)
        self._plain = self._left_to_plain()
        self._supplies = _grouped(self.things, lambda thing: thing.supplied_by)
        self._areas = _grouped(self.things, lambda thing: thing.area)

    @cached_property
    def first(self) -> World:
        """The world at second 0 of its scenario: warm, and nothing wrong yet."""
        world = World(
            ticks=-round(_WARM_UP / TICK * min(1, _MANY / max(len(self._bodies), 1))),
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
        happened = list(self._turns_of_fate(world, then))
        given = self._given(then, self._reaching(world, then))
        bodies: dict[str, dict[str, Any]] = {name: {} for name in world.bodies}
        for body in self._bodies:
            before = world.bodies[body.model.name][body.place]
            after, deeds = body.model.step(body.things, before, given, TICK)
            bodies[body.model.name][body.place] = after
            happened += [(word, name, "") for name, word in deeds]
        moved = replace(world, ticks=world.ticks + 1, bodies=bodies, told={})
        crossed, crossings = self._crossings(moved)
        happened += crossings
        events = tuple(
            Event(number=number, elapsed=then, kind=kind, equipment=equipment, detail=detail)
            for number, (kind, equipment, detail) in enumerate(happened, world.events + 1)
        )
        return replace(moved, crossed=crossed, events=world.events + len(events)), events

    def values(self, world: World) -> Values:
        """What the equipment of ``world`` has to say, heard or not."""
        values = self._played(world.bodies)
        for name, points in self._plain.items():
            values[name] = {**values.get(name, {}), **quiet(points, world.elapsed)}
        return values

    def silent(self, world: World) -> frozenset[str]:
        """The equipment that does not answer at all."""
        return frozenset(name for name, effect in self._effects(world).items() if effect.silent)

    def device_faults(self, world: World) -> DeviceFaults:
        """What the devices of ``world`` do wrong now, whatever they measure."""
        now: defaultdict[str, list[DeviceFault]] = defaultdict(list)
        for fault in self._scenario.device_faults:
            if fault.begins <= world.elapsed < fault.ends:
                now[fault.equipment].append(fault)
        for fault in injection.device_faults(world.injected, self.things, world.elapsed):
            now[fault.equipment].append(fault)
        return now

    def _played(self, bodies: Bodies) -> dict[str, Mapping[str, float]]:
        return {
            name: values
            for body in self._bodies
            for name, values in body.model.values(
                body.things, bodies[body.model.name][body.place]
            ).items()
        }

    def _left_to_plain(self) -> Mapping[str, tuple[Point, ...]]:
        """Equipment id → the points that no model says anything of."""
        played = self._played(self._new_bodies)
        left = {
            thing.id: tuple(
                point
                for point in thing.points
                if point.key not in played.get(thing.id, ()) and point.key not in thing.derived
            )
            for thing in self.things
        }
        return {name: points for name, points in left.items() if points}

    def _effects(self, world: World) -> Mapping[str, Effect]:
        effects = dict.fromkeys((thing.id for thing in self.things), Effect())
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
        wet = {area for area, names in self._areas.items() if any(effects[n].leaks for n in names)}
        feeding = {thing.id: self._feeding(thing.id, effects, street) for thing in self.things}
        faults: defaultdict[str, dict[str, Fault]] = defaultdict(dict)
        for fault in self._scenario.faults:
            if fault.begins <= then < fault.ends:
                faults[fault.equipment][fault.kind] = fault
        for fault in injection.process_faults(world.injected, then):
            faults[fault.equipment][fault.kind] = fault
        machines = self._scenario.follows
        return {
            thing.id: Around(
                faults=faults.get(thing.id, {}),
                mains=feeding[thing.id],
                load=self._drawn(thing.id, effects),
                turns=thing.id not in machines or effects[machines[thing.id]].turns,
                heat=heat[thing.area],
                wet=thing.area in wet,
                told=world.told.get(thing.id, {}),
            )
            for thing in self.things
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
        return {t.id: t.supplied_by for t in self.things if t.supplied_by is not None}

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

    def _turns_of_fate(self, world: World, after: float) -> Iterator[tuple[str, str, str]]:
        scenario, before = self._scenario, world.elapsed
        fates: tuple[Fault | DeviceFault, ...] = (*scenario.faults, *scenario.device_faults)
        turns = [(fault.equipment, fault.kind, fault.begins, fault.ends) for fault in fates]
        turns += [(one.subject, one.kind, one.begins, one.ends) for one in world.injected]
        for subject, kind, begins, ends in turns:
            if before < begins <= after:
                yield "fault_begin", subject, kind
            if before < ends <= after:
                yield "fault_end", subject, kind

    def _crossings(self, world: World) -> tuple[tuple[bool, ...], list[tuple[str, str, str]]]:
        watches = self._scenario.watches
        if not watches:
            return (), []
        values, silent = self.values(world), self.silent(world)
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
        model = PLAYERS.get(thing.equipment_class)
        if model is not None:
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


def tell(world: World, told: Values) -> World:
    """``world`` with its devices told ``told`` (equipment id → point key → value) on top of what
    they have not heard yet."""
    merged = {name: {**world.told.get(name, {}), **own} for name, own in told.items()}
    return replace(world, told={**world.told, **merged})


def wish(world: World, wishes: Sequence[Wish], wished: int) -> World:
    """``world`` with ``wishes`` granted from the next tick on, taken up to the byte ``wished``."""
    then = round((world.ticks + 1) * TICK, 3)
    return replace(world, injected=injection.taken(world.injected, wishes, then), wished=wished)


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
        "told": world.told,
        "injected": [asdict(one) for one in world.injected],
        "wished": world.wished,
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
        # A world of before devices could be told something has none.
        told={
            name: {key: float(value) for key, value in own.items()}
            for name, own in plain.get("told", {}).items()
        },
        # Nor one of before faults could be asked for.
        injected=tuple(injection.restored(one) for one in plain.get("injected", ())),
        wished=int(plain.get("wished", 0)),
    )

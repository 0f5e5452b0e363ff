"""A lift as its sensor sees it: the car, its door, and who is in it. Pure.

The car makes one trip after the other: empty to the landing of a call, then with a person to
another one. Which landings those are follows from the lift's id and the number of the trip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gateway.model.equipment import Equipment
from simulators.model import Around, Effect, FaultKind, Given, Single, chance, wobble

FLOORS = 18
_STOREY = 3.0
"""m from one landing to the next."""
_FASTEST = 1.75
"""m/s."""
_CRAWL = 0.3
"""m/s at which a car is brought to the next landing by hand or by its battery."""
_ACCELERATION = 0.8
"""m/s²."""
_ZONE = 0.2
"""m above and below a landing within which the door may open."""
_DOOR_TIME = 5.0
"""s that the door stands open."""
_SHORTEST_WAIT, _LONGEST_WAIT = 4.0, 40.0
"""s between two trips."""
_TRAPPED_AFTER = 15.0
"""s of standing between landings with a person in the car, by the sensor's own setting."""
_OPEN_TOO_LONG = 60.0
"""s, by the sensor's own setting."""


class Phase(StrEnum):
    WAITING = "waiting"
    """At a landing, door shut."""
    CALLED = "called"
    """On the way to who called, empty."""
    CARRYING = "carrying"
    """On the way with a person."""
    OPEN = "open"
    """At a landing, door open."""
    STUCK = "stuck"
    """Standing between landings."""
    CRAWLING = "crawling"
    """Being brought to the nearest landing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lift:
    """Heights in m above the lowest landing, speeds in m/s with up positive, times in s."""

    name: str
    phase: Phase = Phase.WAITING
    since: float = 0.0
    """s in this phase."""
    age: float = 0.0
    height: float = 0.0
    speed: float = 0.0
    target: int = 1
    """The floor it is going to, the lowest being 1."""
    trips: int = 0
    person: bool = False
    door_openings: int = 0
    travelled: float = 0.0
    """m in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    live: bool = True
    """Whether it is supplied. Without, its battery brings it to a landing, and there it waits."""
    trapping: bool = False
    """The next person is trapped between two landings."""
    door_stuck: bool = False
    """The door opens, and does not shut."""


def step(before: Lift, given: Conditions, dt: float) -> Lift:
    """The lift ``dt`` seconds later.

    1. What it does next follows from its phase and the conditions. 2. The car moves.
    """
    lift = _decided(before, given)
    since = before.since + dt if lift.phase is before.phase else dt
    lift = replace(lift, age=before.age + dt, since=since)
    if lift.phase in (Phase.CALLED, Phase.CARRYING):
        return _driven(lift, _FASTEST, dt)
    if lift.phase is Phase.CRAWLING:
        return _driven(lift, _CRAWL, dt)
    return lift if lift.speed == 0 else replace(lift, speed=0.0)


def _decided(lift: Lift, given: Conditions) -> Lift:
    if lift.phase is Phase.WAITING:
        return _from_waiting(lift, given)
    if lift.phase is Phase.OPEN:
        return _from_open(lift, given)
    if lift.phase is Phase.STUCK:
        return lift if given.trapping else _crawling(lift)
    return _on_the_way(lift, given)


def _on_the_way(lift: Lift, given: Conditions) -> Lift:
    if lift.height == _height(lift.target):
        return _opened(lift)
    if lift.phase is Phase.CARRYING and given.trapping and _between(lift):
        return replace(lift, phase=Phase.STUCK)
    if lift.phase is not Phase.CRAWLING and not given.live:
        return _crawling(lift)
    return lift


def _from_waiting(lift: Lift, given: Conditions) -> Lift:
    if given.door_stuck and given.live:
        return _opened(lift)
    wait = _SHORTEST_WAIT + (_LONGEST_WAIT - _SHORTEST_WAIT) * _chance(lift, "wait")
    if not given.live or (lift.since < wait and not given.trapping):
        return lift
    call = 1 + int(FLOORS * _chance(lift, "call"))
    # Half of all calls come from the entrance.
    return replace(lift, phase=Phase.CALLED, target=1 if call % 2 else call)


def _from_open(lift: Lift, given: Conditions) -> Lift:
    if lift.since < _DOOR_TIME or (given.door_stuck and given.live):
        return lift
    if not given.live or lift.person:
        return replace(lift, phase=Phase.WAITING, person=False, trips=lift.trips + 1)
    steps = 1 + int((FLOORS - 1) * _chance(lift, "ride"))
    floor = 1 + (_floor(lift) - 1 + steps) % FLOORS
    return replace(lift, phase=Phase.CARRYING, person=True, target=floor)


def _opened(lift: Lift) -> Lift:
    return replace(lift, phase=Phase.OPEN, door_openings=lift.door_openings + 1)


def _crawling(lift: Lift) -> Lift:
    return replace(lift, phase=Phase.CRAWLING, target=_floor(lift))


def _driven(lift: Lift, fastest: float, dt: float) -> Lift:
    """``lift`` after ``dt`` s on its way to its target, braking in time to stop there."""
    way = _height(lift.target) - lift.height
    left = abs(way)
    speed = min(abs(lift.speed) + _ACCELERATION * dt, fastest, math.sqrt(2 * _ACCELERATION * left))
    if speed * dt >= left or left < 0.01:
        return replace(
            lift, height=_height(lift.target), speed=0.0, travelled=lift.travelled + left
        )
    speed = math.copysign(speed, way)
    return replace(
        lift,
        height=lift.height + speed * dt,
        speed=speed,
        travelled=lift.travelled + abs(speed) * dt,
    )


def _height(floor: int) -> float:
    return (floor - 1) * _STOREY


def _floor(lift: Lift) -> int:
    """The nearest landing."""
    return 1 + round(lift.height / _STOREY)


def _between(lift: Lift) -> bool:
    return abs(lift.height - _height(_floor(lift))) > 5 * _ZONE


def _chance(lift: Lift, what: str) -> float:
    return chance(lift.name, lift.trips, what)


def values(lift: Lift) -> dict[str, float]:
    """Point key of a ``lift`` profile → value, in the units of the profile."""
    at_landing = abs(lift.height - _height(_floor(lift))) <= _ZONE
    flags = {
        "entrapment_at_landing": False,
        "entrapment_between_landings": (
            lift.phase is Phase.STUCK and lift.person and lift.since > _TRAPPED_AFTER
        ),
        "door_open_outside_zone": False,
        "overrun_top": False,
        "overrun_bottom": False,
        "stop_outside_zone": False,
        "moving_with_door_open": False,
        "overspeed": False,
        "run_timeout": False,
        "repeated_door_movements": False,
        "door_open_too_long": lift.phase is Phase.OPEN and lift.since > _OPEN_TOO_LONG,
        "going_up": lift.speed > 0,
        "going_down": lift.speed < 0,
        "level": at_landing and lift.speed == 0,
        "door_open": lift.phase is Phase.OPEN,
        "person": lift.person,
    }
    numbers = {
        "sensor_faults": 0.0,
        "floor": float(_floor(lift)),
        "speed": abs(lift.speed),
        "door_openings": float(lift.door_openings),
        "floors_travelled": float(int(lift.travelled / _STOREY)),
    }
    return {key: float(flag) for key, flag in flags.items()} | numbers | _felt(lift)


def _felt(lift: Lift) -> dict[str, float]:
    """What shaking and noise there is in the car."""
    share = abs(lift.speed) / _FASTEST
    shaking = {
        f"vibration_{axis}": round(1 + share * (size + wobble(axis, lift.age, 0.7)), 1)
        for axis, size in (("x", 5.0), ("y", 6.0), ("z", 9.0))
    }
    return shaking | {"noise": float(round(42 + 12 * share + wobble(lift.name, lift.age, 5)))}


def _first(thing: Equipment, _ambient: float) -> Lift:
    luck = chance(thing.id, "use")
    return Lift(
        name=thing.id,
        door_openings=180_000 + round(40_000 * luck),
        travelled=_STOREY * (1_100_000 + round(200_000 * luck)),
    )


def _moved(before: Lift, around: Around, _given: Given, dt: float) -> tuple[Lift, list[str]]:
    conditions = Conditions(
        live=around.mains.live,
        trapping="entrapment" in around.faults,
        door_stuck="door-stuck" in around.faults,
    )
    return step(before, conditions, dt), []


def _effect(lift: Lift) -> Effect:
    # A full car would pull itself up; one with a single person works hardest on its way down.
    share = abs(lift.speed) / _FASTEST
    return Effect(draws=220.0 + share * (4200.0 if lift.speed < 0 else 1900.0), heat=150.0)


def _restored(**plain: Any) -> Lift:
    return Lift(**{**plain, "phase": Phase(plain["phase"])})


MODEL = Single(
    name="lift",
    classes=("lift",),
    faults=(
        FaultKind(name="entrapment", befalls=("lift",)),
        FaultKind(name="door-stuck", befalls=("lift",)),
    ),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=_restored,
)

"""A bearing with a transmitter for heat and vibration, on a machine that turns or rests. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.equipment import Equipment
from simulators.model import Around, FaultKind, Given, Single, towards, wobble

_RISE = 17.0
"""K above its surroundings, of a sound bearing that turns."""
_SHAKING = 1.4
"""mm/s RMS of a sound bearing that turns."""
_AT_REST = 0.05
"""mm/s that come through the floor."""
_WEAR = 0.08
"""mm/s more for each K that a worn bearing is hotter."""
_SHAKING_TIME = 4.0
"""s in which vibration covers 63 % of its way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bearing:
    """Temperature in ℃, vibration in mm/s RMS, age in s."""

    temperature: float
    vibration: float = _AT_REST
    age: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    ambient: float
    turning: bool
    wear_rise: float
    """K by which wear heats it while it turns."""
    time: float
    """s: τ of its heat."""


def step(before: Bearing, given: Conditions, dt: float) -> Bearing:
    """The bearing ``dt`` seconds later."""
    rise = _RISE + given.wear_rise if given.turning else 0.0
    shaking = _SHAKING + _WEAR * given.wear_rise if given.turning else _AT_REST
    return Bearing(
        temperature=towards(before.temperature, given.ambient + rise, dt, given.time),
        vibration=towards(before.vibration, shaking, dt, _SHAKING_TIME),
        age=before.age + dt,
    )


def values(bearing: Bearing) -> dict[str, float]:
    """Point key of a ``bearing`` profile → value."""
    unrest = 1 + 0.06 * wobble("bearing", bearing.age, 3)
    return {"temperature": bearing.temperature, "vibration": bearing.vibration * unrest}


def _first(_thing: Equipment, ambient: float) -> Bearing:
    return Bearing(temperature=ambient)


def _moved(before: Bearing, around: Around, given: Given, dt: float) -> tuple[Bearing, list[str]]:
    worn = around.faults.get("worn-bearing")
    conditions = Conditions(
        ambient=given.ambient,
        turning=around.turns,
        wear_rise=worn.rise if worn else 0.0,
        time=given.motor_time,
    )
    return step(before, conditions, dt), []


MODEL = Single(
    name="bearing",
    classes=("bearing",),
    faults=(FaultKind(name="worn-bearing", befalls=("bearing",), heats=True),),
    first=_first,
    moved=_moved,
    said=values,
    state=Bearing,
)

"""A lamp behind a switch that may meter it, and may dim it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.equipment import Equipment
from simulators.model import (
    NOMINAL,
    Around,
    Effect,
    FaultKind,
    Given,
    Single,
    towards,
    wobble,
)

_RATED = 18.0
"""W at nominal voltage."""
_WARM_UP = 3.0
"""s in which the driver covers 63 % of the way to its power."""
_FULL = 254
"""Brightness as Zigbee counts it, from 0."""
_BRIGHT = 215
"""Brightness by which a lobby is lit."""
_DAYLIGHT = 12
"""By how much the brightness follows the daylight, up and down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lamp:
    """Power in W, voltage in V, energy in Wh since the switch was made, age in s."""

    output: bool = True
    power: float = 0.0
    voltage: float = NOMINAL
    energy: float = 41_230.0
    age: float = 0.0
    silent: bool = False
    """Whether its radio is not heard, or it has no supply to speak with."""
    burnt_out: bool = False
    dimmed: float | None = None
    """Share of its light to which it was told to dim; None: it follows the daylight."""


def step(
    before: Lamp,
    *,
    on: bool,
    burnt_out: bool,
    dt: float,
    voltage: float = NOMINAL,
    silent: bool = False,
    dimmed: float | None = None,
) -> tuple[Lamp, list[str]]:
    """The lamp ``dt`` seconds later, and what it did: switched_on or switched_off.

    A lamp that has burnt out draws nothing, though its output stays on.
    """
    full = _RATED * (voltage / NOMINAL) ** 2 * (1.0 if dimmed is None else dimmed)
    wanted = full if on and not burnt_out else 0.0
    # Light comes on slowly and goes out at once.
    power = towards(before.power, wanted, dt, _WARM_UP) if wanted > before.power else wanted
    after = Lamp(
        output=on,
        power=power,
        voltage=voltage,
        energy=before.energy + power * dt / 3600,
        age=before.age + dt,
        silent=silent,
        burnt_out=burnt_out,
        dimmed=dimmed,
    )
    did = [] if on == before.output else ["switched_on" if on else "switched_off"]
    return after, did


def values(lamp: Lamp) -> dict[str, float]:
    """Point key of a ``lamp`` profile → value, in the units of the profile."""
    return {
        "output": float(lamp.output),
        "power": lamp.power,
        "voltage": lamp.voltage,
        "current": lamp.power / lamp.voltage / 0.93 if lamp.voltage else 0.0,
        "energy": lamp.energy,
        "lamp_failure": float(lamp.burnt_out),
        "actual_level": min(100 * lamp.power / _RATED, 100.0),
        "level": 100.0 if lamp.dimmed is None else 100 * lamp.dimmed,
        "brightness": float(_brightness(lamp)),
        "linkquality": float(round(123 + 9 * wobble("linkquality", lamp.age, 40))),
    }


def _brightness(lamp: Lamp) -> int:
    if lamp.dimmed is not None:
        return round(_FULL * lamp.dimmed)
    return round(_BRIGHT + _DAYLIGHT * wobble("daylight", lamp.age, 900))


def _share(told: Mapping[str, float]) -> float | None:
    """The share of its light that a lamp is told to give; None: that is not what it is told."""
    for key, full in (("brightness", _FULL), ("level", 100)):
        if key in told:
            return min(max(told[key] / full, 0.0), 1.0)
    return None


def _first(_thing: Equipment, _ambient: float) -> Lamp:
    return Lamp()


def _moved(before: Lamp, around: Around, _given: Given, dt: float) -> tuple[Lamp, list[str]]:
    # Without supply the switch is dead too: it says nothing, and is on again when it comes back.
    dead = not around.mains.live
    silent = dead or "unreachable" in around.faults
    told = {} if silent else around.told
    share = _share(told)
    on = told.get("output", before.output if share is None else share) != 0 or dead
    dimmed = before.dimmed if share is None else share
    return step(
        before,
        on=on,
        burnt_out="burnt-out" in around.faults or dead,
        dt=dt,
        voltage=around.mains.voltage,
        silent=silent,
        # One that was dimmed until it was dark, and is switched on, shines again.
        dimmed=None if on and dimmed == 0 else dimmed,
    )


def _effect(lamp: Lamp) -> Effect:
    return Effect(draws=lamp.power, silent=lamp.silent)


MODEL = Single(
    name="lamp",
    classes=("lamp",),
    faults=(
        FaultKind(name="burnt-out", befalls=("lamp",)),
        FaultKind(name="unreachable", befalls=("lamp",)),
    ),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=Lamp,
)

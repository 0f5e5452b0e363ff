"""A lamp behind a switched plug that meters it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

_RATED = 18.0
"""W at nominal voltage."""
_NOMINAL = 230.0
"""V."""
_WARM_UP = 3.0
"""s in which the driver covers 63 % of the way to its power."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lamp:
    """Power in W, energy in Wh since the plug was made, age in s."""

    output: bool = True
    power: float = 0.0
    energy: float = 41_230.0
    age: float = 0.0


def step(before: Lamp, *, on: bool, burnt_out: bool, dt: float) -> tuple[Lamp, list[str]]:
    """The lamp ``dt`` seconds later, and what it did: switched_on or switched_off.

    A lamp that has burnt out draws nothing, though its output stays on.
    """
    age = before.age + dt
    wanted = _RATED * (mains(age) / _NOMINAL) ** 2 if on and not burnt_out else 0.0
    # Light comes on slowly and goes out at once.
    pace = min(dt / _WARM_UP, 1.0) if wanted > before.power else 1.0
    power = before.power + (wanted - before.power) * pace
    after = Lamp(output=on, power=power, energy=before.energy + power * dt / 3600, age=age)
    did = [] if on == before.output else ["switched_on" if on else "switched_off"]
    return after, did


def mains(age: float) -> float:
    """V of the mains, which wanders a little around its nominal value."""
    return _NOMINAL + 2.2 * math.sin(age / 97) + 0.8 * math.sin(age / 13)


def values(lamp: Lamp) -> dict[str, float]:
    """Point key of a ``lamp`` profile → value, in the units of the profile."""
    voltage = mains(lamp.age)
    return {
        "output": float(lamp.output),
        "power": lamp.power,
        "voltage": voltage,
        "current": lamp.power / voltage / 0.93,
        "energy": lamp.energy,
    }

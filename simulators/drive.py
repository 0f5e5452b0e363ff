"""A variable-speed drive and the motor behind it, say of a fan. Pure.

It holds a frequency that follows the hour a little. What its maker calls a fault comes as a code
of the maker's own, so of a trip only what every drive says is played.
"""

from __future__ import annotations

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

_RATED_POWER = 5500.0
"""W at 50 Hz."""
_RATED_CURRENT = 11.0
"""A at 50 Hz."""
_RATED_SPEED = 1460.0
"""rpm at 50 Hz."""
_RAMP = 5.0
"""Hz/s up and down."""
_MEAN, _SWING = 42.0, 3.0
"""Hz at which it holds, and by how much it follows the hour."""
_WARM = 24.0
"""K of its heat sink above its surroundings at full load."""
_FAULT_CODE = 1.0
"""Of a trip, where the maker numbers them; what it means is the maker's [NV]."""
_SINK_TIME = 240.0
"""s in which the heat sink covers 63 % of its way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drive:
    """Frequency in Hz, temperature in ℃, run time in s, energy in kWh, age in s."""

    frequency: float = 0.0
    temperature: float
    run_time: float = 4.0e6
    energy: float = 12_000.0
    age: float = 0.0
    volts: float = NOMINAL
    live: bool = True
    tripped: bool = False


def step(before: Drive, *, around: Around, ambient: float, dt: float) -> tuple[Drive, list[str]]:
    """The drive ``dt`` seconds later, and what it did: started, stopped or tripped."""
    age, live = before.age + dt, around.mains.live
    tripped = "drive-trip" in around.faults
    wanted = _MEAN + _SWING * wobble("demand", age, 400) if live and not tripped else 0.0
    most = before.frequency + _RAMP * dt
    # Without power or tripped the motor is let go at once; the drive sees no frequency then.
    frequency = min(wanted, most) if wanted else 0.0
    share = (frequency / 50) ** 3
    target = ambient + _WARM * share
    after = Drive(
        frequency=frequency,
        temperature=towards(before.temperature, target, dt, _SINK_TIME),
        run_time=before.run_time + (dt if frequency else 0.0),
        energy=before.energy + _RATED_POWER * share * dt / 3_600_000,
        age=age,
        volts=around.mains.voltage,
        live=live,
        tripped=tripped,
    )
    if tripped and not before.tripped:
        return after, ["tripped"]
    if bool(frequency) != bool(before.frequency):
        return after, ["started" if frequency else "stopped"]
    return after, []


def values(drive: Drive) -> dict[str, float]:
    """Point key of a ``drive`` profile → value; words of a maker's own bits are left out."""
    share = drive.frequency / 50
    running = float(drive.frequency > 0)
    power = _RATED_POWER * share**3
    return {
        "ready_on": float(drive.live and not drive.tripped),
        "ready_run": float(drive.live and not drive.tripped),
        "running": running,
        "tripped": float(drive.tripped),
        "fault_code": _FAULT_CODE * drive.tripped,
        "alarm": 0.0,
        "at_setpoint": running,
        "remote": 1.0,
        "frequency": drive.frequency,
        "speed": _RATED_SPEED * share,
        "current": running * _RATED_CURRENT * (0.35 + 0.65 * share**2),
        "torque": 100 * share**2,
        "power": power / 1000,
        "thermal_load": 100 * share**2,
        "dc_voltage": drive.volts * 3**0.5 * 2**0.5,
        "output_voltage": drive.volts * 3**0.5 * share,
        "heatsink_temperature": drive.temperature,
        "igbt_temperature": drive.temperature,
        "energy": drive.energy,
    }


def _first(_thing: Equipment, ambient: float) -> Drive:
    return Drive(temperature=ambient)


def _moved(before: Drive, around: Around, given: Given, dt: float) -> tuple[Drive, list[str]]:
    return step(before, around=around, ambient=given.ambient, dt=dt)


def _effect(drive: Drive) -> Effect:
    power = _RATED_POWER * (drive.frequency / 50) ** 3
    return Effect(draws=power, heat=0.05 * power, turns=drive.frequency > 0)


MODEL = Single(
    name="drive",
    classes=("drive",),
    faults=(FaultKind(name="drive-trip", befalls=("drive",)),),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=Drive,
)

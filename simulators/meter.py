"""The meter of a three-phase main, and the main itself. Pure.

What it supplies draws its power through it, beside the lights and flats that nobody watches.
The meter has an auxiliary supply: it goes on speaking when the main is dead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.model.equipment import Equipment
from simulators.model import (
    NOMINAL,
    Around,
    Effect,
    FaultKind,
    Given,
    Mains,
    Single,
    public_mains,
    wobble,
)

_UNWATCHED = 21_000.0
"""W that everything else draws."""
_SHARES = (0.35, 0.31, 0.34)
"""Of the power, by phase."""
_SOURCE = 0.012
"""Ω of the transformer and its cable."""
_SAG = 0.82
"""Of the voltage that an overloaded phase is left with."""
_SAGGING, _LOST = 0, 1
"""Places of the phase that sags in an undervoltage, L1, and of the one lost in a phase loss, L2."""
_LOSSES = 0.012
"""Share of the power that warms the power room."""
Phases = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """Voltage to neutral in V and power in W by phase; energy in kWh since it was made."""

    voltage: Phases = (NOMINAL, NOMINAL, NOMINAL)
    power: Phases = (0.0, 0.0, 0.0)
    energy: float = 48_260.0
    age: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """``street`` in V, ``load`` in W, both as they come from outside."""

    street: float
    load: float
    lost: bool = False
    """The whole supply."""
    phase_lost: bool = False
    sagging: bool = False
    """One phase is overloaded."""


def step(before: Meter, given: Conditions, dt: float) -> Meter:
    """The meter ``dt`` seconds later; three-phase loads go on with the phases there are."""
    age = before.age + dt
    wanted = given.load + _UNWATCHED * (1 + 0.08 * wobble("flats", age, 170))
    present = [not given.lost and not (given.phase_lost and phase == _LOST) for phase in range(3)]
    shares = [share if there else 0.0 for share, there in zip(_SHARES, present, strict=True)]
    whole = sum(shares)
    power = [wanted * share / whole if whole else 0.0 for share in shares]
    voltage = [
        _voltage(phase, power[phase], given, age) if there else 0.0
        for phase, there in enumerate(present)
    ]
    return Meter(
        voltage=_phases(voltage),
        power=_phases(power),
        energy=before.energy + sum(power) * dt / 3_600_000,
        age=age,
    )


def _voltage(phase: int, power: float, given: Conditions, age: float) -> float:
    source = given.street * (_SAG if given.sagging and phase == _SAGGING else 1.0)
    return source + 0.9 * wobble(f"L{phase + 1}", age, 47) - _SOURCE * power / source


def _phases(numbers: Sequence[float]) -> Phases:
    first, second, third = numbers
    return float(first), float(second), float(third)


def mains(meter: Meter) -> Mains:
    """What it passes on: to drives by all phases, which carry on without one of them."""
    present = [voltage for voltage in meter.voltage if voltage]
    return Mains(voltage=sum(present) / len(present) if present else 0.0)


def values(meter: Meter) -> dict[str, float]:
    """Point key of a ``meter`` profile → value, in the units of the profile."""
    live = any(meter.voltage)
    factor = 0.92 + 0.015 * wobble("factor", meter.age, 230)
    reactive = math.tan(math.acos(factor))
    by_phase: dict[str, float] = {}
    for number, (volts, watts) in enumerate(zip(meter.voltage, meter.power, strict=True), 1):
        by_phase |= {
            f"voltage_l{number}": volts,
            f"current_l{number}": watts / volts / factor if volts else 0.0,
            f"power_l{number}": watts,
            f"apparent_power_l{number}": watts / factor,
            f"reactive_power_l{number}": watts * reactive,
            f"power_factor_l{number}": factor if volts else 0.0,
            f"thd_voltage_l{number}": (
                1.9 + 0.3 * wobble(f"thd{number}", meter.age, 90) if volts else 0.0
            ),
        }
    return by_phase | {
        "power": sum(meter.power),
        "apparent_power": sum(meter.power) / factor,
        "reactive_power": sum(meter.power) * reactive,
        "power_factor": factor if live else 0.0,
        "frequency": 50.0 + 0.02 * wobble("frequency", meter.age, 31) if live else 0.0,
        "energy_import": meter.energy,
        "energy_export": 0.0,
        "energy_total": meter.energy,
    }


def _first(_thing: Equipment, _ambient: float) -> Meter:
    return Meter()


def _moved(before: Meter, around: Around, given: Given, dt: float) -> tuple[Meter, list[str]]:
    conditions = Conditions(
        street=public_mains(given.elapsed),
        load=around.load,
        lost="supply-loss" in around.faults or not around.mains.live,
        phase_lost="phase-loss" in around.faults,
        sagging="undervoltage" in around.faults,
    )
    return step(before, conditions, dt), []


def _effect(meter: Meter) -> Effect:
    draws = _UNWATCHED if any(meter.voltage) else 0.0
    return Effect(draws=draws, heat=_LOSSES * sum(meter.power), feeds=mains(meter))


def _restored(**plain: Any) -> Meter:
    lists = {key: _phases(plain[key]) for key in ("voltage", "power")}
    return Meter(**{**plain, **lists})


MODEL = Single(
    name="meter",
    classes=("meter",),
    faults=(
        FaultKind(name="supply-loss", befalls=("meter",)),
        FaultKind(name="phase-loss", befalls=("meter",)),
        FaultKind(name="undervoltage", befalls=("meter",)),
    ),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=_restored,
)

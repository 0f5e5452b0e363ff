"""A fire panel and the detectors on its loops. Pure.

A detector sees smoke, as a share of what is a fire beyond doubt. The panel keeps the fire until
the smoke has gone and somebody has reset it. A cut loop leaves all its detectors in trouble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.model.equipment import Equipment
from simulators.model import Deed, Effect, FaultKind, Given, Values, towards

_SMOKE_TIME = 6.0
"""s in which smoke covers 63 % of its way, coming and going."""
_PREALARM, _BURNING, _CLEAN = 0.4, 0.8, 0.2
"""Smoke at which a detector warns, at which it reports a fire, and at which it may be reset."""
_NO_EVENT, _FIRE_EVENT = 0.0, 16.0
"""Low byte of the detector's register: nothing, and 10H, fire."""
_NORMAL, _FIRE, _FAULT = 0, 1, 2
"""States of a GST device."""
_SAY_TROUBLE = ("fire_detector", "fire_module", "fire_device")
_SENSORS = (*_SAY_TROUBLE, "fire_zone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Detector:
    smoke: float = 0.0
    fire: bool = False
    trouble: bool = False


Panel = Mapping[str, Detector]
"""Equipment id of each detector → what it is like."""


def step(before: Detector, *, burning: bool, trouble: bool, dt: float) -> Detector:
    """The detector ``dt`` seconds later. One in trouble sees no smoke."""
    smoke = towards(before.smoke, 1.0 if burning else 0.0, dt, _SMOKE_TIME)
    fire = not trouble and (smoke > _BURNING or (before.fire and smoke > _CLEAN))
    return Detector(smoke=smoke, fire=fire, trouble=trouble)


def detector_values(detector: Detector) -> dict[str, float]:
    """Point key of a ``fire_detector`` profile → value."""
    quiet = not detector.fire and not detector.trouble
    return {
        "prealarm": float(quiet and detector.smoke > _PREALARM),
        "trouble": float(detector.trouble),
        "inactive": 0.0,
        "active": float(detector.fire),
        "disabled": 0.0,
        "event_type": _FIRE_EVENT if detector.fire else _NO_EVENT,
    }


def device_values(detector: Detector) -> dict[str, float]:
    """The same of a ``fire_device``, which says all in one state."""
    return {"status": float(_FIRE if detector.fire else _FAULT if detector.trouble else _NORMAL)}


def zone_values(detector: Detector) -> dict[str, float]:
    """The same of a ``fire_zone``."""
    return {
        "fire": float(detector.fire),
        "prealarm": float(not detector.fire and detector.smoke > _PREALARM),
        "disabled": 0.0,
        "test": 0.0,
    }


def panel_values() -> dict[str, float]:
    """Point key of a ``fire_panel`` profile → value.

    What the panel's status register says in a fire is in no manual that was found, so it says
    nothing.
    """
    return {"panel_status": 0.0, "power_fault": 0.0, "battery": 0.0}


_SAID = {"fire_device": device_values, "fire_zone": zone_values}


@dataclass(frozen=True)
class _FirePanels:
    """A body is one panel, whatever of it and its detectors the site has."""

    name: str = "fire"
    classes: tuple[str, ...] = ("fire_panel", *_SENSORS)
    faults: tuple[FaultKind, ...] = (
        FaultKind(name="detector-fire", befalls=_SENSORS),
        FaultKind(name="detector-trouble", befalls=_SAY_TROUBLE),
        FaultKind(name="loop-fault", befalls=("fire_panel",)),
    )

    def body_of(self, thing: Equipment) -> str:
        return f"{thing.link}/{thing.unit}"

    def begin(self, things: Sequence[Equipment], _ambient: float) -> Panel:
        return {t.id: Detector() for t in things if t.equipment_class in _SENSORS}

    def step(
        self, things: Sequence[Equipment], before: Panel, given: Given, dt: float
    ) -> tuple[Panel, list[Deed]]:
        cut = any("loop-fault" in given.around[thing.id].faults for thing in things)
        after = {}
        for name, detector in before.items():
            faults = given.around[name].faults
            after[name] = step(
                detector,
                burning="detector-fire" in faults,
                trouble=cut or "detector-trouble" in faults,
                dt=dt,
            )
        return after, []

    def values(self, things: Sequence[Equipment], state: Panel) -> Values:
        return {
            thing.id: (
                _SAID.get(thing.equipment_class, detector_values)(state[thing.id])
                if thing.id in state
                else panel_values()
            )
            for thing in things
        }

    def effects(self, _things: Sequence[Equipment], _state: Panel) -> Mapping[str, Effect]:
        return {}

    def members(self, state: Panel) -> frozenset[int | str]:
        return frozenset(state)

    def plain(self, state: Panel) -> dict[str, Any]:
        return {name: asdict(detector) for name, detector in state.items()}

    def restored(self, plain: Mapping[str, Any]) -> Panel:
        return {name: Detector(**fields) for name, fields in plain.items()}


MODEL = _FirePanels()

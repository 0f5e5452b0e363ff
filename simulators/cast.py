"""Who plays what: the models of all classes that can be simulated."""

from __future__ import annotations

from collections.abc import Mapping

from simulators import (
    bearing,
    breaker,
    circuit,
    drive,
    fire,
    lamp,
    leak,
    lift,
    meter,
    pump,
    room,
    sump,
)
from simulators.model import FaultKind, Model

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        pump.MODEL,
        drive.MODEL,
        bearing.MODEL,
        room.MODEL,
        leak.MODEL,
        sump.MODEL,
        breaker.MODEL,
        meter.MODEL,
        circuit.MODEL,
        lamp.MODEL,
        lift.MODEL,
        fire.MODEL,
    )
}
"""By name."""

PLAYERS: Mapping[str, Model] = {
    equipment_class: model for model in MODELS.values() for equipment_class in model.classes
}
"""Class of equipment → who plays it."""

FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind for model in MODELS.values() for kind in model.faults
}
"""Fault kind by name."""

"""A lighting circuit: an output, the contactor that it pulls, and its auxiliary contact. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.model.equipment import Equipment
from simulators.model import Around, Effect, FaultKind, Given, Single

_LAMPS = 860.0
"""W of all lamps of the circuit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    output: bool = True
    pulled: bool = False
    """Whether the contactor is closed, as its auxiliary contact says."""
    wanted: bool = True
    """What the board was told last."""


def step(before: Circuit, *, wanted: bool, stuck: bool) -> tuple[Circuit, list[str]]:
    """The circuit a tick later, and what it did: switched_on or switched_off.

    The contactor follows its output within the next tick; a stuck one stays open.
    """
    after = Circuit(output=wanted, pulled=before.output and not stuck)
    did = [] if wanted == before.output else ["switched_on" if wanted else "switched_off"]
    return after, did


def values(circuit: Circuit) -> dict[str, float]:
    """Point key of a ``lighting_circuit`` profile → value."""
    return {"output": float(circuit.output), "feedback": float(circuit.pulled)}


def _first(_thing: Equipment, _ambient: float) -> Circuit:
    return Circuit()


def _moved(before: Circuit, around: Around, _given: Given, _dt: float) -> tuple[Circuit, list[str]]:
    # A board that loses its supply lets go of everything, hears nothing, and comes back as it was.
    live = around.mains.live
    wanted = around.told.get("output", before.wanted) != 0 if live else before.wanted
    after, did = step(before, wanted=wanted and live, stuck="contactor-stuck" in around.faults)
    return replace(after, wanted=wanted), did


def _effect(circuit: Circuit) -> Effect:
    return Effect(draws=_LAMPS if circuit.pulled else 0.0)


MODEL = Single(
    name="circuit",
    classes=("lighting_circuit",),
    faults=(FaultKind(name="contactor-stuck", befalls=("lighting_circuit",)),),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=Circuit,
)

"""A circuit breaker with a contact that closes when it has tripped. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.equipment import Equipment
from simulators.model import Around, Effect, FaultKind, Given, Mains, Single


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaker:
    tripped: bool = False


def step(before: Breaker, *, overloaded: bool) -> tuple[Breaker, list[str]]:
    """The breaker a tick later, and what it did: tripped or closed.

    Somebody closes it again as soon as its circuit is in order.
    """
    did = [] if overloaded == before.tripped else ["tripped" if overloaded else "closed"]
    return Breaker(tripped=overloaded), did


def values(breaker: Breaker) -> dict[str, float]:
    """Point key of a contact's profile → value."""
    return {"active": float(breaker.tripped)}


def _first(_thing: Equipment, _ambient: float) -> Breaker:
    return Breaker()


def _moved(before: Breaker, around: Around, _given: Given, _dt: float) -> tuple[Breaker, list[str]]:
    return step(before, overloaded="trip" in around.faults)


def _effect(breaker: Breaker) -> Effect:
    return Effect(feeds=Mains(voltage=0.0) if breaker.tripped else None)


MODEL = Single(
    name="breaker",
    classes=("breaker",),
    faults=(FaultKind(name="trip", befalls=("breaker",)),),
    first=_first,
    moved=_moved,
    said=values,
    effect=_effect,
    state=Breaker,
)

"""A cable that feels water on a floor. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.model.equipment import Equipment
from simulators.model import Around, FaultKind, Given, Single

_SPREAD = 2.0
"""s until water on the floor has reached the cable."""
_DRYING = 5.0
"""s until a wiped cable feels dry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    wet: bool = False
    since: float = 0.0
    """s for which floor and cable have disagreed."""


def step(before: Leak, *, leaking: bool, dt: float) -> Leak:
    """The cable ``dt`` seconds later."""
    if leaking == before.wet:
        return replace(before, since=0.0)
    since = before.since + dt
    if since < (_SPREAD if leaking else _DRYING):
        return replace(before, since=since)
    return Leak(wet=leaking)


def values(leak: Leak) -> Mapping[str, float]:
    """Point key of a ``water_leak`` profile → value; the cable itself is whole."""
    return {"wet": float(leak.wet), "break": 0.0}


def _first(_thing: Equipment, _ambient: float) -> Leak:
    return Leak()


def _moved(before: Leak, around: Around, _given: Given, dt: float) -> tuple[Leak, list[str]]:
    return step(before, leaking="leak" in around.faults or around.wet, dt=dt), []


MODEL = Single(
    name="leak",
    classes=("water_leak",),
    faults=(FaultKind(name="leak", befalls=("water_leak",)),),
    first=_first,
    moved=_moved,
    said=values,
    state=Leak,
)

"""A sump whose pump keeps the level down, with a float switch near its rim. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.equipment import Equipment
from simulators.model import Around, FaultKind, Given, Single

_START, _STOP = 0.5, 0.2
"""Levels at which its pump starts and stops, as shares of the sump's depth."""
_HIGH, _LOW_AGAIN = 0.85, 0.80
"""Levels at which the float switch closes and opens."""
_SEEP = 0.0008
"""Share of the depth that seeps in a second."""
_LIFTED = 0.02
"""Share of the depth that the pump lifts in a second."""
_FLOOD = 0.08
"""Share of the depth that a flood brings in a second; more than the pump lifts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sump:
    level: float = 0.3
    """Share of its depth."""
    pumping: bool = False
    high: bool = False
    """Whether the float switch is closed."""


def step(before: Sump, *, flooding: bool, dt: float) -> Sump:
    """The sump ``dt`` seconds later."""
    pumping = before.level > _START or (before.pumping and before.level > _STOP)
    flow = _SEEP + (_FLOOD if flooding else 0.0) - (_LIFTED if pumping else 0.0)
    level = min(max(before.level + flow * dt, 0.0), 1.0)
    return Sump(
        level=level, pumping=pumping, high=level > _HIGH or (before.high and level > _LOW_AGAIN)
    )


def values(sump: Sump) -> dict[str, float]:
    """Point key of a contact's profile → value."""
    return {"active": float(sump.high)}


def _first(_thing: Equipment, _ambient: float) -> Sump:
    return Sump()


def _moved(before: Sump, around: Around, _given: Given, dt: float) -> tuple[Sump, list[str]]:
    return step(before, flooding="flooding" in around.faults, dt=dt), []


MODEL = Single(
    name="sump",
    classes=("sump",),
    faults=(FaultKind(name="flooding", befalls=("sump",)),),
    first=_first,
    moved=_moved,
    said=values,
    state=Sump,
)

"""Which equipment is looked at by which level of rounds, and when it is overdue; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.equipment import Site
from gateway.model.moment import DAY
from rules.inspections.items import is_line_of, places
from rules.inspections.regime import Item, Level, Regime

ALLOWED: Mapping[Level, int] = {
    Level.SHIFT: 1,
    Level.DAILY: 2,
    Level.WEEKLY: 9,
    Level.HALF_MONTHLY: 20,
    Level.MONTHLY: 40,
    Level.QUARTERLY: 110,
    Level.HALF_YEARLY: 215,
    Level.YEARLY: 400,
}
"""Days without a check that are no more than one period and its lateness."""


class Coverage(StrEnum):
    FRESH = "fresh"
    OVERDUE = "overdue"
    """Checked, but longer ago than its rounds are apart."""
    NEVER = "never"
    """By no round."""
    NEW = "new"
    """Its rounds came into force of late: nothing is overdue yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """Equipment that rounds of a level are to look at."""

    equipment: str
    level: Level
    regimes: tuple[str, ...]
    areas: tuple[str | None, ...]
    """Of those rounds, one for each regime."""


def duties(regimes: Iterable[Regime], site: Site) -> list[Duty]:
    """By equipment as the site names it, then by level."""
    found: defaultdict[tuple[str, Level], dict[str, str | None]] = defaultdict(dict)
    for regime in regimes:
        here = set(places(regime.scope, site))
        of_class: defaultdict[str, list[Item]] = defaultdict(list)
        for item in regime.items:
            of_class[item.equipment_class or ""].append(item)
        for thing in site.equipment.values():
            area = None if regime.scope.whole_site else thing.area
            looks = area in here and regime.scope.takes(thing.area)
            if looks and any(is_line_of(item, thing) for item in of_class[thing.equipment_class]):
                found[thing.id, regime.level][regime.id] = area
    return [
        Duty(equipment=name, level=level, regimes=(*of,), areas=(*of.values(),))
        for name in site.equipment
        for level in Level
        if (of := found.get((name, level)))
    ]


def coverage(level: Level, checked_at: int | None, since: int | None, now: int) -> Coverage:
    """``since``: when the first of its rounds came into force; None: not yet. All µs UTC."""
    allowed = ALLOWED[level] * DAY
    if checked_at is not None:
        return Coverage.FRESH if now - checked_at <= allowed else Coverage.OVERDUE
    return Coverage.NEW if since is None or now - since <= allowed else Coverage.NEVER

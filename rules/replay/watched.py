"""Which readings of a point can change what a rule says: all others are passed over. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.model.equipment import Equipment
from gateway.model.moment import DAY, SECOND
from rules.measures import Absent, Calculated, Count, Outside, Rate, Unchanged
from rules.rule import Rule, Rulebook
from rules.twins import point_id

_SHORT = 3 * DAY


def beat(start: int, end: int) -> int:
    """µs between moments at which is looked although nothing new was read: windows and hours
    move with the clock. A rate and a formula are looked at no more often."""
    return 10 * SECOND if end - start <= _SHORT else 60 * SECOND


@dataclass(slots=True)
class Watched:
    """What the rules look for in one point."""

    point: str
    thresholds: set[float] = field(default_factory=set)
    """Values at which a comparison changes."""
    every_change: bool = False
    """A rule counts the changes themselves."""
    is_sampled: bool = False
    """A rule calculates with the value."""
    delays: set[int] = field(default_factory=set)
    """µs after a reading at which something may come of it."""


def judged(rulebook: Rulebook, equipment: Iterable[Equipment]) -> Iterator[tuple[Equipment, Rule]]:
    """Every rule with every equipment that has its points."""
    for thing in equipment:
        for rule in rulebook.judged_on(thing):
            yield thing, rule


def watched(rulebook: Rulebook, equipment: Iterable[Equipment]) -> list[Watched]:
    """Every point that a rule looks at."""
    points: dict[str, Watched] = {}

    def of(thing: Equipment, key: str) -> Watched:
        name = point_id(thing, key)
        return points.setdefault(name, Watched(point=name))

    for thing, rule in judged(rulebook, equipment):
        for key, values in _thresholds(rule).items():
            of(thing, key).thresholds |= values
            of(thing, key).delays |= {rule.delay, rule.clear_after}
        measure = rule.condition.measure
        for key in _sampled(rule):
            of(thing, key).is_sampled = True
        if isinstance(measure, Count) and measure.comparison is None:
            of(thing, rule.point).every_change = True
    return list(points.values())


def _thresholds(rule: Rule) -> dict[str, set[float]]:
    """Point key → the values at which a comparison of it changes; none where it only has to be
    there."""
    found: defaultdict[str, set[float]] = defaultdict(set)
    own, condition = found[rule.point], rule.condition
    match condition.measure:
        case None:
            low, high = condition.limit - condition.deadband, condition.limit + condition.deadband
            own |= {condition.limit, low, high}
        case Outside(low=below, high=above):
            own |= {limit for limit in (below, above) if limit is not None}
        case Count(value=value) | Absent(value=value):
            own.add(value)
    if isinstance(condition.measure, Absent):
        found[condition.measure.point].add(condition.measure.expected_value)
    for gate in (*rule.gates, *(() if rule.clear is None else (rule.clear,))):
        found[gate.point].add(gate.limit)
    return found


def _sampled(rule: Rule) -> tuple[str, ...]:
    """Keys of the points that it calculates with."""
    match rule.condition.measure:
        case Calculated(formula=formula):
            return formula.points
        case Rate() | Unchanged():
            return (rule.point,)
        case _:
            return ()

"""Limits that a site has set for one piece of equipment, laid over the rulebook's files. Pure.

In force is the file at its hash with these over it. What a file would be refused for is refused
here too; where a later file makes an override wrong, the file's own limit is in force, for a rule
that cannot speak is worse than one that speaks too soon. For the same reason a rule about fire or
entrapment is never made slower or less sensitive than its file has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.files.durations import write
from gateway.model.equipment import Equipment, Site
from gateway.model.moment import DAY
from gateway.model.point import Point
from rules.refusals import ConflictError, NotValidError
from rules.rule import Comparison, Rule, Rulebook
from rules.twins import is_of_twin

LONGEST_DELAY = 30 * DAY
_ORDERED = (Comparison.ABOVE, Comparison.BELOW)
_LIFE_SAFETY = "the rule is about fire or entrapment"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitOverride:
    rule: str
    equipment: str
    limit: float | None
    """None: the file's."""
    delay: int | None
    """µs; None: the file's."""
    reason: str
    by: str
    at: int
    """µs UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FallenAway:
    """An override that the file's own limit stands before."""

    override: LimitOverride
    why: str


def applied(rulebook: Rulebook, site: Site, overrides: Iterable[LimitOverride]) -> Rulebook:
    """``rulebook`` with the overrides that are right for it; the others change nothing."""
    return laid_over(rulebook, site, overrides)[0]


def laid_over(
    rulebook: Rulebook, site: Site, overrides: Iterable[LimitOverride]
) -> tuple[Rulebook, list[FallenAway]]:
    """The same, and the overrides that change nothing."""
    variants: dict[tuple[str, str], Rule] = {}
    fallen: list[FallenAway] = []
    for one in overrides:
        rule, thing = rulebook.rules.get(one.rule), site.equipment.get(one.equipment)
        if rule is None or thing is None:
            fallen.append(FallenAway(override=one, why="rule or equipment is gone"))
            continue
        try:
            variants[one.rule, one.equipment] = variant(rule, thing, one.limit, one.delay)
        except (ConflictError, NotValidError) as error:
            fallen.append(FallenAway(override=one, why=str(error)))
    return replace(rulebook, variants=variants), fallen


def variant(rule: Rule, thing: Equipment, limit: float | None, delay: int | None) -> Rule:
    """``rule`` as it is for ``thing``.

    Raises ``ConflictError`` where there is nothing to set, or ``NotValidError`` for a limit that
    can never be passed or never come back from, for an impossible delay, and for what would make
    a rule about life safety later or less sensitive.
    """
    point = next((point for point in thing.points if point.key == rule.point), None)
    if rule.equipment_class != thing.equipment_class or point is None:
        raise ConflictError(f"{rule.id} is no rule for {thing.id}")
    if thing.twin is None and any(map(is_of_twin, rule.points)):
        raise ConflictError(f"{rule.id} compares with a twin, and {thing.id} has none")
    if delay is not None and not 0 <= delay <= LONGEST_DELAY:
        raise NotValidError("delay", f"a delay is 0s to {LONGEST_DELAY // DAY}d")
    if rule.life_safety and delay is not None and delay > rule.delay:
        raise NotValidError("delay", f"{_LIFE_SAFETY}: no longer delay than {write(rule.delay)}")
    if limit is not None:
        if rule.limit is None or rule.condition.comparison not in _ORDERED:
            raise ConflictError(f"{rule.id} has no limit that could be another one")
        for wrong in _wrong(rule, point, limit):
            raise NotValidError("limit", wrong)
    condition = rule.condition if limit is None else replace(rule.condition, limit=limit)
    return replace(rule, condition=condition, delay=rule.delay if delay is None else delay)


def _wrong(rule: Rule, point: Point, limit: float) -> Iterator[str]:
    if not math.isfinite(limit):
        yield "a limit is a number"
        return
    comparison, deadband = rule.condition.comparison, rule.condition.deadband
    low, high = _range(rule, point)
    if comparison is Comparison.ABOVE:
        if limit >= high:
            yield f"{limit:g} is never passed: {point.key} reports {high:g} at most"
        elif limit - deadband < low:
            yield f"the alarm would never clear: it clears at {limit - deadband:g}"
    elif limit <= low:
        yield f"{limit:g} is never passed: {point.key} reports {low:g} at least"
    elif limit + deadband > high:
        yield f"the alarm would never clear: it clears at {limit + deadband:g}"
    yield from _shut_out(rule, limit)
    yield from _less_sensitive(rule, limit)


def _less_sensitive(rule: Rule, limit: float) -> Iterator[str]:
    own = rule.condition.limit
    if not rule.life_safety:
        return
    if rule.condition.comparison is Comparison.ABOVE and limit > own:
        yield f"{_LIFE_SAFETY}: no limit above {own:g}"
    if rule.condition.comparison is Comparison.BELOW and limit < own:
        yield f"{_LIFE_SAFETY}: no limit below {own:g}"


def _range(rule: Rule, point: Point) -> tuple[float, float]:
    """What the compared number can be; not that of the reading where something else is."""
    if rule.condition.measure is not None:
        return -math.inf, math.inf
    low = -math.inf if point.low is None else point.low
    return low, math.inf if point.high is None else point.high


def _shut_out(rule: Rule, limit: float) -> Iterator[str]:
    """A gate on the point itself makes a band, and the band must not be empty."""
    if rule.condition.measure is not None:
        return
    is_above = rule.condition.comparison is Comparison.ABOVE
    for gate in rule.gates:
        if gate.point != rule.point or gate.comparison not in _ORDERED:
            continue
        if is_above and gate.comparison is Comparison.BELOW and limit >= gate.limit:
            yield f"never holds: the rule is for values below {gate.limit:g} only"
        if not is_above and gate.comparison is Comparison.ABOVE and limit <= gate.limit:
            yield f"never holds: the rule is for values above {gate.limit:g} only"

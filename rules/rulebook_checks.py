"""What is wrong with a rule although every key in it is known and of the right kind.

Each check ends where it would need a field that is wrong in itself; see
:func:`gateway.files.documents.findings`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gateway.files.documents import Finding, findings
from gateway.model.point import Point
from gateway.model.profile import ProfilePoint
from rules.rule import Comparison, Priority
from rules.rulebook_document import RuleDocument
from rules.twins import key_of

_ONE_OF = "exactly one of above, below, equals, not_equals"

KnownPoint = Point | ProfilePoint
KnownPoints = Mapping[str, Sequence[KnownPoint]]
"""Point key → the points of that name, one for each profile or equipment that has it."""


def check_comparison(rule: RuleDocument) -> Iterator[Finding]:
    """A condition is one comparison, and so is a gate."""
    yield from findings(_condition(rule), _gate(rule))


def _condition(rule: RuleDocument) -> Iterator[Finding]:
    condition = rule.condition
    if len(condition.measures) > 1:
        wrong = f"says {' and '.join(condition.measures)}: one condition compares one thing"
        yield ("condition",), wrong, "keep one, and make another rule of the other"
        return
    if condition.kind == "expression" and condition.formula is None:
        return
    given = condition.given
    if not condition.wants_limit:
        if given:
            wrong = f"{given[0].value} does not fit {condition.kind}, a yes or no by itself"
            yield ("condition", given[0].value), wrong, "remove it"
    elif len(given) != 1:
        wrong = f"a condition has {_ONE_OF}"
        yield ("condition",), wrong, "keep one" if given else "add one"
    ordered = given and given[0] in (Comparison.ABOVE, Comparison.BELOW)
    if condition.deadband and (not ordered or condition.absent is not None):
        yield ("condition", "deadband"), "a deadband belongs to above or below only", "remove it"


def _gate(rule: RuleDocument) -> Iterator[Finding]:
    for at, gate in enumerate(rule.gates):
        if len(gate.given) != 1:
            yield ("while", at), f"has {_ONE_OF}", "keep one" if gate.given else "add one"


def check_condition(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """A limit that the device can never pass is a rule that never speaks."""
    if rule.condition.kind not in (None, "absent"):
        return
    comparison, limit = rule.condition.comparison, rule.condition.limit
    where = ("condition", comparison.value)
    yield from passable(where, comparison, limit, known.get(rule.point, ()))


def passable(
    where: tuple[str | int, ...], comparison: Comparison, limit: float, points: Sequence[KnownPoint]
) -> Iterator[Finding]:
    """The points can have a value that passes the comparison."""
    if comparison in (Comparison.EQUALS, Comparison.NOT_EQUALS):
        yield from _reachable(where, limit, points)
        return
    for point in points:
        wrong = ""
        if comparison is Comparison.ABOVE and limit >= _or(point.high, math.inf):
            wrong = f"{limit:g} is never passed: {point.key} reports {point.high:g} at most"
        if comparison is Comparison.BELOW and limit <= _or(point.low, -math.inf):
            wrong = f"{limit:g} is never passed: {point.key} reports {point.low:g} at least"
        if wrong:
            yield where, wrong, "use a limit within the point's range"
            return


def check_clearing(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """A value that the device can never come back to is an alarm that never ends."""
    condition = rule.condition
    if condition.kind is not None:
        return
    comparison, limit, deadband = condition.comparison, condition.limit, condition.deadband
    where = ("condition", "deadband" if deadband else comparison.value)
    mend = "use a narrower deadband" if deadband else "use a limit within the point's range"
    for point in known.get(rule.point, ()):
        wrong = ""
        if comparison is Comparison.ABOVE and limit - deadband < _or(point.low, -math.inf):
            wrong = f"at {limit - deadband:g}, and {point.key} reports {point.low:g} at least"
        if comparison is Comparison.BELOW and limit + deadband > _or(point.high, math.inf):
            wrong = f"at {limit + deadband:g}, and {point.key} reports {point.high:g} at most"
        if wrong:
            yield where, f"the alarm would never clear: it clears {wrong}", mend
            return


def check_gate(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """A gate that never opens is a rule that never speaks."""
    for at, gate in enumerate(rule.gates):
        points = known.get(key_of(gate.point), ())
        where = ("while", at, gate.comparison.value)
        yield from passable(where, gate.comparison, gate.limit, points)


def check_order(rule: RuleDocument) -> Iterator[Finding]:
    """Urgent alarms have an order; mere information has none."""
    must = rule.priority in (Priority.CRITICAL, Priority.MAJOR)
    if rule.order is None and must:
        wrong = f"is missing, but the priority is {rule.priority.value}"
        yield ("order",), wrong, "add an order, or use priority minor or info"
    if rule.order is not None and rule.priority is Priority.INFO:
        yield ("order",), "does not fit priority info", "remove it"


def _reachable(
    where: tuple[str | int, ...], value: float, points: Sequence[KnownPoint]
) -> Iterator[Finding]:
    """One of the points can have the value: another profile may know other codes."""
    if points and not any(_can_be(point, value) for point in points):
        point = points[0]
        span = f"{_or(point.low, -math.inf):g} to {_or(point.high, math.inf):g}"
        if point.states:
            span = "one of " + ", ".join(map(str, sorted(point.states)))
        yield where, f"{point.key} is never {value:g}", f"use {span}"


def _can_be(point: KnownPoint, value: float) -> bool:
    if point.states:
        return value in point.states
    return _or(point.low, -math.inf) <= value <= _or(point.high, math.inf)


def _or(bound: float | None, unbounded: float) -> float:
    return unbounded if bound is None else bound

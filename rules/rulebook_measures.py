"""What is wrong with a rule that compares something else than a reading, and with what goes on
around a condition: levels, hours, tags, an end of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeVar

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.files.durations import write
from gateway.model.equipment import is_life_safety
from gateway.model.moment import SECOND
from gateway.model.point import Point
from rules.formula import Formula, FormulaError, complaints, difference, parse
from rules.measures import SLICES
from rules.rule import Comparison, Priority
from rules.rulebook_checks import KnownPoints, passable
from rules.rulebook_document import ConditionDocument, RuleDocument
from rules.twins import OF_TWIN, is_of_twin, key_of

T = TypeVar("T")
_MOST = 100
"""Of what is counted in a window: so many are remembered."""
_SHORTEST = 5 * SECOND


def check_measure(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """It can come up, it can end, and its times go together."""
    yield from findings(
        _formula(rule, known),
        _gate_on_twin(rule),
        _window(rule, known),
        _share(rule, known),
        _count(rule, known),
        _lasting(rule, known),
        _answer(rule, known),
    )


def life_safety(rule: RuleDocument, equipment_class: str, priority: Priority) -> bool:
    """Whether an alarm of it is never explained away, held back or put aside by just anybody."""
    if rule.life_safety is not None:
        return rule.life_safety
    return is_life_safety(equipment_class) and priority is Priority.CRITICAL


def named_points(rule: RuleDocument) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where in the file, and which: every point besides the rule's own and its gates'."""
    condition = rule.condition
    if condition.difference is not None:
        yield ("condition", "difference"), condition.difference
    if condition.distance is not None:
        yield ("condition", "distance"), condition.distance
    if condition.absent is not None:
        yield ("condition", "absent", "point"), condition.absent.point
    formula = _read(condition)
    for key in () if formula is None else formula.points:
        yield ("condition", "expression"), key
    if rule.clear is not None and rule.clear.point is not None:
        yield ("clear", "point"), rule.clear.point


def _read(condition: ConditionDocument) -> Formula | None:
    try:
        return condition.formula
    except UnreadableError:
        return None


def _formula(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    condition = rule.condition
    units = _with_twin({key: points[0].unit for key, points in known.items() if points})
    kinds = _with_twin({key: points[0].kind for key, points in known.items() if points})
    for word in ("difference", "distance"):
        other = getattr(condition, word)
        if other is not None:
            for wrong, mend in complaints(difference(rule.point, other), units, kinds):
                yield ("condition", word), wrong, mend
    if condition.expression is None:
        return
    where = ("condition", "expression")
    try:
        formula = parse(condition.expression)
    except FormulaError as error:
        yield where, error.wrong, error.mend
        return
    for wrong, mend in complaints(formula, units, kinds):
        yield where, wrong, mend
    if rule.point not in formula.points:
        wrong = f"is not about {rule.point}, which its alarms show"
        yield where, wrong, f"name as point one of {', '.join(formula.points)}"


def _with_twin(known: Mapping[str, T]) -> Mapping[str, T]:
    """Of the points of a class by key: the same of the twin, which is of that class."""
    return {**known, **{f"{OF_TWIN}{key}": of for key, of in known.items()}}


def _gate_on_twin(rule: RuleDocument) -> Iterator[Finding]:
    """How fresh the twin is, is judged where the condition compares with it."""
    condition = rule.condition
    formula = _read(condition)
    named = [condition.difference, condition.distance, *(formula.points if formula else ())]
    if any(name is not None and is_of_twin(name) for name in named):
        return
    for at, gate in enumerate(rule.gates):
        if is_of_twin(gate.point):
            wrong = "is about the twin, and the condition does not compare with it"
            mend = f"use {key_of(gate.point)}, or compare with twin.{rule.point}"
            yield ("while", at, "point"), wrong, mend


def _window(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """What a window has to hold must find room in it."""
    condition = rule.condition
    for word, window in (
        ("rate", condition.rate),
        ("outside", condition.outside),
        ("count", condition.count),
    ):
        if window is None:
            continue
        where = ("condition", word, "over")
        for key, lasts in (("for", rule.delay), ("clear_after", rule.clear_after)):
            if lasts > window.over:
                wrong = f"{write(lasts)} is longer than the window of {write(window.over)}"
                yield (key,), wrong, "make it shorter, or the window longer"
        for point in known.get(rule.point, ()):
            if isinstance(point, Point) and window.over < 4 * point.interval:
                wrong = f"{point.id} is read every {write(point.interval)}: too few for that window"
                yield where, wrong, f"use {write(4 * point.interval)} or more"
                break


def _share(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    band, condition = rule.condition.outside, rule.condition
    if band is None:
        return
    where = ("condition", "outside")
    low = -math.inf if band.low is None else band.low
    high = math.inf if band.high is None else band.high
    if not low < high or (band.low is None and band.high is None):
        yield where, "is no band", "give low and high, or one of them"
        return
    for point in known.get(rule.point, ()):
        least = -math.inf if point.low is None else point.low
        most = math.inf if point.high is None else point.high
        if low <= least and high >= most:
            yield where, f"{point.key} is never outside", "use a narrower band"
            break
    if condition.comparison is not Comparison.ABOVE:
        yield ("condition",), "a share is an alarm above a limit", "use above"
    elif not 0 <= condition.limit < 100:
        wrong = f"{condition.limit:g} % is never passed or never left"
        yield ("condition", "above"), wrong, "use 0 to 99"
    elif condition.deadband > condition.limit:
        yield ("condition", "deadband"), "the alarm would never clear", "use a narrower deadband"


def _count(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    condition, count = rule.condition, rule.condition.count
    if count is None:
        return
    if len(count.given) > 1:
        yield ("condition", "count"), "says more than one thing that is counted", "keep one"
    elif count.given:
        where = ("condition", "count", count.comparison.value)
        yield from passable(where, count.comparison, count.limit, known.get(rule.point, ()))
    if condition.comparison is not Comparison.ABOVE:
        yield ("condition",), "a count is an alarm above a limit", "use above"
    elif not 0 <= condition.limit <= _MOST:
        wrong = f"{condition.limit:g} is more than is remembered, or less than nothing"
        yield ("condition", "above"), wrong, f"use 0 to {_MOST}, over a shorter window"
    elif condition.deadband > condition.limit:
        yield ("condition", "deadband"), "the alarm would never clear", "use a narrower deadband"


def _lasting(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    kind = rule.condition.kind
    if kind not in ("no_data", "unchanged", "absent"):
        return
    if rule.delay < (_SHORTEST if kind != "absent" else SECOND):
        yield ("for",), f"{write(rule.delay)} is too short for {kind}", "say how long it may last"
    if kind == "absent":
        return
    for point in known.get(rule.point, ()):
        if isinstance(point, Point) and rule.delay < point.stale_after:
            wrong = f"{point.id} may well say nothing for {write(point.stale_after)}"
            yield ("for",), wrong, f"use {write(point.stale_after)} or more"
            break
    if kind == "unchanged" and rule.clear_after > rule.delay // SLICES:
        wrong = f"{write(rule.clear_after)} may never be over: it counts as unchanged again sooner"
        yield ("clear_after",), wrong, "use a twelfth of the for, or less"


def _answer(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """The point that is waited for can answer."""
    absent = rule.condition.absent
    if absent is None:
        return
    if len(absent.given) != 1:
        wrong = "has exactly one of above, below, equals, not_equals"
        yield ("condition", "absent"), wrong, "keep one" if absent.given else "add one"
        return
    where = ("condition", "absent", absent.comparison.value)
    yield from passable(where, absent.comparison, absent.limit, known.get(absent.point, ()))


def check_around(rule: RuleDocument, equipment_class: str, known: KnownPoints) -> Iterator[Finding]:
    yield from findings(
        _levels(rule, known), _end(rule, known), _hours(rule), _tags(rule, equipment_class)
    )


def _levels(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """Each further level is further on, and more urgent."""
    if not rule.levels:
        return
    condition = rule.condition
    ordered = condition.wants_limit and condition.absent is None
    if not ordered or condition.comparison not in (Comparison.ABOVE, Comparison.BELOW):
        yield ("levels",), "belong to above or below only", "remove them"
        return
    limit, priority = condition.limit, rule.priority
    sign = 1 if condition.comparison is Comparison.ABOVE else -1
    for at, level in enumerate(rule.levels):
        if sign * level.limit <= sign * limit:
            wrong = f"{level.limit:g} is not beyond {limit:g}, the level before"
            yield ("levels", at, "limit"), wrong, "give the less urgent level first"
        if level.priority.rank >= priority.rank:
            wrong = f"{level.priority.value} is no more urgent than {priority.value}"
            yield ("levels", at, "priority"), wrong, "a further level is a more urgent one"
        if condition.kind is None:
            where = ("levels", at, "limit")
            yield from passable(where, condition.comparison, level.limit, known.get(rule.point, ()))
        if level.order is None and rule.order is None and level.priority is not Priority.MINOR:
            wrong = f"is missing, but the priority is {level.priority.value}"
            yield ("levels", at, "order"), wrong, "add an order"
        limit, priority = level.limit, level.priority


def _end(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """What ends it can come, and not while the condition is there."""
    end, condition = rule.clear, rule.condition
    if end is None:
        return
    if len(end.given) != 1:
        wrong = "has exactly one of above, below, equals, not_equals"
        yield ("clear",), wrong, "keep one" if end.given else "add one"
        return
    key = end.point or rule.point
    where = ("clear", end.comparison.value)
    yield from passable(where, end.comparison, end.limit, known.get(key, ()))
    if key != rule.point or condition.kind is not None:
        return
    same = end.comparison is condition.comparison
    if same and end.comparison in (Comparison.ABOVE, Comparison.BELOW):
        wrong = "the alarm would end by what begins it"
        yield where, wrong, "compare to the other side"


def _hours(rule: RuleDocument) -> Iterator[Finding]:
    if rule.hours is not None and rule.hours.begin == rule.hours.end:
        yield ("hours",), "is the whole day", "remove it, or give another end"


def _tags(rule: RuleDocument, equipment_class: str) -> Iterator[Finding]:
    """Fire and entrapment are never explained away."""
    priorities = [rule.priority, *(level.priority for level in rule.levels)]
    is_one = any(life_safety(rule, equipment_class, priority) for priority in priorities)
    if is_one and rule.explained_by:
        wrong = "an alarm of fire or entrapment is never a mere effect of another"
        yield ("explained_by",), wrong, "remove it"
    critical = is_life_safety(equipment_class) and rule.priority is Priority.CRITICAL
    if rule.life_safety is False and critical:
        wrong = f"a critical alarm of {equipment_class} is one of life safety"
        yield ("life_safety",), wrong, "remove it"

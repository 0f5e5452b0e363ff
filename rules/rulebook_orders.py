"""What is wrong with what a rule says of its order: when it is made, and what shows that the work
is good."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.files.documents import Finding, findings
from gateway.model.point import PointKind
from rules.orders.raising import CAN_WAIT, RaisedWhen
from rules.priority import Priority
from rules.rulebook_checks import KnownPoints, passable
from rules.rulebook_document import CyclesDocument, OrderDocument, RuleDocument
from rules.rulebook_measures import life_safety

_Where = tuple[str | int, ...]


def orders_of(rule: RuleDocument) -> Iterator[tuple[_Where, OrderDocument, Priority]]:
    """Where in the rule, the order, and the priority of its alarm: its own and its levels'."""
    if rule.order is not None:
        yield (), rule.order, rule.priority
    for at, level in enumerate(rule.levels):
        if level.order is not None:
            yield ("levels", at), level.order, level.priority


def cycle_points(rule: RuleDocument) -> Iterator[tuple[_Where, str]]:
    """Where in the file, and which: every point whose cycles are counted."""
    for where, order, _ in orders_of(rule):
        if order.cycles is not None:
            for word in ("point", "counter"):
                key = getattr(order.cycles, word)
                if key is not None:
                    yield (*where, "order", "cycles", word), key


def _proof(rule: RuleDocument, known: KnownPoints) -> Iterator[Finding]:
    """Cycles that can come, and go, and be counted."""
    for where, order, _ in orders_of(rule):
        if order.cycles is not None:
            yield from _cycles((*where, "order", "cycles"), order.cycles, known)


def _cycles(where: _Where, cycles: CyclesDocument, known: KnownPoints) -> Iterator[Finding]:
    named = [word for word in ("point", "counter") if getattr(cycles, word) is not None]
    if len(named) != 1:
        yield where, "counts exactly one of point and counter", "keep one" if named else "add one"
        return
    points = known.get(cycles.key, ())
    if cycles.counter is not None:
        for given in cycles.given:
            yield (*where, given.value), "does not fit a counter", "remove it, or use point"
        if points and all(point.kind is not PointKind.NUMBER for point in points):
            mend = "count a point instead"
            yield (*where, "counter"), f"{cycles.key!r} is no counter", mend
        return
    if len(cycles.given) > 1:
        yield where, "says more than one thing that a cycle is", "keep one"
    elif cycles.given:
        place = (*where, cycles.comparison.value)
        yield from passable(place, cycles.comparison, cycles.limit, points)
    elif points and all(point.kind is PointKind.NUMBER for point in points):
        wrong = f"does not say at which value of {cycles.key!r} a cycle is under way"
        yield where, wrong, "add above, below, equals or not_equals"


def _raising(rule: RuleDocument, equipment_class: str) -> Iterator[Finding]:
    """What is urgent does not wait for the morning."""
    for where, order, priority in orders_of(rule):
        place = (*where, "order")
        if order.on_return is not None and order.raised is not RaisedWhen.WORKING_TIME:
            wrong = "says what becomes of an order that waits, and none waits"
            yield (*place, "on_return"), wrong, "add raised: working_time, or remove it"
        if order.raised is not RaisedWhen.WORKING_TIME:
            continue
        if priority not in CAN_WAIT:
            wrong = f"an order of priority {priority.value} does not wait for working time"
            yield (*place, "raised"), wrong, "remove it, or use priority minor"
        elif life_safety(rule, equipment_class, priority):
            wrong = "an order of life safety does not wait for working time"
            yield (*place, "raised"), wrong, "remove it"


def check_order_terms(
    rule: RuleDocument, equipment_class: str, known: KnownPoints
) -> Iterator[Finding]:
    """Everything that a rule may say of its order besides its times."""
    yield from findings(_proof(rule, known), _raising(rule, equipment_class))

"""What a rule says, as typed records; ``rulebook`` reads them from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from gateway.model.equipment import Equipment
from gateway.model.point import Text
from rules.handover.book import HandoverBook
from rules.inspections.regime import Regime
from rules.measures import Comparison, Hours, Measure
from rules.orders.book import OrderBook
from rules.orders.cycles import Cycles
from rules.orders.raising import Raising
from rules.plans.plan import Plan
from rules.priority import Priority
from rules.register.book import RegisterBook
from rules.twins import points_by_name

__all__ = [
    "Comparison",
    "Condition",
    "Gate",
    "Guidance",
    "OrderTerms",
    "Priority",
    "Rule",
    "Rulebook",
]

SUPPLY, LINK = "supply", "link"
TAGS = frozenset({SUPPLY, LINK})
"""What one alarm may explain of another: what feeds it is lost, or what it is read through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """When a value breaches."""

    comparison: Comparison
    limit: float
    deadband: float = 0.0
    """How far inside the limit a value must come back before it counts as normal again."""
    measure: Measure | None = None
    """What is compared, where it is not the reading of the rule's point itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """The rule holds only while a point of the same equipment, or of its twin, passes this
    comparison; with the rule's own point it makes a band.

    A gate of ``not_equals`` leaves out what another rule answers to: a value that nobody knows
    leaves nothing out, while any other gate with an unknown value keeps things as they are.
    """

    point: str
    comparison: Comparison
    limit: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Guidance:
    """What to do, step by step."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderTerms:
    """The work order that an alarm raises."""

    category: str
    category_name: Text
    complete_within: int
    """µs from its creation; of a minor order in working time, a whole day as one working day."""
    close_after: int
    """µs in band after which the work of a completed order is shown to be good."""
    cycles: Cycles | None = None
    """The duty cycles that show it sooner; None: they are not counted."""
    raising: Raising | None = None
    """When it is made; None: what the site says for its priority."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    id: str
    equipment_class: str
    name: Text
    point: str
    """Point key."""
    condition: Condition
    gates: tuple[Gate, ...]
    """All of them (``while`` in the file)."""
    delay: int
    """µs that the breach must last (``for`` in the file)."""
    clear_after: int
    """µs that the return must last."""
    priority: Priority
    cause_key: str
    """Alarms of one equipment with the same cause share one order."""
    guidance: Guidance
    order: OrderTerms | None
    source: Text
    """Where the limit comes from, or ``[site setting]``."""
    file: str
    clear: Gate | None = None
    """What ends it; None: that the condition is no longer there."""
    hours: Hours | None = None
    """The only time of day at which it holds."""
    latches: bool = False
    """Returned and acknowledged, it still waits for somebody who has looked."""
    explains: frozenset[str] = frozenset()
    """Tags of :data:`TAGS`: alarms of what hangs on this equipment that it explains."""
    explained_by: frozenset[str] = frozenset()
    """Tags of :data:`TAGS`: what makes an alarm by this rule a mere effect."""
    outranked_by: str | None = None
    """The rule of the next, more urgent level of the same condition."""
    life_safety: bool = False
    """Fire or entrapment: never suppressed, never held back, put aside by the manager only."""

    @property
    def points(self) -> frozenset[str]:
        """Names of all points that it asks for (``rules.twins``)."""
        measure = self.condition.measure
        others = () if measure is None else measure.points
        gates = (*self.gates, *(() if self.clear is None else (self.clear,)))
        return frozenset({self.point, *others, *(gate.point for gate in gates)})

    @property
    def limit(self) -> float | None:
        """The limit as people see it; None where there is no number that says it."""
        measure = self.condition.measure
        return self.condition.limit if measure is None or measure.has_limit else None

    def unit(self, of_point: str) -> str:
        """The unit of its value and limit, where ``of_point`` is the unit of its point."""
        measure = self.condition.measure
        return of_point if measure is None else measure.unit(of_point)

    @property
    def test(self) -> str:
        """What readings are tested by, in one line: equal for equal tests."""
        condition = self.condition
        gates = " and ".join(map(_compared, self.gates))
        measure = "" if condition.measure is None else f"{condition.measure} of "
        return (
            f"{measure}{self.point} {condition.comparison} {condition.limit!r}"
            f" deadband {condition.deadband!r}{f' while {gates}' if gates else ''}"
            f"{f' until {_compared(self.clear)}' if self.clear else ''}"
        )


def _compared(gate: Gate) -> str:
    return f"{gate.point} {gate.comparison} {gate.limit!r}"


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    rules: Mapping[str, Rule]
    fingerprint: str
    """Hash over the files: what is in force."""
    regimes: Mapping[str, Regime] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    order_book: OrderBook = field(default_factory=OrderBook)
    """Time limits, escalation and the words of a completion."""
    register: RegisterBook = field(default_factory=RegisterBook)
    """What the site sets for its equipment register."""
    handover: HandoverBook = field(default_factory=HandoverBook)
    """How a shift is handed over to the next."""
    acknowledgement: Mapping[Priority, int] = field(default_factory=dict)
    """µs that an acknowledgement holds; of a priority that is not in it, for good."""
    zone: tzinfo = UTC
    """In which the hours of its rules are told."""
    variants: Mapping[tuple[str, str], Rule] = field(default_factory=dict)
    """(rule, equipment) → the rule with what the site has set for this equipment alone."""

    def of_class(self, equipment_class: str) -> tuple[Rule, ...]:
        return tuple(
            rule for rule in self.rules.values() if rule.equipment_class == equipment_class
        )

    def of_equipment(self, thing: Equipment) -> tuple[Rule, ...]:
        """The rules of its class, each with the limit that the site set for this one."""
        return tuple(
            self.variants.get((rule.id, thing.id), rule)
            for rule in self.of_class(thing.equipment_class)
        )

    def judged_on(self, thing: Equipment) -> tuple[Rule, ...]:
        """Those of them that find all they ask for: its points, and those of its twin."""
        names = points_by_name(thing).keys()
        return tuple(rule for rule in self.of_equipment(thing) if names >= rule.points)

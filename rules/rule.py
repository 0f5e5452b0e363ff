"""What a rule says, as typed records; ``rulebook`` reads them from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.point import Text
from rules.inspections.regime import Regime


class Priority(StrEnum):
    CRITICAL = "critical"
    """紧急: fire, entrapment, flooding, loss of supply; always an order."""
    MAJOR = "major"
    """重要: an order."""
    MINOR = "minor"
    """一般: an order in working time."""
    INFO = "info"
    """提示: no order."""

    @property
    def rank(self) -> int:
        """0 for the most urgent; the members are written in this order."""
        return list(Priority).index(self)


class Comparison(StrEnum):
    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """When a value breaches."""

    comparison: Comparison
    limit: float
    deadband: float = 0.0
    """How far inside the limit a value must come back before it counts as normal again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """The rule holds only while a point of the same equipment passes this comparison; with the
    rule's own point it makes a band.

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
    """µs without an alarm after which a completed order is closed."""


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
    source: str
    """Where the limit comes from, or ``[site setting]``."""
    file: str

    @property
    def test(self) -> str:
        """What readings are tested by, in one line: equal for equal tests."""
        condition = self.condition
        gates = " and ".join(f"{one.point} {one.comparison} {one.limit!r}" for one in self.gates)
        return (
            f"{self.point} {condition.comparison} {condition.limit!r}"
            f" deadband {condition.deadband!r}{f' while {gates}' if gates else ''}"
        )


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    rules: Mapping[str, Rule]
    fingerprint: str
    """Hash over the files: what is in force."""
    regimes: Mapping[str, Regime] = field(default_factory=dict)

    def of_class(self, equipment_class: str) -> tuple[Rule, ...]:
        return tuple(
            rule for rule in self.rules.values() if rule.equipment_class == equipment_class
        )

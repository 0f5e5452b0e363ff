"""What a rule may compare besides a reading itself; ``rules.alarms`` makes the numbers.

Each is a number again, or not known, so that limit, deadband, delays and gates mean the same for
all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.moment import MINUTE
from rules.formula import Formula

SLICES = 12
"""Parts of a window. What happens within one is told by its sum where it is a matter of time,
and a silence shorter than one is no gap."""


class Comparison(StrEnum):
    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"


class _Measure:
    """What most have in common."""

    __slots__ = ()

    @property
    def points(self) -> tuple[str, ...]:
        """Keys of the points that it needs besides the rule's own."""
        return ()

    @property
    def has_limit(self) -> bool:
        """Whether the limit is a number that says something to people."""
        return False

    def unit(self, of_point: str) -> str:
        """The unit of its number; ``of_point``: that of the rule's point."""
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate(_Measure):
    """How fast the point changes, per ``per`` µs, over the last ``over`` µs."""

    per: int
    over: int

    @property
    def has_limit(self) -> bool:
        return True

    def unit(self, of_point: str) -> str:
        return f"{of_point}/{'min' if self.per == MINUTE else 'h'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside(_Measure):
    """Of the last ``over`` µs the part, in %, that the point was outside the band."""

    low: float | None
    high: float | None
    over: int

    @property
    def has_limit(self) -> bool:
        return True

    def unit(self, of_point: str) -> str:
        return "%"


@dataclass(frozen=True, kw_only=True, slots=True)
class Count(_Measure):
    """How often, in the last ``over`` µs, the point has come to pass the comparison; without one,
    how often it has changed."""

    comparison: Comparison | None
    value: float
    over: int

    @property
    def has_limit(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged(_Measure):
    """1 while the point differs by no more than ``by`` from what it was; only good readings and
    the time between them count. For how long is the rule's delay."""

    by: float

    def unit(self, of_point: str) -> str:
        return of_point


@dataclass(frozen=True, kw_only=True, slots=True)
class NoData(_Measure):
    """1 while no good reading comes. For how long is the rule's delay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent(_Measure):
    """1 from when the rule's own point came to pass ``comparison`` until ``point`` passes
    ``expected``: within the rule's delay, or it is an alarm."""

    comparison: Comparison
    value: float
    point: str
    """Key of the point that has to answer."""
    expected: Comparison
    expected_value: float

    @property
    def points(self) -> tuple[str, ...]:
        return (self.point,)

    def unit(self, of_point: str) -> str:
        return of_point


@dataclass(frozen=True, kw_only=True, slots=True)
class Calculated(_Measure):
    """A formula over points of the equipment; 1 or 0 where it says yes or no."""

    formula: Formula
    own_unit: str = ""
    is_of_point: bool = False
    """Whether it is told in the unit of the rule's point."""

    @property
    def points(self) -> tuple[str, ...]:
        return self.formula.points

    @property
    def has_limit(self) -> bool:
        return not self.formula.is_truth

    def unit(self, of_point: str) -> str:
        if not self.is_of_point:
            return self.own_unit
        # Two temperatures are so many kelvins apart, and no degrees.
        return "K" if of_point == "℃" else of_point


@dataclass(frozen=True, kw_only=True, slots=True)
class AgainstTwin(Calculated):
    """A formula with points of the equipment's twin (``rules.twins``). The two are read apart, so
    it is known only while every point that the rule is judged by is fresh, and a delay runs out at
    a reading that breaches and never by the clock."""


Measure = Rate | Outside | Count | Unchanged | NoData | Absent | Calculated


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """Of each day from ``begin`` to ``end``, minutes from midnight; over midnight where the end
    is not after the beginning."""

    begin: int
    end: int
    days: frozenset[int] = frozenset(range(7))
    """On which it begins, Monday is 0."""

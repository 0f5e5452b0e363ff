"""What a file of the rulebook may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.files.documents import Document, UnreadableError
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, Slug, Source, Words
from gateway.model.moment import HOUR, MINUTE
from rules.formula import Formula, FormulaError, difference, distance, parse
from rules.measures import (
    Absent,
    AgainstTwin,
    Calculated,
    Count,
    Hours,
    Measure,
    NoData,
    Outside,
    Rate,
    Unchanged,
)
from rules.orders.cycles import Cycles
from rules.orders.raising import OnReturn, RaisedWhen, Raising
from rules.rule import Comparison, Condition, Gate, Priority
from rules.twins import PointName, is_of_twin


class CategoriesDocument(Document):
    categories: Mapping[PointKey, Words] = Field(min_length=1)


class ComparisonDocument(Document):
    """One comparison, by its key."""

    above: float | None = Field(default=None, allow_inf_nan=False)
    below: float | None = Field(default=None, allow_inf_nan=False)
    equals: float | None = Field(default=None, allow_inf_nan=False)
    not_equals: float | None = Field(default=None, allow_inf_nan=False)

    @property
    def given(self) -> list[Comparison]:
        return [word for word in Comparison if getattr(self, word) is not None]

    @property
    def comparison(self) -> Comparison:
        """The comparison; raises :class:`UnreadableError` if there is not exactly one."""
        if len(self.given) != 1:
            raise UnreadableError("comparison")
        return self.given[0]

    @property
    def limit(self) -> float:
        return float(getattr(self, self.comparison))


class RateDocument(Document):
    per: Literal["min", "h"]
    over: Duration = Field(gt=0)

    def measure(self) -> Rate:
        return Rate(per=MINUTE if self.per == "min" else HOUR, over=self.over)


class OutsideDocument(Document):
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    over: Duration = Field(gt=0)

    def measure(self) -> Outside:
        return Outside(low=self.low, high=self.high, over=self.over)


class CountDocument(ComparisonDocument):
    over: Duration = Field(gt=0)

    def measure(self) -> Count:
        """Of changes, where it says nothing that the point must come to."""
        comparison = self.comparison if self.given else None
        limit = self.limit if self.given else 0.0
        return Count(comparison=comparison, value=limit, over=self.over)


class AnswerDocument(ComparisonDocument):
    point: PointKey


MEASURES = (
    "rate",
    "difference",
    "distance",
    "outside",
    "count",
    "unchanged",
    "no_data",
    "absent",
    "expression",
)
"""Keys of a condition that say what is compared, where it is not the reading itself."""


class ConditionDocument(ComparisonDocument):
    deadband: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    rate: RateDocument | None = None
    difference: PointName | None = None
    """How far above that point."""
    distance: PointName | None = None
    """How far from that point, to either side."""
    outside: OutsideDocument | None = None
    count: CountDocument | None = None
    unchanged: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """By how much it may differ and is still the same."""
    no_data: Literal[True] | None = None
    absent: AnswerDocument | None = None
    """The point that has to answer, within the rule's ``for``."""
    expression: Line | None = None
    unit: str = Field(default="", max_length=16)
    """Of an expression that is a number."""

    @property
    def measures(self) -> list[str]:
        return [word for word in MEASURES if getattr(self, word) is not None]

    @property
    def kind(self) -> str | None:
        """What is compared; None: the reading. Raises :class:`UnreadableError` if that is two."""
        if len(self.measures) > 1:
            raise UnreadableError("condition")
        return self.measures[0] if self.measures else None

    @property
    def formula(self) -> Formula | None:
        """Raises :class:`UnreadableError` where there is one that is none."""
        try:
            return None if self.expression is None else parse(self.expression)
        except FormulaError:
            raise UnreadableError("expression") from None

    @property
    def wants_limit(self) -> bool:
        """Whether it is compared with a limit; what is a yes or no by itself is not."""
        if self.kind in ("unchanged", "no_data"):
            return False
        return self.formula is None or not self.formula.is_truth

    def condition(self, point: str) -> Condition:
        """``point``: the rule's own."""
        measure = self._measure(point)
        if not self.wants_limit or self.absent is not None:
            return Condition(comparison=Comparison.EQUALS, limit=1.0, measure=measure)
        return Condition(
            comparison=self.comparison, limit=self.limit, deadband=self.deadband, measure=measure
        )

    def _measure(self, point: str) -> Measure | None:
        for window in (self.rate, self.outside, self.count):
            if window is not None:
                return window.measure()
        if self.unchanged is not None:
            return Unchanged(by=self.unchanged)
        if self.no_data is not None:
            return NoData()
        if self.absent is not None:
            return Absent(
                comparison=self.comparison,
                value=self.limit,
                point=self.absent.point,
                expected=self.absent.comparison,
                expected_value=self.absent.limit,
            )
        return self._calculated(point)

    def _calculated(self, point: str) -> Calculated | None:
        if self.difference is not None:
            return _made(difference(point, self.difference), is_of_point=True)
        if self.distance is not None:
            return _made(distance(point, self.distance), is_of_point=True)
        if self.formula is not None:
            return _made(self.formula, own_unit=self.unit)
        return None


def _made(formula: Formula, *, own_unit: str = "", is_of_point: bool = False) -> Calculated:
    kind = AgainstTwin if any(map(is_of_twin, formula.points)) else Calculated
    return kind(formula=formula, own_unit=own_unit, is_of_point=is_of_point)


class GateDocument(ComparisonDocument):
    point: PointName

    def gate(self) -> Gate:
        return Gate(point=self.point, comparison=self.comparison, limit=self.limit)


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


MOST_GATES = 8
"""Gates that a rule may have; what is known of them is kept as one small number."""


class ClearDocument(ComparisonDocument):
    """What ends an alarm, of the rule's own point if it names none."""

    point: PointKey | None = None


_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, Field(strict=True, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class HoursDocument(Document):
    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    days: tuple[_Day, ...] = Field(default=_DAYS, min_length=1)

    def hours(self) -> Hours:
        days = frozenset(_DAYS.index(day) for day in self.days)
        return Hours(begin=_minutes(self.begin), end=_minutes(self.end), days=days)


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return 60 * int(hours) + int(minutes)


class GuidanceDocument(Document):
    zh: tuple[Line, ...] = Field(min_length=1)
    en: tuple[Line, ...] = Field(min_length=1)


class CyclesDocument(ComparisonDocument):
    """How duty cycles are counted: a point that comes to pass and passes again, or a counter."""

    point: PointKey | None = None
    counter: PointKey | None = None
    times: int = Field(ge=1, le=1000)

    @property
    def key(self) -> str:
        """Raises :class:`UnreadableError` where it names not exactly one."""
        named = [key for key in (self.point, self.counter) if key is not None]
        if len(named) != 1:
            raise UnreadableError("point")
        return named[0]

    def cycles(self) -> Cycles:
        is_bit = self.point is not None
        comparison = (self.comparison if self.given else Comparison.EQUALS) if is_bit else None
        limit = self.limit if self.given else 1.0
        return Cycles(point=self.key, comparison=comparison, limit=limit, times=self.times)


class OrderDocument(Document):
    category: PointKey
    complete_within: Duration = Field(gt=0)
    close_after: Duration
    cycles: CyclesDocument | None = None
    raised: RaisedWhen | None = None
    on_return: OnReturn | None = None
    """What becomes of an order that waits, where the alarm returns."""

    def raising(self) -> Raising | None:
        if self.raised is None:
            return None
        return Raising(when=self.raised, on_return=self.on_return or OnReturn.CANCEL)


class LevelDocument(Document):
    """The same condition, further on and more urgent; what it does not say is as in its rule."""

    limit: float = Field(allow_inf_nan=False)
    priority: Priority
    name: Words | None = None
    delay: Duration | None = Field(default=None, alias="for")
    order: OrderDocument | None = None


Tag = Literal["supply", "link"]


class RuleDocument(Document):
    id: Slug
    name: Words
    point: PointKey
    where_present: bool = False
    """It is meant for those of the class only that have its points."""
    condition: ConditionDocument
    gates: Annotated[tuple[GateDocument, ...], BeforeValidator(_listed)] = Field(
        default=(), alias="while", min_length=1, max_length=MOST_GATES
    )
    """One comparison, or a list of them that all have to hold."""
    delay: Duration = Field(alias="for")
    clear_after: Duration
    priority: Priority
    cause_key: Slug
    guidance: GuidanceDocument
    order: OrderDocument | None = None
    source: Source
    levels: tuple[LevelDocument, ...] = Field(default=(), min_length=1, max_length=2)
    clear: ClearDocument | None = None
    hours: HoursDocument | None = None
    latch: bool = False
    explains: frozenset[Tag] = frozenset()
    explained_by: frozenset[Tag] = frozenset()
    life_safety: bool | None = None
    """None: it is, if it is critical and of fire or lift equipment."""

    def level_ids(self) -> list[str]:
        """Its own, and those of its further levels."""
        return [self.id, *(f"{self.id}-{number}" for number in range(2, 2 + len(self.levels)))]


class AlarmsDocument(Document):
    equipment_class: ClassName = Field(alias="class")
    rules: tuple[RuleDocument, ...] = Field(min_length=1)

"""What a file of the rulebook may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.documents import Document, UnreadableError
from gateway.durations import Duration
from gateway.file_fields import ClassName, Line, PointKey, Slug, Words
from rules.rule import Comparison, Condition, Gate, Priority


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


class ConditionDocument(ComparisonDocument):
    deadband: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def condition(self) -> Condition:
        return Condition(comparison=self.comparison, limit=self.limit, deadband=self.deadband)


class GateDocument(ComparisonDocument):
    point: PointKey

    def gate(self) -> Gate:
        return Gate(point=self.point, comparison=self.comparison, limit=self.limit)


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


MOST_GATES = 8
"""Gates that a rule may have; what is known of them is kept as one small number."""


class GuidanceDocument(Document):
    zh: tuple[Line, ...] = Field(min_length=1)
    en: tuple[Line, ...] = Field(min_length=1)


class OrderDocument(Document):
    category: PointKey
    complete_within: Duration = Field(gt=0)
    close_after: Duration


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
    source: Line


class AlarmsDocument(Document):
    equipment_class: ClassName = Field(alias="class")
    rules: tuple[RuleDocument, ...] = Field(min_length=1)

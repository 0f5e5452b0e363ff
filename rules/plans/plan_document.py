"""What a file of ``plans/`` may hold."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.files.documents import Document
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, Slug, Source, Words
from rules.inspections.item_document import ShortSlug
from rules.plans.interval import Interval, parse, parse_days
from rules.plans.plan import Advance, Days, Doer, Material, Per, Scope, Step
from rules.shifts.local_time import FORM, minute_of


def _interval(value: object) -> Interval:
    return parse(value if isinstance(value, str) else "")


def _days(value: object) -> int:
    return parse_days(value if isinstance(value, str) else "")


def _date(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("a day is written 2026-01-31") from None


def _minute(value: object) -> int:
    if not isinstance(value, str) or re.match(FORM, value) is None:
        raise ValueError('a time of day is written "08:00"')
    return minute_of(value)


IntervalField = Annotated[Interval, BeforeValidator(_interval)]
DaysField = Annotated[int, BeforeValidator(_days)]
DateField = Annotated[date, BeforeValidator(_date)]
MinuteField = Annotated[int, BeforeValidator(_minute)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ScopeDocument(Document):
    per: Per
    classes: tuple[ClassName, ...] = ()
    areas: tuple[Slug, ...] = ()
    equipment: tuple[Slug, ...] = ()

    def scope(self) -> Scope:
        return Scope(per=self.per, classes=self.classes, areas=self.areas, equipment=self.equipment)


class CounterDocument(Document):
    point: PointKey
    every: Amount
    most_per_day: Amount | None = None
    """A point in hours has 24."""
    rollover: Amount | None = None


class TriggerDocument(Document):
    """By schedule (``every`` or ``rrule``), or since the last time (``after``, ``counters``)."""

    every: IntervalField | None = None
    rrule: Line | None = None
    anchor: DateField | None = None
    anchors: dict[Slug, DateField] = Field(default_factory=dict)
    after: IntervalField | None = None
    counters: tuple[CounterDocument, ...] = ()
    last_done: dict[Slug, DateField] = Field(default_factory=dict)

    @property
    def ways(self) -> list[str]:
        """How it comes due; ``after`` and ``counters`` go together, whichever is first."""
        keys = ("every", "rrule", "after", "counters")
        return [key for key in keys if getattr(self, key)]


class AdvanceDocument(Document):
    before: DaysField
    text: Words
    source: Source

    def advance(self) -> Advance:
        return Advance(days=self.before, text=self.text.text(), source=self.source.text())


class DoerDocument(Document):
    contractor: Line | None = None
    team: Slug | None = None
    skill: Line | None = None

    def doer(self) -> Doer:
        return Doer(contractor=self.contractor, team=self.team, skill=self.skill)


class MaterialDocument(Document):
    name: Words
    quantity: Amount | None = None
    unit: str = ""

    def material(self) -> Material:
        return Material(name=self.name.text(), quantity=self.quantity, unit=self.unit)


class StepDocument(Document):
    name: Words
    source: Source
    required: bool = False

    def step(self) -> Step:
        return Step(name=self.name.text(), source=self.source.text(), required=self.required)


class PlanDocument(Document):
    plan: ShortSlug
    name: Words
    category: PointKey
    scope: ScopeDocument
    trigger: TriggerDocument
    days: Days = Days.ALL
    at: MinuteField = 8 * 60
    allowed: DaysField
    grace: DaysField = 0
    postponed_at_most: DaysField = 30
    advance_notice: AdvanceDocument | None = None
    duration: Duration | None = None
    done_by: DoerDocument = Field(default_factory=DoerDocument)
    materials: tuple[MaterialDocument, ...] = ()
    steps: tuple[StepDocument, ...] = Field(min_length=1)
    source: Source

"""What a file of ``regimes/`` may hold."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.documents import Document, UnreadableError
from gateway.durations import Duration
from gateway.file_fields import ClassName, Line, PointKey, Slug, Whole, Words
from gateway.model.moment import MINUTE
from rules.inspections.regime import (
    Answer,
    Band,
    Choice,
    Days,
    Level,
    LocalTime,
    Proof,
    Scope,
    Severity,
    Window,
)
from rules.people.roles import Role

ShortSlug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=48)]
"""Part of the id of a round, of its findings and of their orders, which the API takes up to 250
characters long."""

_TIME = re.compile(r"(?:\+([0-9]{1,2})d )?([0-9]{2}):([0-9]{2})")
_MINUTES_A_DAY = 24 * 60


def _local_time(value: object) -> LocalTime:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a time is written "08:00", or "+1d 08:00" on a day behind')
    minutes = 60 * int(match[2]) + int(match[3])
    if int(match[3]) > 59 or minutes > _MINUTES_A_DAY:
        raise ValueError("a day has 00:00 to 24:00")
    return LocalTime(days=int(match[1] or 0), minutes=minutes)


LocalTimeField = Annotated[LocalTime, BeforeValidator(_local_time)]


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """As ISO counts: Monday is 1."""
        return list(Weekday).index(self) + 1


class ScopeDocument(Document):
    classes: tuple[ClassName, ...] = Field(min_length=1)
    areas: tuple[Slug, ...] = ()
    whole_site: bool = False

    def scope(self) -> Scope:
        return Scope(classes=self.classes, areas=self.areas, whole_site=self.whole_site)


class WindowDocument(Document):
    opens: LocalTimeField
    due: LocalTimeField
    late_until: LocalTimeField

    def window(self) -> Window:
        return Window(opens=self.opens, due=self.due, late_until=self.late_until)


class FindingOrdersDocument(Document):
    category: PointKey
    serious_within: Duration = Field(gt=0)
    normal_within: Duration = Field(gt=0)
    close_after: Duration


class CountDocument(Document):
    """How many of the class have this value at the point."""

    point: PointKey
    equals: float = Field(allow_inf_nan=False)


class CheckDocument(Document):
    """What passes; every limit that is given has to hold."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    equals: float | None = Field(default=None, allow_inf_nan=False)
    unit: str = ""

    def band(self) -> Band:
        return Band(low=self.low, high=self.high, equals=self.equals)


class ChoiceDocument(Document):
    key: ShortSlug
    name: Words
    passes: bool

    def choice(self) -> Choice:
        return Choice(key=self.key, name=self.name.text(), passes=self.passes)


class ItemDocument(Document):
    key: ShortSlug
    name: Words
    guidance: Words | None = None
    equipment_class: ClassName | None = Field(default=None, alias="class")
    where_present: bool = False
    """It is meant for those of the class only that have its point."""
    point: PointKey | None = None
    count: CountDocument | None = None
    completion: Literal["daily"] | None = None
    answer: Answer | None = None
    check: CheckDocument | None = None
    choices: tuple[ChoiceDocument, ...] = ()
    severity: Severity
    cause_key: Slug | None = None
    category: PointKey | None = None
    source: Line

    @property
    def ways(self) -> list[str]:
        """How it is answered; there has to be one."""
        keys = ("point", "count", "completion", "answer")
        return [key for key in keys if getattr(self, key) is not None]

    @property
    def proof(self) -> Proof | None:
        """Raises :class:`UnreadableError` if the file does not say one way."""
        if len(self.ways) != 1:
            raise UnreadableError("point")
        return None if self.ways == ["answer"] else Proof(self.ways[0])

    @property
    def point_key(self) -> str | None:
        return self.count.point if self.count is not None else self.point


class SectionDocument(Document):
    name: Words
    items: tuple[ItemDocument, ...] = Field(min_length=1)


class RegimeDocument(Document):
    regime: ShortSlug
    level: Level
    name: Words
    form: Words | None = None
    done_by: Role
    countersigned_by: Role | None = None
    scope: ScopeDocument
    days: Days = Days.ALL
    weekday: Weekday | None = None
    day: Whole | None = None
    looks_back: bool = False
    window: WindowDocument
    wait_for_readings: Duration = 10 * MINUTE
    orders: FindingOrdersDocument
    statement: Words | None = None
    source: Line
    sections: tuple[SectionDocument, ...] = Field(min_length=1)

    @property
    def on(self) -> int | None:
        """Weekday (Monday is 1) or day of the month."""
        return self.day if self.weekday is None else self.weekday.number

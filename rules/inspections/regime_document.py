"""What a file of ``regimes/`` may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.files.documents import Document
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, Slug, Source, Whole, Words
from gateway.model.moment import MINUTE
from rules.inspections.item_document import ItemDocument, ShortSlug
from rules.inspections.recurrence import Recurrence
from rules.inspections.regime import (
    CatchUp,
    Days,
    Late,
    Level,
    LocalTime,
    Missed,
    Scope,
    Severity,
    ShiftWindow,
    Window,
)
from rules.people.roles import Role

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


class ShiftWindowDocument(Document):
    opens_after: Duration | None = None
    opens_before_end: Duration | None = None
    due_before_end: Duration
    late_by: Duration = Field(gt=0)

    def window(self) -> ShiftWindow:
        return ShiftWindow(
            opens_after=self.opens_after or 0,
            opens_before_end=self.opens_before_end,
            due_before_end=self.due_before_end,
            late_by=self.late_by,
        )


class LateDocument(Document):
    tell: tuple[Role, ...] = Field(min_length=1)

    def late(self) -> Late:
        return Late(tell=self.tell)


class MissedDocument(Document):
    tell: tuple[Role, ...] = ()
    finding: Severity | None = None

    def missed(self) -> Missed:
        return Missed(tell=self.tell, finding=self.finding)


class FindingOrdersDocument(Document):
    category: PointKey
    serious_within: Duration = Field(gt=0)
    normal_within: Duration = Field(gt=0)
    close_after: Duration


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
    month: Whole | None = None
    day: Whole | None = None
    rrule: Line | None = None
    starts: date | None = None
    looks_back: bool = False
    window: WindowDocument | None = None
    windows: Mapping[Slug, WindowDocument] = Field(default_factory=dict)
    in_shift: ShiftWindowDocument | None = None
    catch_up: CatchUp = CatchUp.MISSED
    late: LateDocument | None = None
    missed: MissedDocument | None = None
    wait_for_readings: Duration = 10 * MINUTE
    orders: FindingOrdersDocument
    statement: Words | None = None
    source: Source
    sections: tuple[SectionDocument, ...] = Field(min_length=1)

    @property
    def on(self) -> int | None:
        """Weekday (Monday is 1) or day of the month, or of half of it."""
        return self.day if self.weekday is None else self.weekday.number

    @property
    def recurs(self) -> Recurrence | None:
        return None if self.rrule is None else Recurrence(rule=self.rrule, starts=self.starts)

"""What a maintenance plan says, as typed records; ``plan_files`` reads them from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from gateway.model.point import Text
from rules.plans.interval import Interval


class Per(StrEnum):
    """What has an order of its own."""

    EQUIPMENT = "equipment"
    AREA = "area"
    SITE = "site"


class Days(StrEnum):
    """What becomes of a day that is not worked."""

    ALL = "all"
    EARLIER = "earlier"
    """The last working day before it: the interval is never longer."""
    LATER = "later"
    """The next working day."""


class Trigger(StrEnum):
    """What makes one due."""

    SCHEDULE = "schedule"
    COMPLETION = "completion"
    """So long after the last time."""
    COUNTER = "counter"


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """By the calendar, whatever was done when."""

    anchor: date
    """A day on which it counts as done: the first is one interval after it."""
    anchors: Mapping[str, date] = field(default_factory=dict)
    """Subject → its own."""
    every: Interval | None = None
    rule: str | None = None
    """An RRULE of RFC 5545, from the anchor on, where there is no ``every``."""

    def anchor_of(self, subject: str) -> date:
        return self.anchors.get(subject, self.anchor)


@dataclass(frozen=True, kw_only=True, slots=True)
class CounterGoal:
    """So much growth of a counter since the last time."""

    point: str
    """Point key."""
    every: float
    most_per_day: float
    """More than that is no growth: the device was replaced."""
    rollover: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceLast:
    """Counted from the last time; whichever comes first."""

    after: Interval | None = None
    counters: tuple[CounterGoal, ...] = ()
    last_done: Mapping[str, date] = field(default_factory=dict)
    """Subject → when it was done before there was this plan; others count from its beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    per: Per
    classes: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    """Only in these; empty: in all."""
    equipment: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    name: Text
    source: Text
    required: bool = False
    """Nobody finishes the work without it, or without saying why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    name: Text
    quantity: float | None
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """A notice that is raised before the day."""

    days: int
    text: Text
    source: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Doer:
    """Who does it; each may be missing."""

    contractor: str | None = None
    """User name."""
    team: str | None = None
    skill: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    id: str
    name: Text
    category: str
    category_name: Text
    scope: Scope
    trigger: Schedule | SinceLast
    days: Days
    at: int
    """Minutes after 00:00 at which notice and order are raised on their days."""
    allowed: int
    """Days before the one on which it is due that its order is raised; one that a counter makes
    due has as many from then on."""
    grace: int
    """Days after it for which it is late, and not overdue yet."""
    postponed_at_most: int
    """Days, of all postponements of one together."""
    advance: Advance | None
    duration: int | None
    """µs that the work takes."""
    doer: Doer
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    source: Text
    file: str

    @property
    def is_chain(self) -> bool:
        """Whether the next one begins when this one is over."""
        return isinstance(self.trigger, SinceLast)

    @property
    def goals(self) -> tuple[CounterGoal, ...]:
        return self.trigger.counters if isinstance(self.trigger, SinceLast) else ()

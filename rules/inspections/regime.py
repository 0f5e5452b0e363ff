"""What an inspection regime says, as typed records; ``regime_files`` reads them from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.point import Text
from rules.people.roles import Role


class Level(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Days(StrEnum):
    ALL = "all"
    """Equipment takes no holidays."""
    WORKING = "working"
    """A daily round is left out on other days; a weekly or monthly one moves to a working day."""


class Severity(StrEnum):
    SERIOUS = "serious"
    """An order at once, and the manager is told (S1 4.5)."""
    NORMAL = "normal"
    """An order in working time."""
    MINOR = "minor"
    """A line in the record."""


class Answer(StrEnum):
    """What a person gives where the equipment does not answer for itself."""

    TICK = "tick"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"


class Proof(StrEnum):
    """How an automatic item is answered without a person."""

    POINT = "point"
    """By the reading of one point."""
    COUNT = "count"
    """By how many, and which, of several have a value: the units that run."""
    COMPLETION = "completion"
    """By how many of the daily rounds of the period were done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    key: str
    name: Text
    passes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """What passes; without any limit the value is only recorded."""

    low: float | None = None
    high: float | None = None
    equals: float | None = None

    def holds(self, value: float) -> bool:
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.equals is None or value == self.equals)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    key: str
    section: Text | None
    name: Text
    guidance: Text | None
    equipment_class: str | None
    """One line for each equipment of the class in the area; None: one line for the round."""
    where_present: bool
    """Only those of the class that have the point; else a person answers for the others."""
    proof: Proof | None
    """None: manual."""
    point: str | None
    """Point key."""
    counted: float | None
    """The value that is counted."""
    answer: Answer
    unit: str
    band: Band
    choices: tuple[Choice, ...]
    severity: Severity
    cause_key: str | None
    """The cause in the alarms' files that a failure means, so that both share one order."""
    category: str | None
    """Of the order; None: the regime's."""
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingTerms:
    """The work orders that findings raise."""

    category: str
    category_names: Mapping[str, Text]
    serious_within: int
    """µs."""
    normal_within: int
    """µs; over working time where the site keeps a calendar."""
    close_after: int
    """µs without a relapse after which a completed order is closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalTime:
    """A time of the site's day, ``days`` after the day of the round."""

    days: int
    minutes: int
    """After 00:00; 1440 is the end of the day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    opens: LocalTime
    due: LocalTime
    late_until: LocalTime


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    classes: tuple[str, ...]
    """A round where at least one equipment of these is installed."""
    areas: tuple[str, ...]
    """Only in these; empty: in all."""
    whole_site: bool
    """One round for all areas together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Regime:
    id: str
    level: Level
    name: Text
    form: Text | None
    """The 表格 that the round fills."""
    role: Role
    """Who does it."""
    countersign_role: Role | None
    scope: Scope
    days: Days
    on: int | None
    """Weekly: ISO weekday, Monday is 1. Monthly: day of the month, in a shorter month its last."""
    looks_back: bool
    """The period is the week or month before the one in which the round is due."""
    window: Window
    patience: int
    """µs after opening for which an item waits for a reading that nobody has heard yet."""
    terms: FindingTerms
    items: tuple[Item, ...]
    statement: Text | None
    """What who signs says with it."""
    source: str
    file: str

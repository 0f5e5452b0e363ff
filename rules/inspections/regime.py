"""What an inspection regime says, as typed records; ``regime_files`` reads them from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.point import Text
from rules.inspections.proving import PLAIN, Proving
from rules.inspections.recurrence import Recurrence
from rules.people.roles import Role


class Level(StrEnum):
    SHIFT = "shift"
    """One for each shift that the roster's rotation holds."""
    DAILY = "daily"
    WEEKLY = "weekly"
    HALF_MONTHLY = "half_monthly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"


class CatchUp(StrEnum):
    """What becomes of a round whose whole window passed while the duty room was away."""

    MISSED = "missed"
    OPEN = "open"
    """The newest of its area is opened when the duty room is back, for as long as it would have
    been; older ones are missed."""


class Days(StrEnum):
    ALL = "all"
    """Equipment takes no holidays."""
    WORKING = "working"
    """A daily round and one of a shift is left out on other days; any other moves to a working
    day of its period."""


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
    source: Text
    proving: Proving = PLAIN


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
class ShiftWindow:
    """The window of a round of a shift, in µs."""

    opens_after: int = 0
    """The shift's beginning."""
    opens_before_end: int | None = None
    """In place of :attr:`opens_after`: a shorter shift is opened when it begins."""
    due_before_end: int
    late_by: int
    """After it was due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """What follows when a round is late."""

    tell: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """What follows when a round is missed."""

    tell: tuple[Role, ...]
    finding: Severity | None
    """None: no finding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    classes: tuple[str, ...]
    """A round where at least one equipment of these is installed."""
    areas: tuple[str, ...]
    """Only in these; empty: in all."""
    whole_site: bool
    """One round for all areas together."""

    def takes(self, area: str) -> bool:
        return not self.areas or area in self.areas


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
    """Weekly: ISO weekday, Monday is 1. Of half a month its day, of a longer period the day of
    :attr:`month`; where there is no such day, the last one there is."""
    looks_back: bool
    """The period is the week, month … before the one in which the round is due."""
    window: Window | None
    """None: it is a round of a shift."""
    patience: int
    """µs after opening for which an item waits for a reading that nobody has heard yet."""
    terms: FindingTerms
    items: tuple[Item, ...]
    statement: Text | None
    """What who signs says with it."""
    source: Text
    file: str
    month: int = 1
    """Which one of the period: 1 to 3 of a quarter, 1 to 12 of a year."""
    recurs: Recurrence | None = None
    """The day of the round, in place of :attr:`on`; a period without one has no round."""
    windows: Mapping[str, Window] = field(default_factory=dict)
    """Area → its own window."""
    shift_window: ShiftWindow | None = None
    catch_up: CatchUp = CatchUp.MISSED
    late: Late | None = None
    missed: Missed | None = None
    version: str = ""
    """Hash of its file."""
    document: str = ""
    """Its file as it was read."""

    def window_in(self, area: str | None) -> Window:
        """Its window in ``area``; never asked of a round of a shift."""
        window = self.windows.get(area or "", self.window)
        assert window is not None, f"{self.id} is of a shift"
        return window

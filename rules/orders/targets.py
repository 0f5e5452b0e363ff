"""What the orders of a month are measured by, as the site sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.shifts.calendar import Calendar


class Indicator(StrEnum):
    VISITED = "visited"
    """维修回访率: of the requests closed, those visited in time."""
    IN_TIME = "in_time"
    """零修急修及时率: of the repairs completed, those completed in time."""
    REOPENED = "reopened"
    """返修率: of the repairs completed, those that had to be done again."""
    SATISFIED = "satisfied"
    """满意率: of the visits, those with the owner satisfied."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    percent: float
    is_least: bool
    """At least so many, else at most."""
    source: str

    def is_met_by(self, percent: float) -> bool:
        return percent >= self.percent if self.is_least else percent <= self.percent


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    visit_within_days: int = 1
    """Working days after the work was found good."""
    by_indicator: Mapping[Indicator, Target] = field(default_factory=dict)


def visit_until(verified_at: int, calendar: Calendar, days: int) -> int:
    """µs UTC until which who asked is to be visited, whose work was found good at ``verified_at``:
    so many working days, a day's working hours each."""
    return calendar.after(verified_at, days * calendar.hours.length)

"""How long things may take, as the time-limit table says: the first row that fits decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.orders.clock import CalendarKind, ClockName
from rules.priority import Priority


class CountedFrom(StrEnum):
    CREATED = "created"
    ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    within: int
    """µs; in working time a whole day is one working day."""
    counted_from: CountedFrom
    calendar: CalendarKind
    source: str
    """Where it comes from, or ``[site setting]``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selector:
    """Which orders something is for; None: whatever it is."""

    category: str | None = None
    cause_key: str | None = None
    priority: Priority | None = None

    def fits(self, category: str, cause_key: str, priority: Priority) -> bool:
        return (
            self.category in (None, category)
            and self.cause_key in (None, cause_key)
            and self.priority in (None, priority)
        )

    def covers(self, other: Selector) -> bool:
        """Whether whatever ``other`` is for, this is for too."""
        return (
            self.category in (None, other.category)
            and self.cause_key in (None, other.cause_key)
            and self.priority in (None, other.priority)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitRow:
    selector: Selector
    limits: Mapping[ClockName, Limit]


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeLimits:
    rows: tuple[LimitRow, ...] = ()

    def of(self, category: str, cause_key: str, priority: Priority) -> dict[ClockName, Limit]:
        """The limit of each clock: of the first row that fits and has one."""
        found: dict[ClockName, Limit] = {}
        for row in self.rows:
            if row.selector.fits(category, cause_key, priority):
                for name, limit in row.limits.items():
                    found.setdefault(name, limit)
        return found

"""Which team holds which shift: a pattern of days that repeats, before its anchor and after. Pure.

A shift belongs to the day on which it starts, so a night shift over midnight is one shift of one
team.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from itertools import pairwise

from gateway.model.point import Text
from rules.shifts.local_time import DAY_MINUTES, date_of, instant_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    id: str
    name: Text
    starts: int
    """Minutes since midnight."""
    ends: int
    """Minutes since midnight; not later than ``starts``: on the next day."""
    minimum: int = 1
    """People that it needs."""

    @property
    def minutes(self) -> int:
        """How long it lasts by the clock; 24 hours where it ends at the time it starts."""
        return (self.ends - self.starts - 1) % DAY_MINUTES + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftDay:
    """One shift of one day."""

    shift: Shift
    date: date
    """On which it starts."""
    starts: int
    """µs UTC."""
    ends: int
    """µs UTC; the shift no longer holds then."""
    team: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    shifts: Sequence[Shift]
    """In the order of the day; no two at one time (:func:`overlapping`)."""
    anchor: date
    """A day on which the first day of the pattern is worked."""
    pattern: Sequence[Mapping[str, str]]
    """Shift → team for each day of the pattern; a shift that is not named is not held."""
    zone: tzinfo

    def of_date(self, day: date) -> list[ShiftDay]:
        """The shifts that start on ``day``, in order."""
        teams = self.pattern[(day - self.anchor).days % len(self.pattern)]
        return [
            ShiftDay(
                shift=shift,
                date=day,
                starts=instant_at(day, shift.starts, self.zone),
                ends=instant_at(day, shift.starts + shift.minutes, self.zone),
                team=teams[shift.id],
            )
            for shift in self.shifts
            if shift.id in teams
        ]

    def at(self, at: int) -> ShiftDay | None:
        """The shift that holds at ``at`` (µs UTC); None between shifts."""
        today = date_of(at, self.zone)
        for day in (today - timedelta(days=1), today):
            for found in self.of_date(day):
                if found.starts <= at < found.ends:
                    return found
        return None

    def after(self, at: int) -> ShiftDay | None:
        """The next shift that starts later than ``at``; None if none is ever held."""
        return next(self._later(at), None)

    def _later(self, at: int) -> Iterator[ShiftDay]:
        today = date_of(at, self.zone)
        for ahead in range(len(self.pattern) + 2):
            for found in self.of_date(today + timedelta(days=ahead)):
                if at < found.starts < found.ends:
                    yield found


def overlapping(shifts: Sequence[Shift]) -> tuple[Shift, Shift] | None:
    """Two shifts that hold at one time on some day; None if there are none."""
    ordered = sorted(shifts, key=lambda shift: shift.starts)
    if not ordered:
        return None
    for one, other in pairwise(ordered):
        if one.starts + one.minutes > other.starts:
            return one, other
    first, last = ordered[0], ordered[-1]
    if last.starts + last.minutes > first.starts + DAY_MINUTES:
        return last, first
    return None

"""Which days are worked, and time counted in working hours only. Pure.

A year's arrangement comes from the rulebook's ``calendar/`` files, the site's own changes and its
working hours from the ledger (``rules.ledger.roster.calendar_of``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from enum import StrEnum

from gateway.model.moment import DAY, MINUTE
from gateway.model.point import Text
from rules.shifts.local_time import date_of, instant_at

_SATURDAY = 5


class DayKind(StrEnum):
    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP_WORKING = "make_up_working"
    """A day of a weekend that is worked for a day of a holiday (调休上班)."""

    @property
    def is_working(self) -> bool:
        return self in (DayKind.WORKING, DayKind.MAKE_UP_WORKING)


class DaySource(StrEnum):
    """Where it comes from what a day is."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"
    """The arrangement of its year is not published, or not known here."""
    SITE = "site"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialDay:
    """A day that is not what its weekday says."""

    kind: DayKind
    name: Text | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Year:
    """The arrangement of one year."""

    year: int
    provisional: bool
    days: Mapping[date, SpecialDay]
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    date: date
    kind: DayKind
    name: Text | None
    source: DaySource


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingHours:
    """Of every working day; minutes since midnight, ``starts`` before ``ends``."""

    starts: int
    ends: int

    @property
    def length(self) -> int:
        """µs, on a day without a change of the clocks."""
        return (self.ends - self.starts) * MINUTE


DEFAULT_HOURS = WorkingHours(starts=8 * 60, ends=17 * 60 + 30)
"""08:00 to 17:30, where a site has set nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDays:
    """What a site itself has entered."""

    changed: Mapping[date, SpecialDay] = field(default_factory=dict)
    hours: WorkingHours = DEFAULT_HOURS


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The days of one site, as they are known now."""

    zone: tzinfo
    years: Mapping[int, Year] = field(default_factory=dict)
    """A year that is not here has weekends and nothing else, and is provisional."""
    changed: Mapping[date, SpecialDay] = field(default_factory=dict)
    """Days that the site has changed."""
    hours: WorkingHours = DEFAULT_HOURS

    def is_provisional(self, year: int) -> bool:
        known = self.years.get(year)
        return known is None or known.provisional

    def day(self, day: date) -> Day:
        provisional = self.is_provisional(day.year)
        source = DaySource.PROVISIONAL if provisional else DaySource.PUBLISHED
        known = self.years.get(day.year)
        special = None if known is None else known.days.get(day)
        if day in self.changed:
            special, source = self.changed[day], DaySource.SITE
        if special is not None:
            return Day(date=day, kind=special.kind, name=special.name, source=source)
        kind = DayKind.WEEKEND if day.weekday() >= _SATURDAY else DayKind.WORKING
        return Day(date=day, kind=kind, name=None, source=source)

    def kind(self, day: date) -> DayKind:
        return self.day(day).kind

    def is_working(self, day: date) -> bool:
        return self.kind(day).is_working

    def days(self, year: int) -> Iterator[Day]:
        """Every day of ``year`` in order."""
        day = date(year, 1, 1)
        while day.year == year:
            yield self.day(day)
            if day == date.max:
                return
            day += timedelta(days=1)

    def working_time(self, start: int, end: int) -> int:
        """µs of working hours from ``start`` to ``end`` (µs UTC); 0 where ``end`` is earlier."""
        total = 0
        for begins, ends in self._stretches(start):
            if begins >= end:
                break
            total += max(0, min(ends, end) - max(begins, start))
        return total

    def after(self, start: int, span: int) -> int:
        """When ``span`` µs of working hours have gone by since ``start`` (µs UTC).

        The end of a working day is reached on that day, not on the morning of the next one; with
        no span it is the first working moment.
        """
        left = span
        for opens, ends in self._stretches(start):
            begins = max(opens, start)
            if begins < ends:
                if left <= ends - begins:
                    return begins + left
                left -= ends - begins
        raise AssertionError("working days never end")

    def next_working_moment(self, at: int) -> int:
        """``at`` itself within working hours, else the beginning of the next ones (µs UTC)."""
        return self.after(at, 0)

    def working_span(self, span: int) -> int:
        """``span`` µs as working time: a whole day of it is one day's working hours.

        Whoever allows one day allows one working day, not 24 hours at 9½ hours a day.
        """
        days, rest = divmod(span, DAY)
        return days * self.hours.length + rest

    def _stretches(self, start: int) -> Iterator[tuple[int, int]]:
        """The working hours of one working day after another, from the day of ``start`` on."""
        day = date_of(start, self.zone)
        while True:
            if self.is_working(day):
                yield (
                    instant_at(day, self.hours.starts, self.zone),
                    instant_at(day, self.hours.ends, self.zone),
                )
            day += timedelta(days=1)

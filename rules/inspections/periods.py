"""What a period is called, and the days that it has. Pure.

A day is called ``2026-11-21``, a shift of it ``2026-11-21-night``, a week (ISO, from Monday)
``2026-W47``, half a month ``2026-11-H2`` (from the 16th), a month ``2026-11``, a quarter
``2026-Q4``, half a year ``2026-H2``, a year ``2026``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from rules.inspections.regime import Level

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_DATE = len("2026-11-21")
_SECOND_HALF = 16
"""The day of the month with which its second half begins."""

MONTHS: Mapping[Level, int] = {
    Level.MONTHLY: 1,
    Level.QUARTERLY: 3,
    Level.HALF_YEARLY: 6,
    Level.YEARLY: 12,
}
"""How many calendar months a period has."""


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


_NAMES: Mapping[Level, Callable[[date], str]] = {
    Level.DAILY: date.isoformat,
    Level.WEEKLY: _week,
    Level.HALF_MONTHLY: lambda day: f"{day:%Y-%m}-H{1 if day.day < _SECOND_HALF else 2}",
    Level.MONTHLY: lambda day: f"{day:%Y-%m}",
    Level.QUARTERLY: lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    Level.HALF_YEARLY: lambda day: f"{day.year}-H{(day.month + 5) // 6}",
    Level.YEARLY: lambda day: f"{day.year}",
}


def first_day(level: Level, day: date) -> date:
    """The first day of the period that ``day`` is in."""
    match level:
        case Level.SHIFT | Level.DAILY:
            return day
        case Level.WEEKLY:
            return day - (day.isoweekday() - 1) * _DAY
        case Level.HALF_MONTHLY:
            return day.replace(day=1 if day.day < _SECOND_HALF else _SECOND_HALF)
        case _:
            months = MONTHS[level]
            return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_first_day(level: Level, first: date) -> date:
    """The first day of the period behind the one that begins with ``first``."""
    match level:
        case Level.SHIFT | Level.DAILY:
            return first + _DAY
        case Level.WEEKLY:
            return first + _WEEK
        case Level.HALF_MONTHLY if first.day < _SECOND_HALF:
            return first.replace(day=_SECOND_HALF)
        case _:
            return month_after(first, MONTHS.get(level, 1))


def month_after(day: date, months: int) -> date:
    """The first day of the month that is ``months`` behind that of ``day``."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def name_of(level: Level, day: date, shift: str = "") -> str:
    """What the period that ``day`` is in is called; ``shift``: which one of that day."""
    if level is Level.SHIFT:
        return f"{_NAMES[Level.DAILY](day)}-{shift}"
    return _NAMES[level](day)


def days_of(level: Level, name: str) -> list[date]:
    """The days of the period called ``name``; of a shift the one on which it starts."""
    first = _first_of(level, name)
    days = (next_first_day(level, first) - first).days
    return [first + n * _DAY for n in range(days)]


def _first_of(level: Level, name: str) -> date:
    match level:
        case Level.SHIFT | Level.DAILY:
            return date.fromisoformat(name[:_DATE])
        case Level.WEEKLY:
            year, week = name.split("-W")
            return date.fromisocalendar(int(year), int(week), 1)
        case Level.HALF_MONTHLY:
            month, half = name.split("-H")
            return date.fromisoformat(f"{month}-{'01' if half == '1' else _SECOND_HALF}")
        case Level.MONTHLY:
            return date.fromisoformat(f"{name}-01")
        case Level.QUARTERLY | Level.HALF_YEARLY:
            year, part = name[:4], int(name[-1])
            return date(int(year), (part - 1) * MONTHS[level] + 1, 1)
        case Level.YEARLY:
            return date(int(name), 1, 1)

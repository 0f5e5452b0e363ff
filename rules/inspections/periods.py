"""What a period is called, and the days that it has. Pure.

A day is called ``2026-11-21``, a week (ISO, from Monday) ``2026-W47``, a month ``2026-11``.
"""

from __future__ import annotations

from datetime import date, timedelta

from rules.inspections.regime import Level

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


def first_day(level: Level, day: date) -> date:
    """The first day of the period that ``day`` is in."""
    match level:
        case Level.DAILY:
            return day
        case Level.WEEKLY:
            return day - (day.isoweekday() - 1) * _DAY
        case Level.MONTHLY:
            return day.replace(day=1)


def next_first_day(level: Level, first: date) -> date:
    """The first day of the period behind the one that begins with ``first``."""
    match level:
        case Level.DAILY:
            return first + _DAY
        case Level.WEEKLY:
            return first + _WEEK
        case Level.MONTHLY:
            return (first + timedelta(days=31)).replace(day=1)


def name_of(level: Level, day: date) -> str:
    """What the period that ``day`` is in is called."""
    match level:
        case Level.DAILY:
            return day.isoformat()
        case Level.WEEKLY:
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case Level.MONTHLY:
            return f"{day:%Y-%m}"


def days_of(level: Level, name: str) -> list[date]:
    """The days of the period called ``name``."""
    match level:
        case Level.DAILY:
            first = date.fromisoformat(name)
        case Level.WEEKLY:
            year, week = name.split("-W")
            first = date.fromisocalendar(int(year), int(week), 1)
        case Level.MONTHLY:
            first = date.fromisoformat(f"{name}-01")
    days = (next_first_day(level, first) - first).days
    return [first + n * _DAY for n in range(days)]

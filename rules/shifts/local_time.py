"""Clock times of a zone as instants, so that no boundary is doubled or missed when clocks change.

A time of day is held in whole minutes since midnight; 1440 is the midnight at the day's end.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from gateway.model.moment import SECOND

DAY_MINUTES = 24 * 60

FORM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
"""How a time of day is written: 00:00 to 23:59."""
END_FORM = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
"""As :data:`FORM`, or the midnight at the day's end."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_of(text: str) -> int:
    """Minutes since midnight of ``HH:MM``."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def written(minute: int) -> str:
    """``minute`` as ``HH:MM``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def date_of(at: int, zone: tzinfo) -> date:
    """The date in ``zone`` at ``at`` (µs UTC)."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone).date()


@lru_cache(maxsize=4096)
def instant_at(day: date, minute: int, zone: tzinfo) -> int:
    """µs UTC at which the clocks of ``zone`` show ``minute`` of ``day``.

    Later clock times never give earlier instants: a time that comes twice is its first coming, a
    time that is left out is the instant at which the clocks jump over it.
    """
    shown = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    first = _seconds(shown, zone, fold=0)
    second = _seconds(shown, zone, fold=1)
    if first > second:
        # Left out: by the offset before the jump it comes after it, by the other one before.
        first = _jump(second, first, zone)
    return first * SECOND


def _seconds(shown: datetime, zone: tzinfo, *, fold: int) -> int:
    return round((shown.replace(tzinfo=zone, fold=fold) - _EPOCH).total_seconds())


def _jump(before: int, after: int, zone: tzinfo) -> int:
    """The first second of the offset that holds at ``after`` and not yet at ``before``."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(seconds: int, zone: tzinfo) -> timedelta | None:
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()

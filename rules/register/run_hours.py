"""How many hours equipment ran in each month, by the counters of its device. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from gateway.derive import growth
from gateway.model.equipment import Equipment
from gateway.model.point import Point, PointKind
from gateway.model.reading import Reading
from rules.shifts.local_time import date_of, instant_at

MONTHS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    first: date
    begin: int
    """µs UTC."""
    end: int
    """µs UTC; of the month that is not over, now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a counter says of one month."""

    month: Month
    point: Point
    hours: float | None
    """None: the counter fell, so nobody knows; the device was replaced, or it was set back."""
    total: float
    """h, what it said at the end."""
    at: int
    """µs UTC, when it said so."""


def counters(thing: Equipment) -> list[Point]:
    """The points of ``thing`` that count hours."""
    return [one for one in thing.points if one.kind is PointKind.NUMBER and one.unit == "h"]


def months(now: int, zone: tzinfo, count: int = MONTHS) -> list[Month]:
    """The last ``count`` months in ``zone`` up to ``now`` (µs UTC), the newest first."""
    found, end = [], now
    first = date_of(now, zone).replace(day=1)
    for _ in range(count):
        begin = instant_at(first, 0, zone)
        found.append(Month(first=first, begin=begin, end=end))
        first, end = (first - timedelta(days=1)).replace(day=1), begin
    return found


def ran(
    known: Sequence[Month], points: Sequence[Point], said: Mapping[int, Mapping[str, Reading]]
) -> list[Ran]:
    """``said``: by boundary of a month, what each counter said last before it. A month in which
    the counter said nothing new is left out, and so is one before which it was never heard. What
    was counted while nobody heard it belongs to the month in which it was heard again."""
    found = []
    for month in known:
        for point in points:
            before, after = said[month.begin].get(point.id), said[month.end].get(point.id)
            if before is None or after is None or after.received <= month.begin:
                continue
            if before.value is None or after.value is None:
                continue
            hours, is_sure = growth(before.value, after.value, None)
            found.append(
                Ran(
                    month=month,
                    point=point,
                    hours=hours if is_sure else None,
                    total=after.value,
                    at=after.received,
                )
            )
    return found

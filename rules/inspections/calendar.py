"""What is due when: exactly one round a regime, area and period. Pure.

A regime's round has a day, and a window of site-local times counted from that day. A time that a
change of the clocks leaves out is the moment of the change, one that comes twice its first coming.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gateway.model.moment import DAY, MINUTE
from rules.inspections import periods
from rules.inspections.regime import Days, Level, LocalTime, Regime
from rules.shifts.local_time import instant_at

IsWorking = Callable[[date], bool]
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One round that has to be. Times in µs UTC."""

    regime: str
    area: str | None
    """None: the whole site."""
    period: str
    day: date
    opens_at: int
    due_at: int
    late_until: int

    @property
    def id(self) -> str:
        return ".".join(part for part in (self.regime, self.area, self.period) if part)


def due(
    regimes: Iterable[tuple[Regime, str | None]],
    zone: ZoneInfo,
    is_working: IsWorking,
    first: date,
    last: date,
) -> Iterator[Due]:
    """The rounds whose day's own period (day, week, month) begins from ``first`` to ``last``.

    ``regimes``: each with an area in which it is in force.
    """
    for regime, area in regimes:
        for begin, day in _days(regime, is_working, first, last):
            window = regime.window
            opens = moment(day, window.opens, zone)
            due_at = _after(opens, day, (window.opens, window.due), zone)
            yield Due(
                regime=regime.id,
                area=area,
                period=_period(regime, begin),
                day=day,
                opens_at=opens,
                due_at=due_at,
                late_until=_after(due_at, day, (window.due, window.late_until), zone),
            )


def moment(day: date, local: LocalTime, zone: ZoneInfo) -> int:
    """``local`` of ``day`` in µs UTC."""
    return instant_at(day + local.days * _DAY, local.minutes, zone)


def _after(start: int, day: date, span: tuple[LocalTime, LocalTime], zone: ZoneInfo) -> int:
    """The end of ``span`` of ``day``, which begins at ``start``; a span that a change of the
    clocks has left out as a whole keeps its length."""
    end = moment(day, span[1], zone)
    days, minutes = span[1].days - span[0].days, span[1].minutes - span[0].minutes
    return end if end > start else start + days * DAY + minutes * MINUTE


def _days(
    regime: Regime, is_working: IsWorking, first: date, last: date
) -> Iterator[tuple[date, date]]:
    """(First day of the period, day of the round), in order."""
    for begin in _begins(regime.level, first, last):
        day = _day(regime, begin)
        if regime.days is Days.ALL or is_working(day):
            yield begin, day
        elif regime.level is not Level.DAILY:
            yield begin, _moved(regime.level, begin, day, is_working)


def _begins(level: Level, first: date, last: date) -> Iterator[date]:
    """The first days of the periods that begin from ``first`` to ``last``."""
    begin = periods.first_day(level, first)
    while begin <= last:
        if begin >= first:
            yield begin
        begin = periods.next_first_day(level, begin)


def _day(regime: Regime, begin: date) -> date:
    """The day of the round in the period that begins with ``begin``."""
    if regime.on is None:
        return begin
    last = periods.next_first_day(regime.level, begin) - _DAY
    return min(last, begin + (regime.on - 1) * _DAY)


def _moved(level: Level, begin: date, day: date, is_working: IsWorking) -> date:
    """The next working day of the same period, else the last one before; in a period without any
    it stays where it is: what has to be checked takes no holidays."""
    days = [begin + n * _DAY for n in range((periods.next_first_day(level, begin) - begin).days)]
    later = [other for other in days if other > day and is_working(other)]
    earlier = [other for other in days if other < day and is_working(other)]
    return later[0] if later else earlier[-1] if earlier else day


def _period(regime: Regime, begin: date) -> str:
    return periods.name_of(regime.level, begin - _DAY if regime.looks_back else begin)

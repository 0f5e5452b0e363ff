"""What is due when: exactly one round a regime, area and period. Pure.

A regime's round has a day, and a window of site-local times counted from that day; a round of a
shift has the window of its shift. A time that a change of the clocks leaves out is the moment of
the change, one that comes twice its first coming.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from zoneinfo import ZoneInfo

from gateway.model.moment import DAY, MINUTE
from rules.inspections import periods
from rules.inspections.recurrence import Recurrence
from rules.inspections.regime import Days, Level, LocalTime, Regime
from rules.shifts.local_time import date_of, instant_at
from rules.shifts.rotation import Rotation, ShiftDay

IsWorking = Callable[[date], bool]
_DAY = timedelta(days=1)
_SHIFT_NAME = 16
"""Characters of a shift's id in the id of a round, which the API takes up to 250 long."""
_LEFT_OUT = (Level.SHIFT, Level.DAILY)
"""On a day that is not worked there is no such round; others move."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One round that has to be. Times in µs UTC."""

    regime: str
    area: str | None
    """None: the whole site."""
    period: str
    begins: date
    """The first day of the period in which it is due."""
    day: date
    opens_at: int
    due_at: int
    late_until: int
    is_caught_up: bool = False
    """Its own window had passed: this is a later one."""

    @property
    def id(self) -> str:
        return ".".join(part for part in (self.regime, self.area, self.period) if part)

    def opened_late(self, now: int) -> Due:
        """The same, with its window from ``now`` on."""
        ahead = now - self.opens_at
        return replace(
            self,
            opens_at=now,
            due_at=self.due_at + ahead,
            late_until=self.late_until + ahead,
            is_caught_up=True,
        )


def due(
    regimes: Iterable[tuple[Regime, str | None]],
    zone: ZoneInfo,
    is_working: IsWorking,
    first: date,
    last: date,
    *,
    rotation: Rotation | None = None,
) -> Iterator[Due]:
    """The rounds of the periods (days, weeks, months …) that have a day from ``first`` to ``last``
    and have begun on ``last``.

    ``regimes``: each with an area in which it is in force. ``rotation``: which shifts there are;
    without one there are no rounds of shifts.
    """
    for regime, area in regimes:
        for begin, day in _days(regime, is_working, first, last):
            if regime.level is Level.SHIFT:
                for shift in () if rotation is None else rotation.of_date(day):
                    yield _of_shift(regime, area, shift)
            else:
                yield _of_day(regime, area, begin, day, zone)


def next_due(
    pair: tuple[Regime, str | None],
    zone: ZoneInfo,
    is_working: IsWorking,
    now: int,
    *,
    rotation: Rotation | None = None,
) -> Due | None:
    """The next round that is due after ``now`` (µs UTC), of this and the next period; by a rule
    within a good year. None: there is none."""
    regime, today = pair[0], date_of(now, zone)
    behind = periods.next_first_day(regime.level, periods.first_day(regime.level, today))
    last = today + timedelta(days=400) if regime.recurs else behind + _DAY
    found = due([pair], zone, is_working, today - _DAY, last, rotation=rotation)
    return next((one for one in found if one.due_at > now), None)


def moment(day: date, local: LocalTime, zone: ZoneInfo) -> int:
    """``local`` of ``day`` in µs UTC."""
    return instant_at(day + local.days * _DAY, local.minutes, zone)


def _of_day(regime: Regime, area: str | None, begin: date, day: date, zone: ZoneInfo) -> Due:
    window = regime.window_in(area)
    opens = moment(day, window.opens, zone)
    due_at = _after(opens, day, (window.opens, window.due), zone)
    of = begin - _DAY if regime.looks_back else begin
    return Due(
        regime=regime.id,
        area=area,
        period=periods.name_of(regime.level, of),
        begins=begin,
        day=day,
        opens_at=opens,
        due_at=due_at,
        late_until=_after(due_at, day, (window.due, window.late_until), zone),
    )


def _of_shift(regime: Regime, area: str | None, held: ShiftDay) -> Due:
    window = regime.shift_window
    assert window is not None, f"{regime.id} is not of a shift"
    opens = held.starts + window.opens_after
    if window.opens_before_end is not None:
        opens = max(held.starts, held.ends - window.opens_before_end)
    due_at = max(opens + MINUTE, held.ends - window.due_before_end)
    return Due(
        regime=regime.id,
        area=area,
        period=periods.name_of(Level.SHIFT, held.date, _short(held.shift.id)),
        begins=held.date,
        day=held.date,
        opens_at=opens,
        due_at=due_at,
        late_until=due_at + window.late_by,
    )


def _short(shift: str) -> str:
    """``shift`` in at most :data:`_SHIFT_NAME` characters, and still its own."""
    if len(shift) <= _SHIFT_NAME:
        return shift
    return f"{shift[: _SHIFT_NAME - 7]}-{sha256(shift.encode()).hexdigest()[:6]}"


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
    level = regime.level
    wanted = _recurring if regime.recurs else _plain
    for begin, day in wanted(regime, periods.first_day(level, first), last):
        if regime.days is Days.ALL or is_working(day):
            yield begin, day
        elif level not in _LEFT_OUT:
            yield begin, _moved(level, begin, day, is_working)


def _plain(regime: Regime, begin: date, last: date) -> Iterator[tuple[date, date]]:
    """One in each period."""
    while begin <= last:
        yield begin, _day(regime, begin)
        begin = periods.next_first_day(regime.level, begin)


def _recurring(regime: Regime, begin: date, last: date) -> Iterator[tuple[date, date]]:
    """One in each period in which the rule has a day: its first."""
    assert regime.recurs is not None
    level = regime.level
    end = periods.next_first_day(level, periods.first_day(level, last)) - _DAY
    days = regime.recurs.days(begin, end)
    for of, held in groupby(days, lambda day: periods.first_day(level, day)):
        yield of, next(held)


def _day(regime: Regime, begin: date) -> date:
    """The day of the round in the period that begins with ``begin``."""
    if regime.on is None:
        return begin
    end = periods.next_first_day(regime.level, begin)
    if regime.level in periods.MONTHS:
        begin = periods.month_after(begin, regime.month - 1)
        end = periods.month_after(begin, 1)
    return min(end - _DAY, begin + (regime.on - 1) * _DAY)


def _moved(level: Level, begin: date, day: date, is_working: IsWorking) -> date:
    """The next working day of the same period, else the last one before; in a period without any
    it stays where it is: what has to be checked takes no holidays."""
    end = periods.next_first_day(level, begin)
    later = (day + n * _DAY for n in range(1, (end - day).days))
    earlier = (day - n * _DAY for n in range(1, (day - begin).days + 1))
    return next(filter(is_working, (*later, *earlier)), day)


def twice_in_a_period(level: Level, recurs: Recurrence) -> str | None:
    """A period in which the rule has two days, of four years; None if there is none such.

    Raises ``ValueError`` for a rule that never comes in these.
    """
    first = recurs.starts or date(2001, 1, 1)
    days = recurs.days(first, first.replace(year=first.year + 4, day=1))
    if not days:
        raise ValueError("never comes")
    for begin, held in groupby(days, lambda day: periods.first_day(level, day)):
        if len(list(held)) > 1:
            return periods.name_of(level, begin)
    return None

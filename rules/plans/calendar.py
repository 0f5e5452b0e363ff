"""What is due when: exactly one a plan, subject and day, or a plan, subject and number. Pure.

A day that is not worked moves, but what is due keeps its name: that is made of the day as the plan
says it, so a changed calendar moves it and makes no second one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from rules.plans.plan import Days, Plan, Schedule, SinceLast, Trigger
from rules.shifts.local_time import instant_at

IsWorking = Callable[[date], bool]
_DAY = timedelta(days=1)
_LONGEST_BREAK = 31
"""Days for which a working day is looked for: no arrangement of holidays is longer."""
MOVED_AT_MOST = timedelta(days=_LONGEST_BREAK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """When things happen to what is due on a day; µs UTC."""

    notice_at: int | None
    opens_at: int
    """Its order is raised."""
    due_at: int
    """The end of its day."""
    overdue_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One that has to be."""

    plan: str
    subject: str
    period: str
    """The day as the plan says it, or a number such as ``n0003``."""
    trigger: Trigger
    number: int | None
    """Of those counted from the last time."""
    day: date | None
    """None: only a counter knows."""
    times: Times | None

    @property
    def id(self) -> str:
        return f"{self.plan}.{self.subject}.{self.period}"


def scheduled(
    plan: Plan, subject: str, zone: ZoneInfo, is_working: IsWorking, *, first: date, last: date
) -> Iterator[Due]:
    """Those of a plan by schedule whose own day, before it moves, is from ``first`` to ``last``."""
    if not isinstance(plan.trigger, Schedule):
        return
    for said in days_of(plan.trigger, subject, first, last):
        day = moved(plan.days, said, is_working)
        yield Due(
            plan=plan.id,
            subject=subject,
            period=said.isoformat(),
            trigger=Trigger.SCHEDULE,
            number=None,
            day=day,
            times=times_of(plan, day, zone),
        )


def following(
    plan: Plan, subject: str, zone: ZoneInfo, is_working: IsWorking, *, number: int, last: date
) -> Due:
    """The one with ``number`` of a plan that counts from the last time; ``last``: when that
    was."""
    assert isinstance(plan.trigger, SinceLast)
    after = plan.trigger.after
    day = None if after is None else moved(plan.days, after.after(last), is_working)
    return Due(
        plan=plan.id,
        subject=subject,
        period=f"n{number:04d}",
        trigger=Trigger.COUNTER if after is None else Trigger.COMPLETION,
        number=number,
        day=day,
        times=None if day is None else times_of(plan, day, zone),
    )


def times_of(plan: Plan, day: date, zone: ZoneInfo) -> Times:
    notice = None
    if plan.advance is not None:
        notice = instant_at(day - plan.advance.days * _DAY, plan.at, zone)
    return Times(
        notice_at=notice,
        opens_at=instant_at(day - plan.allowed * _DAY, plan.at, zone),
        due_at=instant_at(day + _DAY, 0, zone),
        overdue_at=instant_at(day + (plan.grace + 1) * _DAY, 0, zone),
    )


def days_of(schedule: Schedule, subject: str, first: date, last: date) -> Iterator[date]:
    """The days after the anchor that the schedule says, from ``first`` to ``last``."""
    anchor = schedule.anchor_of(subject)
    if schedule.rule is not None:
        begin = max(first, anchor + _DAY)
        if begin <= last:
            found = rule_of(schedule.rule, anchor).between(_noon(begin), _noon(last), inc=True)
            yield from (one.date() for one in found)
        return
    assert schedule.every is not None
    every = schedule.every
    # Not from the first of all: a site runs for years.
    times = max(1, (first - anchor).days // every.most_days)
    while (day := every.after(anchor, times)) <= last:
        if day >= first:
            yield day
        times += 1


@lru_cache(maxsize=256)
def rule_of(text: str, anchor: date) -> rrule | rruleset:
    """``text`` (an RRULE) from ``anchor`` on; raises ``ValueError``."""
    return rrulestr(text, dtstart=_noon(anchor), cache=True)


def moved(days: Days, day: date, is_working: IsWorking) -> date:
    """``day``, or the working day in its place; where there is none for a month it stays."""
    if days is Days.ALL or is_working(day):
        return day
    step = -_DAY if days is Days.EARLIER else _DAY
    tried = (day + number * step for number in range(1, _LONGEST_BREAK + 1))
    return next((other for other in tried if is_working(other)), day)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)

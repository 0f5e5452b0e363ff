"""The clock of a work order: nothing of it is stored that can be computed.

The facts are the time allowed, the instant at which it is over, and the instant of completion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from gateway.model.point import Text
from rules.rule import Priority
from rules.shifts.calendar import Calendar


class ClockState(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    """Completed in time."""
    BREACHED = "breached"
    """Not completed, or completed, after the time allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    limit: int
    """µs allowed."""
    due: Instant
    remaining: int
    """µs left; negative after the end. Stands still once the order is completed."""
    state: ClockState
    in_working_time: bool = False
    """Whether the time allowed was counted in working hours; what is left never is."""


def runs_in_working_time(priority: Priority) -> bool:
    """Whether an order's time is counted in the site's working hours, or without a pause."""
    return priority is Priority.MINOR


def clock(
    *,
    limit: int,
    due: Instant,
    completed: Instant | None,
    now: Instant,
    in_working_time: bool = False,
) -> Clock:
    """The clock as it stands at ``now``."""
    remaining = -(completed or now).since(due)
    if remaining < 0 or (remaining == 0 and completed is None):
        state = ClockState.BREACHED
    else:
        state = ClockState.RUNNING if completed is None else ClockState.STOPPED
    return Clock(
        limit=limit, due=due, remaining=remaining, state=state, in_working_time=in_working_time
    )


def due_of(created: Instant, limit: int, now: Instant, calendar: Calendar | None = None) -> Instant:
    """When an order made at ``created`` is due, as the clocks of ``now``'s machine show it.

    ``calendar``: the limit is counted in its working hours, a whole day of it as one working
    day; None: it runs day and night. The result is an instant like any other, which a later
    change of the calendar does not move.

    An instant of another boot (another machine's, or before a restart) is laid on this boot's
    monotonic clock, so that from now on a step of the wall clock does not move it.
    """
    if calendar is None:
        due = created.plus(limit)
    else:
        due = _at_wall(created, calendar.after(created.wall, calendar.working_span(limit)))
    if due.boot == now.boot:
        return due
    return Instant(wall=due.wall, mono=now.mono + due.wall - now.wall, boot=now.boot)


def resumed(
    due: Instant, completed: Instant, now: Instant, calendar: Calendar | None = None
) -> Instant:
    """When an order is due that comes back to life: the time it lay completed does not count.

    ``calendar``: as for :func:`due_of`; the working time that was left is left again.
    """
    rest = max(0, now.since(completed))
    left = 0 if calendar is None else calendar.working_time(completed.wall, due.wall)
    if calendar is None or left == 0:
        return due.plus(rest)
    return _at_wall(now, calendar.after(now.wall, left))


def _at_wall(anchor: Instant, wall: int) -> Instant:
    """The instant at which the wall clock of ``anchor``'s machine shows ``wall``."""
    return anchor.plus(wall - anchor.wall)


def explain(clock: Clock, zone: tzinfo = UTC) -> Text:
    """The clock in words: what is allowed, from when it follows, and how it stands."""
    due = datetime.fromtimestamp(clock.due.wall / SECOND, tz=UTC).astimezone(zone)
    at = f"{due:%Y-%m-%d %H:%M:%S}"
    limit = _limit(clock)
    rest = _span(abs(clock.remaining))
    match clock.state:
        case ClockState.RUNNING:
            zh, en = f"还剩 {rest.zh}", f"{rest.en} left"
        case ClockState.STOPPED:
            zh, en = f"已按时完工，余 {rest.zh}", f"completed with {rest.en} to spare"
        case ClockState.BREACHED:
            zh, en = f"超时 {rest.zh}", f"{rest.en} too late"
    return Text(
        zh=f"限时 {limit.zh}，应于 {at} 前完工；{zh}",
        en=f"{limit.en} allowed, due {at}; {en}",
    )


def _limit(clock: Clock) -> Text:
    if not clock.in_working_time:
        return _span(clock.limit)
    days, rest = divmod(clock.limit, DAY)
    span = _span(rest)
    zh = [f"{days} 个工作日"] if days else []
    en = [f"{days} working {'day' if days == 1 else 'days'}"] if days else []
    if rest or not days:
        zh.append(f"工作时间 {span.zh}")
        en.append(f"{span.en} of working time")
    return Text(zh=" ".join(zh), en=" ".join(en))


def _span(span: int) -> Text:
    hours, rest = divmod(span, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = rest // SECOND
    if hours:
        return Text(zh=f"{hours} 小时 {minutes} 分", en=f"{hours} h {minutes} min")
    if minutes:
        return Text(zh=f"{minutes} 分 {seconds} 秒", en=f"{minutes} min {seconds} s")
    return Text(zh=f"{seconds} 秒", en=f"{seconds} s")

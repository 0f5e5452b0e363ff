"""The clocks of a work order: nothing of them is stored that can be computed.

The facts are what is allowed, when it began, when nobody could go on, and when it was done. From
them follows at every moment when the clock is due, what is left of it and why it does not run.
So a limit that is changed is simply reckoned again, and no pause is ever forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.moment import Instant
from rules.priority import Priority
from rules.shifts.calendar import Calendar


class ClockName(StrEnum):
    RESPOND = "respond"
    """Until somebody takes the order."""
    ARRIVE = "arrive"
    """Until somebody is there, or at work."""
    COMPLETE = "complete"


class CalendarKind(StrEnum):
    ALWAYS = "always"
    WORKING_TIME = "working_time"


class ClockState(StrEnum):
    WAITING = "waiting"
    """For the order to be accepted: its limit is counted from there."""
    RUNNING = "running"
    PAUSED = "paused"
    """The order is suspended, or it is outside working hours."""
    STOPPED = "stopped"
    """Reached in time."""
    BREACHED = "breached"
    """Not reached, or reached after the time allowed."""


DONE = "done"
"""Why the clocks did not run while an order lay completed that has come back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A stretch that no clock of the order counts."""

    start: Instant
    end: Instant | None
    """None: it is not over."""
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The facts."""

    name: ClockName
    limit: int
    """µs allowed; in working time a whole day is one working day."""
    calendar: CalendarKind
    started: Instant | None
    """None: it waits for the order to be accepted."""
    due: Instant | None = None
    """What its timer waits for; None: not reckoned yet."""
    stopped: Instant | None = None
    breached_at: int | None = None
    steps_taken: int = 0
    """Of its escalation."""

    @property
    def is_running(self) -> bool:
        return self.started is not None and self.stopped is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A clock as it stands at one moment."""

    state: ClockState
    due: Instant
    """While it does not run: as if it went on now."""
    remaining: int
    """µs left, of working time where that is what is counted; negative once it is over."""
    counted: int
    """µs that have been counted."""
    paused: int
    """µs that nobody could go on."""
    pause: Pause | None
    """The one that is not over."""
    is_outside: bool
    """Of a clock that runs in working time: it is not working time now."""


def runs_in_working_time(priority: Priority) -> bool:
    """Whether the end that a rule sets for such an order is counted in working hours."""
    return priority is Priority.MINOR


def calendar_kind(priority: Priority) -> CalendarKind:
    in_working_time = runs_in_working_time(priority)
    return CalendarKind.WORKING_TIME if in_working_time else CalendarKind.ALWAYS


def stand(clock: Clock, pauses: Sequence[Pause], now: Instant, calendar: Calendar) -> Standing:
    """The clock at ``now``."""
    counted, paused = measured(clock, pauses, clock.stopped or now, calendar)
    remaining = allowed(clock, calendar) - counted
    pause = _open(pauses) if clock.is_running else None
    is_outside = clock.calendar is CalendarKind.WORKING_TIME and (
        calendar.next_working_moment(now.wall) != now.wall
    )
    return Standing(
        state=_state(clock, remaining, is_paused=pause is not None or is_outside),
        due=due_of(clock, pauses, now, calendar),
        remaining=remaining,
        counted=counted,
        paused=paused,
        pause=pause,
        is_outside=is_outside,
    )


def due_of(clock: Clock, pauses: Sequence[Pause], now: Instant, calendar: Calendar) -> Instant:
    """When all that is allowed is used up, from nothing but the facts."""
    return when(clock, pauses, now, calendar, allowed(clock, calendar))


def when(
    clock: Clock, pauses: Sequence[Pause], now: Instant, calendar: Calendar, span: int
) -> Instant:
    """When the clock has counted, or will have counted, ``span`` µs.

    1. Count along the stretches that count; the last one has no end while the clock runs.
    2. Where they end before, it goes on from now, or from when it was stopped.

    While the clock runs this does not depend on ``now``, which may be read from a clock that is
    wrong.
    """
    if clock.started is None:
        return _after(clock, calendar, now, span)
    pause = _open(pauses)
    end = clock.stopped or (None if pause is None else pause.start)
    left = span
    for start, over in stretches(clock, pauses, end):
        counted = left if over is None else _measure(clock, calendar, start, over)
        if left <= counted:
            return _after(clock, calendar, start, left)
        left -= counted
    return _after(clock, calendar, clock.stopped or now, left)


def stretches(
    clock: Clock, pauses: Sequence[Pause], end: Instant | None
) -> list[tuple[Instant, Instant | None]]:
    """The times that count, from the start until ``end`` (None: for ever), without the pauses."""
    found: list[tuple[Instant, Instant | None]] = []
    at = clock.started
    for pause in pauses:
        if at is None or (end is not None and end.since(pause.start) <= 0):
            break
        if pause.end is not None and pause.end.since(at) <= 0:
            continue
        if pause.start.since(at) > 0:
            found.append((at, pause.start))
        at = pause.end
    if at is not None and (end is None or end.since(at) > 0):
        found.append((at, end))
    return found


def measured(
    clock: Clock, pauses: Sequence[Pause], end: Instant, calendar: Calendar
) -> tuple[int, int]:
    """µs that the clock has counted until ``end``, and µs in which it could not go on."""
    counted, run = 0, 0
    for start, over in stretches(clock, pauses, end):
        assert over is not None
        counted += _measure(clock, calendar, start, over)
        run += over.since(start)
    elapsed = 0 if clock.started is None else max(0, end.since(clock.started))
    return counted, elapsed - run


def allowed(clock: Clock, calendar: Calendar) -> int:
    """µs that the clock may count."""
    if clock.calendar is CalendarKind.WORKING_TIME:
        return calendar.working_span(clock.limit)
    return clock.limit


def near(at: Instant, now: Instant) -> Instant:
    """``at`` on the monotonic clock of ``now``'s boot, wherever it was read; not later than
    ``now``, for whoever read it may have a clock that is ahead."""
    if at.since(now) > 0:
        return now
    if at.boot == now.boot:
        return at
    return Instant(wall=at.wall, mono=now.mono + at.wall - now.wall, boot=now.boot)


def _state(clock: Clock, remaining: int, *, is_paused: bool) -> ClockState:
    if clock.started is None:
        return ClockState.WAITING
    if clock.breached_at is not None or remaining < 0:
        return ClockState.BREACHED
    if clock.stopped is not None:
        return ClockState.STOPPED
    if remaining == 0:
        return ClockState.BREACHED
    return ClockState.PAUSED if is_paused else ClockState.RUNNING


def _open(pauses: Sequence[Pause]) -> Pause | None:
    return next((pause for pause in pauses if pause.end is None), None)


def _measure(clock: Clock, calendar: Calendar, start: Instant, end: Instant) -> int:
    if clock.calendar is CalendarKind.WORKING_TIME:
        return calendar.working_time(start.wall, end.wall)
    return end.since(start)


def _after(clock: Clock, calendar: Calendar, start: Instant, left: int) -> Instant:
    if clock.calendar is CalendarKind.ALWAYS:
        return start.plus(left)
    return start.plus(calendar.after(start.wall, left) - start.wall)

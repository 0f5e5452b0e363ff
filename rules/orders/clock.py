"""The clock of a work order: nothing of it is stored that can be computed.

The facts are the time allowed, the instant at which it is over, and the instant of completion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from gateway.model.point import Text


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


def clock(*, limit: int, due: Instant, completed: Instant | None, now: Instant) -> Clock:
    """The clock as it stands at ``now``."""
    remaining = -(completed or now).since(due)
    if remaining < 0 or (remaining == 0 and completed is None):
        state = ClockState.BREACHED
    else:
        state = ClockState.RUNNING if completed is None else ClockState.STOPPED
    return Clock(limit=limit, due=due, remaining=remaining, state=state)


def due_of(created: Instant, limit: int, now: Instant) -> Instant:
    """When an order made at ``created`` is due, as the clocks of ``now``'s machine show it.

    An instant of another boot (another machine's, or before a restart) is laid on this boot's
    monotonic clock, so that from now on a step of the wall clock does not move it.
    """
    due = created.plus(limit)
    if due.boot == now.boot:
        return due
    return Instant(wall=due.wall, mono=now.mono + due.wall - now.wall, boot=now.boot)


def resumed(due: Instant, completed: Instant, now: Instant) -> Instant:
    """When an order is due that comes back to life: the time it lay completed does not count."""
    return due.plus(max(0, now.since(completed)))


def explain(clock: Clock, zone: tzinfo = UTC) -> Text:
    """The clock in words: what is allowed, from when it follows, and how it stands."""
    due = datetime.fromtimestamp(clock.due.wall / SECOND, tz=UTC).astimezone(zone)
    at = f"{due:%Y-%m-%d %H:%M:%S}"
    limit = _span(clock.limit)
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


def _span(span: int) -> Text:
    hours, rest = divmod(span, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = rest // SECOND
    if hours:
        return Text(zh=f"{hours} 小时 {minutes} 分", en=f"{hours} h {minutes} min")
    if minutes:
        return Text(zh=f"{minutes} 分 {seconds} 秒", en=f"{minutes} min {seconds} s")
    return Text(zh=f"{seconds} 秒", en=f"{seconds} s")

"""How far a counter has grown since the last time. Pure.

A counter that is set back, goes over, or belongs to a device that was replaced never makes
anything due by that alone: what cannot have been growth is not counted, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.derive import growth
from gateway.model.moment import DAY
from rules.plans.plan import CounterGoal

_SLACK = 1.05
"""Of the most that it can grow: clocks of devices are not exact."""


class Turn(StrEnum):
    """What a reading meant, where it was not growth."""

    SET_BACK = "set_back"
    """It counts on from below: somebody reset it, or the device was replaced."""
    JUMPED = "jumped"
    """It grew by more than it can: the device was replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    grown: float = 0.0
    """Since the last time that the work was done."""
    last: float | None = None
    """What the counter said last; None: it was never heard."""
    last_at: int | None = None
    """µs UTC, receive time of that."""
    fallen: float | None = None
    """From where it fell, as long as it has not counted on since: a device that says 0 for once
    has not been reset."""
    fallen_at: int | None = None
    """When it said that."""
    turns: int = 0
    """How often it was set back or jumped."""


def fed(count: Count, goal: CounterGoal, value: float, at: int) -> tuple[Count, Turn | None]:
    """``count`` after the counter said ``value`` at ``at`` (µs UTC, receive time)."""
    if count.last is None or count.last_at is None:
        return replace(count, last=value, last_at=at), None
    if at <= count.last_at:
        return count, None
    went_over, is_sure = growth(count.last, value, goal.rollover)
    if value < count.last and not (is_sure and _can_be(went_over, at - count.last_at, goal)):
        fallen, fallen_at = count.fallen, count.fallen_at
        if fallen is None or count.last > fallen:
            fallen, fallen_at = count.last, count.last_at
        return replace(count, last=value, last_at=at, fallen=fallen, fallen_at=fallen_at), None
    now = replace(count, last=value, last_at=at)
    if value == count.last:
        return now, None
    turn, step, since = None, went_over, count.last_at
    if count.fallen is not None and count.fallen_at is not None:
        now = replace(now, fallen=None, fallen_at=None)
        if value >= count.fallen:
            step, since = value - count.fallen, count.fallen_at
        else:
            turn = Turn.SET_BACK
    if not _can_be(step, at - since, goal):
        turn, step = Turn.JUMPED, 0.0
    return replace(now, grown=now.grown + step, turns=now.turns + (turn is not None)), turn


def is_reached(count: Count, goal: CounterGoal) -> bool:
    return count.grown >= goal.every


def started_anew(count: Count) -> Count:
    """The work was done: it is counted from here."""
    return replace(count, grown=0.0)


def _can_be(step: float, passed: int, goal: CounterGoal) -> bool:
    """Whether it can have grown by ``step`` in ``passed`` µs. One unit more is always possible:
    many devices count whole ones."""
    return step <= goal.most_per_day * passed / DAY * _SLACK + 1

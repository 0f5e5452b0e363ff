"""The life of what is due of a plan. Only what somebody or something did is stored; whether it is
due, late or overdue follows from its times and the clock, and whether it is under way or done from
its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules import lifecycle


class DueState(StrEnum):
    NEW = "new"
    """Before it is written; no row has this state."""
    PLANNED = "planned"
    DUE = "due"
    """Its order is raised."""
    IN_PROGRESS = "in_progress"
    LATE = "late"
    """After its day, within the grace."""
    OVERDUE = "overdue"
    DONE = "done"
    MISSED = "missed"
    """It was not done before the next one was due, which has its order now."""
    VOID = "void"


class DueEvent(StrEnum):
    PLAN = "plan"
    MOVE = "move"
    """Calendar or plan, or when the last one was done, give it another day."""
    ANNOUNCE = "announce"
    """Its advance notice is raised."""
    OPEN = "open"
    """Its order is raised, or it takes over the one of what was missed."""
    COUNTER = "counter"
    """A counter of it was set back or jumped."""
    TICK = "tick"
    """Somebody says that a step of it is done."""
    UNTICK = "untick"
    """It was not, after all."""
    POSTPONE = "postpone"
    RECORD = "record"
    """Somebody records that it was done without an order."""
    MISS = "miss"
    VOID = "void"
    WITHDRAW = "withdraw"
    """The plan no longer has it, and it was not opened."""
    RESTORE = "restore"
    """What was withdrawn is in force again."""


_S, _E = DueState, DueEvent
_OWED = (_S.DUE, _S.IN_PROGRESS, _S.LATE, _S.OVERDUE)
OPEN = _OWED
"""It has to be done now."""
NOT_OVER = (_S.PLANNED, *_OWED)

TRANSITIONS: Mapping[tuple[DueState, DueEvent], DueState] = {
    (_S.NEW, _E.PLAN): _S.PLANNED,
    (_S.PLANNED, _E.OPEN): _S.DUE,
    (_S.VOID, _E.RESTORE): _S.PLANNED,
    **{
        (state, event): state
        for state in NOT_OVER
        for event in (_E.MOVE, _E.ANNOUNCE, _E.COUNTER, _E.TICK, _E.UNTICK, _E.POSTPONE)
    },
    **{(state, _E.RECORD): _S.DONE for state in NOT_OVER},
    **{(state, _E.MISS): _S.MISSED for state in NOT_OVER},
    **{(state, _E.VOID): _S.VOID for state in NOT_OVER},
    **{(state, _E.WITHDRAW): _S.VOID for state in NOT_OVER},
}
"""What is done to it. Time alone leads from due to late and overdue; its order to in progress and
to done, and back where the work was not good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of it; times in µs UTC."""

    opens_at: int | None
    """None: only a counter knows; the two below then too."""
    due_at: int | None
    overdue_at: int | None
    opened_at: int | None = None
    started_at: int | None = None
    """When somebody took its order."""
    done_at: int | None = None
    missed_at: int | None = None
    void_at: int | None = None

    @property
    def is_over(self) -> bool:
        return (self.done_at, self.missed_at, self.void_at) != (None, None, None)


def state_of(facts: Facts, now: int) -> DueState:
    """The state at ``now`` (µs UTC)."""
    deeds = (
        (facts.void_at, _S.VOID),
        (facts.missed_at, _S.MISSED),
        (facts.done_at, _S.DONE),
    )
    for at, state in deeds:
        if at is not None:
            return state
    if facts.overdue_at is not None and now >= facts.overdue_at:
        return _S.OVERDUE
    if facts.due_at is not None and now >= facts.due_at:
        return _S.LATE
    if facts.opened_at is not None:
        return _S.DUE if facts.started_at is None else _S.IN_PROGRESS
    return _S.PLANNED


def step(state: DueState, event: DueEvent, *, due: str) -> DueState:
    """The state after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=due)

"""The life of a round. Only what somebody or something did is stored (opened, begun, done,
countersigned, void); whether it is due, late or missed follows from its times and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules import lifecycle


class RoundState(StrEnum):
    NEW = "new"
    """Before it is written; no row has this state."""
    PLANNED = "planned"
    DUE = "due"
    IN_PROGRESS = "in_progress"
    LATE = "late"
    """Still to be done, after the time at which it was due."""
    MISSED = "missed"
    DONE = "done"
    COUNTERSIGNED = "countersigned"
    VOID = "void"


class RoundEvent(StrEnum):
    PLAN = "plan"
    OPEN = "open"
    """Its time has come: its items are laid out and what telemetry proves is filled in."""
    BEGIN = "begin"
    """Somebody gave the first answer."""
    ENTER = "enter"
    FINISH = "finish"
    COUNTERSIGN = "countersign"
    MOVE = "move"
    """Calendar or regime have given it another time before it opened."""
    SET_BACK = "set_back"
    """The clock that opened it was ahead, and nobody has answered anything."""
    CATCH_UP = "catch_up"
    """Its whole window passed while the duty room was away, and it gets another one."""
    RESTORE = "restore"
    """What was withdrawn is in force again."""
    WITHDRAW = "withdraw"
    """Its regime, its area or its day is no longer in force, and it was not opened."""


TRANSITIONS: Mapping[tuple[RoundState, RoundEvent], RoundState] = {
    (RoundState.NEW, RoundEvent.PLAN): RoundState.PLANNED,
    (RoundState.PLANNED, RoundEvent.MOVE): RoundState.PLANNED,
    (RoundState.PLANNED, RoundEvent.SET_BACK): RoundState.PLANNED,
    (RoundState.MISSED, RoundEvent.CATCH_UP): RoundState.DUE,
    (RoundState.VOID, RoundEvent.RESTORE): RoundState.PLANNED,
    (RoundState.PLANNED, RoundEvent.WITHDRAW): RoundState.VOID,
    (RoundState.DUE, RoundEvent.WITHDRAW): RoundState.VOID,
    (RoundState.LATE, RoundEvent.WITHDRAW): RoundState.VOID,
    (RoundState.PLANNED, RoundEvent.OPEN): RoundState.DUE,
    (RoundState.DUE, RoundEvent.BEGIN): RoundState.IN_PROGRESS,
    (RoundState.DUE, RoundEvent.FINISH): RoundState.DONE,
    (RoundState.IN_PROGRESS, RoundEvent.ENTER): RoundState.IN_PROGRESS,
    (RoundState.IN_PROGRESS, RoundEvent.FINISH): RoundState.DONE,
    (RoundState.LATE, RoundEvent.BEGIN): RoundState.LATE,
    (RoundState.LATE, RoundEvent.ENTER): RoundState.LATE,
    (RoundState.LATE, RoundEvent.FINISH): RoundState.DONE,
    (RoundState.DONE, RoundEvent.COUNTERSIGN): RoundState.COUNTERSIGNED,
}
"""What is done to a round. Time alone leads from planned or due to late, and from there to
missed; a round that was not opened in time is opened as planned."""

OPEN = (RoundState.DUE, RoundState.IN_PROGRESS, RoundState.LATE)
"""Somebody can and should do it now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What of a round is stored; times in µs UTC."""

    opens_at: int
    due_at: int
    late_until: int
    started_at: int | None = None
    """The first answer of a person."""
    done_at: int | None = None
    countersigned_at: int | None = None
    void_at: int | None = None


def state_of(facts: Facts, now: int) -> RoundState:
    """The state at ``now`` (µs UTC)."""
    deeds = (
        (facts.void_at, RoundState.VOID),
        (facts.countersigned_at, RoundState.COUNTERSIGNED),
        (facts.done_at, RoundState.DONE),
    )
    for at, state in deeds:
        if at is not None:
            return state
    if now < facts.opens_at:
        return RoundState.PLANNED
    if now >= facts.late_until:
        return RoundState.MISSED
    if now >= facts.due_at:
        return RoundState.LATE
    return RoundState.DUE if facts.started_at is None else RoundState.IN_PROGRESS


def step(state: RoundState, event: RoundEvent, *, round_id: str) -> RoundState:
    """The state of the round after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=round_id)

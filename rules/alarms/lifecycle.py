"""The life of one alarm occurrence, after ISA-18.2: the condition, and what is acknowledged.

A relapse is a new occurrence with a new id, so nothing leads back to ``normal``: an occurrence
is over when its condition has returned (or nobody judges it any more) and somebody has
acknowledged it, in either order.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules import lifecycle


class AlarmState(StrEnum):
    NORMAL = "normal"
    """Before it is raised; no row has this state."""
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    CLOSED = "closed"

    @property
    def present(self) -> bool:
        """Whether the condition itself is there."""
        return self in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


class AlarmEvent(StrEnum):
    RAISE = "raise"
    ACKNOWLEDGE = "acknowledge"
    CLEAR = "clear"
    """The condition has returned to normal; never because data are missing."""
    WITHDRAW = "withdraw"
    """Rule or equipment are no longer in force: nothing judges the condition any more."""


TRANSITIONS: Mapping[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (AlarmState.NORMAL, AlarmEvent.RAISE): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.CLEAR): AlarmState.RETURNED_UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.WITHDRAW): AlarmState.RETURNED_UNACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, AlarmEvent.CLEAR): AlarmState.CLOSED,
    (AlarmState.ACKNOWLEDGED, AlarmEvent.WITHDRAW): AlarmState.CLOSED,
    (AlarmState.RETURNED_UNACKNOWLEDGED, AlarmEvent.ACKNOWLEDGE): AlarmState.CLOSED,
}

PRESENT = tuple(state for state in AlarmState if state.present)
NOT_CLOSED = (*PRESENT, AlarmState.RETURNED_UNACKNOWLEDGED)


def step(state: AlarmState, event: AlarmEvent, *, alarm: str) -> AlarmState:
    """The state of ``alarm`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=alarm)

"""The life of one alarm occurrence, after ISA-18.2: the condition, and what is acknowledged.

An occurrence is over when its condition has returned (or nobody judges it any more) and somebody
has acknowledged it, in either order. Until then a relapse is the same occurrence; afterwards it
is a new one with a new id, so nothing leads back to ``normal``.

Three states say that it is there and that nobody is called for it: somebody has put it on the
shelf for a time, another alarm explains it, or its equipment is out of service. What is judged
goes on being judged: each ends by itself when the condition returns.
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
    LATCHED = "latched"
    """Returned and acknowledged, and its rule wants somebody to have looked before it is over."""
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    """Explained by another alarm: what feeds it, or what it is read through."""
    OUT_OF_SERVICE = "out_of_service"
    CLOSED = "closed"

    @property
    def present(self) -> bool:
        """Whether the condition itself is there."""
        return self in _PRESENT


class AlarmEvent(StrEnum):
    RAISE = "raise"
    RELAPSE = "relapse"
    """The condition is back before anybody has acknowledged or reset it."""
    ACKNOWLEDGE = "acknowledge"
    EXPIRE = "expire"
    """The acknowledgement has held for its time and the condition is still there."""
    CLEAR = "clear"
    """The condition has returned to normal; never because data are missing."""
    LATCH = "latch"
    """It would be over by now, but its rule latches."""
    RESET = "reset"
    WITHDRAW = "withdraw"
    """Rule or equipment are no longer in force: nothing judges the condition any more."""
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    """Taken off the shelf by hand; who does that has seen it."""
    SHELF_OVER = "shelf_over"
    SUPPRESS = "suppress"
    RELEASE = "release"
    """What explained it is over, and it is still there."""
    TAKE_OUT = "take_out"
    """Its equipment goes out of service."""
    BRING_BACK = "bring_back"


_S, _E = AlarmState, AlarmEvent
_PRESENT = (_S.UNACKNOWLEDGED, _S.ACKNOWLEDGED, _S.SHELVED, _S.SUPPRESSED, _S.OUT_OF_SERVICE)

TRANSITIONS: Mapping[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (_S.NORMAL, _E.RAISE): _S.UNACKNOWLEDGED,
    (_S.NORMAL, _E.SHELVE): _S.SHELVED,
    (_S.NORMAL, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.NORMAL, _E.TAKE_OUT): _S.OUT_OF_SERVICE,
    (_S.UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.CLEAR): _S.RETURNED_UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.WITHDRAW): _S.RETURNED_UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.SHELVE): _S.SHELVED,
    (_S.UNACKNOWLEDGED, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.UNACKNOWLEDGED, _E.TAKE_OUT): _S.OUT_OF_SERVICE,
    (_S.ACKNOWLEDGED, _E.EXPIRE): _S.UNACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.CLEAR): _S.CLOSED,
    (_S.ACKNOWLEDGED, _E.LATCH): _S.LATCHED,
    (_S.ACKNOWLEDGED, _E.WITHDRAW): _S.CLOSED,
    (_S.ACKNOWLEDGED, _E.SHELVE): _S.SHELVED,
    (_S.ACKNOWLEDGED, _E.TAKE_OUT): _S.OUT_OF_SERVICE,
    (_S.RETURNED_UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.CLOSED,
    (_S.RETURNED_UNACKNOWLEDGED, _E.LATCH): _S.LATCHED,
    (_S.RETURNED_UNACKNOWLEDGED, _E.RELAPSE): _S.UNACKNOWLEDGED,
    (_S.LATCHED, _E.RESET): _S.CLOSED,
    (_S.LATCHED, _E.RELAPSE): _S.UNACKNOWLEDGED,
    (_S.LATCHED, _E.WITHDRAW): _S.CLOSED,
    (_S.SHELVED, _E.UNSHELVE): _S.ACKNOWLEDGED,
    (_S.SHELVED, _E.SHELF_OVER): _S.UNACKNOWLEDGED,
    (_S.SHELVED, _E.CLEAR): _S.CLOSED,
    (_S.SHELVED, _E.WITHDRAW): _S.CLOSED,
    (_S.SUPPRESSED, _E.RELEASE): _S.UNACKNOWLEDGED,
    (_S.SUPPRESSED, _E.CLEAR): _S.CLOSED,
    (_S.SUPPRESSED, _E.WITHDRAW): _S.CLOSED,
    (_S.OUT_OF_SERVICE, _E.BRING_BACK): _S.UNACKNOWLEDGED,
    (_S.OUT_OF_SERVICE, _E.CLEAR): _S.CLOSED,
    (_S.OUT_OF_SERVICE, _E.WITHDRAW): _S.CLOSED,
}

PRESENT = _PRESENT
NOT_CLOSED = tuple(state for state in AlarmState if state not in (_S.NORMAL, _S.CLOSED))
CALLING = (_S.UNACKNOWLEDGED, _S.ACKNOWLEDGED, _S.RETURNED_UNACKNOWLEDGED, _S.LATCHED)
"""Not closed, and neither shelved nor suppressed nor of equipment out of service: what people
have to see."""


def step(state: AlarmState, event: AlarmEvent, *, alarm: str) -> AlarmState:
    """The state of ``alarm`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=alarm)

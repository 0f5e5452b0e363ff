"""The life of a handover: 交班准备 preparing → 交接中 meeting → 交班已签 given → 已交接 signed.

A fault that comes up once the relief is there stops it: it stays with the outgoing crew, and what
the outgoing crew has signed is withdrawn. One that nobody has signed when the next shift prepares
its own has lapsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules import lifecycle


class HandoverState(StrEnum):
    NEW = "new"
    """Before it is written; no row has this state."""
    PREPARING = "preparing"
    """The sheet is there; nobody of the relief is."""
    MEETING = "meeting"
    """Somebody of the relief has signed in: briefing, joint check, count."""
    STOPPED = "stopped"
    """A fault came up meanwhile (S1 4.1.8.5)."""
    GIVEN = "given"
    """The outgoing crew has signed."""
    SIGNED = "signed"
    LAPSED = "lapsed"
    """Nobody has signed it, and the shift after it is over too."""


class HandoverEvent(StrEnum):
    PREPARE = "prepare"
    ARRIVE = "arrive"
    STOP = "stop"
    RESUME = "resume"
    OVERRIDE = "override"
    GIVE = "give"
    TAKE = "take"
    LAPSE = "lapse"


_S, _E = HandoverState, HandoverEvent

OPEN = (_S.PREPARING, _S.MEETING, _S.STOPPED, _S.GIVEN)
"""Somebody has still to sign."""

TRANSITIONS: Mapping[tuple[HandoverState, HandoverEvent], HandoverState] = {
    (_S.NEW, _E.PREPARE): _S.PREPARING,
    (_S.PREPARING, _E.ARRIVE): _S.MEETING,
    # More of the relief, also while the outgoing crew is at work on a fault or has signed.
    **{(state, _E.ARRIVE): state for state in (_S.MEETING, _S.STOPPED, _S.GIVEN)},
    (_S.MEETING, _E.STOP): _S.STOPPED,
    (_S.GIVEN, _E.STOP): _S.STOPPED,
    (_S.STOPPED, _E.RESUME): _S.MEETING,
    **{(state, _E.OVERRIDE): state for state in OPEN},
    (_S.MEETING, _E.GIVE): _S.GIVEN,
    (_S.GIVEN, _E.TAKE): _S.SIGNED,
    **{(state, _E.LAPSE): _S.LAPSED for state in OPEN},
}


def step(state: HandoverState, event: HandoverEvent, *, handover: str) -> HandoverState:
    """The state of ``handover`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=handover)

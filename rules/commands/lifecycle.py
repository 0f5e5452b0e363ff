"""The life of a command to a device.

Who wants it proposes it and sees what it will do; only the confirmation sends it. Between sent
and ended nobody may send it again: if the one that waited for the gateway dies meanwhile, the
command becomes unknown a minute after the gateway's time for it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.model.moment import MINUTE, SECOND


class CommandState(StrEnum):
    PROPOSED = "proposed"
    SENT = "sent"
    DONE = "done"
    """The device was told, and says so itself."""
    REFUSED = "refused"
    """It ended before the wire: the device was told nothing."""
    UNKNOWN = "unknown"
    """Nobody knows what the device did: it refused, did not answer, or reads otherwise."""


class CommandEvent(StrEnum):
    CONFIRM = "confirm"
    SUCCEED = "succeed"
    REFUSE = "refuse"
    DOUBT = "doubt"


TRANSITIONS: Mapping[tuple[CommandState, CommandEvent], CommandState] = {
    (CommandState.PROPOSED, CommandEvent.CONFIRM): CommandState.SENT,
    (CommandState.SENT, CommandEvent.SUCCEED): CommandState.DONE,
    (CommandState.SENT, CommandEvent.REFUSE): CommandState.REFUSED,
    (CommandState.SENT, CommandEvent.DOUBT): CommandState.UNKNOWN,
}

CONFIRM_WITHIN = MINUTE
"""µs; a proposal that is older says nothing about the device as it is now."""
ANSWERED_WITHIN = 15 * SECOND
"""µs; the gateway writes, reads back and answers, or does nothing any more."""
SENT_AT_MOST = ANSWERED_WITHIN + MINUTE
"""µs; who waited for the gateway would have said by then what became of it."""

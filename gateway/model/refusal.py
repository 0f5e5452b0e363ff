"""Why a gateway does not do what it is told, and which of that left the device in peace."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    # Before the wire: the device was told nothing.
    BAD_QUESTION = "bad_question"
    UNKNOWN_QUESTION = "unknown_question"
    CLOCKS_DIFFER = "clocks_differ"
    """Asker's and gateway's clock are too far apart to tell how old the question is."""
    TOO_LATE = "too_late"
    """Its time was over before the device could be told."""
    COMMAND_REUSED = "command_reused"
    """The id belongs to another command."""
    CLASS_FORBIDDEN = "class_forbidden"
    COMMANDS_OFF = "commands_off"
    NOT_ALLOWED = "not_allowed"
    WRONG_VALUE = "wrong_value"
    OFFLINE = "offline"
    """The device is known to be away."""
    NO_CONNECTION = "no_connection"
    # From the wire on: the device may have done it.
    DEVICE_REFUSED = "device_refused"
    """It answered that it will not, or could not."""
    NO_REPLY = "no_reply"
    NOT_CONFIRMED = "not_confirmed"
    """It reads something else, or nothing."""
    FAILED = "failed"
    """An error of ours; the gateway's log says where."""


NEVER_SENT = frozenset(
    {
        Refusal.BAD_QUESTION,
        Refusal.UNKNOWN_QUESTION,
        Refusal.CLOCKS_DIFFER,
        Refusal.TOO_LATE,
        Refusal.COMMAND_REUSED,
        Refusal.CLASS_FORBIDDEN,
        Refusal.COMMANDS_OFF,
        Refusal.NOT_ALLOWED,
        Refusal.WRONG_VALUE,
        Refusal.OFFLINE,
        Refusal.NO_CONNECTION,
    }
)
"""After any other refusal, also one that is not known here, nobody knows what the device did."""

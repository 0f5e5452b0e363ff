"""Why a reading is not good: a code that a page says in its reader's language, and a detail.

A reason is one line, ``code`` or ``code: detail``. The detail is of numbers and technical words
(addresses, units, seconds), the same in every language.
"""

from __future__ import annotations

from enum import StrEnum

_BETWEEN = ": "


class Reason(StrEnum):
    # The way to the device.
    NO_CONNECTION = "no_connection"
    REFUSED = "refused"
    """The broker does not let us in, or not hear something."""
    SAME_CLIENT = "same_client"
    """The broker keeps closing the connection at once: another client with the same id?"""
    NO_ROOM = "no_room"
    """We left: the disk takes nothing."""
    NO_REPLY = "no_reply"
    WRONG_REPLY = "wrong_reply"
    """What came was not the reply to what was asked."""
    DEVICE_EXCEPTION = "device_exception"
    """The device answered that it cannot."""
    NO_REGISTER = "no_register"
    """The device has been found not to have this address."""
    NOT_READ = "not_read"
    OFFLINE = "offline"
    """The device, or its last will, says that it left."""
    # What it said.
    NOT_AVAILABLE = "not_available"
    """The device says that it has no value."""
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    UNEXPECTED = "unexpected"
    """The message is not built as the profile says."""
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    DOUBLE_KEY = "double_key"
    """A key is in the message twice: nobody knows which is meant."""
    NO_EQUIPMENT = "no_equipment"
    """No equipment has this topic."""
    FAILED = "failed"
    """We failed to read the message; the log says why."""
    NO_SOURCE = "no_source"
    """A derived point without what it is derived from."""
    COUNTER_FELL = "counter_fell"
    """A counter went back although it does not begin again there: what it grew by is not sure."""
    # When.
    DEVICE_CLOCK = "device_clock"
    LATE = "late"
    """Taken long before it arrived."""
    RETAINED = "retained"
    """Kept by the broker, of unknown age."""
    TOO_OLD = "too_old"
    CLOCKS_DIFFER = "clocks_differ"
    NOT_HEARD = "not_heard"
    """Known from before, not heard since."""
    NEVER_HEARD = "never_heard"
    GATEWAY_DOWN = "gateway_down"
    """Of a gap: nobody asked or listened."""
    LOST = "lost"
    """Of a gap: it was taken, and lost on its way to the history."""
    NO_POINT = "no_point"
    """The site has no such point any more."""

    def told(self, detail: str = "") -> str:
        """The reason in one line."""
        return f"{self.value}{_BETWEEN}{detail}" if detail else self.value


def code_of(reason: str) -> str:
    """The code of a reason in one line."""
    return reason.split(_BETWEEN, 1)[0]

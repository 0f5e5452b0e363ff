"""Messages that the broker has dropped because too many waited. Pure.

A message of a device has no number by which a gap would be seen; but a broker counts what it
drops, for all of its clients together, and tells whoever may hear it (Mosquitto does).
"""

from __future__ import annotations

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"


class Overflow:
    """How many messages were dropped since this was made, as far as the broker tells."""

    def __init__(self) -> None:
        self.dropped = 0
        self._last: int | None = None

    @property
    def told(self) -> bool:
        """Whether the broker tells it at all."""
        return self._last is not None

    def hear(self, payload: bytes) -> int:
        """The broker's count as it says it now; by how many it has grown. ValueError if it is no
        number."""
        said = max(0, int(payload))
        # The first count is of before our time, and a smaller one that of a broker started anew.
        before = said if self._last is None else self._last
        grown = said - before if said >= before else said
        self._last = said
        self.dropped += grown
        return grown

"""Messages that could not be read, for whoever wants to look. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_TOPICS = 50
_SAMPLE = 200
"""Bytes of a message that are kept."""
_REASON = 200
"""Characters of a reason that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineEntry:
    """What of one topic could not be read."""

    topic: str
    count: int
    reason: str
    """Of the last one, as the next two."""
    sample: bytes
    """Its first bytes."""
    at: int
    """µs UTC."""


class Quarantine:
    """Counts all, and remembers the last message of each of the topics that were bad last."""

    def __init__(self, topics: int = _TOPICS) -> None:
        self.count = 0
        """Messages since the start."""
        self._capacity = topics
        self._entries: OrderedDict[str, QuarantineEntry] = OrderedDict()

    @property
    def entries(self) -> tuple[QuarantineEntry, ...]:
        """One a topic, the newest first."""
        return tuple(reversed(self._entries.values()))

    def put(self, topic: str, payload: bytes, reason: str, at: int) -> QuarantineEntry:
        """A message that could not be read, heard ``at`` (µs UTC)."""
        before = self._entries.pop(topic, None)
        entry = QuarantineEntry(
            topic=topic,
            count=1 if before is None else before.count + 1,
            reason=reason[:_REASON],
            sample=bytes(payload[:_SAMPLE]),
            at=at,
        )
        self.count += 1
        self._entries[topic] = entry
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry

"""Telling a message that a broker delivers once more from a new one.

A broker sends a message again if the gateway died after spooling and before acknowledging it. The
device's own time is in the message, so the same points with the same times and values are the
same message. Messages without a time of the device cannot be told apart and are taken again.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from gateway.model.frame import Frame


class Repeats:
    """Remembers the newest ``capacity`` messages."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, frame: Frame) -> bool:
        return _mark(frame) in self._seen

    def add(self, frame: Frame) -> None:
        self._seen[_mark(frame)] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)


def _mark(frame: Frame) -> bytes:
    # Not the quality: how old a message seems changes with when it arrives.
    digest = blake2b("\n".join(frame.points).encode(), digest_size=16)
    digest.update(frame.source_time.tobytes())
    digest.update(frame.value.tobytes())
    digest.update(repr(sorted(frame.text.items())).encode())
    return digest.digest()

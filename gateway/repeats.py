"""Telling a message that a broker delivers once more from a new one. Pure.

A broker sends a message again if it was not acknowledged when the connection or the gateway died,
although it may have been taken. The device's own time is in the message, so the same points with
the same times and values may be the same message; or another one, by a device that switched on,
off and on within one tick of its clock. Order tells them apart: messages are acknowledged in the
order in which they were taken, so what comes again is the end of what was taken, whole and in
order. Only where that is so are messages dropped; in doubt they are taken.

Messages without a time of the device cannot be told apart and are taken again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from gateway.model.frame import Frame
from gateway.model.moment import Instant


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Delivery:
    """A message as it was delivered."""

    frame: Frame
    at: Instant
    ack: Callable[[], None]


class Repeats:
    """Remembers the newest ``capacity`` messages, and holds back those that are in doubt."""

    def __init__(self, capacity: int = 1000) -> None:
        self._taken: deque[bytes] = deque(maxlen=capacity)
        self._held: list[Delivery] = []
        self._from_end = 0
        """While some are held: how many of the taken ones must still come again."""

    def add(self, frame: Frame) -> None:
        """``frame`` was taken."""
        self._taken.append(_mark(frame))

    def sort(self, delivery: Delivery, *, again: bool) -> tuple[list[Delivery], list[Delivery]]:
        """The deliveries that are new, and those that are repeats; one in doubt is in neither
        until a later call, or :meth:`settle`, decides it.

        ``again``: whether the broker may have sent it before.
        """
        following = self._following(_mark(delivery.frame)) if again else None
        if following is None:
            return [*self.settle(), delivery], []
        self._held.append(delivery)
        self._from_end = following
        if following:
            return [], []
        repeats, self._held = self._held, []
        return [], repeats

    def settle(self, before: Instant | None = None) -> list[Delivery]:
        """The deliveries held back, which are new after all: the rest did not come again.

        ``before``: only if the last of them came before it.
        """
        if before is not None and self._held and self._held[-1].at.since(before) >= 0:
            return []
        held, self._held = self._held, []
        return held

    def forget_held(self) -> None:
        """The connection is lost: what was held back was not acknowledged, it comes again."""
        self._held = []

    def _following(self, mark: bytes) -> int | None:
        """How many were taken after the one that ``mark`` repeats; None if it repeats none."""
        taken = list(self._taken)
        if self._held:
            expected = len(taken) - self._from_end
            return self._from_end - 1 if taken[expected] == mark else None
        return len(taken) - 1 - taken.index(mark) if mark in taken else None


def _mark(frame: Frame) -> bytes:
    # Not the quality: how old a message seems changes with when it arrives.
    digest = blake2b("\n".join(frame.points).encode(), digest_size=16)
    digest.update(frame.source_time.tobytes())
    digest.update(frame.value.tobytes())
    digest.update(repr(sorted(frame.text.items())).encode())
    return digest.digest()

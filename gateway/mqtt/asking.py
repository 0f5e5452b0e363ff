"""When to ask devices for all that they know. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from gateway.model.equipment import Equipment
from gateway.model.moment import SECOND

Request = tuple[str, bytes]
"""Topic and payload."""

_PART = 3
"""A device is asked so often within the time for which it may be silent: one answer may be lost."""
_SHORTEST = 1.0
"""Seconds between two times that a device is asked the same."""


@dataclass(kw_only=True, slots=True)
class _Asked:
    """The same request may be for several things, such as one device that is installed as two."""

    things: set[str] = field(default_factory=set)
    interval: float
    """Seconds."""
    next: float | None = None


class StatusRequests:
    """What to say to which equipment, again and again while it is there.

    A device that says only what changes (a lamp that stays on) would else seem silent. One that
    said that it left is not asked until it says that it is back.
    """

    def __init__(self) -> None:
        self._asked: dict[Request, _Asked] = {}
        self._on: defaultdict[str, list[Request]] = defaultdict(list)
        self._away: set[str] = set()

    def add(self, thing: Equipment) -> None:
        interval = max(thing.poll / SECOND / _PART, _SHORTEST)
        for said in thing.status_requests:
            request = (said.topic, said.payload.encode())
            asked = self._asked.setdefault(request, _Asked(interval=interval))
            asked.interval = min(asked.interval, interval)
            asked.things.add(thing.id)
            if thing.availability is not None:
                self._on[thing.availability.topic].append(request)

    def all(self) -> list[Request]:
        return list(self._asked)

    def on(self, topic: str) -> list[Request]:
        """Of the equipment that says on ``topic`` whether it is there."""
        return self._on.get(topic, [])

    def hear(self, thing: Equipment, *, there: bool) -> None:
        """``thing`` has said whether it is there."""
        if there:
            self._away.discard(thing.id)
        else:
            self._away.add(thing.id)

    def due(self, now: float) -> list[Request]:
        """To be asked a few times a second or so, with ``now`` in s of a clock that never steps;
        the first time nothing is due, for all has been asked on connecting."""
        found = []
        for request, asked in self._asked.items():
            if asked.next is not None and now < asked.next:
                continue
            if asked.next is not None and not asked.things <= self._away:
                found.append(request)
            asked.next = now + asked.interval
        return found

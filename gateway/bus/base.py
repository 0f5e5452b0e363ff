"""What a bus is: topics, bytes, and no promises.

A bus may lose, double and reorder messages; :mod:`gateway.bus.stream` makes a complete and ordered
stream out of that. Topics and filters are MQTT's, with ``+`` for one level and ``#`` for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Handler = Callable[[str, bytes], None]
"""``handler(topic, payload)``, called on the event loop of ``start()``. What it raises is logged
and stops nothing."""


class BusRefusedError(Exception):
    """The broker is there and will not let us in."""


class Bus(Protocol):
    """Building one connects nothing; every method is called on one event loop."""

    async def start(self) -> None:
        """Connect. A bus that is not there is tried again for ever, in the background;
        only refused credentials raise :class:`BusRefusedError`."""
        ...

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, once: bool = False
    ) -> None:
        """Send, or drop while the bus is away; never waits for it.

        A retained message is kept (the last per topic) and sent when the bus is back. ``once``:
        of no use later; it is lost rather than sent again, or on a later connection.
        """
        ...

    def subscribe(self, topic_filter: str, handler: Handler) -> Callable[[], None]:
        """Hear what matches, retained messages included; returns the way to stop it.

        May be called before ``start()``.
        """
        ...

    async def close(self) -> None: ...


def matches(topic_filter: str, topic: str) -> bool:
    """Whether ``topic`` falls under ``topic_filter`` (MQTT 3.1.1 §4.7)."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    for level, name in enumerate(wanted):
        if name == "#":
            return True
        if level >= len(given) or name not in ("+", given[level]):
            return False
    return len(wanted) == len(given)

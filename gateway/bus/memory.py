"""The bus within one process. It carries the same bytes as the others, or the modes drift."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import structlog

from gateway.bus.base import Handler, matches

_log = structlog.get_logger(__name__)


class MemoryBus:
    """Delivers at once, inside ``publish``, in the order of the subscriptions."""

    def __init__(self) -> None:
        self._handlers: dict[int, tuple[str, Handler]] = {}
        self._numbers = count()
        self._retained: dict[str, bytes] = {}

    async def start(self) -> None:
        """Nothing to connect."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, once: bool = False
    ) -> None:
        if retain and payload:
            self._retained[topic] = payload
        elif retain:
            self._retained.pop(topic, None)
        for topic_filter, handler in tuple(self._handlers.values()):
            if matches(topic_filter, topic):
                _deliver(handler, topic, payload)

    def subscribe(self, topic_filter: str, handler: Handler) -> Callable[[], None]:
        number = next(self._numbers)
        self._handlers[number] = (topic_filter, handler)
        for topic, payload in tuple(self._retained.items()):
            if matches(topic_filter, topic):
                _deliver(handler, topic, payload)

        def unsubscribe() -> None:
            self._handlers.pop(number, None)

        return unsubscribe

    async def close(self) -> None:
        self._handlers.clear()


def _deliver(handler: Handler, topic: str, payload: bytes) -> None:
    try:
        handler(topic, payload)
    except Exception:
        _log.exception("bus handler failed", topic=topic)

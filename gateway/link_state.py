"""Whether a link brings values, from what its polls brought. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from gateway.model.events import GatewayEvent, GatewayEventKind


class LinkState:
    """A link is up if any of its sources (units, or the broker session) is, and down if none is;
    until each source was heard of once, a failure says nothing."""

    def __init__(self, link: str, sources: int) -> None:
        self.link = link
        self.up: bool | None = None
        """None: not known yet."""
        self._sources = sources
        self._heard: dict[Hashable, bool] = {}

    def hear(
        self, sources: Iterable[Hashable], works: bool, reason: str = ""
    ) -> GatewayEvent | None:
        """What each of ``sources`` showed; the event if the link came up or went down by it."""
        self._heard.update(dict.fromkeys(sources, works))
        up = works or any(self._heard.values())
        if up == self.up or (not up and len(self._heard) < self._sources):
            return None
        self.up = up
        kind = GatewayEventKind.LINK_UP if up else GatewayEventKind.LINK_DOWN
        return GatewayEvent(kind=kind, subject=self.link, detail="" if up else reason)

"""One axis of time for what windows remember."""

from __future__ import annotations

from gateway.model.moment import Instant

NEVER = -(2**62)
"""On the axis: before everything."""


class Timeline:
    """Within a boot it runs with the monotonic clock, so that no step of the wall clock moves it;
    from boot to boot the wall clock tells."""

    def __init__(self) -> None:
        self._offset: dict[str, int] = {}

    def of(self, at: Instant) -> int:
        """µs on the axis."""
        return at.mono + self._offset.setdefault(at.boot, at.wall - at.mono)

"""Time as an argument: an instant carries the wall clock and the monotonic clock together.

Within one boot the monotonic clock decides how long something lasted, so a step of the wall
clock ends no delay early or late; across boots the wall clock decides. All times are integer
microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class Instant:
    """A moment, or (as the result of :meth:`plus`) a moment at which something falls due."""

    wall: int
    """µs since 1970-01-01T00:00Z by the wall clock."""
    mono: int
    """µs since the machine's boot; meaningful only together with ``boot``."""
    boot: str
    """The boot id of the machine that read the clock."""

    def since(self, earlier: Instant) -> int:
        """µs from ``earlier`` to this instant: monotonic within a boot, else by the wall."""
        if self.boot == earlier.boot:
            return self.mono - earlier.mono
        return self.wall - earlier.wall

    def plus(self, delay: int) -> Instant:
        """The instant ``delay`` µs later on both clocks."""
        return Instant(wall=self.wall + delay, mono=self.mono + delay, boot=self.boot)

    def reached(self, due: Instant) -> bool:
        """Whether ``due`` has come at this instant."""
        return self.since(due) >= 0


def iso(wall: int, zone: tzinfo = UTC) -> str:
    """``wall`` (µs UTC) as ISO 8601 with milliseconds and the offset of ``zone``."""
    return (
        datetime.fromtimestamp(wall / SECOND, tz=UTC)
        .astimezone(zone)
        .isoformat(timespec="milliseconds")
    )


def stamp(wall: int) -> str:
    """``wall`` (µs UTC) as a sortable slug, e.g. ``20261121T101502-123456Z``, for use in ids."""
    moment = datetime.fromtimestamp(wall // SECOND, tz=UTC)
    return f"{moment:%Y%m%dT%H%M%S}-{wall % SECOND:06d}Z"

"""How fast the ways between scans were walked; pure.

Only what the site says of distances is looked at, and only shown: a wrong distance, a clock or a
lift may explain it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from gateway.model.moment import HOUR, SECOND

FASTEST = 2.5
"""Metres a second: faster nobody walks a round [NV]."""
_TOGETHER = 2 * HOUR
"""µs between two scans beyond which they belong to no walk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """Somebody was there. µs UTC by the client's clock."""

    by: str
    by_name: str | None
    area: str
    at: int
    round: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """From one place to the next."""

    by: str
    by_name: str | None
    start: str
    to: str
    left_at: int
    came_at: int
    metres: float

    @property
    def seconds(self) -> float:
        return (self.came_at - self.left_at) / SECOND

    @property
    def is_fast(self) -> bool:
        return self.metres > FASTEST * self.seconds


def legs(
    scans: Iterable[Scanned], walks: Mapping[frozenset[str], float], round_id: str
) -> list[Leg]:
    """The ways of ``round_id`` whose length is known, in their order: from the last scan in one
    area to the first in the next, of one person. ``scans``: also those of other rounds that the
    same people walked then."""
    found = []
    of: dict[str, list[Scanned]] = {}
    for one in sorted(scans, key=lambda scan: scan.at):
        of.setdefault(one.by, []).append(one)
    for walked in of.values():
        for left, came in pairwise(walked):
            metres = walks.get(frozenset((left.area, came.area)))
            is_near = came.at - left.at <= _TOGETHER
            if metres is not None and is_near and round_id in (left.round, came.round):
                leg = Leg(
                    by=came.by,
                    by_name=came.by_name,
                    start=left.area,
                    to=came.area,
                    left_at=left.at,
                    came_at=came.at,
                    metres=metres,
                )
                found.append(leg)
    return sorted(found, key=lambda leg: leg.came_at)

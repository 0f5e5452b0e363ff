"""What an item asks for beside an answer: a stretch of time, a scan, a photograph, the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """What of a stretch of time is judged."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    SHARE = "share"
    """How much of the time, in percent, it was within the limits."""
    STARTS = "starts"
    """How often it went from 0 to something else."""


class Evidence(StrEnum):
    """What an answer of a person has to come with."""

    QR = "qr"
    """The code that hangs at the place or on the equipment was scanned."""
    PHOTO = "photo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """The stretch of time before the moment at which the item is judged."""

    time: int
    """µs."""
    by: By
    share: float | None = None
    """Percent of the time, with ``By.SHARE``: less fails."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """A number by hand is held against a sensor."""

    point: str
    """Its key; in the line of a round its id."""
    within: float | None
    """A larger difference is a disagreement; None: the difference is only kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proving:
    over: Over | None = None
    confirm: bool = False
    """Telemetry proposes the value, and a person confirms or changes it."""
    evidence: tuple[Evidence, ...] = ()
    compare: Compare | None = None
    """In the line of a round None too where the equipment has no such point."""


PLAIN = Proving()
"""Nothing beside the answer."""

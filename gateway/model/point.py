"""A measured point of a piece of equipment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.reason import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A text for people, in both languages of the product."""

    zh: str
    en: str


class PointKind(StrEnum):
    NUMBER = "number"
    FLAG = "flag"
    """0 or 1."""
    STATE = "state"
    """One of an enumerated set of codes."""
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """What a profile says of one point, as installed on one piece of equipment."""

    id: str
    """``equipment.key``, unique within the site."""
    equipment: str
    key: str
    name: Text
    kind: PointKind
    unit: str = ""
    low: float | None = None
    """Smallest value the device can truly report; outside is ``UNCERTAIN``."""
    high: float | None = None
    decimals: int = 0
    """Digits after the point that the device resolves."""
    states: Mapping[int, Text] = field(default_factory=dict)
    """Text of each enumerated state, or of 0 and 1 of a flag."""
    interval: int = 1_000_000
    """µs between two reads of it; for a point of messages the longest silence that is normal."""
    deadband: float | None = None
    """The history leaves out a reading that differs from the kept one by no more; rules see it."""
    keep_every: int | None = None
    """µs after which the history keeps a reading all the same."""
    stale_after: int = 3_000_000
    """µs without a new reading after which the value is stale: 3 polls, or the profile's word."""

    def out_of_range(self, value: float) -> str | None:
        """The reason why ``value`` is none that the device can truly report; None if it can."""
        if self.kind is PointKind.STATE and self.states and value not in self.states:
            return Reason.OUT_OF_RANGE.told(f"{value:.10g}")
        low, high = self.low, self.high
        if (low is None or value >= low) and (high is None or value <= high):
            return None
        span = f"{'' if low is None else f'{low:.10g}'}…{'' if high is None else f'{high:.10g}'}"
        shown = f"{value:.{self.decimals}f}" if abs(value) < 1e15 else f"{value:.6g}"
        detail = f"{shown}, {span} {self.unit}".rstrip()
        return Reason.OUT_OF_RANGE.told(detail)

"""A number by hand against the sensor: the difference, and how it goes on over the weeks; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.model.moment import DAY
from gateway.model.point import Point, Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.inspections.proving import Compare
from rules.inspections.windows import longest_silence

WEEK = 7 * DAY
ROUNDS = 12
"""So many of the last rounds tell how the differences go on."""
_FEWEST = 4
"""Fewer tell nothing of a drift."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What the sensor said when a person read the instrument. Times in µs UTC."""

    point: str
    value: float | None
    """None: it said nothing that counts, for ``why``."""
    received_at: int | None
    difference: float | None
    """The person's number less the sensor's."""
    within: float | None
    agrees: bool | None
    """None: not compared, or without a limit."""
    why: Text | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Of the differences of one line over its last rounds."""

    rounds: int
    mean: float
    slope: float | None
    """Change of the difference in a week; None: too few rounds to tell."""


def compare(wanted: Compare, point: Point, given: float, said: Reading | None, at: int) -> Compared:
    """``given`` against ``said``: the newest reading of ``point`` at ``at`` (µs UTC)."""
    if said is None or said.value is None or said.quality is not Quality.GOOD:
        return not_compared(
            wanted, Text(zh="当时没有有效读数", en="there was no good reading then")
        )
    if at - said.received > longest_silence(point):
        return not_compared(wanted, Text(zh="当时读数已过期", en="the reading was stale then"))
    difference = given - said.value
    within = wanted.within
    return Compared(
        point=wanted.point,
        value=said.value,
        received_at=said.received,
        difference=difference,
        within=within,
        agrees=None if within is None else abs(difference) <= within,
    )


def not_compared(wanted: Compare, why: Text) -> Compared:
    return Compared(
        point=wanted.point,
        value=None,
        received_at=None,
        difference=None,
        within=wanted.within,
        agrees=None,
        why=why,
    )


def drift(differences: Sequence[tuple[int, float]]) -> Drift | None:
    """``differences``: (µs UTC, the person's number less the sensor's), of :data:`ROUNDS` at
    most; None without any."""
    if not differences:
        return None
    at = np.array([one for one, _ in differences], float) / WEEK
    off = np.array([one for _, one in differences])
    slope = None
    if len(off) >= _FEWEST and np.ptp(at) > 0:
        slope = float(np.polyfit(at - at.mean(), off, 1)[0])
    return Drift(rounds=len(off), mean=float(off.mean()), slope=slope)

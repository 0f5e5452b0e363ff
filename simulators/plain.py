"""A thing that no model knows: it is quiet, and its numbers wander a little. Pure.

Also what a model leaves out of a profile, so that every profile can be served. A number lies near
two fifths of its range, a counter grows by one an hour, a word of bits and a flag are 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model.point import Point, PointKind
from simulators.model import wobble

_PLACE = 0.4
"""Share of its range at which a number lies."""
_UNREST = 0.01
"""Share of its range by which it wanders."""
_PERIOD = 60.0
"""s."""
_COUNTED = ("kWh", "Wh", "MWh", "kvarh", "h", "m³")
_COUNTER = 1000.0
"""What a counter says at first."""
_WORDS = (2**16 - 1, 2**32 - 1)
"""Where the range of a word of bits ends, or of a code."""


def quiet(points: Iterable[Point], age: float) -> Mapping[str, float]:
    """Point key → value at ``age`` s."""
    return {point.key: _value(point, age) for point in points}


def _value(point: Point, age: float) -> float:
    if point.kind is not PointKind.NUMBER:
        return float(min(point.states, default=0))
    if point.unit in _COUNTED:
        return _COUNTER + age / 3600
    low = 0.0 if point.low is None else point.low
    high = low + 100.0 if point.high is None else point.high
    if point.unit == "" and high in _WORDS:
        return low
    span = high - low
    return low + span * (_PLACE + _UNREST * wobble(point.key, age, _PERIOD))

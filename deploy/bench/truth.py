"""What the devices of the bench say, as a function of device, point and second. Pure.

Each is a meter-like device of floats in neighbouring input registers, two registers a point. The
values wander slowly, as measured ones do; no two points of the site agree for long, so a value
from a wrong register, unit or device is found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RANGES = {"voltage": (216.0, 226.0), "current": (20.0, 80.0), "power": (4000.0, 19_000.0)}
"""Within what the shipped rules for meters let pass."""
_OTHER = (0.0, 100.0)
_KEYS = tuple(f"{what}_l{phase}" for what in _RANGES for phase in (1, 2, 3))
_SWING = 0.04
"""Share of its range by which a value wanders."""


def keys(points: int) -> tuple[str, ...]:
    """The keys of a device of ``points`` points, in the order of their registers."""
    return (*_KEYS, *(f"channel_{n}" for n in range(1, points)))[:points]


def span(key: str) -> tuple[float, float]:
    """Smallest and largest value of the point ``key``."""
    return _RANGES.get(key.partition("_")[0], _OTHER)


def values(devices: NDArray[np.int64], points: int, second: int) -> NDArray[np.float32]:
    """What ``devices`` (numbers from 0) say in ``second`` (s UTC): devices × points."""
    low, high = np.array([span(key) for key in keys(points)]).T
    number = np.arange(points)
    place = (devices[:, None] * 37 + number * 101) % 997 / 997
    wander = np.sin(second / 60 + devices[:, None] + 2.1 * number)
    share = _SWING + (1 - 2 * _SWING) * place + _SWING * wander
    return np.round(low + (high - low) * share, 2).astype(np.float32)

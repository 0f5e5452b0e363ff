"""A frame: a batch of readings in columns, all received at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """Row ``i`` of every column is the reading of ``points[i]``.

    The receive time is in the envelope: it is one for the whole frame.
    """

    points: tuple[str, ...]
    """Point ids. The decoder returns the same tuple object for the same list of points, so a
    consumer may keep what it derived from it (row → own index) in a dict keyed by the tuple."""
    value: NDArray[np.float64]
    """NaN where the quality is ``BAD`` or the point is a text."""
    quality: NDArray[np.uint8]
    """:class:`~gateway.model.quality.Quality` of each row."""
    source_time: NDArray[np.int64]
    """µs UTC by the device's clock; the receive time where the device tells none."""
    text: Mapping[int, str] = field(default_factory=dict)
    """Row → text, for text points."""
    reason: Mapping[int, str] = field(default_factory=dict)
    """Row → why the quality is not good."""

    def __post_init__(self) -> None:
        rows = len(self.points)
        columns = (self.value, self.quality, self.source_time)
        if any(column.shape != (rows,) for column in columns):
            shapes = ", ".join(str(column.shape) for column in columns)
            raise ValueError(f"frame of {rows} points has columns of shapes {shapes}")

"""What a history is: a protocol on one page.

The receive time (µs UTC) is the key. Methods block: call them in a thread. A history may be
read by several threads and processes while one writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.history.parking import Parking
from gateway.model.events import Record
from gateway.model.reading import Reading


class Cursor(NamedTuple):
    """How far a consumer of the spool has come."""

    epoch: str
    seq: int


class HistoryUnavailableError(Exception):
    """The history cannot be written or read now; what was to be written is still in the spool."""


class HistoryRefusedError(HistoryUnavailableError):
    """The server is there and does not let us: a mistake in the settings, or another server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Readings of one point, oldest first; all columns have the same length."""

    time: NDArray[np.int64]
    """Receive time, µs UTC."""
    value: NDArray[np.float64]
    """NaN where there is none."""
    quality: NDArray[np.uint8]
    """As received: staleness is judged by whoever looks."""
    source_time: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Buckets:
    """A stretch of time in equal parts; a part without a value has count 0 and NaN. Whether that
    is a gap is known from :class:`Gap`."""

    start: NDArray[np.int64]
    """First µs of each part, to be believed rather than computed: a history may move the edges
    of long parts to whole minutes or hours."""
    min: NDArray[np.float64]
    mean: NDArray[np.float64]
    max: NDArray[np.float64]
    last: NDArray[np.float64]
    """The newest value of the part."""
    count: NDArray[np.int64]
    """Readings that have a value."""
    quality: NDArray[np.uint8]
    """The worst in the part; ``BAD`` where there is no reading at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """No data of ``point`` from ``start`` to ``end``, and why. A stretch without readings that
    is in no gap was thinned: the value had not moved."""

    point: str
    start: int
    """Receive time of the last value before it, µs UTC; the key, with ``point``."""
    end: int | None
    """Receive time of the next value; None while there is none."""
    reason: str
    """As in :mod:`gateway.model.reason`, one line."""


class History(Protocol):
    """Every method but ``close`` raises :class:`HistoryUnavailableError`."""

    @property
    def parking(self) -> Parking | None:
        """Where readings are that its server refuses for good; None: it refuses none."""
        ...

    def write(self, records: Sequence[Record], cursor: Cursor, gaps: Sequence[Gap] = ()) -> None:
        """Store the frames among ``records`` (of one gateway, oldest first, never empty), what is
        new or changed of ``gaps``, and ``cursor`` in one durable transaction. Records at or
        before the stored cursor of the same epoch change nothing."""
        ...

    def cursor(self, gateway: str) -> Cursor | None:
        """The cursor of the last ``write`` for ``gateway``."""
        ...

    def range(self, point: str, start: int, end: int, limit: int) -> Series:
        """The first ``limit`` readings with start ≤ time < end."""
        ...

    def buckets(self, point: str, start: int, end: int, count: int) -> Buckets:
        """start ≤ time < end in ``count`` equal parts; needs start < end, 1 ≤ count."""
        ...

    def latest(self, points: Collection[str]) -> Mapping[str, Reading]:
        """The newest reading of each point that has one, with its last known quality."""
        ...

    def at(self, points: Collection[str], wall: int) -> Mapping[str, Reading]:
        """The newest reading of each point received at ``wall`` or before."""
        ...

    def gaps(self, points: Collection[str], start: int, end: int) -> Sequence[Gap]:
        """The gaps that touch start ≤ time < end, by point in the order asked for, then time."""
        ...

    def delete_before(self, wall: int) -> int:
        """Remove what was received before ``wall``; returns the number of readings removed.
        What was made of them (roll-ups, gaps) may stay longer."""
        ...

    def close(self) -> None: ...

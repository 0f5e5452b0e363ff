"""Readings in columns, of many points or of one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import columns
from gateway.model.events import Record
from gateway.model.frame import Frame


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rows:
    """All columns have the same length."""

    point: NDArray[np.int64]
    """Number of the point in the file."""
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    """NaN where there is none."""
    quality: NDArray[np.uint8]
    source: NDArray[np.int64]
    text: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def chosen(self, places: NDArray[np.int64]) -> Rows:
        """The rows at ``places``, in that order."""
        text = self.text
        if text:
            text = {
                new: self.text[old] for new, old in enumerate(places.tolist()) if old in self.text
            }
        return Rows(
            point=self.point[places],
            time=self.time[places],
            value=self.value[places],
            quality=self.quality[places],
            source=self.source[places],
            text=text,
        )

    def part(self, start: int, end: int) -> Rows:
        """The rows start ≤ row < end."""
        text = self.text
        if text:
            text = {row - start: text for row, text in self.text.items() if start <= row < end}
        return Rows(
            point=self.point[start:end],
            time=self.time[start:end],
            value=self.value[start:end],
            quality=self.quality[start:end],
            source=self.source[start:end],
            text=text,
        )

    def sorted(self) -> Rows:
        """By point and time; of several with the same both, the last."""
        if len(self) < 2:
            return self
        order = np.argsort(self.point, kind="stable")
        point, time = self.point[order], self.time[order]
        same = point[1:] == point[:-1]
        if (same & (time[1:] <= time[:-1])).any():
            # A clock was set back.
            order = np.lexsort((self.time, self.point))
            point, time = self.point[order], self.time[order]
            same = (point[1:] == point[:-1]) & (time[1:] == time[:-1])
            order = order[np.append(~same, True)]
        return self.chosen(order)

    def runs(self) -> NDArray[np.int64]:
        """Where in sorted rows each point begins, and the number of rows at the end."""
        return np.concatenate(
            ([0], np.flatnonzero(np.diff(self.point)) + 1, [len(self)] if len(self) else [])
        ).astype(np.int64)


def empty() -> Rows:
    none = np.zeros(0, dtype=np.int64)
    return Rows(
        point=none, time=none, value=np.zeros(0), quality=np.zeros(0, dtype=np.uint8), source=none
    )


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows, in the order of ``parts``."""
    if len(parts) < 2:
        return parts[0] if parts else empty()
    text: dict[int, str] = {}
    begin = 0
    for part in parts:
        text.update((begin + row, said) for row, said in part.text.items())
        begin += len(part)
    return Rows(
        point=np.concatenate([part.point for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        source=np.concatenate([part.source for part in parts]),
        text=text,
    )


def of_records(
    records: Iterable[Record], numbers: Mapping[tuple[str, ...], NDArray[np.int64]]
) -> Rows:
    """The readings of the frames among ``records``; ``numbers``: of the points of each frame."""
    frames = [
        (record.envelope.at.wall, record.body)
        for record in records
        if isinstance(record.body, Frame) and record.body.points
    ]
    if not frames:
        return empty()
    sizes = [len(frame.points) for _, frame in frames]
    text: dict[int, str] = {}
    begin = 0
    for (_, frame), size in zip(frames, sizes, strict=True):
        if frame.text:
            text.update((begin + row, said) for row, said in frame.text.items())
        begin += size
    value = np.concatenate([frame.value for _, frame in frames])
    # Neither an infinite number is a value.
    odd = ~np.isfinite(value)
    if odd.any():
        value[odd] = np.nan
    return Rows(
        point=np.concatenate([numbers[frame.points] for _, frame in frames]),
        time=np.repeat(np.array([time for time, _ in frames], dtype=np.int64), sizes),
        value=value,
        quality=np.concatenate([frame.quality for _, frame in frames]),
        source=np.concatenate([frame.source_time for _, frame in frames]),
        text=text,
    )


def pack(rows: Rows, level: int) -> bytes:
    """``rows`` as bytes; ``level`` as in :mod:`~gateway.history.archive.columns`."""
    return columns.join(
        (
            columns.pack_ints(rows.point, level),
            columns.pack_ints(rows.time, level),
            columns.pack_ints(rows.source - rows.time, level),
            columns.pack_ints(rows.quality.astype(np.int64), level),
            columns.pack_values(rows.value, level),
            columns.pack_texts(rows.text, len(rows), level),
        )
    )


@columns.damage()
def unpack(data: bytes, only: int | None = None) -> Rows:
    """The rows in ``data``; ``only``: those of this point."""
    points, times, sources, qualities, values, texts = columns.split(data)
    point = columns.unpack_ints(points)
    places = None
    if only is not None:
        places = np.flatnonzero(point == only)
        if not len(places):
            return empty()
    time = columns.unpack_ints(times)
    rows = Rows(
        point=point,
        time=time,
        value=columns.unpack_values(values),
        quality=columns.unpack_ints(qualities).astype(np.uint8),
        source=columns.unpack_ints(sources) + time,
        text=columns.unpack_texts(texts, len(point)),
    )
    return rows if places is None else rows.chosen(places)

"""What is said of many readings together: of a minute, of an hour, of a part of a chart; pure."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gateway.history.archive import columns
from gateway.history.archive.columns import Form, Scaled
from gateway.history.base import Buckets
from gateway.model.moment import HOUR, MINUTE
from gateway.model.quality import Quality

_HEAD = struct.Struct("<BBq")
"""Form and decimals of the values, time of the first reading."""
_PLACES = [("place", "<u4"), ("count", "<u4"), ("worst", "u1")]
_VALUES = ("low", "high", "last")
_WHOLE = np.dtype([*_PLACES, *((name, "<i4") for name in _VALUES), ("total", "<i8")])
_FLOATS = np.dtype([*_PLACES, *((name, "<f8") for name in _VALUES), ("total", "<f8")])
_WIDEST = (1 << 31) - 1


class Level(IntEnum):
    MINUTE = 0
    HOUR = 1

    @property
    def length(self) -> int:
        """µs."""
        return MINUTE if self is Level.MINUTE else HOUR


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lines:
    """A line says of some readings, from ``time`` on, what there was. Values are NaN where
    ``count``, of the readings that have one, is 0."""

    time: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    last: NDArray[np.float64]
    total: NDArray[np.float64]
    """0 where ``count`` is."""
    count: NDArray[np.int64]
    worst: NDArray[np.uint8]

    def part(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Lines:
        return Lines(**{name: getattr(self, name)[places] for name in Lines.__slots__})


def of_readings(
    time: NDArray[np.int64], value: NDArray[np.float64], quality: NDArray[np.uint8]
) -> Lines:
    """A line a reading."""
    has = ~np.isnan(value)
    return Lines(
        time=time,
        low=value,
        high=value,
        last=value,
        total=np.where(has, value, 0.0),
        count=has.astype(np.int64),
        worst=quality,
    )


def joined(parts: Sequence[Lines]) -> Lines:
    """All lines by time; of lines of the same time those of the earlier part first."""
    if not parts:
        none = np.zeros(0)
        return of_readings(none.astype(np.int64), none, none.astype(np.uint8))
    lines = Lines(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in Lines.__slots__}
    )
    if (np.diff(lines.time) < 0).any():
        lines = lines.part(np.argsort(lines.time, kind="stable"))
    return lines


def grouped(lines: Lines, keys: NDArray[np.int64]) -> tuple[Lines, NDArray[np.int64]]:
    """A line for all neighbours that have the same key, and where each begins."""
    begins = np.concatenate(([0], np.flatnonzero(np.diff(keys)) + 1)).astype(np.int64)
    places = np.arange(len(keys))
    newest = np.maximum.reduceat(np.where(lines.count > 0, places, -1), begins)
    # The newest place of its own, as the keys ascend: a line without a value has none.
    last = np.where(newest >= begins, lines.last[newest], math.nan)
    made = Lines(
        time=lines.time[begins],
        low=np.fmin.reduceat(lines.low, begins),
        high=np.fmax.reduceat(lines.high, begins),
        last=last,
        total=np.add.reduceat(lines.total, begins),
        count=np.add.reduceat(lines.count, begins),
        worst=np.maximum.reduceat(lines.worst, begins),
    )
    return made, begins


def buckets(edges: NDArray[np.int64], lines: Lines) -> Buckets:
    """``lines``, by time, in the parts between ``edges`` (ascending, one more than parts); what
    lies before the first edge is of the first part."""
    count = len(edges) - 1
    low, mean, high, last = (np.full(count, math.nan) for _ in range(4))
    filled = np.zeros(count, dtype=np.int64)
    quality = np.full(count, Quality.BAD, dtype=np.uint8)
    if len(lines.time):
        part = np.clip(np.searchsorted(edges, lines.time, "right") - 1, 0, count - 1)
        found, begins = grouped(lines, part)
        there = part[begins]
        low[there], high[there], last[there] = found.low, found.high, found.last
        filled[there], quality[there] = found.count, found.worst
        has = found.count > 0
        mean[there[has]] = found.total[has] / found.count[has]
    return Buckets(
        start=edges[:-1].copy(),
        min=low,
        mean=mean,
        max=high,
        last=last,
        count=filled,
        quality=quality,
    )


def pack(lines: Lines, level: Level, form: Scaled | None) -> bytes:
    """``lines`` whose times lie in different parts of ``level``; ``form``: that of the values."""
    length = level.length
    start = int(lines.time[0])
    whole = form is not None and form.form in (Form.QUOTIENT, Form.PRODUCT)
    decimals = form.decimals if form is not None and whole else 0
    if whole:
        numbers = [_scaled(getattr(lines, name), decimals) for name in (*_VALUES, "total")]
        whole = all(bool((np.abs(column) <= _WIDEST).all()) for column in numbers[:3])
    table = np.empty(len(lines.time), dtype=_WHOLE if whole else _FLOATS)
    table["place"] = lines.time // length - start // length
    table["count"], table["worst"] = lines.count, lines.worst
    for place, name in enumerate((*_VALUES, "total")):
        table[name] = numbers[place] if whole else getattr(lines, name)
    planes = table.view(np.uint8).reshape(len(table), -1).T.tobytes()
    head = _HEAD.pack(form.form if whole and form is not None else Form.RAW, decimals, start)
    return head + zlib.compress(planes, 6, -15)


def _scaled(values: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    return np.rint(np.nan_to_num(values) * 10.0**decimals).astype(np.int64)


@columns.damage()
def unpack(bodies: Iterable[bytes], level: Level) -> Lines:
    """All lines of ``bodies``, in their order."""
    parts: dict[tuple[int, int], list[bytes]] = {}
    times: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for body in bodies:
        form, decimals, start = _HEAD.unpack_from(body)
        kind = _FLOATS if form == Form.RAW else _WHOLE
        planes = np.frombuffer(zlib.decompress(body[_HEAD.size :], -15), np.uint8)
        lines = planes.reshape(kind.itemsize, -1).T.tobytes()
        parts.setdefault((form, decimals), []).append(lines)
        times.setdefault((form, decimals), []).append((start, len(lines) // kind.itemsize))
    made = []
    for (form, decimals), tables in parts.items():
        table = np.frombuffer(b"".join(tables), _FLOATS if form == Form.RAW else _WHOLE)
        starts, sizes = zip(*times[form, decimals], strict=True)
        first = np.repeat(np.array(starts, dtype=np.int64), sizes)
        place = first // level.length + table["place"]
        # A part that two chunks share begins twice, each time with its own readings.
        made.append(_lines(table, np.maximum(place * level.length, first), form, decimals))
    return joined(made)


def _lines(table: NDArray[np.void], time: NDArray[np.int64], form: int, decimals: int) -> Lines:
    count = table["count"].astype(np.int64)
    none = count == 0
    values: dict[str, NDArray[np.float64]] = {}
    for name in (*_VALUES, "total"):
        if form == Form.RAW:
            values[name] = table[name].astype(np.float64)
        else:
            values[name] = columns.of_whole(table[name].astype(np.int64), form, decimals)
        values[name][none] = 0.0 if name == "total" else math.nan
    return Lines(time=time, count=count, worst=table["worst"].copy(), **values)

"""Which readings of a frame go where: found out once for each list of points.

Under load the lists are many, for what comes together changes; so finding out is a fixed number
of array operations, beside one look at each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.alarms.conditions import gates
from rules.alarms.conditions.gauges import Gauge, Pair
from rules.twins import point_id

_Rows = NDArray[np.intp]
_KNOWN_FRAMES = 4096
"""Frame layouts remembered; a broker's partial messages come in many."""


@dataclass(frozen=True, slots=True)
class GaugeLayout:
    gauge: Gauge
    source: _Rows
    """Of each reading its row in the frame; ordered by position and slot."""
    at: _Rows
    """Of each reading its place in ``positions``."""
    slot: _Rows
    positions: _Rows
    rows: _Rows
    """Of each of ``positions`` its row of the conditions."""


@dataclass(frozen=True, slots=True)
class Layout:
    value_from: _Rows
    value_rows: _Rows
    gate_from: _Rows
    gate_places: _Rows
    gauges: tuple[GaugeLayout, ...]
    touched: _Rows


class Places:
    """Point id → what of the conditions asks for it. ``width``: places for gates of each row."""

    def __init__(self, pairs: Sequence[Pair], width: int, gauges: Sequence[Gauge]) -> None:
        values, gated = [], []
        for row, (rule, thing) in enumerate(pairs):
            if rule.condition.measure is None:
                values.append((f"{thing.id}.{rule.point}", row))
            for place, gate in enumerate(gates.of_rule(rule), row * width):
                gated.append((point_id(thing, gate.point), place))
        inputs = [list(_inputs(gauge, pairs)) for gauge in gauges]
        names = {name for asked in (values, gated, *inputs) for name, _ in asked}
        self._number = {name: number for number, name in enumerate(sorted(names))}
        self._values = _Askers(self._number, values)
        self._gates = _Askers(self._number, gated)
        self._gauges = [
            (gauge, _Askers(self._number, asked))
            for gauge, asked in zip(gauges, inputs, strict=True)
        ]
        self._width = max(width, 1)
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def layout(self, points: tuple[str, ...]) -> Layout:
        layout = self._layouts.get(points)
        if layout is None:
            if len(self._layouts) >= _KNOWN_FRAMES:
                self._layouts.clear()
            layout = self._layouts[points] = self._layout(points)
        return layout

    def _layout(self, points: tuple[str, ...]) -> Layout:
        nobody = len(self._number)
        number = self._number.get
        numbers = np.array([number(name, nobody) for name in points], np.intp)
        value_from, value_rows = self._values.of(numbers)
        gate_from, gate_places = self._gates.of(numbers)
        laid = [_gauge_layout(gauge, *askers.of(numbers)) for gauge, askers in self._gauges]
        heard = tuple(one for one in laid if one.positions.size)
        touched = [value_rows, gate_places // self._width, *(one.rows for one in heard)]
        return Layout(
            value_from=value_from,
            value_rows=value_rows,
            gate_from=gate_from,
            gate_places=gate_places,
            gauges=heard,
            touched=np.unique(np.concatenate(touched)),
        )


class _Askers:
    """For each point, by its number, what asks for it: those of one point lie end to end."""

    def __init__(self, number: Mapping[str, int], asked: Iterable[tuple[str, int]]) -> None:
        """``asked``: point id, and the number of what asks for it."""
        by_point = sorted((number[name], asker) for name, asker in asked)
        points = np.array([point for point, _ in by_point], np.intp)
        self._asker = np.array([asker for _, asker in by_point], np.intp)
        # One more: a point that nobody asks for.
        self._count = np.bincount(points, minlength=len(number) + 1)
        self._begin = np.cumsum(self._count) - self._count

    def of(self, numbers: _Rows) -> tuple[_Rows, _Rows]:
        """Row in ``numbers``, and what asks for it, in this order."""
        count = self._count[numbers]
        source = np.repeat(np.arange(len(numbers)), count)
        before = np.cumsum(count) - count
        place = np.arange(len(source)) + (self._begin[numbers] - before)[source]
        return source, self._asker[place]


_SLOTS = 1 << 16
"""More than a formula can have."""


def _inputs(gauge: Gauge, pairs: Sequence[Pair]) -> Iterable[tuple[str, int]]:
    """Point id, with position and slot as one number."""
    for position, row in enumerate(gauge.rows.tolist()):
        rule, thing = pairs[row]
        for slot, key in enumerate(gauge.points(rule)):
            yield point_id(thing, key), position * _SLOTS + slot


def _gauge_layout(gauge: Gauge, source: _Rows, asker: _Rows) -> GaugeLayout:
    order = np.argsort(asker, kind="stable")
    asker = asker[order]
    # Of a point that a frame names twice the last reading counts.
    last = np.ones(len(asker), np.bool_)
    last[:-1] = asker[1:] != asker[:-1]
    asker, source = asker[last], source[order][last]
    positions, at = np.unique(asker // _SLOTS, return_inverse=True)
    return GaugeLayout(
        gauge=gauge,
        source=source,
        at=at,
        slot=asker % _SLOTS,
        positions=positions,
        rows=gauge.rows[positions],
    )

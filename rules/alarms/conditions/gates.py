"""What leaves a rule out: the gates of every row, and what ends its alarm besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.alarms.comparisons import Comparisons
from rules.rule import Comparison, Gate, Rule

_Rows = NDArray[np.intp]
_Flags = NDArray[np.bool_]
_NONE = (Comparison.EQUALS, 0.0)


def of_rule(rule: Rule) -> tuple[Gate, ...]:
    """What a row has places for: the gates of its rule, and its ``clear``."""
    return rule.gates if rule.clear is None else (*rule.gates, rule.clear)


class Gates:
    """Every row has ``width`` places; those of row ``i`` begin at ``i * width``, and a place that
    a rule leaves empty is always open."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.width = max((len(of_rule(rule)) for rule in rules), default=0)
        placed = [self._places(rule) for rule in rules]
        every = [gate for line in placed for gate in line]
        self._tests = Comparisons([(one.comparison, one.limit) if one else _NONE for one in every])
        self.value = np.full((len(rules), self.width), np.nan)
        shape = self.value.shape
        self._ends = np.zeros(shape, np.bool_)
        for row, rule in enumerate(rules):
            if rule.clear is not None:
                self._ends[row, len(rule.gates)] = True
        self._has_end = np.array([rule.clear is not None for rule in rules], np.bool_)
        self.any_end = bool(self._has_end.any())
        is_gate = np.array([gate is not None for gate in every], np.bool_).reshape(shape)
        self._gated = is_gate & ~self._ends
        self._has_gate = np.array([bool(rule.gates) for rule in rules], np.bool_)
        leaves_out = [
            gate is not None and gate.comparison is Comparison.NOT_EQUALS for gate in every
        ]
        self._leaves_out = np.array(leaves_out, np.bool_).reshape(shape)
        self._digits = 3 ** np.arange(self.width)

    def _places(self, rule: Rule) -> list[Gate | None]:
        gates = of_rule(rule)
        return [*gates, *[None] * (self.width - len(gates))]

    def put(self, places: _Rows, value: NDArray[np.float64], doubtful: _Flags) -> None:
        """An uncertain value opens a gate and never shuts one, and it ends nothing."""
        if doubtful.any():
            passed = self._tests.beyond(places, value)
            value = np.where(doubtful & (passed == self._ends.flat[places]), np.nan, value)
        self.value.flat[places] = value

    def forget(self, rows: _Rows) -> None:
        """Something of ``rows`` is too old: nobody knows what gates they have, until each says it
        again."""
        self.value[rows] = np.nan

    def look(self, rows: _Rows) -> Look:
        """How the gates of each of ``rows`` stand."""
        value = self.value[rows]
        passed = self._passed(rows, value)
        unknown = np.isnan(value)
        gated = self._gated[rows]
        # Unequal to everything is NaN too: an unknown value leaves nothing out.
        open_ = ~gated | (passed & (~unknown | self._leaves_out[rows]))
        return Look(
            is_open=open_.all(axis=1),
            shut=(gated & ~unknown & ~passed).any(axis=1),
            zone=np.where(unknown, 2, passed) @ self._digits,
        )

    def shut(self, rows: _Rows) -> _Flags:
        """Whether one gate of each of ``rows`` is; as :meth:`look` says, and that alone."""
        shut = np.zeros(len(rows), np.bool_)
        has_gate = self._has_gate[rows]
        if has_gate.any():
            gated = rows[has_gate]
            value = self.value[gated]
            passed = self._passed(gated, value)
            shut[has_gate] = (self._gated[gated] & ~np.isnan(value) & ~passed).any(axis=1)
        return shut

    def ended(self, rows: _Rows) -> tuple[_Flags, _Flags, _Flags]:
        """Of each of ``rows``: whether its alarm has an end of its own, whether that has come, and
        whether it has not; neither where nobody knows."""
        ends = self._ends[rows]
        value = self.value[rows]
        passed = self._passed(rows, value)
        known = ends & ~np.isnan(value)
        has: _Flags = self._has_end[rows]
        return has, (known & passed).any(axis=1), (known & ~passed).any(axis=1)

    def _passed(self, rows: _Rows, value: NDArray[np.float64]) -> _Flags:
        """Of each place of ``rows``, which hold ``value``."""
        places = rows[:, np.newaxis] * self.width + np.arange(self.width)
        return self._tests.beyond(places, value)


@dataclass(frozen=True, slots=True)
class Look:
    """One entry a row."""

    is_open: _Flags
    """All gates are."""
    shut: _Flags
    """One gate is."""
    zone: NDArray[np.int64]
    """On which side of its limit each value lies, as one number."""

"""A formula over points of two pieces of equipment, which are read apart: each by its own link, at
its own time. It is calculated whenever either says something, with the last of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rules.alarms.conditions import gates
from rules.alarms.conditions.calculation import Calculations
from rules.alarms.conditions.gauges import Answer, Flags, Fresh, Pair
from rules.alarms.conditions.rows import Memory
from rules.alarms.conditions.timeline import NEVER
from rules.rule import Rule
from rules.twins import points_by_name


class Twins(Calculations):
    """Nothing is said while one of its points, or of its rule's gates, has been silent for longer
    than it may: of two that are compared the one that still speaks proves nothing."""

    needs_reading = True

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        self._heard = np.full(self._value.shape, NEVER, np.int64)
        self._patience = np.full(self._value.shape, -NEVER, np.int64)
        """µs after which a point is stale; of a place that nothing is in, for ever."""
        for position, (rule, thing) in enumerate(pairs):
            known_as = points_by_name(thing)
            for slot, name in enumerate(self.points(rule)):
                self._patience[position, slot] = known_as[name].stale_after

    @staticmethod
    def points(rule: Rule) -> tuple[str, ...]:
        gated = (gate.point for gate in gates.of_rule(rule))
        return tuple(dict.fromkeys((*Calculations.points(rule), *gated)))

    def take(self, fresh: Fresh) -> Answer:
        self._heard[fresh.positions[fresh.at], fresh.slot] = fresh.now
        answer = super().take(fresh)
        silence = fresh.now - self._heard[fresh.positions]
        too_long = (silence > self._patience[fresh.positions]) | (silence < 0)
        stale: Flags = np.logical_or.reduce(too_long, axis=1)
        return replace(
            answer,
            claim=np.where(stale, np.nan, answer.claim),
            deny=np.where(stale, np.nan, answer.deny),
            stale=stale,
        )

    def restore(self, position: int, memory: Memory, at: int) -> None:
        super().restore(position, memory, at)
        self._heard[position, ~np.isnan(self._value[position])] = at

"""All gauges of the conditions together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.moment import SECOND, Instant
from rules.alarms.conditions.calculation import Calculations
from rules.alarms.conditions.gauges import Gauge, Pair
from rules.alarms.conditions.lasting import Answers, Silences, Stillnesses
from rules.alarms.conditions.rows import ConditionRow, Memory, State
from rules.alarms.conditions.timeline import NEVER, Timeline
from rules.alarms.conditions.twins import Twins
from rules.alarms.conditions.windows import Counts, Rates, Shares
from rules.measures import (
    Absent,
    AgainstTwin,
    Calculated,
    Count,
    NoData,
    Outside,
    Rate,
    Unchanged,
)
from rules.rule import Rule

_Rows = NDArray[np.intp]
_KINDS: Mapping[type, type[Gauge]] = {
    Rate: Rates,
    Outside: Shares,
    Count: Counts,
    Unchanged: Stillnesses,
    NoData: Silences,
    Absent: Answers,
    Calculated: Calculations,
    AgainstTwin: Twins,
}
_LOOK = SECOND
"""µs between two looks for silences."""


class Gauges:
    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.all: list[Gauge] = []
        self._of_row: dict[int, tuple[Gauge, int]] = {}
        self._silences: Silences | None = None
        self._looked = NEVER
        kinds = [type(rule.condition.measure) for rule, _ in pairs]
        for measure, kind in _KINDS.items():
            rows = [row for row, one in enumerate(kinds) if one is measure]
            if rows:
                self._add(kind(rows, [pairs[row] for row in rows]))
        self.remembering = np.array(sorted(self._of_row), np.intp)
        """The rows that have a gauge."""

    def _add(self, gauge: Gauge) -> None:
        self.all.append(gauge)
        self._of_row.update(
            {row: (gauge, position) for position, row in enumerate(gauge.rows.tolist())}
        )
        if isinstance(gauge, Silences):
            self._silences = gauge

    def needs_reading(self, count: int) -> NDArray[np.bool_]:
        """Of ``count`` rows, whether their delays run out at a reading only."""
        needs = np.zeros(count, np.bool_)
        for gauge in self.all:
            needs[gauge.rows] = gauge.needs_reading
        return needs

    def lapse(self, now: int) -> tuple[_Rows, NDArray[np.int64]]:
        """The rows that have just become silent, and for how long they are."""
        if self._silences is None or 0 <= now - self._looked < _LOOK:
            return np.zeros(0, np.intp), np.zeros(0, np.int64)
        self._looked = now
        positions, silence = self._silences.lapse(now)
        return self._silences.rows[positions], silence

    def take_changed(self) -> _Rows:
        """Rows whose memory is to be kept again; asked once."""
        changed = [np.zeros(0, np.intp)]
        for gauge in self.all:
            changed.append(gauge.rows[gauge.changed])
            gauge.changed[:] = False
        return np.concatenate(changed)

    def renew(self, row: int, rule: Rule) -> None:
        """``rule`` has another limit or another delay now."""
        if row in self._of_row:
            gauge, position = self._of_row[row]
            gauge.renew(position, rule)

    def doubt(self, rows: Iterable[int]) -> None:
        """What these remember was enough for another limit."""
        for row in rows:
            if row in self._of_row:
                gauge, position = self._of_row[row]
                if isinstance(gauge, Counts):
                    gauge.doubt(position)

    def kept(self, row: int, at: Instant, timeline: Timeline) -> Memory | None:
        if row not in self._of_row or not at.boot:
            return None
        gauge, position = self._of_row[row]
        memory = gauge.kept(position, timeline.of(at))
        return None if memory is None else {"at": [at.wall, at.mono, at.boot], **memory}

    def restore(self, row: int, kept: ConditionRow, timeline: Timeline) -> None:
        if row not in self._of_row:
            return
        gauge, position = self._of_row[row]
        if isinstance(gauge, Silences):
            if kept.state in (State.PENDING, State.ACTIVE):
                gauge.wait(position)
        elif kept.memory is not None:
            wall, mono, boot = kept.memory["at"]
            at = timeline.of(Instant(wall=wall, mono=mono, boot=boot))
            gauge.restore(position, kept.memory, at)

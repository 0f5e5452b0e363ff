"""Gauges of what does not happen: nothing comes, nothing changes, nothing answers.

How long that may last is the rule's delay, which the rows themselves keep over a restart; so a
row that waits says since when. To be cheap it only says so after a while: until then nothing is
written, and a restart begins to wait anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from rules.alarms.comparisons import Comparisons
from rules.alarms.conditions.gauges import (
    Answer,
    Flags,
    Fresh,
    Gauge,
    Pair,
    Positions,
    Times,
    Values,
    known,
    number,
    stale_after,
)
from rules.alarms.conditions.rows import Memory
from rules.alarms.conditions.timeline import NEVER
from rules.measures import SLICES, Absent, Unchanged
from rules.rule import Rule

_SOON = 4
"""A silence is a wait after a quarter of its time."""


class Silences(Gauge):
    """1 after a while without a good reading, by the clock; 0 at a good one."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        self._grace = np.array([rule.delay // _SOON for rule, _ in pairs], np.int64)
        self._seen = np.full(len(rows), NEVER, np.int64)
        self._is_silent = np.zeros(len(rows), np.bool_)

    def take(self, fresh: Fresh) -> Answer:
        where = fresh.positions
        good = ~np.isnan(fresh.value) & ~fresh.doubtful
        self._seen[where[good]] = fresh.now
        self._is_silent[where[good]] = False
        value = np.where(self._is_silent[where], 1.0, np.where(good, 0.0, np.nan))
        return Answer(value, value)

    def lapse(self, now: int) -> tuple[Positions, Times]:
        """Those that have just been silent for long enough to say so, and for how long."""
        self._seen[self._seen == NEVER] = now
        silence = now - self._seen
        lapsed = np.flatnonzero(~self._is_silent & (silence >= self._grace))
        self._is_silent[lapsed] = True
        return lapsed, silence[lapsed]

    def renew(self, position: int, rule: Rule) -> None:
        super().renew(position, rule)
        self._grace[position] = rule.delay // _SOON

    def wait(self, position: int) -> None:
        """It was silent when its row was kept."""
        self._is_silent[position] = True


class Stillnesses(Gauge):
    """1 after a twelfth of the time with the same value. Time counts from one good reading to the
    next, where that is no gap; so a delay runs out at a reading and never by the clock."""

    needs_reading = True

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        measures = [cast("Unchanged", rule.condition.measure) for rule, _ in pairs]
        self._by = np.array([one.by for one in measures])
        self._grace = np.array([rule.delay // SLICES for rule, _ in pairs], np.int64)
        self._stale_after = np.array([stale_after(*pair) for pair in pairs], np.int64)
        self._patience = self._grace + self._stale_after
        self._value = np.full(len(rows), np.nan)
        """What it was when it last moved."""
        self._since = np.full(len(rows), NEVER, np.int64)
        """When that was, later by all gaps since."""
        self._seen = np.full(len(rows), NEVER, np.int64)
        self._kept_seen = np.full(len(rows), NEVER, np.int64)

    def take(self, fresh: Fresh) -> Answer:
        where, now = fresh.positions, fresh.now
        self._value[where[fresh.shut]] = np.nan
        good = ~np.isnan(fresh.value) & ~fresh.doubtful & ~fresh.shut
        still = np.abs(fresh.value - self._value[where]) <= self._by[where]
        moved = where[good & ~still]
        self._value[moved] = fresh.value[good & ~still]
        self._since[moved] = now
        gap = self._bridge(where, good & still, now)
        self._seen[where[good]] = now
        age = now - self._since[where]
        lasts = age >= self._grace[where]
        self._keep(where[good & lasts], now)
        value = np.where(good, lasts, np.nan)
        return Answer(value, value, age=age, shown=self._value[where], moved=gap)

    def renew(self, position: int, rule: Rule) -> None:
        super().renew(position, rule)
        self._grace[position] = rule.delay // SLICES
        self._patience[position] = self._grace[position] + self._stale_after[position]

    def _bridge(self, where: Positions, same: Flags, now: int) -> Flags:
        """Time in which nobody knows whether it moved does not count; where there was such."""
        silence = now - self._seen[where]
        gap = same & ((silence > self._patience[where]) | (silence < 0))
        self._since[where[gap]] += silence[gap]
        self.changed[where[gap]] = True
        return gap

    def _keep(self, where: Positions, now: int) -> None:
        old = where[now - self._kept_seen[where] >= self._grace[where]]
        self._kept_seen[old] = now
        self.changed[old] = True

    def kept(self, position: int, now: int) -> Memory | None:
        seen, since = int(self._seen[position]), int(self._since[position])
        # One that moves is not worth it: every reading would be another memory.
        if np.isnan(self._value[position]) or seen - since < self._grace[position]:
            return None
        return {"seen": now - seen, "since": now - since, "value": float(self._value[position])}

    def restore(self, position: int, memory: Memory, at: int) -> None:
        self._value[position] = memory["value"]
        self._since[position] = at - int(memory["since"])
        self._seen[position] = self._kept_seen[position] = at - int(memory["seen"])


class Answers(Gauge):
    """1 from when its point came to pass until the other one answers, however short the first
    was. An alarm that nobody answered is over when what it waited for is over too."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        measures = [cast("Absent", rule.condition.measure) for rule, _ in pairs]
        self._asks = Comparisons([(one.comparison, one.value) for one in measures])
        self._replies = Comparisons([(one.expected, one.expected_value) for one in measures])
        self._side = np.full(len(rows), np.nan)
        """1 while its point passes, 0 while not, NaN not known yet."""
        self._waits = np.zeros(len(rows), np.bool_)
        self._shown = np.full(len(rows), np.nan)

    @staticmethod
    def points(rule: Rule) -> tuple[str, ...]:
        return rule.point, cast("Absent", rule.condition.measure).point

    def take(self, fresh: Fresh) -> Answer:
        where = fresh.positions
        asks, over = self._said(fresh, 0, self._asks, doubt_passes=True)
        replies, _ = self._said(fresh, 1, self._replies, doubt_passes=False)
        begins = asks & (self._side[where] != 1) & ~replies & ~fresh.shut
        ends = replies | fresh.shut | (over & fresh.held)
        waits = (self._waits[where] | begins) & ~ends
        side = np.where(asks, 1.0, np.where(over, 0.0, self._side[where]))
        self.changed[where[(waits != self._waits[where]) | (side != self._side[where])]] = True
        self._waits[where], self._side[where] = waits, side
        value = np.where(waits, 1.0, np.where(np.isnan(side), np.nan, 0.0))
        return Answer(value, value, shown=self._shown[where])

    def _said(
        self, fresh: Fresh, slot: int, tests: Comparisons, *, doubt_passes: bool
    ) -> tuple[Flags, Flags]:
        """Of each position: whether its point is now heard to pass, and whether it is not."""
        value = np.full(len(fresh.positions), np.nan)
        doubtful = np.zeros(len(fresh.positions), np.bool_)
        here = fresh.slot == slot
        value[fresh.at[here]] = fresh.value[here]
        doubtful[fresh.at[here]] = fresh.doubtful[here]
        if slot == 0:
            self._show(fresh.positions, value)
        heard = ~np.isnan(value)
        passed = heard & tests.beyond(fresh.positions, value)
        return passed & (doubt_passes | ~doubtful), heard & ~passed & ~doubtful

    def _show(self, where: Positions, value: Values) -> None:
        self._shown[where] = np.where(np.isnan(value), self._shown[where], value)

    def kept(self, position: int, now: int) -> Memory | None:
        return {"side": number(self._side[position]), "waits": bool(self._waits[position])}

    def restore(self, position: int, memory: Memory, at: int) -> None:
        self._side[position] = known(memory["side"])
        self._waits[position] = memory["waits"]

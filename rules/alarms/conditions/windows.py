"""Gauges over a stretch of time: how fast, what share, how often.

None of them believes in what it has not seen. A silence longer than a twelfth of the window (and
the point's own time) is a gap: what came before it still counts for an alarm, and no return is
believed until the window is full again.
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
from rules.measures import SLICES, Comparison, Count, Outside, Rate
from rules.rule import Rule

_SAMPLES = SLICES + 4


class Window(Gauge):
    """``over`` µs, and how long a silence may last that is no gap."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        measures = [cast("Rate | Outside | Count", rule.condition.measure) for rule, _ in pairs]
        self._over = np.array([one.over for one in measures], np.int64)
        self._slice = self._over // SLICES
        self._patience = self._slice + np.array([stale_after(*pair) for pair in pairs], np.int64)
        self._seen = np.full(len(rows), NEVER, np.int64)
        """When the last reading came that counts."""
        self._kept_seen = np.full(len(rows), NEVER, np.int64)

    def _see(self, where: Positions, now: int) -> None:
        """A reading of ``where`` counts; so that a restart finds no gap, that is kept now and
        then."""
        self._seen[where] = now
        old = now - self._kept_seen[where] >= self._slice[where]
        self.changed[where[old]] = True
        self._kept_seen[where[old]] = now


class Rates(Window):
    """Against the newest sample that is as old as the window. Samples lie a twelfth apart."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        rates = [cast("Rate", rule.condition.measure) for rule, _ in pairs]
        self._per = np.array([rate.per for rate in rates], float)
        self._at = np.full((len(rows), _SAMPLES), NEVER, np.int64)
        self._value = np.full((len(rows), _SAMPLES), np.nan)
        self._newest = np.zeros(len(rows), np.intp)

    def take(self, fresh: Fresh) -> Answer:
        where, now = fresh.positions, fresh.now
        ahead = (self._at[where] > now).any(axis=1)
        forgotten = where[(fresh.shut | ahead) & (self._at[where] > NEVER).any(axis=1)]
        self._at[forgotten] = NEVER
        self.changed[forgotten] = True
        age = now - self._at[where]
        over = self._over[where]
        oldest = over + self._patience[where]
        fits = (age >= over[:, np.newaxis]) & (age <= oldest[:, np.newaxis])
        age = np.where(fits, age, np.iinfo(np.int64).max)
        then = age.argmin(axis=1)
        line = np.arange(len(where))
        risen = fresh.value - self._value[where, then]
        rate = np.where(
            fits.any(axis=1) & ~fresh.shut, risen / age[line, then] * self._per[where], np.nan
        )
        good = ~np.isnan(fresh.value) & ~fresh.doubtful & ~fresh.shut
        due = now - self._at[where, self._newest[where]] >= self._slice[where]
        self._sample(where[good & due], fresh.value[good & due], now)
        return Answer(rate, np.where(fresh.doubtful, np.nan, rate))

    def _sample(self, where: Positions, value: Values, now: int) -> None:
        self._newest[where] = (self._newest[where] + 1) % _SAMPLES
        newest = self._newest[where]
        self._at[where, newest] = now
        self._value[where, newest] = value
        self.changed[where] = True

    def kept(self, position: int, now: int) -> Memory | None:
        order = np.argsort(self._at[position])
        taken = order[self._at[position][order] > NEVER]
        return {
            "ages": (now - self._at[position][taken]).tolist(),
            "values": self._value[position][taken].tolist(),
        }

    def restore(self, position: int, memory: Memory, at: int) -> None:
        ages, values = memory["ages"], memory["values"]
        self._at[position, : len(ages)] = at - np.array(ages, np.int64)
        self._value[position, : len(values)] = values
        self._newest[position] = max(0, len(ages) - 1)


class Shares(Window):
    """A value holds until the next one. Time is summed up in twelfths of the window, so the share
    is of the last window and up to a twelfth more. What nobody knows might have been either."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        bands = [cast("Outside", rule.condition.measure) for rule, _ in pairs]
        self._low = np.array([-np.inf if one.low is None else one.low for one in bands])
        self._high = np.array([np.inf if one.high is None else one.high for one in bands])
        shape = (len(rows), SLICES + 1)
        self._outside = np.zeros(shape, np.int64)
        self._inside = np.zeros(shape, np.int64)
        self._side = np.full(len(rows), np.nan)
        """Of the last reading: 1 outside, 0 inside, NaN not known."""
        self._origin = np.full(len(rows), NEVER, np.int64)
        """When the first twelfth began; they are counted from there, each in its place."""

    def take(self, fresh: Fresh) -> Answer:
        where, now = fresh.positions, fresh.now
        self._forget(where[self._seen[where] > now])
        usable = ~np.isnan(fresh.value)
        counted, value = where[usable], fresh.value[usable]
        # From the first reading that says something: what came before it is not kept either.
        self._origin[counted] = np.where(self._origin[counted] == NEVER, now, self._origin[counted])
        self._pass(counted, now)
        outside = (value < self._low[counted]) | (value > self._high[counted])
        side = np.where(outside, 1.0, np.where(fresh.doubtful[usable], np.nan, 0.0))
        side = np.where(fresh.shut[usable], np.nan, side)
        turned = counted[~_same(side, self._side[counted])]
        self._side[counted] = side
        self.changed[turned] = True
        self._see(counted, now)
        _, begun = self._twelfths(counted, now)
        span = now - begun[:, 0]
        least, most = np.full((2, len(where)), np.nan)
        least[usable] = 100.0 * self._outside[counted].sum(axis=1) / span
        most[usable] = 100.0 * (span - self._inside[counted].sum(axis=1)) / span
        return Answer(least, most)

    def _twelfths(self, where: Positions, now: int) -> tuple[Positions, Times]:
        """Of each of ``where`` the places of the twelfths that ``now`` looks back on, oldest
        first, and when each began."""
        length, origin = self._slice[where], self._origin[where]
        first = (now - origin) // length - SLICES
        counted = first[:, np.newaxis] + np.arange(SLICES + 1)
        begun: Times = origin[:, np.newaxis] + counted * length[:, np.newaxis]
        return (counted % (SLICES + 1)).astype(np.intp), begun

    def _pass(self, where: Positions, now: int) -> None:
        """Time has passed from the last reading until ``now``."""
        length, seen = self._slice[where][:, np.newaxis], self._seen[where][:, np.newaxis]
        place, begun = self._twelfths(where, now)
        line = where[:, np.newaxis]
        for kept in (self._outside, self._inside):
            kept[line, place] = np.where(begun > seen, 0, kept[line, place])
        bridged = now - seen <= self._patience[where][:, np.newaxis]
        overlap = np.minimum(now, begun + length) - np.maximum(seen, begun)
        passed = np.where(bridged, np.maximum(overlap, 0), 0)
        side = self._side[where][:, np.newaxis]
        self._outside[line, place] += np.where(side == 1, passed, 0)
        self._inside[line, place] += np.where(side == 0, passed, 0)
        self.changed[where[(~bridged & (seen > NEVER))[:, 0]]] = True

    def _forget(self, where: Positions) -> None:
        self._outside[where] = self._inside[where] = 0
        self._side[where] = np.nan
        self._seen[where] = self._origin[where] = NEVER

    def kept(self, position: int, now: int) -> Memory | None:
        seen = int(self._seen[position])
        if seen == NEVER:
            return None
        (places,), _ = self._twelfths(np.array([position]), seen)
        return {
            "seen": now - seen,
            "origin": now - int(self._origin[position]),
            "side": number(self._side[position]),
            "outside": self._outside[position, places].tolist(),
            "inside": self._inside[position, places].tolist(),
        }

    def restore(self, position: int, memory: Memory, at: int) -> None:
        seen = at - int(memory["seen"])
        self._origin[position] = at - int(memory["origin"])
        (places,), _ = self._twelfths(np.array([position]), seen)
        self._outside[position, places] = memory["outside"]
        self._inside[position, places] = memory["inside"]
        self._side[position] = known(memory["side"])
        self._seen[position] = self._kept_seen[position] = seen


class Counts(Window):
    """Of each time that it happened the last few are remembered: one more than the limit."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        counts = [cast("Count", rule.condition.measure) for rule, _ in pairs]
        tests = [(one.comparison or Comparison.EQUALS, one.value) for one in counts]
        self._tests = Comparisons(tests)
        self._is_change = np.array([one.comparison is None for one in counts], np.bool_)
        most = max(int(rule.condition.limit) for rule, _ in pairs) + 1
        self._events = np.full((len(rows), most), NEVER, np.int64)
        """In no order."""
        self._side = np.full(len(rows), np.nan)
        """1 where the last reading passed and 0 where not; of changes the last value."""
        self._known = np.full(len(rows), NEVER, np.int64)
        """Since when there was no gap; ``NEVER``: nothing is known yet."""

    def take(self, fresh: Fresh) -> Answer:
        where, now = fresh.positions, fresh.now
        ahead = self._events[where] > now
        self._events[where] = np.where(ahead, NEVER, self._events[where])
        self._forget(where[fresh.shut | (self._seen[where] > now)])
        side = self._sides(fresh)
        counts = ~np.isnan(side) & ~fresh.shut
        self._happen(where[counts], side[counts], now)
        in_window = now - self._events[where] < self._over[where][:, np.newaxis]
        usable = ~np.isnan(fresh.value) & ~fresh.shut
        least = np.where(usable, in_window.sum(axis=1), np.nan)
        full = (self._known[where] > NEVER) & (now - self._known[where] >= self._over[where])
        return Answer(least, np.where(usable, np.where(full, least, np.inf), np.nan))

    def renew(self, position: int, rule: Rule) -> None:
        super().renew(position, rule)
        lacking = int(rule.condition.limit) + 1 - self._events.shape[1]
        if lacking > 0:
            self._events = np.pad(self._events, ((0, 0), (0, lacking)), constant_values=NEVER)

    def doubt(self, position: int) -> None:
        """Of more than the old limit it has not remembered all: no return is believed until the
        window is full again."""
        if self._seen[position] > NEVER:
            self._known[position] = self._seen[position]
            self.changed[position] = True

    def _sides(self, fresh: Fresh) -> Values:
        """An uncertain reading may say that it happened, and never that it is over."""
        passed = self._tests.beyond(fresh.positions, fresh.value)
        side = np.where(fresh.doubtful & ~passed, np.nan, passed.astype(float))
        change = np.where(fresh.doubtful, np.nan, fresh.value)
        side = np.where(self._is_change[fresh.positions], change, side)
        return np.where(np.isnan(fresh.value), np.nan, side)

    def _happen(self, where: Positions, side: Values, now: int) -> None:
        gap = now - self._seen[where] > self._patience[where]
        self._known[where[gap]] = now
        before = self._side[where]
        turned = ~_same(side, before)
        rises = self._is_change[where] | (side == 1)
        happened = where[turned & rises & ~np.isnan(before)]
        oldest = self._events[happened].argmin(axis=1)
        self._events[happened, oldest] = now
        self._side[where] = side
        self.changed[where[turned | gap]] = True
        self._see(where, now)

    def _forget(self, where: Positions) -> None:
        """What is left out is not counted, and what comes after it is a new beginning."""
        known_ = where[self._seen[where] > NEVER]
        self._side[known_] = np.nan
        self._seen[known_] = self._known[known_] = NEVER
        self.changed[known_] = True

    def kept(self, position: int, now: int) -> Memory | None:
        if self._seen[position] == NEVER:
            return None
        events = self._events[position]
        recent = events[now - events < self._over[position]]
        return {
            "seen": int(now - self._seen[position]),
            "known": int(now - self._known[position]),
            "side": number(self._side[position]),
            "events": (now - np.sort(recent)).tolist(),
        }

    def restore(self, position: int, memory: Memory, at: int) -> None:
        self._seen[position] = self._kept_seen[position] = at - int(memory["seen"])
        self._known[position] = at - int(memory["known"])
        self._side[position] = known(memory["side"])
        # The newest are the last; another rule's limit may have made room for more.
        events = memory["events"][-self._events.shape[1] :]
        self._events[position, : len(events)] = at - np.array(events, np.int64)


def _same(one: Values, other: Values) -> Flags:
    same: Flags = (one == other) | (np.isnan(one) & np.isnan(other))
    return same

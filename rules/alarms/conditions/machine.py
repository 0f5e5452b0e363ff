"""The rows and how they move."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import Instant, stamp
from gateway.model.quality import Quality
from rules.alarms.conditions.gates import Gates, of_rule
from rules.alarms.conditions.gauges import Answer, Fresh, known, number
from rules.alarms.conditions.gauging import Gauges
from rules.alarms.conditions.hours import OpenHours
from rules.alarms.conditions.layout import GaugeLayout, Places
from rules.alarms.conditions.limits import Limits
from rules.alarms.conditions.rows import (
    Change,
    ConditionRow,
    State,
    Turn,
    Verdict,
    only_limit_differs,
)
from rules.alarms.conditions.since import Since
from rules.alarms.conditions.timeline import Timeline
from rules.rule import Rulebook

_Rows = NDArray[np.intp]
_Times = NDArray[np.int64]
_Values = NDArray[np.float64]
_Flags = NDArray[np.bool_]
_BREACHING, _NORMAL, _UNKNOWN = 1, 0, -1
_IDLE, _PENDING, _ACTIVE, _CLEARING = (int(state) for state in State)
"""As the arrays hold them: a look at a member costs as much as a small operation."""
_STATES = tuple(State)
"""By number."""
_NEXT = np.array(
    [
        [_IDLE, _PENDING, _IDLE],
        [_IDLE, _PENDING, _PENDING],
        [_CLEARING, _ACTIVE, _ACTIVE],
        [_CLEARING, _ACTIVE, _CLEARING],
    ],
    np.int8,
)
"""State (idle, pending, active, clearing), and what the readings say (normal, breaching, unknown) →
the state by that. Time does the rest: pending becomes active, and clearing idle."""
_STALE, _UNCERTAIN = int(Quality.STALE), int(Quality.UNCERTAIN)


class Conditions:
    """Pure: time and readings come as arguments, changes go out as results."""

    def __init__(self, rulebook: Rulebook, equipment: Iterable[Equipment]) -> None:
        self._limits = Limits(rulebook, equipment)
        pairs = self._pairs = self._limits.pairs
        self._row = self._limits.row
        rules = [rule for rule, _ in pairs]
        count = len(pairs)
        self._tests, self._deadband = self._limits.tests, self._limits.deadband
        self._gates = Gates(rules)
        self._gauges = Gauges(pairs)
        self._hours = OpenHours([rule.hours for rule in rules], rulebook.zone)
        self._places = Places(pairs, self._gates.width, self._gauges.all)
        self._all = np.arange(count)
        self._by_clock = ~self._gauges.needs_reading(count)
        """Whether the row's delay runs out by the clock."""
        self._state = np.zeros(count, np.int8)
        self._first = np.zeros(count, np.int64)
        self._first_value = np.full(count, np.nan)
        self._value = np.full(count, np.nan)
        self._age = np.zeros(count, np.int64)
        """µs since what the value says began; of a reading nothing."""
        self._shown = np.full(count, np.nan)
        """What people see for the value, where it is something else."""
        _, self._zone = self._said(self._all)
        self._dirty = np.zeros(count, np.bool_)
        self._since = Since(self._dirty)
        self._timeline = Timeline()
        self._latest = Instant(wall=0, mono=0, boot="")

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """(rule, equipment) of every row."""
        return frozenset(self._row)

    def step(self, frame: Frame, at: Instant, *, is_clock: bool = True) -> list[Change]:
        """Take a frame received at ``at``; what began or ended by then.

        ``is_clock``: its time counts for every row, not only for those that it has readings of.
        """
        self._latest = at
        rows, read = self._take(frame, at)
        begun = self._hours.turn(at.wall)
        if begun.size:
            rows = np.union1d(rows, begun)
        cleared = self._advance(rows, at) if rows.size else []
        fired = self._fire(read, at) if read.size else []
        fired += self._lapse(at) if is_clock else self._fire(rows[self._by_clock[rows]], at)
        return cleared + fired

    def tick(self, now: Instant) -> list[Change]:
        """What begins by the passing of time alone."""
        self._latest = now
        begun = self._hours.turn(now.wall)
        ended = self._advance(begun, now) if begun.size else []
        return ended + self._lapse(now)

    def anchor_again(self, now: Instant) -> None:
        """After a step of the wall clock: the wall side of every delay of this boot follows the
        monotonic side, so that a later restart, which leaves only the wall, judges it rightly."""
        self._latest = now
        self._dirty[self._gauges.remembering] = True
        runs = np.flatnonzero((self._state == _PENDING) | (self._state == _CLEARING))
        self._since.anchor_again(runs, now)

    def restore(self, rows: Iterable[ConditionRow]) -> None:
        """Go on from what was kept. Rows of rules or equipment that are gone are passed over."""
        limited = []
        for kept in rows:
            row = self._row.get((kept.rule, kept.equipment))
            if row is None:
                continue
            self._state[row] = kept.state
            self._since.put(self._all[row : row + 1], kept.since)
            self._first[row] = kept.first
            self._first_value[row] = known(kept.first_value)
            # A kept value stands for all on its side of the limits it was kept by.
            if kept.test == self._limits.test[row]:
                self._value[row] = known(kept.value)
            elif only_limit_differs(kept.test, self._limits.test[row]):
                limited.append(row)
            else:
                continue
            gates = [known(value) for value in kept.gate_values]
            self._gates.value[row, : len(gates)] = gates
            self._gauges.restore(row, kept, self._timeline)
        self._gauges.doubt(limited)
        self._give_up(np.array(limited, np.intp))
        _, self._zone = self._said(self._all)
        self._dirty[:] = False

    def judge_by(self, rulebook: Rulebook) -> None:
        """Go on by other limits and delays of the same rules. What was read last is judged anew at
        once; but no alarm begins to end by it, for a return is believed from a reading only."""
        renewed, limited = self._limits.renew(rulebook)
        self._dirty[renewed] = True
        for row in renewed:
            self._gauges.renew(row, self._pairs[row][0])
        self._gauges.doubt(limited)
        if limited:
            self._judge_again(np.array(limited, np.intp))

    def verdict(self, rule: str, equipment: str) -> Verdict:
        """How the rule stands there by what was read last."""
        row = self._row[rule, equipment]
        one = self._all[row : row + 1]
        gates = self._gates.look(one)
        if gates.shut[0] or self._hours.shut(one)[0]:
            return Verdict.NOT_JUDGED
        if self._state[row] != _IDLE:
            return Verdict.BREACHING
        known = gates.is_open[0] and not np.isnan(self._value[row])
        return Verdict.IN_BAND if known else Verdict.UNKNOWN

    def rows(self) -> list[ConditionRow]:
        """Every row, to be kept."""
        return self._kept(self._all)

    def take_dirty(self) -> list[ConditionRow]:
        """The rows that differ from what was last kept."""
        self._dirty[self._gauges.take_changed()] = True
        rows = np.flatnonzero(self._dirty)
        self._dirty[rows] = False
        return self._kept(rows)

    def _take(self, frame: Frame, at: Instant) -> tuple[_Rows, _Rows]:
        """Put the frame's readings into the rows that ask for them; which rows those are, and
        which of them have one that a delay may run out at."""
        layout = self._places.layout(frame.points)
        if not layout.touched.size:
            return layout.touched, layout.touched
        usable = np.where(frame.quality < _STALE, frame.value, np.nan)
        doubtful = frame.quality == _UNCERTAIN
        rows, value = layout.value_rows, usable[layout.value_from]
        if doubtful.any():
            unsaid = doubtful[layout.value_from] & ~self._tests.beyond(rows, value)
            value = np.where(unsaid, np.nan, value)
        self._value[rows] = value
        self._gates.put(layout.gate_places, usable[layout.gate_from], doubtful[layout.gate_from])
        read = [
            self._read(one, usable[one.source], doubtful[one.source], at) for one in layout.gauges
        ]
        return layout.touched, np.concatenate(read) if read else self._all[:0]

    def _read(self, layout: GaugeLayout, value: _Values, doubtful: _Flags, at: Instant) -> _Rows:
        """Let one gauge take what a frame has for it; which rows may now run out."""
        rows, gauge = layout.rows, layout.gauge
        answer = gauge.take(
            Fresh(
                positions=layout.positions,
                at=layout.at,
                slot=layout.slot,
                value=value,
                doubtful=doubtful,
                shut=self._gates.shut(rows),
                held=self._state[rows] >= _ACTIVE,
                now=self._timeline.of(at),
            )
        )
        self._value[rows] = self._agreed(rows, answer)
        self._age[rows] = 0 if answer.age is None else answer.age
        self._shown[rows] = np.nan if answer.shown is None else answer.shown
        if answer.moved is not None:
            moved = rows[answer.moved]
            pending = moved[self._state[moved] == _PENDING]
            self._since.put(pending, at, self._age[pending])
        if answer.stale is not None:
            self._gates.forget(rows[answer.stale])
        if not gauge.needs_reading:
            return rows[:0]
        value = self._value[rows]
        breaching: _Flags = ~np.isnan(value) & self._tests.beyond(rows, value)
        return rows[breaching]

    def _agreed(self, rows: _Rows, answer: Answer) -> _Values:
        """The number that stands for what is claimed and what is denied; NaN where they are on
        two sides of the limit, or where an uncertain one does not breach."""
        claim, deny = answer.claim, answer.deny
        inside = np.where(self._state[rows] >= _ACTIVE, self._deadband[rows], 0.0)
        sure = ~np.isnan(deny)
        breaches = self._tests.beyond(rows, claim, np.where(sure, inside, 0.0))
        denied = sure & ~self._tests.beyond(rows, deny, inside)
        return np.where(breaches, claim, np.where(denied, deny, np.nan))

    def _lapse(self, now: Instant) -> list[Change]:
        """What comes of time for all rows: silences, and delays that are over."""
        rows, silence = self._gauges.lapse(self._timeline.of(now))
        ended: list[Change] = []
        if rows.size:
            self._value[rows], self._age[rows] = 1.0, silence
            self._shown[rows] = 0.0
            ended = self._advance(rows, now)
        pending = np.flatnonzero(self._state == _PENDING)
        return ended + self._fire(pending[self._by_clock[pending]], now)

    def _fire(self, rows: _Rows, now: Instant) -> list[Change]:
        """Raise what of ``rows`` has been pending for its delay."""
        pending = rows[self._state[rows] == _PENDING]
        if not pending.size:
            return []
        shut = self._hours.shut(pending)
        self._enter(pending[shut], _IDLE)
        pending = pending[~shut]
        due = pending[self._since.elapsed(pending, now) >= self._limits.delay[pending]]
        self._enter(due, _ACTIVE)
        return [self._change(row, Turn.RAISED, now) for row in due]

    def _advance(self, rows: _Rows, at: Instant) -> list[Change]:
        """Move the rows on by what their readings now say; the alarms that ended."""
        said, zone = self._said(rows)
        changed = zone != self._zone[rows]
        if changed.any():
            self._dirty[rows[changed]] = True
            self._zone[rows] = zone
        state = self._state[rows]
        then = _NEXT[state, said]
        moved = then != state
        if moved.any():
            self._begin(rows[moved & (then == _PENDING)], at)
            self._enter(rows[moved & (then == _IDLE)], _IDLE)
            self._enter(rows[moved & (then == _CLEARING)], _CLEARING, since=at)
            self._enter(rows[moved & (then == _ACTIVE)], _ACTIVE)
        # Only rows whose readings confirm the return at this very moment are looked at.
        clearing = rows[(then == _CLEARING) & (said == _NORMAL)]
        if not clearing.size:
            return []
        over = clearing[self._since.elapsed(clearing, at) >= self._limits.clear_after[clearing]]
        self._enter(over, _IDLE)
        return [self._change(row, Turn.CLEARED, at) for row in over]

    def _judge_again(self, rows: _Rows) -> None:
        """``rows`` have another limit, and nothing new was read."""
        self._give_up(rows)
        gauged = np.isin(rows, self._gauges.remembering)
        # The number of a gauge stood for what it knew on one side of the old limit; and what is no
        # breach any more may be an uncertain reading, which ends nothing.
        held = self._state[rows] >= _ACTIVE
        inside = np.where(held, self._deadband[rows], 0.0)
        beyond = self._tests.beyond(rows, self._value[rows], inside)
        pending = self._state[rows] == _PENDING
        self._value[rows[(~beyond & held) | (gauged & ~(beyond & (held | pending)))]] = np.nan
        said, self._zone[rows] = self._said(rows)
        breaching, state = said == _BREACHING, self._state[rows]
        if self._latest.boot:
            self._begin(rows[(state == _IDLE) & breaching], self._latest)
        self._enter(rows[(state == _CLEARING) & breaching], _ACTIVE)

    def _give_up(self, rows: _Rows) -> None:
        """Those of ``rows`` that wait for their delay, and by their limit there is no breach. Where
        nothing is known now it is the value that began it: without it the delay would run out."""
        pending = rows[self._state[rows] == _PENDING]
        value = self._value[pending]
        value = np.where(np.isnan(value), self._first_value[pending], value)
        self._enter(pending[~self._tests.beyond(pending, value)], _IDLE)

    def _begin(self, begun: _Rows, at: Instant) -> None:
        if not begun.size:
            return
        shown = self._shown[begun]
        self._first[begun] = at.wall - self._age[begun]
        self._first_value[begun] = np.where(np.isnan(shown), self._value[begun], shown)
        self._enter(begun, _PENDING)
        self._since.put(begun, at, self._age[begun])

    def _said(self, rows: _Rows) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """What the readings say of each row, and in which zone they lie. A closed gate is normal
        whatever the value is.

        A zone is on which side of limit, deadband and gates they are, as one number. A row is kept
        only when it changes: any two values of one zone are told apart by nothing here.
        """
        value = self._value[rows]
        passed, inside = self._tests.sides(rows, value, self._deadband[rows])
        unknown = np.isnan(value)
        gates = self._gates.look(rows)
        held = self._state[rows] >= _ACTIVE
        beyond = np.where(held, inside, passed) & ~unknown
        said = np.full(len(rows), _UNKNOWN, np.int8)
        said[beyond & gates.is_open] = _BREACHING
        said[~(beyond | unknown) | gates.shut] = _NORMAL
        if self._gates.any_end:
            self._end(rows, held & ~gates.shut, said)
        if self._hours.rows.size:
            shut = self._hours.shut(rows)
            said[shut] = np.where(unknown[shut], _UNKNOWN, _NORMAL)
        zone = np.where(unknown, 3, passed.astype(np.int8) + inside)
        return said, zone + 4 * gates.zone

    def _end(self, rows: _Rows, held: _Flags, said: NDArray[np.int8]) -> None:
        """An alarm whose rule has an end of its own is over when both say so."""
        has, come, not_come = self._gates.ended(rows)
        said[held & has & (said == _NORMAL) & ~come] = _UNKNOWN
        said[held & has & not_come] = _BREACHING

    def _enter(self, rows: _Rows, state: int, *, since: Instant | None = None) -> None:
        if not rows.size:
            return
        self._state[rows] = state
        self._dirty[rows] = True
        if since is not None:
            self._since.put(rows, since)

    def _change(self, row: int, turn: Turn, at: Instant) -> Change:
        rule, thing = self._pairs[row]
        first = int(self._first[row])
        return Change(
            turn=turn,
            rule=rule,
            equipment=thing,
            occurrence=f"{thing.id}.{rule.id}.{stamp(first)}",
            first=first,
            value=float(self._first_value[row]),
            at=at,
        )

    def _kept(self, rows: _Rows) -> list[ConditionRow]:
        """Of all rows together: at the start there are thousands, and readings wait meanwhile."""
        columns = zip(
            rows.tolist(),
            self._state[rows].tolist(),
            self._since.of(rows),
            self._first[rows].tolist(),
            self._first_value[rows].tolist(),
            self._value[rows].tolist(),
            self._gates.value[rows].tolist(),
            strict=True,
        )
        kept = []
        for row, state, since, first, first_value, value, gates in columns:
            rule, thing = self._pairs[row]
            kept.append(
                ConditionRow(
                    rule=rule.id,
                    equipment=thing.id,
                    state=_STATES[state],
                    since=since,
                    first=first,
                    first_value=number(first_value),
                    value=number(value),
                    gate_values=tuple(map(number, gates[: len(of_rule(rule))])),
                    test=self._limits.test[row],
                    memory=self._gauges.kept(row, self._latest, self._timeline),
                )
            )
        return kept

"""When an alarm begins and ends: every rule on every piece of equipment, as arrays.

Row ``i`` of every array is one rule on one equipment. A row is idle, pending (breaching, not yet
long enough), active (the alarm is there) or clearing (returned, not yet long enough).

What a reading says is three-valued: breaching, normal, or unknown where it is bad or missing.
Unknown moves nothing: it never starts a delay and never ends an alarm. A delay that runs goes
on, for a fire may well burn the cable; a return is only believed while readings confirm it.
An uncertain reading may breach, but it is never normal, and it never closes a gate: a device
that reports what it cannot report, or of an unknown time, does not say that all is well.

Python objects are made for the rare thing only: a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant, stamp
from gateway.model.quality import Quality
from rules.alarms.comparisons import Comparisons
from rules.rule import Comparison, Rule, Rulebook

_Rows = NDArray[np.intp]
_BREACHING, _NORMAL, _UNKNOWN = 1, 0, -1
_KNOWN_FRAMES = 4096
"""Frame layouts remembered; a broker's partial messages come in many."""
_STEP = 2 * SECOND
"""µs by which the wall clock must move against the monotonic one to count as stepped."""


class State(IntEnum):
    IDLE = 0
    PENDING = 1
    ACTIVE = 2
    CLEARING = 3


class Turn(StrEnum):
    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An alarm begins or ends."""

    turn: Turn
    rule: Rule
    equipment: Equipment
    occurrence: str
    """The alarm's id: a function of equipment, rule and first breaching reading."""
    first: int
    """µs UTC, receive time of the first breaching reading."""
    value: float
    """The first breaching value."""
    at: Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionRow:
    """One row as it is kept over a restart."""

    rule: str
    equipment: str
    state: State
    since: Instant
    """When the row came to be pending or clearing."""
    first: int
    first_value: float | None
    value: float | None
    """The last usable value at the time the row was kept: on the same side of the limit and of
    the deadband as every value since."""
    gate_values: tuple[float | None, ...]
    """One for each gate of the rule, in its order."""
    test: str
    """:attr:`Rule.test` by which ``value`` and ``gate_values`` were kept."""


class Conditions:
    """Pure: time and readings come as arguments, changes go out as results."""

    def __init__(self, rulebook: Rulebook, equipment: Iterable[Equipment]) -> None:
        pairs = [
            (rule, thing)
            for thing in equipment
            for rule in rulebook.of_class(thing.equipment_class)
            if _has_points(thing, rule)
        ]
        self._pairs: Sequence[tuple[Rule, Equipment]] = pairs
        self._row = {(rule.id, thing.id): row for row, (rule, thing) in enumerate(pairs)}
        self._compile([rule for rule, _ in pairs])
        self._map_points()
        count = len(pairs)
        self._state = np.zeros(count, np.int8)
        self._since_wall = np.zeros(count, np.int64)
        self._since_mono = np.zeros(count, np.int64)
        self._since_boot = np.zeros(count, np.int64)
        self._first = np.zeros(count, np.int64)
        self._first_value = np.full(count, np.nan)
        self._value = np.full(count, np.nan)
        self._gate_value = np.full((count, self._width), np.nan)
        self._zone = self._zones(np.arange(count))
        self._dirty = np.zeros(count, np.bool_)
        self._boots: dict[str, int] = {"": 0}

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """(rule, equipment) of every row."""
        return frozenset(self._row)

    def step(self, frame: Frame, at: Instant, *, is_clock: bool = True) -> list[Change]:
        """Take a frame received at ``at``; what began or ended by then.

        ``is_clock``: its time counts for every row, not only for those that it has readings of.
        """
        rows = self._take(frame)
        cleared = self._advance(rows, at) if rows.size else []
        return cleared + (self.tick(at) if is_clock else self._fire(rows, at))

    def tick(self, now: Instant) -> list[Change]:
        """What begins by the passing of time alone."""
        return self._fire(np.arange(len(self._pairs)), now)

    def anchor_again(self, now: Instant) -> None:
        """After a step of the wall clock: the wall side of every delay of this boot follows the
        monotonic side, so that a later restart, which leaves only the wall, judges it rightly."""
        boot = self._boots.get(now.boot)
        offset = now.wall - now.mono
        moved = np.abs(self._since_wall - self._since_mono - offset) > _STEP
        runs = (self._state == State.PENDING) | (self._state == State.CLEARING)
        rows = np.flatnonzero((self._since_boot == boot) & runs & moved)
        self._since_wall[rows] = self._since_mono[rows] + offset
        self._dirty[rows] = True

    def restore(self, rows: Iterable[ConditionRow]) -> None:
        """Go on from what was kept. Rows of rules or equipment that are gone are passed over."""
        for kept in rows:
            row = self._row.get((kept.rule, kept.equipment))
            if row is None:
                continue
            self._state[row] = kept.state
            self._since_wall[row] = kept.since.wall
            self._since_mono[row] = kept.since.mono
            self._since_boot[row] = self._boot(kept.since.boot)
            self._first[row] = kept.first
            self._first_value[row] = _or_nan(kept.first_value)
            # A kept value stands for all on its side of the limits it was kept by.
            if kept.test == self._pairs[row][0].test:
                self._value[row] = _or_nan(kept.value)
                gates = [_or_nan(value) for value in kept.gate_values]
                self._gate_value[row, : len(gates)] = gates
        self._zone = self._zones(np.arange(len(self._pairs)))
        self._dirty[:] = False

    def rows(self) -> list[ConditionRow]:
        """Every row, to be kept."""
        return [self._kept(row) for row in range(len(self._pairs))]

    def take_dirty(self) -> list[ConditionRow]:
        """The rows that differ from what was last kept."""
        rows = np.flatnonzero(self._dirty)
        self._dirty[rows] = False
        return [self._kept(int(row)) for row in rows]

    def _compile(self, rules: Sequence[Rule]) -> None:
        conditions = [rule.condition for rule in rules]
        self._tests = Comparisons([(test.comparison, test.limit) for test in conditions])
        self._deadband = np.array([condition.deadband for condition in conditions], float)
        self._delay = np.array([rule.delay for rule in rules], np.int64)
        self._clear_after = np.array([rule.clear_after for rule in rules], np.int64)
        self._compile_gates(rules)

    def _compile_gates(self, rules: Sequence[Rule]) -> None:
        """Every row has ``_width`` places for gates; those of row ``i`` begin at ``i * _width``,
        and a place that a rule leaves empty is always open."""
        self._width = max((len(rule.gates) for rule in rules), default=0)
        placed = [
            gate
            for rule in rules
            for gate in (*rule.gates, *[None] * (self._width - len(rule.gates)))
        ]
        self._gates = Comparisons(
            [(gate.comparison, gate.limit) if gate else (Comparison.EQUALS, 0.0) for gate in placed]
        )
        shape = (len(rules), self._width)
        self._gated = np.array([gate is not None for gate in placed], bool).reshape(shape)
        leaves_out = [
            gate is not None and gate.comparison is Comparison.NOT_EQUALS for gate in placed
        ]
        self._leaves_out = np.array(leaves_out, bool).reshape(shape)

    def _map_points(self) -> None:
        values: dict[str, list[int]] = {}
        gates: dict[str, list[int]] = {}
        for row, (rule, thing) in enumerate(self._pairs):
            values.setdefault(f"{thing.id}.{rule.point}", []).append(row)
            for place, gate in enumerate(rule.gates, row * self._width):
                gates.setdefault(f"{thing.id}.{gate.point}", []).append(place)
        self._of_value: Mapping[str, Sequence[int]] = values
        self._of_gate: Mapping[str, Sequence[int]] = gates
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def _take(self, frame: Frame) -> _Rows:
        """Put the frame's readings into the rows that ask for them; which rows those are."""
        layout = self._layouts.get(frame.points)
        if layout is None:
            if len(self._layouts) >= _KNOWN_FRAMES:
                self._layouts.clear()
            layout = _Layout.of(frame.points, self._of_value, self._of_gate, self._width)
            self._layouts[frame.points] = layout
        if not layout.touched.size:
            return layout.touched
        usable = np.where(frame.quality < Quality.STALE, frame.value, np.nan)
        doubtful = frame.quality == Quality.UNCERTAIN
        rows, value = layout.value_rows, usable[layout.value_from]
        unsaid = doubtful[layout.value_from] & ~self._tests.beyond(rows, value)
        self._value[rows] = np.where(unsaid, np.nan, value)
        places, gate = layout.gate_places, usable[layout.gate_from]
        unsaid = doubtful[layout.gate_from] & ~self._gates.beyond(places, gate)
        self._gate_value.flat[places] = np.where(unsaid, np.nan, gate)
        return layout.touched

    def _fire(self, rows: _Rows, now: Instant) -> list[Change]:
        """Raise what of ``rows`` has been pending for its delay."""
        pending = rows[self._state[rows] == State.PENDING]
        if not pending.size:
            return []
        due = pending[self._elapsed(pending, now) >= self._delay[pending]]
        self._enter(due, State.ACTIVE)
        return [self._change(row, Turn.RAISED, now) for row in due]

    def _advance(self, rows: _Rows, at: Instant) -> list[Change]:
        """Move the rows on by what their readings now say; the alarms that ended."""
        said = self._said(rows)
        state = self._state[rows]
        breaching, normal = said == _BREACHING, said == _NORMAL
        begun = rows[(state == State.IDLE) & breaching]
        self._first[begun] = at.wall
        self._first_value[begun] = self._value[begun]
        self._enter(begun, State.PENDING, since=at)
        self._enter(rows[(state == State.PENDING) & normal], State.IDLE)
        self._enter(rows[(state == State.ACTIVE) & normal], State.CLEARING, since=at)
        self._enter(rows[(state == State.CLEARING) & breaching], State.ACTIVE)
        # Only rows whose readings confirm the return at this very moment are looked at.
        clearing = rows[(self._state[rows] == State.CLEARING) & normal]
        over = clearing[self._elapsed(clearing, at) >= self._clear_after[clearing]]
        self._enter(over, State.IDLE)
        zone = self._zones(rows)
        self._dirty[rows[zone != self._zone[rows]]] = True
        self._zone[rows] = zone
        return [self._change(row, Turn.CLEARED, at) for row in over]

    def _said(self, rows: _Rows) -> NDArray[np.int8]:
        """What the readings say of each row. A closed gate is normal whatever the value is."""
        value = self._value[rows]
        held = self._state[rows] >= State.ACTIVE
        beyond = self._tests.beyond(rows, value, np.where(held, self._deadband[rows], 0.0))
        known = ~np.isnan(value)
        gate = self._gate_value[rows]
        passed = self._gates.beyond(self._places(rows), gate)
        unknown = np.isnan(gate)
        # Unequal to everything is NaN too: an unknown value leaves nothing out.
        open_ = ~self._gated[rows] | (passed & (~unknown | self._leaves_out[rows]))
        shut = self._gated[rows] & ~unknown & ~passed
        said = np.full(len(rows), _UNKNOWN, np.int8)
        said[known & beyond & open_.all(axis=1)] = _BREACHING
        said[(known & ~beyond) | shut.any(axis=1)] = _NORMAL
        return said

    def _places(self, rows: _Rows) -> _Rows:
        """The places of the gates of each of ``rows``, a line for each row."""
        places: _Rows = rows[:, np.newaxis] * self._width + np.arange(self._width)
        return places

    def _zones(self, rows: _Rows) -> NDArray[np.int64]:
        """On which side of limit, deadband and gates each row's readings lie, as one number.

        A row is kept only when this changes: any two values of one zone are told apart by
        nothing here.
        """
        value, gate = self._value[rows], self._gate_value[rows]
        passed = self._tests.beyond(rows, value).astype(np.int8)
        ordered = passed + self._tests.beyond(rows, value, self._deadband[rows])
        zone = np.where(self._tests.ordered[rows], ordered, passed)
        zone = np.where(np.isnan(value), 3, zone)
        open_ = np.where(np.isnan(gate), 2, self._gates.beyond(self._places(rows), gate))
        zones: NDArray[np.int64] = zone + 4 * (open_ @ 3 ** np.arange(self._width))
        return zones

    def _elapsed(self, rows: _Rows, at: Instant) -> NDArray[np.int64]:
        """``Instant.since`` over arrays: µs since each row's ``since``.

        Where a restart has set the wall clock back before ``since``, nobody knows how long it
        has been: the row is measured from the first instant that is seen of this boot.
        """
        same_boot = self._since_boot[rows] == self._boots.get(at.boot, -1)
        behind = rows[~same_boot & (self._since_wall[rows] > at.wall)]
        if behind.size:
            self._anchor(behind, at)
            same_boot = self._since_boot[rows] == self._boots[at.boot]
        return np.where(
            same_boot, at.mono - self._since_mono[rows], at.wall - self._since_wall[rows]
        )

    def _enter(self, rows: _Rows, state: State, *, since: Instant | None = None) -> None:
        self._state[rows] = state
        self._dirty[rows] = True
        if since is not None:
            self._anchor(rows, since)

    def _anchor(self, rows: _Rows, since: Instant) -> None:
        self._dirty[rows] = True
        self._since_wall[rows] = since.wall
        self._since_mono[rows] = since.mono
        self._since_boot[rows] = self._boot(since.boot)

    def _boot(self, boot: str) -> int:
        return self._boots.setdefault(boot, len(self._boots))

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

    def _kept(self, row: int) -> ConditionRow:
        rule, thing = self._pairs[row]
        names = {number: boot for boot, number in self._boots.items()}
        return ConditionRow(
            rule=rule.id,
            equipment=thing.id,
            state=State(self._state[row]),
            since=Instant(
                wall=int(self._since_wall[row]),
                mono=int(self._since_mono[row]),
                boot=names[int(self._since_boot[row])],
            ),
            first=int(self._first[row]),
            first_value=_or_none(self._first_value[row]),
            value=_or_none(self._value[row]),
            gate_values=tuple(_or_none(one) for one in self._gate_value[row, : len(rule.gates)]),
            test=rule.test,
        )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which rows of a frame go into which rows of the conditions."""

    value_from: _Rows
    value_rows: _Rows
    gate_from: _Rows
    gate_places: _Rows
    touched: _Rows

    @classmethod
    def of(
        cls,
        points: Sequence[str],
        of_value: Mapping[str, Sequence[int]],
        of_gate: Mapping[str, Sequence[int]],
        width: int,
    ) -> _Layout:
        """``width``: places for gates that each row has."""
        values = [(at, row) for at, point in enumerate(points) for row in of_value.get(point, ())]
        gates = [(at, one) for at, point in enumerate(points) for one in of_gate.get(point, ())]
        touched = sorted({row for _, row in values} | {place // width for _, place in gates})
        return cls(
            value_from=np.array([at for at, _ in values], np.intp),
            value_rows=np.array([row for _, row in values], np.intp),
            gate_from=np.array([at for at, _ in gates], np.intp),
            gate_places=np.array([place for _, place in gates], np.intp),
            touched=np.array(touched, np.intp),
        )


def _has_points(thing: Equipment, rule: Rule) -> bool:
    keys = {point.key for point in thing.points}
    return rule.point in keys and all(gate.point in keys for gate in rule.gates)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""Rule tests over the real conditions. Pure.

Tests with the same interval and beginning run together, each on equipment of its own: one frame
holds the readings of all of them, as one frame of a link holds those of many devices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from math import nan

import numpy as np
from numpy.typing import NDArray

from gateway.files import durations
from gateway.files.documents import Problem
from gateway.model.equipment import Equipment, Twin
from gateway.model.frame import Frame
from gateway.model.moment import HOUR, SECOND, Instant
from gateway.model.point import Point
from rules.alarms.conditions import Conditions, Turn
from rules.rule import Rulebook
from rules.rule_tests.files import RuleTest
from rules.rule_tests.notation import Line
from rules.twins import is_of_twin

_DAY = date(2026, 1, 5)
"""Of the first reading: a Monday."""
_NOTHING = 255
"""Stands for the quality where nothing comes."""

_MEND_POINTS = "use a profile or a class that has its points"
_MEND_TWIN = "give it a twin by a series of one of its points, such as twin.running"

Turns = Mapping[tuple[str, str], Sequence[tuple[int, Turn]]]
"""(equipment, rule) → step and turn of each change."""


def failures(tests: Iterable[RuleTest], rulebook: Rulebook) -> list[Problem]:
    """What did not come out as expected."""
    together: defaultdict[tuple[int, str], list[RuleTest]] = defaultdict(list)
    for test in tests:
        together[test.interval, test.starts].append(test)
    return [problem for group in together.values() for problem in _failures(_Run(group), rulebook)]


def untested(tests: Iterable[RuleTest], rulebook: Rulebook) -> list[str]:
    """Rules that no test makes raise, or that none sees silent."""
    seen = {(one.rule, one.state == "raised") for test in tests for one in test.expects}
    return [
        rule for rule in rulebook.rules if (rule, True) not in seen or (rule, False) not in seen
    ]


def _failures(run: _Run, rulebook: Rulebook) -> Iterator[Problem]:
    turns = run.turns(rulebook)
    for number, test in enumerate(run.tests):
        for at, expected in enumerate(test.expects):
            thing = _name(number, expected.thing)
            of = turns.get((thing, expected.rule), ())
            found = _state(of, expected.step)
            when = durations.write(expected.step * test.interval)
            if (expected.rule, thing) not in run.judged:
                wants_twin = any(map(is_of_twin, rulebook.rules[expected.rule].points))
                wrong = f"{expected.rule} is not judged on it: a point that it needs is missing"
                yield test.problem(at, wrong, _MEND_TWIN if wants_twin else _MEND_POINTS)
            elif found != expected.state:
                wrong = f"at {when} {expected.rule} is {found}, not {expected.state}"
                told = _told(of, test.interval)
                yield test.problem(at, wrong, f"mend the rule or the test: it {told}")


def _state(turns: Sequence[tuple[int, Turn]], step: int) -> str:
    last = [turn for at, turn in turns if at <= step]
    if not last:
        return "none"
    return "raised" if last[-1] is Turn.RAISED else "cleared"


def _told(turns: Sequence[tuple[int, Turn]], interval: int) -> str:
    if not turns:
        return "never changes"
    return ", ".join(f"is {turn.value} at {durations.write(at * interval)}" for at, turn in turns)


def _name(number: int, thing: str) -> str:
    return f"t{number}-{thing}"


class _Run:
    """Tests of one interval and beginning, side by side."""

    def __init__(self, tests: Sequence[RuleTest]) -> None:
        self.tests = tests
        self.judged: frozenset[tuple[str, str]] = frozenset()
        self._steps = max(test.steps for test in tests)
        self._equipment = [
            _installed(_name(number, name), thing.equipment)
            for number, test in enumerate(tests)
            for name, thing in test.things.items()
        ]
        lines = {
            f"{_name(number, name)}.{key}": line
            for number, test in enumerate(tests)
            for name, thing in test.things.items()
            for key, line in thing.lines.items()
        }
        self._points = tuple(lines)
        shape = (self._steps, len(lines))
        self._value, self._quality = np.full(shape, nan), np.full(shape, _NOTHING, np.uint8)
        for column, line in enumerate(lines.values()):
            self._lay(column, line)

    def turns(self, rulebook: Rulebook) -> Turns:
        conditions = Conditions(rulebook, self._equipment)
        self.judged = conditions.pairs
        found: defaultdict[tuple[str, str], list[tuple[int, Turn]]] = defaultdict(list)
        layout: tuple[NDArray[np.intp], tuple[str, ...]] | None = None
        interval = self.tests[0].interval
        begins = time.fromisoformat(self.tests[0].starts)
        begin = datetime.combine(_DAY, begins, rulebook.zone)
        start = round(begin.timestamp()) * SECOND
        for step in range(self._steps):
            at = Instant(wall=start + step * interval, mono=HOUR + step * interval, boot="test")
            columns = np.flatnonzero(self._quality[step] != _NOTHING)
            if layout is None or not np.array_equal(layout[0], columns):
                layout = columns, tuple(self._points[column] for column in columns)
            frame = self._frame(step, at, *layout)
            changes = conditions.step(frame, at) if columns.size else conditions.tick(at)
            for change in changes:
                found[change.equipment.id, change.rule.id].append((step, change.turn))
        return found

    def _frame(
        self, step: int, at: Instant, columns: NDArray[np.intp], points: tuple[str, ...]
    ) -> Frame:
        return Frame(
            points=points,
            value=self._value[step, columns],
            quality=self._quality[step, columns],
            source_time=np.full(len(points), at.wall, np.int64),
        )

    def _lay(self, column: int, line: Line) -> None:
        given = [*line[: self._steps], *[line[-1]] * (self._steps - len(line))]
        self._value[:, column] = [nan if one is None else one.value for one in given]
        self._quality[:, column] = [_NOTHING if one is None else one.quality for one in given]


def _installed(name: str, thing: Equipment) -> Equipment:
    twin = thing.twin
    if twin is not None:
        twin = Twin(id=f"{name}.twin", points=_renamed(f"{name}.twin", twin.points))
    return replace(thing, id=name, points=_renamed(name, thing.points), twin=twin)


def _renamed(name: str, points: Sequence[Point]) -> tuple[Point, ...]:
    return tuple(replace(p, id=f"{name}.{p.key}", equipment=name) for p in points)

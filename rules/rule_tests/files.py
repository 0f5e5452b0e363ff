"""The files of rule tests → typed tests, with every mistake of all files at once.

A site's own folder stands before the shipped one, file by file. A shipped test of a rule that the
site has in a file of its own says nothing about that one, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.files import durations
from gateway.files.documents import Finding, Parsed, Problem, findings, salvage
from gateway.files.fields import instead
from gateway.model.equipment import Equipment, Twin
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import ProfilePoint
from gateway.model.quality import Quality
from gateway.profile.files import ProfileFile
from rules.book_folders import SHIPPED, in_force
from rules.rule import Rulebook
from rules.rule_tests.document import (
    ExpectDocument,
    RuleTestDocument,
    RuleTestsDocument,
    Series,
    ThingDocument,
)
from rules.rule_tests.notation import LONGEST, Line, NotationError, parse
from rules.rulebook import Classes
from rules.rulebook_checks import KnownPoint
from rules.twins import OF_TWIN, is_of_twin, key_of

PATTERN = "tests/*.yaml"
ITSELF = "it"
"""What the equipment is called that a test is about."""

_Points = Mapping[str, Sequence[KnownPoint]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Equipment of a test, and what its points say at each moment."""

    equipment: Equipment
    lines: Mapping[str, Line]
    """By point key; the last one of a line goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    step: int
    rule: str
    thing: str
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleTest:
    id: str
    parsed: Parsed[RuleTestsDocument]
    at: int
    """Place in its file."""
    interval: int
    starts: str
    """Time of day of the first reading, such as ``11:00``."""
    things: Mapping[str, Thing]
    expects: tuple[Expectation, ...]

    @property
    def steps(self) -> int:
        """How many moments there are to look at: up to the last expectation."""
        return max(one.step for one in self.expects) + 1

    def problem(self, expectation: int, wrong: str, mend: str) -> Problem:
        return self.parsed.problem(("tests", self.at, "expect", expectation), wrong, mend)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleTests:
    tests: tuple[RuleTest, ...]
    problems: tuple[Problem, ...]


def read_tests(
    rulebook: Rulebook,
    classes: Classes,
    profiles: Mapping[str, ProfileFile],
    folders: Sequence[Path],
) -> RuleTests:
    """The tests in ``folders`` that are about rules in force, and what is wrong with the files."""
    tests: list[RuleTest] = []
    problems: list[Problem] = []
    for path in in_force(folders, PATTERN):
        parsed, wrong = salvage(path, RuleTestsDocument)
        if parsed is not None:
            reader = _Reader(parsed, rulebook, classes, profiles)
            wrong += [parsed.problem(*finding) for finding in findings(reader.findings())]
            if not wrong:
                tests += reader.tests()
        problems += wrong
    return RuleTests(tests=tuple(tests), problems=tuple(problems))


class _Reader:
    """One file."""

    def __init__(
        self,
        parsed: Parsed[RuleTestsDocument],
        rulebook: Rulebook,
        classes: Classes,
        profiles: Mapping[str, ProfileFile],
    ) -> None:
        self._parsed = parsed
        self._rulebook = rulebook
        self._classes = classes
        self._profiles = profiles
        self._is_shipped = _is_shipped(parsed.file)

    def tests(self) -> Iterator[RuleTest]:
        """Those about rules in force; every check has been passed."""
        for at, test in enumerate(self._parsed.content.tests):
            if self._is_about(test):
                yield self._test(at, test)

    def findings(self) -> Iterator[Finding]:
        content = self._parsed.content
        if content.equipment_class not in self._classes:
            wrong = f"there is no class {content.equipment_class!r}"
            yield ("class",), wrong, instead(content.equipment_class, self._classes)
            return
        seen: set[str] = set()
        for at, test in enumerate(content.tests):
            for where, wrong, mend in findings(
                self._check_id(test, seen),
                self._check_points(test),
                self._check_others(test),
                self._check_expected(test),
            ):
                yield ("tests", at, *where), wrong, mend

    def _is_about(self, test: RuleTestDocument) -> bool:
        rules = (self._rulebook.rules.get(one.rule) for one in test.expect)
        return not self._is_shipped or all(rule and _is_shipped(rule.file) for rule in rules)

    def _interval(self, test: RuleTestDocument) -> int:
        return test.interval or self._parsed.content.interval

    def _points(self, test: RuleTestDocument) -> _Points:
        """The points of the equipment that the test is about."""
        if test.profile is None:
            return self._classes[self._parsed.content.equipment_class]
        return {point.key: [point] for point in self._profiles[test.profile].profile.points}

    def _check_id(self, test: RuleTestDocument, seen: set[str]) -> Iterator[Finding]:
        if test.id in seen:
            yield ("id",), "is also the id of a test before it", "give it another id"
        seen.add(test.id)

    def _check_points(self, test: RuleTestDocument) -> Iterator[Finding]:
        given, name = self._parsed.content.equipment_class, test.profile
        if name is not None:
            known = self._profiles.get(name)
            if known is None:
                mend = instead(name, self._profiles)
                yield ("profile",), f"there is no profile {name!r}", mend
                return
            if given not in (known.profile.equipment_class, *known.profile.generic):
                wrong = f"{name} is no {given} but a {known.profile.equipment_class}"
                yield ("profile",), wrong, "name a profile of the class"
                return
        points = self._points(test)
        yield from _check_series(("series",), test.series, points, self._interval(test), given)
        yield from self._check_written(("series",), test.series)

    def _check_others(self, test: RuleTestDocument) -> Iterator[Finding]:
        for name, thing in test.others.items():
            known = self._classes.get(thing.equipment_class)
            where = ("others", name)
            if known is None:
                wrong = f"there is no class {thing.equipment_class!r}"
                yield (*where, "class"), wrong, instead(thing.equipment_class, self._classes)
                continue
            of = thing.equipment_class
            interval = self._interval(test)
            yield from _check_series((*where, "series"), thing.series, known, interval, of)
            yield from self._check_written((*where, "series"), thing.series)

    def _check_written(self, where: tuple[str, ...], series: Series) -> Iterator[Finding]:
        """YAML takes a lone 0x10 for the number 16, and nobody would notice."""
        for key in series:
            if re.search(
                rf"\b{re.escape(key)}:\s*0x[0-9a-fA-F]+\s*($|[,}}#])", self._parsed.text, re.M
            ):
                mend = 'write it in quotes, "0x10", or 0'
                yield (*where, key), "0x… alone is a number of base 16", mend

    def _check_expected(self, test: RuleTestDocument) -> Iterator[Finding]:
        interval = self._interval(test)
        for at, one in enumerate(test.expect):
            if one.at % interval:
                wrong = f"{durations.write(one.at)} is between two readings"
                mend = f"use a multiple of the interval, {durations.write(interval)}"
                yield ("expect", at, "at"), wrong, mend
            elif one.at // interval > LONGEST:
                wrong = f"is more than {LONGEST} readings away"
                yield ("expect", at, "at"), wrong, "use a longer interval"
            for field, wrong, mend in self._check_rule(test, one):
                yield ("expect", at, field), wrong, mend

    def _check_rule(
        self, test: RuleTestDocument, one: ExpectDocument
    ) -> Iterator[tuple[str, str, str]]:
        of = self._parsed.content.equipment_class
        if one.equipment is not None:
            other = test.others.get(one.equipment)
            if other is None:
                mend = instead(one.equipment, test.others)
                yield "equipment", f"there is no {one.equipment!r} among others", mend
                return
            of = other.equipment_class
        rule = self._rulebook.rules.get(one.rule)
        if rule is None:
            if not self._is_shipped:
                mend = instead(one.rule, self._rulebook.rules)
                yield "rule", f"there is no rule {one.rule!r}", mend
        elif rule.equipment_class != of:
            wrong = f"{one.rule} is a rule for {rule.equipment_class}, not for {of}"
            yield "rule", wrong, "name a rule of the class"

    def _test(self, at: int, test: RuleTestDocument) -> RuleTest:
        content, interval = self._parsed.content, self._interval(test)
        about = ThingDocument.model_construct(
            equipment_class=content.equipment_class, series=test.series
        )
        things = {ITSELF: _thing(ITSELF, about, self._points(test), interval)}
        for name, thing in test.others.items():
            things[name] = _thing(name, thing, self._classes[thing.equipment_class], interval)
        return RuleTest(
            id=test.id,
            parsed=self._parsed,
            at=at,
            interval=interval,
            starts=test.starts,
            things=things,
            expects=tuple(
                Expectation(
                    step=one.at // interval,
                    rule=one.rule,
                    thing=one.equipment or ITSELF,
                    state=one.state,
                )
                for one in test.expect
            ),
        )


def _is_shipped(file: str) -> bool:
    return Path(file).is_relative_to(SHIPPED)


def _check_series(
    where: tuple[str, ...], series: Series, points: _Points, interval: int, of: str
) -> Iterator[Finding]:
    for name, text in series.items():
        key = key_of(name)
        if key not in points:
            yield (*where, name), f"no {of} has a point {key!r}", instead(key, points)
            continue
        if all(point.kind is PointKind.TEXT for point in points[key]):
            yield (*where, name), f"{key!r} is a text", "name a point with a value"
            continue
        try:
            line = parse(text, interval)
        except NotationError as error:
            yield (*where, name), str(error), error.mend
            continue
        yield from (((*where, name), *wrong) for wrong in _unreal(line, points[key]))


def _unreal(line: Line, points: Sequence[KnownPoint]) -> Iterator[tuple[str, str]]:
    """A good reading that no such device can give proves nothing."""
    for sample in line:
        if sample is None or sample.quality is not Quality.GOOD:
            continue
        if all(_as_installed(point, ITSELF, 1).out_of_range(sample.value) for point in points):
            wrong = f"{sample.value:g} is outside what {points[0].key} can report"
            yield wrong, f"use a value within its range, or {sample.value:g}? for a doubtful one"
            return


def _thing(name: str, said: ThingDocument, points: _Points, interval: int) -> Thing:
    twin = f"{name}.{OF_TWIN}".removesuffix(".")
    equipment = Equipment(
        id=name,
        name=Text(zh=name, en=name),
        equipment_class=said.equipment_class,
        profile="test",
        model=Text(zh="", en=""),
        area="test",
        link="test",
        unit=None,
        poll=interval,
        points=tuple(_as_installed(known[0], name, interval) for known in points.values()),
        twin=None
        if not any(map(is_of_twin, said.series))
        else Twin(
            id=twin,
            points=tuple(_as_installed(known[0], twin, interval) for known in points.values()),
        ),
    )
    lines = {key: parse(text, interval) for key, text in said.series.items()}
    return Thing(equipment=equipment, lines=lines)


def _as_installed(point: KnownPoint, equipment: str, interval: int) -> Point:
    """Read at every moment of the test."""
    if isinstance(point, ProfilePoint):
        point = point.installed(equipment, poll=interval, stale_after=3 * interval)
    return replace(point, stale_after=3 * interval)

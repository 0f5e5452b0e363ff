"""The rulebook's files → typed rules, with every mistake of all files at once.

A folder of a rulebook holds ``categories.yaml``, one file a class in ``alarms/``, one file a
regime in ``regimes/`` and one file a year in ``calendar/``, and nothing else; a site's own folder
stands before the shipped one, file by file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from gateway.documents import (
    ConfigurationError,
    Finding,
    Parsed,
    Problem,
    UnreadableError,
    findings,
    salvage,
)
from gateway.file_fields import Words, instead
from gateway.folders import documents, strays
from gateway.model.equipment import Equipment, Site
from gateway.model.point import PointKind
from gateway.profile_files import SHIPPED as SHIPPED_PROFILES
from gateway.profile_files import ProfileFile, load_profiles
from rules.book_folders import folders_of, in_force
from rules.inspections.regime_checks import Known
from rules.inspections.regime_document import RegimeDocument
from rules.inspections.regime_files import RegimeFiles
from rules.rule import Guidance, OrderTerms, Rule, Rulebook
from rules.rulebook_checks import (
    KnownPoint,
    check_clearing,
    check_comparison,
    check_condition,
    check_gate,
    check_order,
)
from rules.rulebook_document import AlarmsDocument, CategoriesDocument, RuleDocument
from rules.shifts.year_files import PATTERN as YEARS
from rules.shifts.year_files import read_years, years_of

_CATEGORIES = "categories.yaml"
_ALARMS = "alarms/*.yaml"
_REGIMES = "regimes/*.yaml"
_TAKEN = (_CATEGORIES, _ALARMS, _REGIMES, YEARS)
_MEND_STRAY = (
    "name it alarms/<class>.yaml, regimes/<regime>.yaml, calendar/<year>.yaml or "
    "categories.yaml, or move it out of the folder"
)

M = TypeVar("M", bound=BaseModel)
Classes = Mapping[str, Mapping[str, Sequence[KnownPoint]]]
"""Class → point key → the points of that name, one for each profile or equipment that has it."""
_PointsOf = Sequence[tuple[str, Sequence[KnownPoint]]]


def load_rulebook(site: Site, folders: Sequence[Path] | None = None) -> Rulebook:
    """The rules in ``folders``, checked against what this site and the shipped profiles know.

    ``folders``: the first that has a file of a name wins; None: the site's own folder, if it
    has one, before the shipped ones.

    1. Read every file in force; a file in one of the folders that is none is a mistake.
    2. Check each rule against the points of its class and the categories.
    3. Check that no two rules have one id.

    Raises :class:`ConfigurationError` with every problem of all files.
    """
    if folders is None:
        folders = folders_of(None if site.rulebook is None else Path(site.rulebook))
    reader = _Reader(classes_of(site), site.equipment.values(), site.areas)
    reader.read(folders)
    rulebook = reader.rulebook()
    # The process remembers the years: those that were checked, whatever becomes of the files.
    years_of(site.rulebook)
    return rulebook


def rulebook_problems(
    own: Path | None, profiles: Mapping[str, ProfileFile] | None
) -> Sequence[Problem]:
    """What is wrong with the rulebook of a site that is wrong itself.

    ``own``: the site's own folder; ``profiles``: all that the site may use. Where they are not
    known, nobody can say which points there are, and no rule is blamed for what it names.
    """
    reader = _Reader(None if profiles is None else _classes(_described(profiles)), (), None)
    reader.read(folders_of(own))
    return reader.problems


def classes_of(site: Site) -> Classes:
    """Every class that is installed or that a shipped profile describes, with its points."""
    installed: _PointsOf = [(t.equipment_class, t.points) for t in site.equipment.values()]
    return _classes([*_described(load_profiles([SHIPPED_PROFILES])), *installed])


def _described(profiles: Mapping[str, ProfileFile]) -> _PointsOf:
    described = [file.profile for file in profiles.values()]
    return [
        (equipment_class, profile.points)
        for profile in described
        for equipment_class in (profile.equipment_class, *profile.generic)
    ]


def _classes(points_of: _PointsOf) -> Classes:
    known: dict[str, dict[str, list[KnownPoint]]] = {}
    for equipment_class, points in points_of:
        keys = known.setdefault(equipment_class, {})
        for point in points:
            keys.setdefault(point.key, []).append(point)
    return known


class _Reader:
    """One pass over the files, noting every problem.

    ``classes``: None if they are not known, so that no rule is blamed for what it names.
    """

    def __init__(
        self,
        classes: Classes | None,
        equipment: Collection[Equipment],
        areas: Collection[str] | None,
    ) -> None:
        self._classes = classes
        self._equipment = equipment
        self._areas = areas
        self._categories: Mapping[str, Words] = {}
        self._rules: dict[str, tuple[Parsed[AlarmsDocument], RuleDocument]] = {}
        self._regimes = RegimeFiles()
        self._texts: list[str] = []
        self.problems: list[Problem] = []

    def read(self, folders: Sequence[Path]) -> None:
        """Read and check the files of ``folders`` that are in force."""
        for folder in folders:
            taken = [path for pattern in _TAKEN for path in documents(folder, pattern)]
            self.problems.extend(strays(folder, taken, _MEND_STRAY))
        for path in in_force(folders, _CATEGORIES):
            categories = self._document(path, CategoriesDocument)
            if categories is not None:
                with suppress(UnreadableError):
                    self._categories = categories.content.categories
        for path in in_force(folders, _ALARMS):
            alarms = self._document(path, AlarmsDocument)
            if alarms is not None:
                found = findings(self._check_class(alarms.content), self._check_rules(alarms))
                self.problems += [alarms.problem(*finding) for finding in found]
        known = self._known_to_regimes()
        for path in in_force(folders, _REGIMES):
            regime = self._document(path, RegimeDocument)
            if regime is not None:
                self.problems += self._regimes.take(regime, known)
        years = read_years(in_force(folders, YEARS))
        self.problems += years.problems
        self._texts += years.texts

    def _known_to_regimes(self) -> Known:
        causes: defaultdict[str, set[str]] = defaultdict(set)
        for parsed, rule in self._rules.values():
            with suppress(UnreadableError):
                causes[parsed.content.equipment_class].add(rule.cause_key)
        return Known(
            classes=self._classes,
            areas=self._areas,
            # With a broken categories file every category would seem wrong.
            categories=self._categories or None,
            cause_keys=causes,
        )

    def _document(self, path: Path, model: type[M]) -> Parsed[M] | None:
        parsed, problems = salvage(path, model)
        self.problems += problems
        if parsed is not None:
            self._texts.append(parsed.text)
        return parsed

    def rulebook(self) -> Rulebook:
        """What was read; raises :class:`ConfigurationError` if anything is wrong with it."""
        if self.problems:
            raise ConfigurationError(self.problems)
        rules = {name: self._rule(parsed, rule) for name, (parsed, rule) in self._rules.items()}
        digest = hashlib.sha256("\0".join(self._texts).encode()).hexdigest()[:16]
        names = {key: words.text() for key, words in self._categories.items()}
        regimes = self._regimes.regimes(self._classes or {}, names)
        return Rulebook(rules=rules, regimes=regimes, fingerprint=digest)

    def _rule(self, parsed: Parsed[AlarmsDocument], document: RuleDocument) -> Rule:
        order = document.order
        return Rule(
            id=document.id,
            equipment_class=parsed.content.equipment_class,
            name=document.name.text(),
            point=document.point,
            condition=document.condition.condition(),
            gates=tuple(gate.gate() for gate in document.gates),
            delay=document.delay,
            clear_after=document.clear_after,
            priority=document.priority,
            cause_key=document.cause_key,
            guidance=Guidance(zh=document.guidance.zh, en=document.guidance.en),
            order=None
            if order is None
            else OrderTerms(
                category=order.category,
                category_name=self._categories[order.category].text(),
                complete_within=order.complete_within,
                close_after=order.close_after,
            ),
            source=document.source,
            file=parsed.file,
        )

    def _check_class(self, content: AlarmsDocument) -> Iterator[Finding]:
        given = content.equipment_class
        if self._classes is not None and given not in self._classes:
            yield ("class",), f"there is no class {given!r}", instead(given, self._classes)

    def _check_rules(self, parsed: Parsed[AlarmsDocument]) -> Iterator[Finding]:
        for at, rule in enumerate(parsed.content.rules):
            for where, wrong, mend in findings(
                self._check_id(parsed, rule),
                self._check_point(parsed.content, rule),
                self._check_gate_point(parsed.content, rule),
                check_comparison(rule),
                self._check_values(parsed.content, rule),
                check_order(rule),
                self._check_category(rule),
            ):
                yield ("rules", at, *where), wrong, mend

    def _check_id(self, parsed: Parsed[AlarmsDocument], rule: RuleDocument) -> Iterator[Finding]:
        twin, document = self._rules.setdefault(rule.id, (parsed, rule))
        if document is not rule:
            yield ("id",), f"is also the id of a rule in {twin.file}", "give it another id"

    def _known(self, content: AlarmsDocument) -> Mapping[str, Sequence[KnownPoint]] | None:
        """The points of the class that the file is about; None if the class is not known."""
        return None if self._classes is None else self._classes.get(content.equipment_class)

    def _check_point(self, content: AlarmsDocument, rule: RuleDocument) -> Iterator[Finding]:
        for finding in self._misnamed(content, rule, rule.point):
            yield ("point",), *finding

    def _check_gate_point(self, content: AlarmsDocument, rule: RuleDocument) -> Iterator[Finding]:
        for at, gate in enumerate(rule.gates):
            for finding in self._misnamed(content, rule, gate.point):
                yield ("while", at, "point"), *finding

    def _misnamed(
        self, content: AlarmsDocument, rule: RuleDocument, key: str
    ) -> Iterator[tuple[str, str]]:
        """What is wrong with naming the point ``key``, and what would be right."""
        known = self._known(content)
        if known is None:
            return
        lacking = self._without(content.equipment_class, key)
        if key not in known:
            wrong = f"no {content.equipment_class} has a point {key!r}"
            yield wrong, instead(key, known)
        elif any(point.kind is PointKind.TEXT for point in known[key]):
            yield f"{key!r} is a text", "name a point with a value"
        elif lacking and not rule.where_present:
            wrong = f"nothing would be judged on {', '.join(lacking)}, without a point {key!r}"
            yield wrong, "add where_present: true if the rule is for those that have it"

    def _without(self, equipment_class: str, key: str) -> list[str]:
        """The installed equipment of the class that lacks the point."""
        return [
            thing.id
            for thing in self._equipment
            if thing.equipment_class == equipment_class
            and all(point.key != key for point in thing.points)
        ]

    def _check_values(self, content: AlarmsDocument, rule: RuleDocument) -> Iterator[Finding]:
        """The devices can have the values that the rule waits for."""
        known = self._known(content) or {}
        yield from findings(
            check_condition(rule, known), check_clearing(rule, known), check_gate(rule, known)
        )

    def _check_category(self, rule: RuleDocument) -> Iterator[Finding]:
        # With a broken categories file every category would seem wrong.
        if rule.order is not None and self._categories:
            category = rule.order.category
            if category not in self._categories:
                wrong = f"there is no category {category!r}"
                yield ("order", "category"), wrong, instead(category, self._categories)

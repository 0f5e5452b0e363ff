"""The rulebook's files → typed rules, with every mistake of all files at once.

A folder of a rulebook holds ``categories.yaml``, one file a class in ``alarms/``, one file a
regime in ``regimes/``, one a plan in ``plans/`` and one a year in ``calendar/``, and a few more
of their own name; a site's own folder stands before the shipped one, file by file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from gateway.files.documents import (
    ConfigurationError,
    Finding,
    Parsed,
    Problem,
    UnreadableError,
    findings,
    salvage,
)
from gateway.files.fields import Words, instead
from gateway.files.folders import documents, strays
from gateway.model.equipment import Equipment, Site
from gateway.model.point import PointKind
from gateway.profile.files import SHIPPED as SHIPPED_PROFILES
from gateway.profile.files import ProfileFile, load_profiles
from rules.acknowledgement import FILE as ACKNOWLEDGEMENT
from rules.acknowledgement import Acknowledgement, read_acknowledgement
from rules.alarms.links import link_points
from rules.alarms.topology import LINK_CLASS
from rules.book_folders import folders_of, in_force
from rules.handover.book import HandoverBook
from rules.handover.files import FILE as HANDOVER
from rules.handover.files import read_handover
from rules.inspections.regime_checks import Known
from rules.inspections.regime_document import RegimeDocument
from rules.inspections.regime_files import RegimeFiles
from rules.order_files import FILES as ORDER_FILES
from rules.order_files import read_order_book
from rules.orders.book import OrderBook
from rules.plans.plan_checks import Known as KnownToPlans
from rules.plans.plan_document import PlanDocument
from rules.plans.plan_files import PlanFiles
from rules.register.register_file import FILE as REGISTER
from rules.register.register_file import RegisterFile, read_register_book
from rules.rule import Rule, Rulebook
from rules.rulebook_checks import (
    KnownPoint,
    check_clearing,
    check_comparison,
    check_condition,
    check_gate,
    check_order,
)
from rules.rulebook_document import AlarmsDocument, CategoriesDocument, RuleDocument
from rules.rulebook_measures import check_around, check_measure, named_points
from rules.rulebook_orders import check_order_terms, cycle_points
from rules.rulebook_rules import rules_of
from rules.shifts.year_files import PATTERN as YEARS
from rules.shifts.year_files import read_years, years_of
from rules.twins import key_of

_CATEGORIES = "categories.yaml"
_ALARMS = "alarms/*.yaml"
_REGIMES = "regimes/*.yaml"
_PLANS = "plans/*.yaml"
_TESTS = "tests/*.yaml"
"""Read by ``rules.rule_tests``, which needs the rules."""
_TAKEN = (
    _CATEGORIES,
    _ALARMS,
    _REGIMES,
    _PLANS,
    YEARS,
    _TESTS,
    ACKNOWLEDGEMENT,
    HANDOVER,
    REGISTER,
    *ORDER_FILES,
)
_MEND_STRAY = (
    "name it alarms/<class>.yaml, tests/<class>.yaml, regimes/<regime>.yaml, plans/<plan>.yaml, "
    "calendar/<year>.yaml, acknowledgement.yaml, handover.yaml, categories.yaml, register.yaml, "
    "time_limits.yaml, "
    "escalation.yaml, skills.yaml, order_codes.yaml or order_targets.yaml, or move it out of "
    "the folder"
)

M = TypeVar("M", bound=BaseModel)
Classes = Mapping[str, Mapping[str, Sequence[KnownPoint]]]
"""Class → point key → the points of that name, one for each profile or equipment that has it."""
_PointsOf = Sequence[tuple[str, Sequence[KnownPoint]]]
_LINK = (LINK_CLASS, link_points())


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
    rulebook = replace(reader.rulebook(), zone=site.zone)
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
    reader = _Reader(
        None if profiles is None else _classes([*_described(profiles), _LINK]), (), None
    )
    reader.read(folders_of(own))
    return reader.problems


def classes_of(site: Site) -> Classes:
    """Every class that is installed or that a shipped profile describes, with its points."""
    installed: _PointsOf = [(t.equipment_class, t.points) for t in site.equipment.values()]
    return _classes([*_described(load_profiles([SHIPPED_PROFILES])), *installed, _LINK])


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
        self._alarms: dict[Path, Parsed[AlarmsDocument] | None] = {}
        self._regimes = RegimeFiles()
        self._plans = PlanFiles()
        self._order_book = OrderBook()
        self._acknowledgement = Acknowledgement()
        self._handover = HandoverBook()
        self._register = RegisterFile()
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
            alarms = self._alarms[path] = self._document(path, AlarmsDocument)
            if alarms is not None:
                found = findings(self._check_class(alarms.content), self._check_rules(alarms))
                self.problems += [alarms.problem(*finding) for finding in found]
        known = self._known_to_regimes()
        for path in in_force(folders, _REGIMES):
            regime = self._document(path, RegimeDocument)
            if regime is not None:
                self.problems += self._regimes.take(regime, known)
        for path in in_force(folders, _PLANS):
            plan = self._document(path, PlanDocument)
            if plan is not None:
                self.problems += self._plans.take(plan, self._known_to_plans())
        orders = read_order_book(folders, self._categories, self._causes(folders))
        self.problems += orders.problems
        self._texts += orders.texts
        self._order_book = orders.book
        self._acknowledgement = read_acknowledgement(folders)
        self.problems += self._acknowledgement.problems
        self._texts += self._acknowledgement.texts
        self._register = read_register_book(folders)
        self.problems += self._register.problems
        self._texts += self._register.texts
        handover = read_handover(folders, self._classes)
        self.problems += handover.problems
        self._texts += handover.texts
        self._handover = handover.book
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

    def _known_to_plans(self) -> KnownToPlans:
        return KnownToPlans(
            classes=self._classes,
            areas=self._areas,
            # Without areas the site itself is wrong, and nobody knows what is installed.
            equipment=None if self._areas is None else [one.id for one in self._equipment],
            categories=self._categories or None,
        )

    def _causes(self, folders: Sequence[Path]) -> Collection[str]:
        """All that orders may have; empty where one of them cannot be read.

        Those of a shipped file too that one of the site's own replaces: a row about such a cause
        says nothing, and is no slip.
        """
        replaced = {
            path: salvage(path, AlarmsDocument)[0]
            for folder in folders
            for path in documents(folder, _ALARMS)
            if path not in self._alarms
        }
        causes: set[str] = set()
        try:
            for alarms in (*self._alarms.values(), *replaced.values()):
                if alarms is None:
                    return ()
                causes |= {rule.cause_key for rule in alarms.content.rules}
            return causes | self._regimes.cause_keys()
        except UnreadableError:
            return ()

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
        documents = {id(rule): (parsed, rule) for parsed, rule in self._rules.values()}
        rules = {rule.id: rule for pair in documents.values() for rule in self._of_document(*pair)}
        digest = hashlib.sha256("\0".join(self._texts).encode()).hexdigest()[:16]
        names = {key: words.text() for key, words in self._categories.items()}
        regimes = self._regimes.regimes(self._classes or {}, names)
        return Rulebook(
            rules=rules,
            regimes=regimes,
            plans=self._plans.plans(names),
            register=self._register.book,
            acknowledgement=self._acknowledgement.holds,
            order_book=self._order_book,
            handover=self._handover,
            fingerprint=digest,
        )

    def _of_document(self, parsed: Parsed[AlarmsDocument], document: RuleDocument) -> list[Rule]:
        made = rules_of(
            document,
            equipment_class=parsed.content.equipment_class,
            file=parsed.file,
            category=lambda category: self._categories[category].text(),
        )
        return list(made)

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
        for name in rule.level_ids():
            twin, document = self._rules.setdefault(name, (parsed, rule))
            if document is not rule:
                which = "is" if name == rule.id else f"with its levels makes {name}, which is"
                yield ("id",), f"{which} also the id of a rule in {twin.file}", "give it another id"

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
        for where, key in (*named_points(rule), *cycle_points(rule)):
            for finding in self._misnamed(content, rule, key):
                yield where, *finding

    def _misnamed(
        self, content: AlarmsDocument, rule: RuleDocument, name: str
    ) -> Iterator[tuple[str, str]]:
        """What is wrong with naming the point ``name``, and what would be right. A twin is of
        the same class, so it has what its class has."""
        key, known = key_of(name), self._known(content)
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
            check_condition(rule, known),
            check_clearing(rule, known),
            check_gate(rule, known),
            check_measure(rule, known),
            check_around(rule, content.equipment_class, known),
            check_order_terms(rule, content.equipment_class, known),
        )

    def _check_category(self, rule: RuleDocument) -> Iterator[Finding]:
        # With a broken categories file every category would seem wrong.
        levels = [(("levels", at), level.order) for at, level in enumerate(rule.levels)]
        for where, order in ((), rule.order), *levels:
            if order is not None and self._categories and order.category not in self._categories:
                wrong = f"there is no category {order.category!r}"
                mend = instead(order.category, self._categories)
                yield (*where, "order", "category"), wrong, mend

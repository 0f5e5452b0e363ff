"""The rulebook's files → typed rules, with every mistake of all files at once.

A folder of a rulebook holds ``categories.yaml`` and one file a class in ``alarms/``; a site's
own folder stands before the shipped one, file by file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from gateway.documents import ConfigurationError, Parsed, Problem, Where, read
from gateway.file_fields import instead
from gateway.model.equipment import Site
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import ProfilePoint
from gateway.profile_files import SHIPPED as SHIPPED_PROFILES
from gateway.profile_files import load_profiles
from rules.rule import Comparison, Gate, Guidance, OrderTerms, Priority, Rule, Rulebook
from rules.rulebook_document import AlarmsDocument, CategoriesDocument, RuleDocument

SHIPPED = Path(__file__).parent / "book"

M = TypeVar("M", bound=BaseModel)
KnownPoint = Point | ProfilePoint
Classes = Mapping[str, Mapping[str, Sequence[KnownPoint]]]
"""Class → point key → the points of that name, one for each profile or equipment that has it."""


def load_rulebook(site: Site, folders: Sequence[Path] | None = None) -> Rulebook:
    """The rules in ``folders``, checked against what this site and the shipped profiles know.

    ``folders``: the first that has a file of a name wins; None: the site's own folder, if it
    has one, before the shipped ones.

    1. Read every file in force.
    2. Check each rule against the points of its class and the categories.
    3. Check that no two rules have one id.

    Raises :class:`ConfigurationError` with every problem of all files.
    """
    if folders is None:
        folders = (SHIPPED,) if site.rulebook is None else (Path(site.rulebook), SHIPPED)
    reader = _Reader(classes_of(site))
    for path in _in_force(folders, "categories.yaml"):
        reader.categories(path)
    files = [reader.read(path, AlarmsDocument) for path in _in_force(folders, "alarms/*.yaml")]
    return reader.rulebook([parsed for parsed in files if parsed is not None])


def _in_force(folders: Sequence[Path], pattern: str) -> list[Path]:
    """The files of that pattern, one a name, the first folder that has it."""
    named: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob(pattern):
            named.setdefault(path.name, path)
    return [named[name] for name in sorted(named)]


def classes_of(site: Site) -> Classes:
    """Every class that is installed or that a shipped profile describes, with its points."""
    known: dict[str, dict[str, list[KnownPoint]]] = {}
    described: list[tuple[str, Iterable[KnownPoint]]] = [
        (file.profile.equipment_class, file.profile.points)
        for file in load_profiles([SHIPPED_PROFILES]).values()
    ]
    installed: list[tuple[str, Iterable[KnownPoint]]] = [
        (thing.equipment_class, thing.points) for thing in site.equipment.values()
    ]
    for equipment_class, points in described + installed:
        keys = known.setdefault(equipment_class, {})
        for point in points:
            keys.setdefault(point.key, []).append(point)
    return known


class _Reader:
    """One pass over the files, noting every problem."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._categories: dict[str, Text] = {}
        self._problems: list[Problem] = []
        self._texts: list[str] = []

    def read(self, path: Path, model: type[M]) -> Parsed[M] | None:
        """The document at ``path``; None where it has problems."""
        try:
            parsed = read(path, model)
        except ConfigurationError as error:
            self._problems.extend(error.problems)
            return None
        self._texts.append(parsed.text)
        return parsed

    def categories(self, path: Path) -> None:
        parsed = self.read(path, CategoriesDocument)
        if parsed is not None:
            named = parsed.content.categories
            self._categories.update({key: words.text() for key, words in named.items()})

    def rulebook(self, files: Iterable[Parsed[AlarmsDocument]]) -> Rulebook:
        rules: dict[str, Rule] = {}
        for parsed in files:
            self._check_class(parsed)
            for at, document in enumerate(parsed.content.rules):
                rule = self._rule(parsed, ("rules", at), document)
                twin = rules.setdefault(rule.id, rule)
                if twin is not rule:
                    wrong = f"is also the id of a rule in {twin.file}"
                    self._note(parsed, ("rules", at, "id"), wrong, "give it another id")
        if self._problems:
            raise ConfigurationError(self._problems)
        digest = hashlib.sha256("\0".join(self._texts).encode()).hexdigest()[:16]
        return Rulebook(rules=rules, fingerprint=digest)

    def _check_class(self, parsed: Parsed[AlarmsDocument]) -> None:
        given = parsed.content.equipment_class
        if given not in self._classes:
            mend = instead(given, self._classes)
            self._note(parsed, ("class",), f"there is no class {given!r}", mend)

    def _note(self, parsed: Parsed[AlarmsDocument], where: Where, wrong: str, mend: str) -> None:
        self._problems.append(parsed.problem(where, wrong, mend))

    def _rule(self, parsed: Parsed[AlarmsDocument], where: Where, document: RuleDocument) -> Rule:
        self._check_points(parsed, where, document)
        self._check_order(parsed, where, document)
        gate, order = document.gate, document.order
        return Rule(
            id=document.id,
            equipment_class=parsed.content.equipment_class,
            name=document.name.text(),
            point=document.point,
            condition=document.condition.condition(),
            gate=None if gate is None else Gate(point=gate.point, equals=gate.equals),
            delay=document.delay,
            clear_after=document.clear_after,
            priority=document.priority,
            cause_key=document.cause_key,
            guidance=Guidance(zh=document.guidance.zh, en=document.guidance.en),
            order=None
            if order is None
            else OrderTerms(
                category=order.category,
                category_name=self._categories.get(order.category, Text(zh="", en="")),
                complete_within=order.complete_within,
                close_after=order.close_after,
            ),
            source=document.source,
            file=parsed.file,
        )

    def _check_points(
        self, parsed: Parsed[AlarmsDocument], where: Where, document: RuleDocument
    ) -> None:
        known = self._classes.get(parsed.content.equipment_class)
        if known is None:
            return
        named: list[tuple[Where, str]] = [((*where, "point"), document.point)]
        if document.gate is not None:
            named.append(((*where, "while", "point"), document.gate.point))
        for place, key in named:
            if key not in known:
                self._note(
                    parsed,
                    place,
                    f"no {parsed.content.equipment_class} has a point {key!r}",
                    instead(key, known),
                )
            elif any(point.kind is PointKind.TEXT for point in known[key]):
                self._note(parsed, place, f"{key!r} is a text", "name a point with a value")
        for point in known.get(document.point, ()):
            self._check_limit(parsed, (*where, "condition"), document, point)

    def _check_limit(
        self,
        parsed: Parsed[AlarmsDocument],
        where: Where,
        document: RuleDocument,
        point: KnownPoint,
    ) -> None:
        """A limit that the device can never pass is a rule that never speaks."""
        condition = document.condition.condition()
        limit, comparison = condition.limit, condition.comparison
        wrong = ""
        if comparison is Comparison.ABOVE and point.high is not None and limit >= point.high:
            wrong = f"{limit:g} is never passed: {point.key} reports {point.high:g} at most"
        if comparison is Comparison.BELOW and point.low is not None and limit <= point.low:
            wrong = f"{limit:g} is never passed: {point.key} reports {point.low:g} at least"
        if wrong:
            mend = "use a limit within the point's range"
            self._note(parsed, (*where, comparison.value), wrong, mend)

    def _check_order(
        self, parsed: Parsed[AlarmsDocument], where: Where, document: RuleDocument
    ) -> None:
        must = document.priority in (Priority.CRITICAL, Priority.MAJOR)
        if document.order is None:
            if must:
                self._note(
                    parsed,
                    (*where, "order"),
                    f"is missing, but the priority is {document.priority.value}",
                    "add an order, or use priority minor or info",
                )
            return
        if document.priority is Priority.INFO:
            self._note(parsed, (*where, "order"), "does not fit priority info", "remove it")
        category = document.order.category
        # With a broken categories file every category would seem wrong.
        if self._categories and category not in self._categories:
            self._note(
                parsed,
                (*where, "order", "category"),
                f"there is no category {category!r}",
                instead(category, self._categories),
            )

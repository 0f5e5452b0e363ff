"""Files of ``regimes/`` → regimes, each checked against what the site and the rulebook know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from gateway.files.documents import Finding, Parsed, Problem, findings
from gateway.model.point import Text
from rules.inspections.item_document import ItemDocument
from rules.inspections.proving import By
from rules.inspections.regime import (
    Answer,
    Band,
    FindingTerms,
    Item,
    Proof,
    Regime,
)
from rules.inspections.regime_checks import Known, check_regime
from rules.inspections.regime_document import RegimeDocument, SectionDocument
from rules.rulebook_checks import KnownPoint

VERSION_LENGTH = 12
"""Characters of the hash of a regime's file that name its version."""


class RegimeFiles:
    """The files in force, one after the other, with every problem."""

    def __init__(self) -> None:
        self._parsed: dict[str, Parsed[RegimeDocument]] = {}

    def take(self, parsed: Parsed[RegimeDocument], known: Known) -> list[Problem]:
        """Check a file; what is wrong with it."""
        found = findings(self._twin(parsed), check_regime(parsed.content, known))
        return [parsed.problem(*finding) for finding in found]

    def regimes(
        self,
        classes: Mapping[str, Mapping[str, Sequence[KnownPoint]]],
        categories: Mapping[str, Text],
    ) -> dict[str, Regime]:
        """What was read; every check has been passed."""
        return {name: _regime(parsed, classes, categories) for name, parsed in self._parsed.items()}

    def cause_keys(self) -> set[str]:
        """Those that items name; raises ``UnreadableError``."""
        return {
            item.cause_key
            for parsed in self._parsed.values()
            for section in parsed.content.sections
            for item in section.items
            if item.cause_key is not None
        }

    def _twin(self, parsed: Parsed[RegimeDocument]) -> Iterator[Finding]:
        twin = self._parsed.setdefault(parsed.content.regime, parsed)
        if twin is not parsed:
            yield ("regime",), f"is also the id of a regime in {twin.file}", "give it another id"


def _regime(
    parsed: Parsed[RegimeDocument],
    classes: Mapping[str, Mapping[str, Sequence[KnownPoint]]],
    categories: Mapping[str, Text],
) -> Regime:
    content = parsed.content
    orders = content.orders
    return Regime(
        id=content.regime,
        level=content.level,
        name=content.name.text(),
        form=None if content.form is None else content.form.text(),
        role=content.done_by,
        countersign_role=content.countersigned_by,
        scope=content.scope.scope(),
        days=content.days,
        on=content.on,
        looks_back=content.looks_back,
        month=content.month or 1,
        recurs=content.recurs,
        window=None if content.window is None else content.window.window(),
        windows={area: window.window() for area, window in content.windows.items()},
        shift_window=None if content.in_shift is None else content.in_shift.window(),
        catch_up=content.catch_up,
        late=None if content.late is None else content.late.late(),
        missed=None if content.missed is None else content.missed.missed(),
        patience=content.wait_for_readings,
        terms=FindingTerms(
            category=orders.category,
            category_names=categories,
            serious_within=orders.serious_within,
            normal_within=orders.normal_within,
            close_after=orders.close_after,
        ),
        items=tuple(
            _item(section, item, classes) for section in content.sections for item in section.items
        ),
        statement=None if content.statement is None else content.statement.text(),
        source=content.source.text(),
        file=parsed.file,
        version=sha256(parsed.text.encode()).hexdigest()[:VERSION_LENGTH],
        document=parsed.text,
    )


def _item(
    section: SectionDocument,
    item: ItemDocument,
    classes: Mapping[str, Mapping[str, Sequence[KnownPoint]]],
) -> Item:
    check, count = item.check, item.count
    points = classes.get(item.equipment_class or "", {}).get(item.point_key or "", ())
    return Item(
        key=item.key,
        section=section.name.text(),
        name=item.name.text(),
        guidance=None if item.guidance is None else item.guidance.text(),
        equipment_class=item.equipment_class,
        where_present=item.where_present,
        proof=item.proof,
        point=item.point_key,
        counted=None if count is None else count.equals,
        answer=item.answer or _in_place_of(item, points),
        unit=_unit(item, points),
        band=Band() if check is None else check.band(),
        choices=tuple(choice.choice() for choice in item.choices),
        severity=item.severity,
        cause_key=item.cause_key,
        category=item.category,
        source=item.source.text(),
        proving=item.proving(),
    )


def _in_place_of(item: ItemDocument, points: Sequence[KnownPoint]) -> Answer:
    """What a person gives where telemetry cannot: a number, or that it is as it should be."""
    is_state = item.proof is Proof.POINT and any(point.states for point in points)
    return Answer.TICK if is_state else Answer.NUMBER


def _unit(item: ItemDocument, points: Sequence[KnownPoint]) -> str:
    if item.proof is Proof.COMPLETION:
        return "%"
    if item.proof is Proof.COUNT:
        return ""
    if item.over is not None and item.judged_by is By.STARTS:
        return "" if item.check is None else item.check.unit
    return points[0].unit if points else "" if item.check is None else item.check.unit

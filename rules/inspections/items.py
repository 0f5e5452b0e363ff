"""A regime laid over an area: the lines of one round, as they are when it opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.model.equipment import Equipment, Site
from gateway.model.point import Text
from rules.inspections.proving import PLAIN, Compare, Proving
from rules.inspections.regime import (
    Answer,
    Band,
    Choice,
    Item,
    Proof,
    Regime,
    Scope,
    Severity,
)
from rules.rule import OrderTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundItem:
    """One line. It carries its own words and limits, so a changed regime does not change it."""

    key: str
    """``item``, or ``item.equipment``; unique in the round."""
    section: Text | None
    name: Text
    guidance: Text | None
    proof: Proof | None
    """None: manual."""
    points: Mapping[str, Text] = field(default_factory=dict)
    """Point id → the name of its equipment: what it is proved by."""
    counted: float | None = None
    answer: Answer
    unit: str
    band: Band
    choices: tuple[Choice, ...]
    severity: Severity
    subject: str
    """What an order of its failure is about: the equipment, or the area or the site itself."""
    subject_name: Text
    equipment: str | None
    area: str | None
    cause_key: str
    terms: OrderTerms | None
    """None: a failure is only a line in the record."""
    source: Text
    proving: Proving = PLAIN

    @property
    def is_automatic(self) -> bool:
        """Whether telemetry answers it where it can."""
        return self.proof is not None and not self.proving.confirm


def places(scope: Scope, site: Site) -> list[str | None]:
    """The areas that get a round of their own; ``[None]``: one for the whole site."""
    found = {
        thing.area
        for thing in site.equipment.values()
        if thing.equipment_class in scope.classes and scope.takes(thing.area)
    }
    if scope.whole_site:
        return [None] if found else []
    return [area for area in site.areas if area in found]


def is_line_of(item: Item, thing: Equipment) -> bool:
    """Whether ``item`` has a line of its own for ``thing``."""
    if item.proof is Proof.COUNT or thing.equipment_class != item.equipment_class:
        return False
    return item.point is None or not item.where_present or _has(thing, item.point)


def _has(thing: Equipment, point: str | None) -> bool:
    return any(one.key == point for one in thing.points)


def lines(regime: Regime, area: str | None, site: Site) -> list[RoundItem]:
    """The items of a round of ``regime`` in ``area``; None: of the whole site."""
    here = [
        thing
        for thing in site.equipment.values()
        if area in (None, thing.area) and regime.scope.takes(thing.area)
    ]
    name = site.name if area is None else site.areas[area].name
    place = _Place(id=area or site.id, name=name, area=area)
    return [line for item in regime.items for line in _lines(regime, item, place, here)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """What a line is about that belongs to no equipment."""

    id: str
    name: Text
    area: str | None


def _lines(
    regime: Regime, item: Item, place: _Place, here: Sequence[Equipment]
) -> Iterator[RoundItem]:
    things = [thing for thing in here if thing.equipment_class == item.equipment_class]
    if item.proof is Proof.COUNT:
        points = {
            f"{thing.id}.{item.point}": thing.name for thing in things if _has(thing, item.point)
        }
        if points:
            yield _line(regime, item, place, points=points)
    elif item.equipment_class is None:
        yield _line(regime, item, place)
    else:
        for thing in filter(lambda one: is_line_of(item, one), things):
            points = {f"{thing.id}.{item.point}": thing.name} if _has(thing, item.point) else {}
            yield _line(regime, item, place, thing, points=points)


def _line(
    regime: Regime,
    item: Item,
    place: _Place,
    thing: Equipment | None = None,
    *,
    points: Mapping[str, Text] | None = None,
) -> RoundItem:
    return RoundItem(
        key=item.key if thing is None else f"{item.key}.{thing.id}",
        section=item.section,
        name=item.name,
        guidance=item.guidance,
        proof=item.proof,
        points=points or {},
        counted=item.counted,
        answer=item.answer,
        unit=item.unit,
        band=item.band,
        choices=item.choices,
        severity=item.severity,
        subject=place.id if thing is None else thing.id,
        subject_name=place.name if thing is None else thing.name,
        equipment=None if thing is None else thing.id,
        area=place.area if thing is None else thing.area,
        cause_key=item.cause_key or f"{regime.id}.{item.key}",
        terms=_terms(regime, item),
        source=item.source,
        proving=_proving(item, thing),
    )


def _proving(item: Item, thing: Equipment | None) -> Proving:
    """With the sensor that a number by hand is held against, where the equipment has it."""
    wanted = item.proving.compare
    if wanted is None and item.proving.confirm and item.point is not None:
        wanted = Compare(point=item.point, within=None)
    if wanted is None or thing is None or not _has(thing, wanted.point):
        return replace(item.proving, compare=None)
    return replace(item.proving, compare=replace(wanted, point=f"{thing.id}.{wanted.point}"))


def _terms(regime: Regime, item: Item) -> OrderTerms | None:
    if item.severity is Severity.MINOR:
        return None
    terms, serious = regime.terms, item.severity is Severity.SERIOUS
    category = item.category or terms.category
    return OrderTerms(
        category=category,
        category_name=terms.category_names[category],
        complete_within=terms.serious_within if serious else terms.normal_within,
        close_after=terms.close_after,
    )

"""Regimes as documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.models import Text
from api.models import regimes as models
from api.views import round_proofs as proofs
from api.views import words
from gateway.model.equipment import Site
from gateway.model.point import Text as Words
from rules.book_folders import SHIPPED
from rules.inspections import regime_words
from rules.inspections.calendar import Due, next_due
from rules.inspections.items import places
from rules.inspections.regime import Item, Regime
from rules.ledger import regime_versions
from rules.ledger.regime_versions import Version
from rules.ledger.roster import calendar_of, rotation_of
from rules.ledger.view import View
from rules.rule import Rulebook
from rules.shifts.calendar import Calendar
from rules.shifts.rotation import Rotation


@dataclass(frozen=True, kw_only=True)
class RegimeViews:
    """The regimes of a site as they stand at ``now`` (µs UTC)."""

    site: Site
    rulebook: Rulebook
    now: int
    calendar: Calendar
    rotation: Rotation | None
    versions: Mapping[str, list[Version]]

    def all(self) -> models.Regimes:
        return models.Regimes(
            items=[
                models.RegimeSummary(**self._summary(one)) for one in self.rulebook.regimes.values()
            ]
        )

    def one(self, regime: Regime) -> models.RegimeDetails:
        late, missed, file = regime.late, regime.missed, Path(regime.file)
        return models.RegimeDetails(
            **self._summary(regime),
            source=words.text(regime.source),
            file=f"{file.parent.name}/{file.name}",
            of="shipped" if file.is_relative_to(SHIPPED) else "site",
            catch_up=regime.catch_up.value,
            late=None
            if late is None
            else models.RegimeConsequence(tell=list(late.tell), finding=None),
            missed=None
            if missed is None
            else models.RegimeConsequence(
                tell=list(missed.tell),
                finding=None if missed.finding is None else missed.finding.value,
            ),
            statement=_text(regime.statement),
            rows=[_item(item) for item in regime.items],
            versions=[self._version(one) for one in reversed(self.versions.get(regime.id, []))],
        )

    def file(self, version: Version, document: str) -> models.RegimeFile:
        return models.RegimeFile(
            **self._version(version).model_dump(), regime=version.regime, document=document
        )

    def _version(self, version: Version) -> models.RegimeVersion:
        zone = self.site.zone
        return models.RegimeVersion(
            version=version.version,
            since=words.moment(version.since, zone),
            seen_at=words.moment(version.seen_at, zone),
        )

    def _summary(self, regime: Regime) -> dict[str, Any]:
        known = self.versions.get(regime.id, [])
        since = next((one.since for one in known if one.version == regime.version), None)
        return {
            "id": regime.id,
            "name": words.text(regime.name),
            "form": _text(regime.form),
            "level": regime.level.value,
            "when": words.text(regime_words.when(regime)),
            "role": regime.role.value,
            "countersign_role": None
            if regime.countersign_role is None
            else regime.countersign_role.value,
            "items": len(regime.items),
            "places": [self._place(regime, area) for area in places(regime.scope, self.site)],
            "version": regime.version,
            "since": words.moment_if(since, self.site.zone),
        }

    def _place(self, regime: Regime, area: str | None) -> models.RegimePlace:
        name = self.site.name if area is None else self.site.areas[area].name
        found = self._next(regime, area)
        zone = self.site.zone
        return models.RegimePlace(
            area=area,
            name=words.text(name),
            hours=words.text(regime_words.hours(regime, area)),
            next_opens_at=None if found is None else words.moment(found.opens_at, zone),
            next_due_at=None if found is None else words.moment(found.due_at, zone),
        )

    def _next(self, regime: Regime, area: str | None) -> Due | None:
        return next_due(
            (regime, area),
            self.site.zone,
            self.calendar.is_working,
            self.now,
            rotation=self.rotation,
        )


def regime_views(view: View, site: Site, rulebook: Rulebook, now: int) -> RegimeViews:
    return RegimeViews(
        site=site,
        rulebook=rulebook,
        now=now,
        calendar=calendar_of(view, site),
        rotation=rotation_of(view, site.zone),
        versions=regime_versions.versions(view),
    )


def _item(item: Item) -> models.RegimeItem:
    proving = item.proving
    return models.RegimeItem(
        key=item.key,
        section=_text(item.section),
        name=words.text(item.name),
        guidance=_text(item.guidance),
        equipment_class=item.equipment_class,
        proof=None if item.proof is None else item.proof.value,
        point=item.point,
        answer=item.answer.value,
        unit=item.unit,
        low=item.band.low,
        high=item.band.high,
        equals=item.band.equals,
        severity=item.severity.value,
        over=proofs.over(proving.over),
        confirm=proving.confirm,
        evidence=[one.value for one in proving.evidence],
        compared_with=None if proving.compare is None else proving.compare.point,
        source=words.text(item.source),
    )


def _text(value: Words | None) -> Text | None:
    return None if value is None else words.text(value)

"""Findings and the coverage map as documents."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from api.models import round_records as models
from api.views import rounds, words
from api.views.round_proofs import area
from gateway.model.equipment import Site
from gateway.model.moment import DAY
from rules.inspections.coverage import Duty, coverage
from rules.ledger.coverage_view import Checked
from rules.ledger.finding_list import ListedFinding


def finding(one: ListedFinding, site: Site) -> models.FindingRow:
    known = one.area is not None and one.area in site.areas
    return models.FindingRow(
        **rounds.finding(one.finding, site.zone).model_dump(),
        round=one.round,
        round_name=words.text(one.round_name),
        area=area(one.area, site) if known and one.area is not None else None,
        equipment=one.equipment,
        subject=words.text(one.subject_name),
        order_state=one.order_state,
    )


def cell(
    duty: Duty, checked: Checked | None, since: int | None, now: int, zone: ZoneInfo
) -> models.CoverageCell:
    """``since``: when its rounds came into force, µs UTC."""
    at = None if checked is None else checked.at
    return models.CoverageCell(
        level=duty.level.value,
        state=coverage(duty.level, at, since, now).value,
        at=words.moment_if(at, zone),
        days=None if at is None else max(0, now - at) // DAY,
        round=None if checked is None else checked.round,
        by=None if checked is None else checked.by,
        by_name=None if checked is None else checked.by_name,
        failed=0 if checked is None else checked.failed,
        regimes=list(duty.regimes),
    )


def row(name: str, cells: list[models.CoverageCell], site: Site) -> models.CoverageRow:
    thing = site.equipment[name]
    return models.CoverageRow(
        equipment=name,
        name=words.text(thing.name),
        equipment_class=thing.equipment_class,
        area=area(thing.area, site),
        cells=cells,
    )

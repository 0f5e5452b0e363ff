"""What proves the lines of a round, as documents: windows, comparisons, scans, walks."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from api.models import rounds as models
from api.views import words
from gateway.model.equipment import Site
from gateway.model.moment import SECOND
from rules.inspections.compared import Compared, Drift
from rules.inspections.proving import Over
from rules.inspections.regime import Severity
from rules.inspections.walks import Leg
from rules.inspections.windows import Stretch
from rules.ledger.round_rows import RoundEntry, SpotCheck
from rules.ledger.round_summary import AreaSummary, RegimeCount


def window(one: Stretch | None, zone: ZoneInfo) -> models.ItemWindow | None:
    if one is None:
        return None
    return models.ItemWindow(
        start=words.moment(one.start, zone),
        end=words.moment(one.end, zone),
        min=one.min,
        mean=one.mean,
        max=one.max,
        last=one.last,
        share=one.share,
        starts=one.starts,
        count=one.count,
        covered=100 * one.covered,
        quality=one.quality.word,
        gaps=one.gaps,
        text=words.text(one.told()),
    )


def over(one: Over | None) -> models.ItemOver | None:
    if one is None:
        return None
    return models.ItemOver(seconds=one.time / SECOND, by=one.by.value, share=one.share)


def compared(one: Compared | None, zone: ZoneInfo) -> models.ItemCompared | None:
    if one is None:
        return None
    return models.ItemCompared(
        point=one.point,
        value=one.value,
        received_at=words.moment_if(one.received_at, zone),
        difference=one.difference,
        within=one.within,
        agrees=one.agrees,
        why=None if one.why is None else words.text(one.why),
    )


def drift(one: Drift | None) -> models.ItemDrift | None:
    if one is None:
        return None
    return models.ItemDrift(rounds=one.rounds, mean=one.mean, slope=one.slope)


def scan(entry: RoundEntry | None, zone: ZoneInfo) -> models.ItemScan | None:
    if entry is None or entry.scanned is None or entry.scanned_at is None:
        return None
    at = words.moment(entry.scanned_at, zone)
    return models.ItemScan(place=entry.scanned, at=at, by=entry.by)


def spot_check(one: SpotCheck | None, zone: ZoneInfo) -> models.SpotCheck | None:
    if one is None:
        return None
    return models.SpotCheck(
        agrees=one.agrees,
        note=one.note,
        by=one.by,
        by_name=one.by_name,
        at=words.moment(one.at, zone),
    )


def leg(one: Leg, site: Site) -> models.WalkLeg:
    return models.WalkLeg(
        by=one.by,
        by_name=one.by_name,
        start=area(one.start, site),
        to=area(one.to, site),
        left_at=words.moment(one.left_at, site.zone),
        came_at=words.moment(one.came_at, site.zone),
        metres=one.metres,
        seconds=one.seconds,
        fast=one.is_fast,
    )


def area_summary(one: AreaSummary, site: Site) -> models.AreaSummary:
    return models.AreaSummary(
        area=None if one.area is None else area(one.area, site),
        regimes=[_regime_count(regime, of) for regime, of in sorted(one.regimes.items())],
        orders_open=one.orders_open,
    )


def _regime_count(regime: str, of: RegimeCount) -> models.RegimeCount:
    return models.RegimeCount(
        regime=regime,
        name=words.text(of.name),
        due=of.due,
        done=of.done,
        late=of.late,
        missed=of.missed,
        findings=models.FindingCounts(
            serious=of.findings.get(Severity.SERIOUS, 0),
            normal=of.findings.get(Severity.NORMAL, 0),
            minor=of.findings.get(Severity.MINOR, 0),
            open=of.findings_open,
        ),
    )


def area(name: str, site: Site) -> models.RoundArea:
    return models.RoundArea(id=name, name=words.text(site.areas[name].name))

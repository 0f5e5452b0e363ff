"""Rounds as documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from api.models import OrderRef, Text
from api.models import rounds as models
from api.views import attachments as photos
from api.views import round_proofs as proofs
from api.views import words
from gateway.model.equipment import Site
from gateway.model.moment import SECOND
from gateway.model.point import Text as Words
from rules.inspections.compared import Drift
from rules.inspections.evidence import lacks
from rules.inspections.items import RoundItem
from rules.inspections.judge import ProvedBy
from rules.inspections.walks import Leg
from rules.ledger.attachments import Attachment
from rules.ledger.round_rows import KeptItem, Round, RoundEntry, RoundFinding, SpotCheck
from rules.ledger.round_summary import AreaSummary
from rules.ledger.rows import LifecycleEvent


@dataclass(frozen=True, kw_only=True)
class OfLine:
    """What is known of one line beside its answer."""

    photos: Sequence[Attachment] = ()
    drift: Drift | None = None
    check: SpotCheck | None = None


@dataclass(frozen=True, kw_only=True)
class More:
    """What a round shows beside its lines and events."""

    photos: Mapping[str, Sequence[Attachment]]
    drifts: Mapping[str, Drift]
    checks: Mapping[str, SpotCheck]
    sample: Collection[str]
    walk: Sequence[Leg]
    summary: Sequence[AreaSummary]
    offline: Mapping[str, Sequence[models.ItemOffline]]
    """By line."""

    def of(self, key: str) -> OfLine:
        return OfLine(
            photos=self.photos.get(key, ()),
            drift=self.drifts.get(key),
            check=self.checks.get(key),
        )


def summary(found: Round, now: int, zone: ZoneInfo) -> models.RoundSummary:
    """``found`` as it stands at ``now`` (µs UTC)."""
    return models.RoundSummary(**_summary(found, now, zone))


def document(
    found: Round,
    items: list[KeptItem],
    findings: list[RoundFinding],
    steps: list[LifecycleEvent],
    contained: list[Round],
    *,
    more: More,
    site: Site,
    now: int,
) -> models.Round:
    """One round with everything that is known of it."""
    zone = site.zone
    return models.Round(
        **_summary(found, now, zone),
        rows=[_item(item, more, zone) for item in items],
        findings=[finding(one, zone) for one in findings],
        events=words.events(steps, zone),
        contains=[summary(one, now, zone) for one in contained],
        walk=[proofs.leg(one, site) for one in more.walk],
        summary=[proofs.area_summary(one, site) for one in more.summary],
        statement=_text(found.statement),
        done_note=found.done_note,
        countersign_note=found.countersign_note,
    )


def _summary(found: Round, now: int, zone: ZoneInfo) -> dict[str, object]:
    facts, counts = found.facts, found.counts
    area, area_name = found.area, found.area_name
    countersigner = found.countersign_role
    return {
        "id": found.id,
        "regime": found.regime,
        "name": words.text(found.name),
        "form": _text(found.form),
        "level": found.level.value,
        "area": None
        if area is None or area_name is None
        else models.RoundArea(id=area, name=words.text(area_name)),
        "period": found.period,
        "version": found.version,
        "opens_at": words.moment(facts.opens_at, zone),
        "due_at": words.moment(facts.due_at, zone),
        "late_until": words.moment(facts.late_until, zone),
        "state": found.state(now).value,
        "items": models.ItemCounts(
            total=counts.total,
            automatic=counts.automatic,
            passed=counts.passed,
            failed=counts.failed,
            waiting=counts.waiting,
            handed_over=counts.handed_over,
        ),
        "role": found.role.value,
        "countersign_role": None if countersigner is None else countersigner.value,
        "started_at": words.moment_if(facts.started_at, zone),
        "done_at": words.moment_if(facts.done_at, zone),
        "done_by": found.done_by,
        "done_by_name": found.done_by_name,
        "countersigned_at": words.moment_if(facts.countersigned_at, zone),
        "countersigned_by": found.countersigned_by,
        "countersigned_by_name": found.countersigned_by_name,
    }


def _item(kept: KeptItem, more: More, zone: ZoneInfo) -> models.RoundItem:
    item = kept.item
    only_point = next(iter(item.points)) if len(item.points) == 1 else None
    proving = item.proving
    by_line = more.of(item.key)
    return models.RoundItem(
        key=item.key,
        section=_text(item.section),
        name=words.text(item.name),
        guidance=_text(item.guidance),
        kind=kind(item),
        answer=item.answer.value,
        unit=item.unit,
        low=item.band.low,
        high=item.band.high,
        choices=[
            models.ItemChoice(key=choice.key, name=words.text(choice.name))
            for choice in item.choices
        ],
        source=words.text(item.source),
        severity=item.severity.value,
        equipment=None
        if item.equipment is None
        else models.ItemEquipment(id=item.equipment, name=words.text(item.subject_name)),
        point=only_point,
        state=kept.state.value,
        why=_text(kept.why),
        reading=None if kept.reading is None else reading(kept.reading, zone),
        entry=None if kept.entry is None else entry(kept.entry, zone),
        finding=None if kept.finding is None else finding(kept.finding, zone),
        over=proofs.over(proving.over),
        evidence=[one.value for one in proving.evidence],
        lacks=[one.value for one in lacks(kept, len(by_line.photos))],
        scan=proofs.scan(kept.scan, zone),
        photos=[photos.document(one, zone) for one in by_line.photos],
        drift=proofs.drift(by_line.drift),
        spot_check=proofs.spot_check(by_line.check, zone),
        sampled=item.key in more.sample,
        offline=list(more.offline.get(item.key, ())),
    )


def kind(item: RoundItem) -> Literal["automatic", "assisted", "manual"]:
    if item.proof is None:
        return "manual"
    return "assisted" if item.proving.confirm else "automatic"


def reading(reading: ProvedBy, zone: ZoneInfo) -> models.ItemReading:
    return models.ItemReading(
        value=reading.value,
        text=_text(reading.text),
        quality=reading.quality.word,
        source_time=words.moment_if(reading.source_time, zone),
        received_at=words.moment_if(reading.received_at, zone),
        age=None if reading.age is None else reading.age / SECOND,
        unit=reading.unit,
        window=proofs.window(reading.window, zone),
    )


def entry(entry: RoundEntry, zone: ZoneInfo) -> models.ItemEntry:
    return models.ItemEntry(
        id=entry.id,
        value=entry.value,
        note=entry.note,
        by=entry.by,
        by_name=entry.by_name,
        via=entry.via,
        taken_at=words.moment_if(entry.taken_at, zone),
        received_at=words.moment(entry.received_at, zone),
        compared=proofs.compared(entry.compared, zone),
    )


def finding(one: RoundFinding, zone: ZoneInfo) -> models.Finding:
    order = one.order
    return models.Finding(
        id=one.id,
        item=one.item,
        severity=one.severity.value,
        text=words.text(one.text),
        order=None if order is None else OrderRef(id=order.id, number=order.number),
        at=words.moment(one.at, zone),
    )


def _text(value: Words | None) -> Text | None:
    return None if value is None else words.text(value)

"""Rounds as documents."""

from __future__ import annotations

from datetime import tzinfo

from api.models import OrderRef, Text
from api.models import rounds as models
from api.views import words
from gateway.model.moment import SECOND
from gateway.model.point import Text as Words
from rules.inspections.judge import ProvedBy
from rules.ledger.round_rows import KeptItem, Round, RoundEntry, RoundFinding
from rules.ledger.rows import LifecycleEvent


def summary(found: Round, now: int, zone: tzinfo) -> models.RoundSummary:
    """``found`` as it stands at ``now`` (µs UTC)."""
    return models.RoundSummary(**_summary(found, now, zone))


def document(
    found: Round,
    items: list[KeptItem],
    findings: list[RoundFinding],
    steps: list[LifecycleEvent],
    contained: list[Round],
    *,
    now: int,
    zone: tzinfo,
) -> models.Round:
    """One round with everything that is known of it."""
    return models.Round(
        **_summary(found, now, zone),
        rows=[_item(item, zone) for item in items],
        findings=[_finding(finding, zone) for finding in findings],
        events=words.events(steps, zone),
        contains=[summary(one, now, zone) for one in contained],
        statement=_text(found.statement),
        done_note=found.done_note,
        countersign_note=found.countersign_note,
    )


def _summary(found: Round, now: int, zone: tzinfo) -> dict[str, object]:
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


def _item(kept: KeptItem, zone: tzinfo) -> models.RoundItem:
    item = kept.item
    only_point = next(iter(item.points)) if len(item.points) == 1 else None
    return models.RoundItem(
        key=item.key,
        section=_text(item.section),
        name=words.text(item.name),
        guidance=_text(item.guidance),
        kind="manual" if item.proof is None else "automatic",
        answer=item.answer.value,
        unit=item.unit,
        low=item.band.low,
        high=item.band.high,
        choices=[
            models.ItemChoice(key=choice.key, name=words.text(choice.name))
            for choice in item.choices
        ],
        source=item.source,
        severity=item.severity.value,
        equipment=None
        if item.equipment is None
        else models.ItemEquipment(id=item.equipment, name=words.text(item.subject_name)),
        point=only_point,
        state=kept.state.value,
        why=_text(kept.why),
        reading=None if kept.reading is None else _reading(kept.reading, zone),
        entry=None if kept.entry is None else _entry(kept.entry, zone),
        finding=None if kept.finding is None else _finding(kept.finding, zone),
    )


def _reading(reading: ProvedBy, zone: tzinfo) -> models.ItemReading:
    return models.ItemReading(
        value=reading.value,
        text=_text(reading.text),
        quality=reading.quality.word,
        source_time=words.moment_if(reading.source_time, zone),
        received_at=words.moment_if(reading.received_at, zone),
        age=None if reading.age is None else reading.age / SECOND,
        unit=reading.unit,
    )


def _entry(entry: RoundEntry, zone: tzinfo) -> models.ItemEntry:
    return models.ItemEntry(
        id=entry.id,
        value=entry.value,
        note=entry.note,
        by=entry.by,
        by_name=entry.by_name,
        via=entry.via,
        taken_at=words.moment_if(entry.taken_at, zone),
        received_at=words.moment(entry.received_at, zone),
    )


def _finding(finding: RoundFinding, zone: tzinfo) -> models.Finding:
    order = finding.order
    return models.Finding(
        id=finding.id,
        item=finding.item,
        severity=finding.severity.value,
        text=words.text(finding.text),
        order=None if order is None else OrderRef(id=order.id, number=order.number),
        at=words.moment(finding.at, zone),
    )


def _text(value: Words | None) -> Text | None:
    return None if value is None else words.text(value)

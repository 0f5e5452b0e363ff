"""What a phone fetches and hears back, and what waits for a person's decision, as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from api.models import Guidance
from api.models import offline as models
from api.models.rounds import ItemChoice, ItemEquipment
from api.views import orders, plans, rounds, words
from api.views import round_proofs as proofs
from gateway.model.equipment import Site
from gateway.model.moment import SECOND
from gateway.model.point import Text
from rules.inspections.judge import ItemState
from rules.inspections.regime import Proof
from rules.ledger import offline as stored
from rules.ledger.offline import Named, OfflineEntry
from rules.ledger.round_rows import KeptItem
from rules.ledger.view import View
from rules.offline.deciding import may_decide
from rules.offline.protocol import Outcome
from rules.offline.taking import Taken
from rules.offline.today import Line, OrderOfToday, RoundOfToday
from rules.orders.clock import ClockName
from rules.people import people
from rules.people.roles import Actor


class Known:
    """What the entries of one answer are called, and who asks."""

    def __init__(self, view: View, rows: Sequence[OfflineEntry], site: Site, actor: Actor) -> None:
        self.site = site
        self.actor = actor
        self.named: Named = stored.named(view, rows)
        theirs = [row.theirs for row in rows if row.theirs is not None]
        said = {row.by for row in rows} | {row.resolved_by for row in rows}
        said |= {one.by for one in theirs} | {one.assigned_to for one in theirs}
        self.names = people.names(view, {one for one in said if one is not None})

    def name(self, username: str | None) -> str | None:
        return None if username is None else self.names.get(username)


def round_(one: RoundOfToday, now: int, zone: ZoneInfo) -> models.OfflineRound:
    said = rounds.summary(one.round, now, zone).model_dump()
    return models.OfflineRound(
        **{**said, "version": one.version},
        regime_version=one.round.version,
        regime_changed=one.regime_changed,
        lines=[_line(line, zone) for line in one.lines],
    )


def order(one: OrderOfToday, guidance: Mapping[str, Guidance], site: Site) -> models.OfflineOrder:
    """``guidance``: by alarm."""
    zone, found, due = site.zone, one.order, one.due
    clock = found.clock(ClockName.COMPLETE)
    paused = any(pause.end is None for pause in found.pauses)
    runs = clock is not None and clock.is_running and not paused
    return models.OfflineOrder(
        id=found.id,
        version=one.version,
        acts=[act.value for act in one.acts],
        number=found.number,
        state=found.state.value,
        priority=found.priority.value,
        category=found.category,
        category_name=words.text(found.category_name),
        title=words.text(found.title),
        description=found.description,
        equipment=found.equipment,
        equipment_name=words.text(found.equipment_name),
        area=found.area,
        requester=orders.requester(found),
        guidance=next((guidance[alarm] for alarm in found.alarms if alarm in guidance), None),
        created_at=words.moment(found.created_at, zone),
        assigned_to=found.assigned_to,
        assigned_at=words.moment_if(found.assigned_at, zone),
        accepted_at=words.moment_if(found.accepted_at, zone),
        arrived_at=words.moment_if(found.arrived_at, zone),
        suspended_why=found.suspended_why,
        due_at=words.moment(clock.due.wall, zone)
        if clock is not None and runs and clock.due is not None
        else None,
        steps=[] if due is None else plans.due_steps(due.content.steps, one.ticks, zone),
        materials=[] if due is None else plans.materials(due.content.materials),
    )


def result(taken: Taken, known: Known) -> models.OfflineResult:
    row = taken.row
    waits = row.outcome is Outcome.CONFLICT
    return models.OfflineResult(
        id=row.id,
        outcome=taken.outcome.value,
        first=row.outcome.value,
        reason=None if row.reason is None else row.reason.value,
        detail=row.detail,
        notes=[note.value for note in row.notes],
        corrected_at=words.moment(row.times.corrected, known.site.zone),
        conflict=conflict(row, known) if waits else None,
    )


def conflict(row: OfflineEntry, known: Known) -> models.OfflineConflict:
    zone, times = known.site.zone, row.times
    line = None if row.item is None else known.named.lines.get((row.subject, row.item))
    return models.OfflineConflict(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        subject_name=_text(known.named.subjects.get(row.subject)),
        item=row.item,
        item_name=None if line is None else words.text(line.name),
        equipment_name=_text(
            known.named.equipment.get(row.subject) if line is None else line.equipment
        ),
        unit="" if line is None else line.unit,
        choices=[]
        if line is None
        else [ItemChoice(key=one.key, name=words.text(one.name)) for one in line.choices],
        area=row.area,
        outcome=row.outcome.value,
        reason=None if row.reason is None else row.reason.value,
        detail=row.detail,
        notes=[note.value for note in row.notes],
        by=row.by,
        by_name=known.name(row.by),
        device=row.device,
        entered_at=words.moment(row.entered_at, zone),
        corrected_at=words.moment(times.corrected, zone),
        received_at=words.moment(row.received_at, zone),
        clock_offset_s=times.offset / SECOND,
        body=dict(row.body),
        photo=row.sha256 is not None,
        theirs=_theirs(row, known),
        waits_for=row.waits_for,
        may_decide=may_decide(known.actor, row),
        decision=_decision(row, known),
    )


def _theirs(row: OfflineEntry, known: Known) -> models.OfflineTheirs | None:
    said = row.theirs
    if said is None:
        return None
    return models.OfflineTheirs(
        state=said.state,
        event=said.event,
        by=said.by,
        by_name=known.name(said.by),
        at=words.moment_if(said.at, known.site.zone),
        value=said.value,
        passed=said.passed,
        note=said.note,
        assigned_to=said.assigned_to,
        assigned_name=known.name(said.assigned_to),
    )


def _decision(row: OfflineEntry, known: Known) -> models.OfflineDecision | None:
    if row.resolved_at is None or row.kept is None or row.resolved_by is None:
        return None
    return models.OfflineDecision(
        keep=row.kept.value,
        reason=row.resolve_reason or "",
        by=row.resolved_by,
        by_name=known.name(row.resolved_by),
        at=words.moment(row.resolved_at, known.site.zone),
    )


def _line(line: Line, zone: ZoneInfo) -> models.OfflineLine:
    kept, item = line.kept, line.kept.item
    return models.OfflineLine(
        key=item.key,
        section=_text(item.section),
        name=words.text(item.name),
        guidance=_text(item.guidance),
        kind=rounds.kind(item),
        answer=item.answer.value,
        unit=item.unit,
        low=item.band.low,
        high=item.band.high,
        choices=[ItemChoice(key=one.key, name=words.text(one.name)) for one in item.choices],
        severity=item.severity.value,
        equipment=None
        if item.equipment is None
        else ItemEquipment(id=item.equipment, name=words.text(item.subject_name)),
        area=item.area,
        state=kept.state.value,
        why=_text(kept.why),
        by_telemetry=_by_telemetry(kept),
        reading=None if kept.reading is None else rounds.reading(kept.reading, zone),
        entry=None if kept.entry is None else rounds.entry(kept.entry, zone),
        finding=None if kept.finding is None else rounds.finding(kept.finding, zone),
        evidence=[one.value for one in item.proving.evidence],
        lacks=[one.value for one in line.lacks],
        scan=proofs.scan(kept.scan, zone),
        codes=list(line.codes),
    )


def _by_telemetry(kept: KeptItem) -> bool:
    answered = kept.entry is None and kept.state in (ItemState.PASSED, ItemState.FAILED)
    return answered or kept.item.proof is Proof.COMPLETION


def _text(value: Text | None) -> models.Text | None:
    return None if value is None else words.text(value)

"""Logs of shifts and handovers as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from api.models import shifts as models
from api.views import handover_answers as answers
from api.views import words
from gateway.model.moment import MINUTE
from gateway.model.point import Text
from rules.handover import keeping, record
from rules.handover.actions import crew_of
from rules.handover.blocks import Block
from rules.handover.book import Side
from rules.handover.lifecycle import OPEN
from rules.handover.sheet import TITLES, Section, is_as_signed, of_document
from rules.handover.wording import LogLine
from rules.ledger import handover_sheet, handover_view
from rules.ledger.handover_facts import Scene
from rules.ledger.handover_view import Handover, Override, Signature
from rules.ledger.shift_log_view import ShiftLog, WrittenEntry
from rules.people import people
from rules.people.roles import Via


def log_summary(log: ShiftLog, handover: Handover | None, zone: tzinfo) -> models.ShiftLogSummary:
    return models.ShiftLogSummary(**_summary(log, handover, zone))


def log_document(
    log: ShiftLog,
    handover: Handover | None,
    entries: Sequence[WrittenEntry],
    lines: Sequence[LogLine],
    zone: tzinfo,
) -> models.ShiftLog:
    return models.ShiftLog(
        **_summary(log, handover, zone),
        entries=[
            models.ShiftEntry(
                id=UUID(one.id),
                text=one.text,
                corrects=None if one.corrects is None else UUID(one.corrects),
                by=one.by,
                by_name=one.by_name,
                happened_at=words.moment(one.happened_at, zone),
                received_at=words.moment(one.received_at, zone),
            )
            for one in entries
        ],
        lines=[
            models.LogLine(
                at=words.moment(line.at, zone),
                kind=line.kind.value,
                event=line.event,
                about=line.about,
                text=words.text(line.text),
                priority=line.priority,
                by=line.by,
                by_name=line.by_name,
                note=line.note,
            )
            for line in lines
        ],
    )


def _summary(log: ShiftLog, handover: Handover | None, zone: tzinfo) -> dict[str, Any]:
    return {
        "id": log.id,
        "shift": log.shift,
        "name": words.text(log.name),
        "team": log.team,
        "team_name": words.text(log.team_name),
        "starts_at": words.moment(log.starts_at, zone),
        "ends_at": words.moment(log.ends_at, zone),
        "opened_at": words.moment(log.opened_at, zone),
        "crew": [models.CrewPerson(username=o.username, name=o.name) for o in log.crew],
        "handover": None if handover is None else handover.state.value,
    }


def handover_summary(of: Handover, log: ShiftLog, zone: tzinfo) -> models.HandoverSummary:
    return models.HandoverSummary(**_handed(of, log, zone))


def handover_document(scene: Scene) -> models.Handover:
    """With its blocks, its sheet and its answers: as they are now, or as they were signed."""
    of, log, zone = scene.handover, scene.log, scene.site.zone
    is_open, said = of.state in OPEN, said_at(scene)
    duty = scene.relief
    crew = crew_of(scene.view, scene.site, log)
    names = people.names(scene.view, crew)
    return models.Handover(
        **_handed(of, log, zone),
        next_id=of.next_id,
        starts_at=words.moment(log.starts_at, zone),
        next_starts_at=words.moment(of.next_starts_at, zone),
        next_ends_at=words.moment(of.next_ends_at, zone),
        arrive_by=words.moment(of.next_starts_at - scene.book.arrive, zone),
        met_at=words.moment_if(of.met_at, zone),
        overdue=is_open and scene.now >= log.ends_at,
        crew=[models.CrewPerson(username=name, name=names.get(name, name)) for name in crew],
        relief=[
            models.CrewPerson(username=o.person.username, name=o.person.display_name)
            for o in (() if duty is None else duty.crew)
        ],
        arrivals=[
            models.HandoverArrival(
                username=one.username,
                name=one.name,
                at=words.moment(one.at, zone),
                stands_in=one.stands_in,
                note=one.note,
                late_minutes=max(0, one.at - (of.next_starts_at - scene.book.arrive)) // MINUTE,
            )
            for one in of.arrivals
        ],
        blocks=[_block(one) for one in scene.blocks] if is_open else [],
        questions=answers.questions(said["questions"], zone),
        rooms=answers.rooms(said["counts"]),
        explanations=answers.explanations(said["explanations"]),
        repairs=answers.repairs(said["repairs"]),
        kept_shelves=answers.shelves(said["shelves"]),
        shelves=[_shelf(one, zone) for one in keeping.shelves(scene)] if is_open else [],
        sheet=[_section(one, zone) for one in sheet_of(scene)],
        overrides=_overrides(of, zone),
        notices=[
            models.HandoverNotice(
                kind=one.kind.value,
                people=list(one.people),
                text=words.text(one.text),
                at=words.moment(one.at, zone),
            )
            for one in of.notices
        ],
        signatures=[_signature(one, zone) for one in of.signatures],
        events=words.events(handover_view.events(scene.view, of.id), zone),
    )


def sheet_of(scene: Scene) -> list[Section]:
    """What the newest signature in force stands under; before one, the sheet as it is now. Of one
    that nobody has signed none was kept, and what is true today is no sheet of that day."""
    of = scene.handover
    signed = of.signature(Side.INCOMING) or of.signature(Side.OUTGOING)
    if signed is not None:
        return of_document(record.sheet_of(signed.text))
    return handover_sheet.compose(scene) if of.state in OPEN else []


def said_at(scene: Scene) -> Mapping[str, Any]:
    """What the crews have said: as it was signed, or until then as it is now."""
    signed = scene.handover.signature(Side.INCOMING)
    return record.said(scene) if signed is None else record.said_in(signed.text)


def wall_of(moment: datetime | None, now: int) -> int:
    """µs UTC; ``now`` where none is said."""
    return now if moment is None else round(moment.timestamp() * 1_000_000)


def _handed(of: Handover, log: ShiftLog, zone: tzinfo) -> dict[str, Any]:
    signed = [of.signature(side) for side in Side]
    return {
        "id": of.id,
        "state": of.state.value,
        "name": words.text(log.name),
        "team_name": words.text(log.team_name),
        "ends_at": words.moment(log.ends_at, zone),
        "next_name": words.text(of.next_name),
        "next_team_name": words.text(of.next_team_name),
        "prepared_at": words.moment(of.prepared_at, zone),
        "signed_at": words.moment_if(of.signed_at, zone),
        "signed_by": [one.name for one in signed if one is not None],
    }


def _block(block: Block) -> models.HandoverBlock:
    row = block.condition
    return models.HandoverBlock(
        id=block.id,
        key=row.key,
        clauses=list(row.clauses),
        seen=row.seen.value,
        name=words.text(row.name),
        text=words.text(block.text),
        mend=words.text(row.mend),
        about=block.about,
        answered_by=None if block.answered_by is None else block.answered_by.value,
        passable=row.passable,
        overridden=block.overridden,
    )


def _shelf(one: keeping.ShelfAsked, zone: tzinfo) -> models.HandoverShelf:
    alarm = one.shelf.alarm
    name = Text(
        zh=f"{alarm.equipment_name.zh} {alarm.name.zh}",
        en=f"{alarm.equipment_name.en}: {alarm.name.en}",
    )
    return models.HandoverShelf(
        about=one.subject,
        alarm=alarm.id,
        name=words.text(name),
        reason=one.shelf.reason,
        by=one.shelf.by,
        since=words.moment(one.shelf.since, zone),
        until=words.moment(one.shelf.until, zone),
        value=one.shelf.since,
        approved=one.approved,
    )


def _section(section: Section, zone: tzinfo) -> models.SheetSection:
    return models.SheetSection(
        key=section.key.value,
        title=words.text(TITLES[section.key]),
        lines=[
            models.SheetLine(
                text=words.text(line.text),
                about=line.about,
                kind=line.kind,
                at=words.moment_if(line.at, zone),
                mark=line.mark,
            )
            for line in section.lines
        ],
    )


def _overrides(of: Handover, zone: tzinfo) -> list[models.HandoverOverride]:
    """Each with all that was let pass at once."""
    found: dict[tuple[str, int], list[Override]] = {}
    for row in of.overrides:
        found.setdefault((row.by, row.at), []).append(row)
    return [
        models.HandoverOverride(
            reason=rows[0].reason,
            by=rows[0].by,
            by_name=rows[0].by_name,
            at=words.moment(rows[0].at, zone),
            blocks=[words.text(one.text) for one in rows],
        )
        for rows in found.values()
    ]


def _signature(one: Signature, zone: tzinfo) -> models.HandoverSignature:
    return models.HandoverSignature(
        side=one.side.value,
        username=one.username,
        name=one.name,
        by_pin=one.via == Via.PIN,
        at=words.moment(one.at, zone),
        hash=one.hash,
        intact=is_as_signed(one.text, one.hash),
        withdrawn_at=words.moment_if(one.withdrawn_at, zone),
    )

"""The equipment register as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from api.models import register as models
from api.views import attachments, words
from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.ledger.attachments import Attachment
from rules.ledger.equipment_register_view import EquipmentFinding, RecordChange, ServiceStep
from rules.ledger.jobs import Job
from rules.ledger.plan_view import Happened
from rules.register.actions import area_of, class_of
from rules.register.book import RegisterBook
from rules.register.due import Due, dues, worst
from rules.register.record import (
    Attributes,
    DueDate,
    FieldChange,
    Record,
    SparePart,
    differences,
    said_by_file,
)
from rules.register.sheets import Import, Misplaced

SHOWN = 200
"""Of what an import would change, and of its errors."""


@dataclass(frozen=True, kw_only=True)
class RegisterViews:
    """What the register says of the equipment of a site on a day."""

    site: Site
    book: RegisterBook
    today: date

    def name(self, record: Record) -> Text:
        thing = self.site.equipment.get(record.equipment)
        if thing is not None:
            return thing.name
        zh = record.attributes.name_zh or record.equipment
        return Text(zh=zh, en=record.attributes.name_en or zh)

    def entry(self, record: Record) -> models.RegisterEntry:
        return models.RegisterEntry(**self._said(record))

    def record(
        self,
        record: Record,
        attached: Sequence[Attachment],
        changed: tuple[int, str] | None,
    ) -> models.RegisterRecord:
        return models.RegisterRecord(
            **self._said(record),
            dates=[
                models.RegisterDate(
                    kind=one.kind, last_on=one.last_on, next_due=one.next_due, who=one.who
                )
                for one in record.dates
            ],
            parts=[
                models.SparePart(
                    name=one.name,
                    model=one.model,
                    quantity=one.quantity,
                    minimum=one.minimum,
                    place=one.place,
                )
                for one in record.parts
            ],
            attachments=[attachments.document(one, self.site.zone) for one in attached],
            changed_at=None if changed is None else words.moment(changed[0], self.site.zone),
            changed_by=None if changed is None else changed[1],
        )

    def _said(self, record: Record) -> dict[str, object]:
        found = dues(record, self.today, self.book)
        stage = worst(found)
        values = record.attributes.values()
        if record.equipment in self.site.equipment:
            values.update(said_by_file(self.site, record.equipment))
        return {
            "equipment": record.equipment,
            "name": words.text(self.name(record)),
            "area": area_of(record, self.site),
            "equipment_class": class_of(record, self.site),
            "reached": record.equipment in self.site.equipment,
            "version": record.version,
            "attributes": models.RegisterAttributes(**values),
            "dues": [self._due(one) for one in found],
            "due": None if stage is None else stage.value,
            "low_parts": sum(one.is_low for one in record.parts),
        }

    def _due(self, due: Due) -> models.RegisterDue:
        return models.RegisterDue(
            kind=due.kind,
            name=words.text(self.book.name(due.kind)),
            due_on=due.due_on,
            stage=due.stage.value,
            days=due.days,
        )

    def past(
        self,
        changes: Sequence[RecordChange],
        findings: Sequence[EquipmentFinding],
        service: Sequence[ServiceStep],
        maintenance: Sequence[Happened],
    ) -> models.RegisterPast:
        zone = self.site.zone
        return models.RegisterPast(
            changes=[
                models.RegisterChange(
                    version=one.version,
                    at=words.moment(one.at, zone),
                    by=one.by,
                    fields=[_field(each) for each in one.fields],
                )
                for one in changes
            ],
            findings=[
                models.RegisterFinding(
                    id=one.id,
                    round=one.round,
                    round_name=words.text(one.round_name),
                    severity=one.severity,
                    text=words.text(one.text),
                    order=one.order,
                    at=words.moment(one.at, zone),
                )
                for one in findings
            ],
            service=[
                models.RegisterServiceStep(
                    out=one.out, at=words.moment(one.at, zone), by=one.by, reason=one.reason
                )
                for one in service
            ],
            maintenance=[
                models.RegisterMaintenance(
                    due=one.due,
                    name=words.text(one.name),
                    event=one.event.value,
                    by=one.by,
                    why=one.why,
                    at=words.moment(one.at, zone),
                )
                for one in maintenance
            ],
        )


def everything(site: Site, written: Mapping[str, Record]) -> list[Record]:
    """Of all equipment in file or register, by area and id."""
    names = dict.fromkeys((*site.equipment, *written))
    records = [written.get(name, Record(equipment=name)) for name in names]
    return sorted(records, key=lambda one: (area_of(one, site) or "", one.equipment))


def wanted(equipment: str, body: models.RegisterPut) -> Record:
    return Record(
        equipment=equipment,
        version=body.version,
        attributes=Attributes(**body.attributes.model_dump()),
        dates=tuple(DueDate(**one.model_dump()) for one in body.dates),
        parts=tuple(SparePart(**one.model_dump()) for one in body.parts),
    )


def imported(found: Import, *, done: bool) -> models.RegisterImport:
    return models.RegisterImport(
        done=done,
        changed=len(found.changed),
        unchanged=found.unchanged,
        changes=[
            models.RegisterImportChange(
                equipment=after.equipment,
                new=before.version == 0,
                fields=[_field(one) for one in differences(before, after)],
            )
            for before, after in found.changed[:SHOWN]
        ],
        errors=[cell_error(one) for one in found.errors[:SHOWN]],
    )


def import_job(job: Job, zone: tzinfo) -> models.RegisterImportJob:
    return models.RegisterImportJob(
        id=job.id,
        state=job.state.value,
        progress=job.progress,
        dry_run=job.params["dry_run"],
        by=job.by,
        created_at=words.moment(job.created_at, zone),
        ended_at=words.moment_if(job.ended_at, zone),
        detail=job.detail,
        result=None if job.result is None else models.RegisterImport(**job.result),
    )


def cell_error(one: Misplaced) -> models.RegisterCellError:
    return models.RegisterCellError(
        where=one.where,
        sheet=one.sheet,
        row=one.row,
        column=one.column,
        message=words.text(one.wrong),
    )


def _field(one: FieldChange) -> models.RegisterFieldChange:
    return models.RegisterFieldChange(field=one.field, before=one.before, after=one.after)

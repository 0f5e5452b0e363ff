"""Reading the register, and what else happened to a piece of equipment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from gateway.model.point import Text
from rules.ledger.tables.equipment_register import (
    register_change,
    register_date,
    register_part,
    register_told,
    registered,
)
from rules.ledger.tables.people import audit
from rules.ledger.tables.rounds import round_, round_finding, round_item
from rules.ledger.view import View
from rules.register.due import Stage
from rules.register.record import (
    ATTRIBUTES,
    Attributes,
    DueDate,
    FieldChange,
    Record,
    SparePart,
)

SERVICE = ("equipment.out_of_service", "equipment.in_service")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordChange:
    equipment: str
    version: int
    at: int
    """µs UTC."""
    by: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EquipmentFinding:
    """What a round has found on a piece of equipment."""

    id: str
    round: str
    round_name: Text
    severity: str
    text: Text
    order: str | None
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceStep:
    """It was taken out of service, or brought back."""

    out: bool
    at: int
    by: str
    reason: str | None


def record_of(view: View, equipment: str) -> Record | None:
    return records(view, equipment).get(equipment)


def records(view: View, equipment: str | None = None) -> Mapping[str, Record]:
    """Equipment → what was written of it; of one alone where it is named."""
    dates, parts = defaultdict(list), defaultdict(list)
    for row in _rows(view, register_date, equipment, register_date.c.kind):
        one = DueDate(**{name: row[name] for name in DueDate.__slots__})
        dates[row["equipment"]].append(one)
    for row in _rows(view, register_part, equipment, register_part.c.position):
        part = SparePart(**{name: row[name] for name in SparePart.__slots__})
        parts[row["equipment"]].append(part)
    return {
        row["equipment"]: Record(
            equipment=row["equipment"],
            version=row["version"],
            attributes=Attributes(**{name: row[name] for name in ATTRIBUTES}),
            dates=tuple(dates[row["equipment"]]),
            parts=tuple(parts[row["equipment"]]),
        )
        for row in _rows(view, registered, equipment, registered.c.equipment)
    }


def versions(view: View) -> Mapping[str, int]:
    """Equipment → how often its record was changed."""
    query = select(registered.c.equipment, registered.c.version)
    found = view.connection.execute(query.where(registered.c.site_id == view.site))
    return {row.equipment: row.version for row in found}


def changed(view: View, equipment: str) -> tuple[int, str] | None:
    """When (µs UTC) and by whom it was written last."""
    query = select(registered.c.changed_at, registered.c.changed_by).where(
        registered.c.site_id == view.site, registered.c.equipment == equipment
    )
    found = view.connection.execute(query).one_or_none()
    return None if found is None else (found.changed_at, found.changed_by)


def told(view: View, since: date) -> set[tuple[str, str, date, Stage]]:
    """Equipment, kind, date and stage of dates from ``since`` on of which somebody was told."""
    query = select(register_told).where(
        register_told.c.site_id == view.site, register_told.c.due_on >= since
    )
    return {
        (row["equipment"], row["kind"], row["due_on"], Stage(row["stage"]))
        for row in view.connection.execute(query).mappings()
    }


def changes(view: View, equipment: str, *, limit: int) -> list[RecordChange]:
    """The newest first."""
    query = (
        select(register_change)
        .where(register_change.c.site_id == view.site, register_change.c.equipment == equipment)
        .order_by(register_change.c.change.desc())
        .limit(limit)
    )
    return [
        RecordChange(
            equipment=equipment,
            version=row["version"],
            at=row["at"],
            by=row["by"],
            fields=tuple(FieldChange(**one) for one in row["fields"]),
        )
        for row in view.connection.execute(query).mappings()
    ]


def findings(view: View, equipment: str, *, limit: int) -> list[EquipmentFinding]:
    """The newest first."""
    of_item = and_(
        round_item.c.site_id == round_finding.c.site_id,
        round_item.c.round_id == round_finding.c.round_id,
        round_item.c.key == round_finding.c.item,
    )
    of_round = and_(
        round_.c.site_id == round_finding.c.site_id, round_.c.id == round_finding.c.round_id
    )
    query = (
        select(round_finding, round_.c.name)
        .join(round_item, of_item)
        .join(round_, of_round)
        .where(
            round_finding.c.site_id == view.site,
            or_(round_item.c.equipment == equipment, round_item.c.subject == equipment),
        )
        .order_by(round_finding.c.at.desc(), round_finding.c.id)
        .limit(limit)
    )
    return [
        EquipmentFinding(
            id=row["id"],
            round=row["round_id"],
            round_name=Text(**row["name"]),
            severity=row["severity"],
            text=Text(**row["text"]),
            order=row["order_id"],
            at=row["at"],
        )
        for row in view.connection.execute(query).mappings()
    ]


def service_steps(view: View, equipment: str, *, limit: int) -> list[ServiceStep]:
    """When it was out of service, as people have said so; the newest first."""
    query = (
        select(audit)
        .where(
            audit.c.site_id == view.site,
            audit.c.subject == equipment,
            audit.c.action.in_(SERVICE),
        )
        .order_by(audit.c.number.desc())
        .limit(limit)
    )
    return [
        ServiceStep(
            out=row["action"] == SERVICE[0],
            at=row["at"],
            by=row["by"],
            reason=row["detail"].get("reason") or row["detail"].get("note"),
        )
        for row in view.connection.execute(query).mappings()
    ]


def _rows(view: View, table: Any, equipment: str | None, order: ColumnElement[Any]) -> Any:
    query = select(table).where(table.c.site_id == view.site).order_by(table.c.equipment, order)
    if equipment is not None:
        query = query.where(table.c.equipment == equipment)
    return view.connection.execute(query).mappings()

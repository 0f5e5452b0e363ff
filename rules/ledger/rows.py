"""What readers of the ledger get: typed records, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping

from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.alarms.lifecycle import AlarmState
from rules.orders.lifecycle import OrderState
from rules.rule import Guidance, Priority


class ChangeKind(StrEnum):
    ALARM = "alarm"
    ORDER = "order"
    ROUND = "round"
    ROSTER = "roster"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReference:
    id: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One occurrence. It carries its own words, so it stays readable when its rule is gone."""

    id: str
    rule: str
    name: Text
    equipment: str
    equipment_name: Text
    area: str
    point: str
    """Point id."""
    priority: Priority
    cause_key: str
    state: AlarmState
    value: float
    """The first breaching value."""
    limit: float
    unit: str
    guidance: Guidance
    first_reading_at: int
    """µs UTC, receive time of the first breaching reading."""
    raised_at: int
    """µs UTC: when the breach had lasted for the rule's delay."""
    cleared_at: int | None = None
    """µs UTC: when its condition had returned, or was judged no more."""
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    note: str | None = None
    order: OrderReference | None = None

    @property
    def present(self) -> bool:
        return self.state.present


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingReference:
    """The finding of a round that an order answers."""

    id: str
    round: str
    item: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkOrder:
    id: str
    number: int
    """Counts from 1 within the site."""
    equipment: str
    equipment_name: Text
    area: str
    category: str
    category_name: Text
    title: Text
    cause_key: str
    priority: Priority
    state: OrderState
    alarms: tuple[str, ...]
    """Ids, oldest first."""
    created_at: int
    limit: int
    """µs allowed."""
    due: Instant
    close_after: int
    breached_at: int | None
    accepted_at: int | None
    accepted_by: str | None
    completed: Instant | None
    completed_by: str | None
    note: str | None
    closed_at: int | None
    finding: FindingReference | None = None
    """What opened it, where that was no alarm."""

    @property
    def completed_at(self) -> int | None:
        return None if self.completed is None else self.completed.wall


@dataclass(frozen=True, kw_only=True, slots=True)
class LifecycleEvent:
    """One step in the life of an alarm or an order."""

    change: int
    """The id of the change that it was; grows with time."""
    at: int
    event: str
    from_state: str
    to_state: str
    by: str | None
    """User name; None where nobody did it."""
    why: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something to tell to whoever is looking."""

    id: int
    kind: ChangeKind
    subject: str
    """Id of the alarm or the order."""
    at: int


def words(value: Text) -> dict[str, str]:
    """``value`` as it lies in a JSON column."""
    return {"zh": value.zh, "en": value.en}


def instant(row: RowMapping, name: str) -> Instant:
    """The instant in the three columns ``name_…``."""
    return Instant(wall=row[f"{name}_wall"], mono=row[f"{name}_mono"], boot=row[f"{name}_boot"])


def instant_columns(name: str, value: Instant | None) -> dict[str, Any]:
    """The three columns ``name_…`` of ``value``."""
    if value is None:
        return {f"{name}_wall": None, f"{name}_mono": None, f"{name}_boot": None}
    return {f"{name}_wall": value.wall, f"{name}_mono": value.mono, f"{name}_boot": value.boot}


def alarm_of(row: RowMapping) -> Alarm:
    """A row of ``alarm`` joined with its order's ``number`` as ``order_number``."""
    order = row["order_id"]
    guidance: Mapping[str, list[str]] = row["guidance"]
    return Alarm(
        id=row["id"],
        rule=row["rule"],
        name=Text(**row["name"]),
        equipment=row["equipment"],
        equipment_name=Text(**row["equipment_name"]),
        area=row["area"],
        point=row["point"],
        priority=Priority(row["priority"]),
        cause_key=row["cause_key"],
        state=AlarmState(row["state"]),
        value=row["value"],
        limit=row["limit"],
        unit=row["unit"],
        guidance=Guidance(zh=tuple(guidance["zh"]), en=tuple(guidance["en"])),
        first_reading_at=row["first_reading_at"],
        raised_at=row["raised_at"],
        cleared_at=row["cleared_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        note=row["note"],
        order=None if order is None else OrderReference(id=order, number=row["order_number"]),
    )


def alarm_columns(alarm: Alarm) -> dict[str, Any]:
    """``alarm`` as the columns of its row, but for the site."""
    return {
        "id": alarm.id,
        "rule": alarm.rule,
        "name": words(alarm.name),
        "equipment": alarm.equipment,
        "equipment_name": words(alarm.equipment_name),
        "area": alarm.area,
        "point": alarm.point,
        "priority": alarm.priority.value,
        "cause_key": alarm.cause_key,
        "state": alarm.state.value,
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "guidance": {"zh": list(alarm.guidance.zh), "en": list(alarm.guidance.en)},
        "first_reading_at": alarm.first_reading_at,
        "raised_at": alarm.raised_at,
        "cleared_at": alarm.cleared_at,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": alarm.acknowledged_by,
        "note": alarm.note,
        "order_id": None if alarm.order is None else alarm.order.id,
    }


def order_of(
    row: RowMapping, alarms: tuple[str, ...], finding: FindingReference | None
) -> WorkOrder:
    completed = None if row["completed_wall"] is None else instant(row, "completed")
    return WorkOrder(
        id=row["id"],
        number=row["number"],
        equipment=row["equipment"],
        equipment_name=Text(**row["equipment_name"]),
        area=row["area"],
        category=row["category"],
        category_name=Text(**row["category_name"]),
        title=Text(**row["title"]),
        cause_key=row["cause_key"],
        priority=Priority(row["priority"]),
        state=OrderState(row["state"]),
        alarms=alarms,
        created_at=row["created_at"],
        limit=row["limit"],
        due=instant(row, "due"),
        close_after=row["close_after"],
        breached_at=row["breached_at"],
        accepted_at=row["accepted_at"],
        accepted_by=row["accepted_by"],
        completed=completed,
        completed_by=row["completed_by"],
        note=row["note"],
        closed_at=row["closed_at"],
        finding=finding,
    )


def event_of(row: RowMapping) -> LifecycleEvent:
    return LifecycleEvent(
        change=row["change"],
        at=row["at"],
        event=row["event"],
        from_state=row["from_state"],
        to_state=row["to_state"],
        by=row["by"],
        why=row["why"],
    )

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
from rules.orders.clock import Clock, ClockName, Pause
from rules.orders.lifecycle import OrderState
from rules.orders.proof import Proof
from rules.planned_tests import AlarmTest
from rules.rule import Guidance, Priority
from rules.shifts.calendar import OwnDays


class ChangeKind(StrEnum):
    ALARM = "alarm"
    ORDER = "order"
    ROUND = "round"
    ROSTER = "roster"
    ASIDE = "aside"
    """Of a shelf (rule and equipment, with a blank between), or of equipment out of service."""
    PLANNED_TEST = "planned_test"
    REGISTER = "register"
    """Of the register's record of a piece of equipment."""
    PLAN = "plan"
    """Of what is due of a maintenance plan."""
    SHIFT = "shift"
    """Of a shift: its log, or how it is handed over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReference:
    id: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmReference:
    """Another alarm, in a line."""

    id: str
    name: Text
    equipment: str
    equipment_name: Text
    raised_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """A rule on one piece of equipment, put aside for a time."""

    until: int
    """µs UTC."""
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One alarm, with every relapse before it was over. It carries its own words, so it stays
    readable when its rule is gone."""

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
    value: float | None
    """The first breaching value; None where it is the absence of one that breaches."""
    limit: float | None
    """None: the rule has no single one."""
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
    life_safety: bool = False
    """Never suppressed, never held back; put aside by the engineering manager only."""
    latches: bool = False
    """When it has returned and is acknowledged, it stays until somebody resets it."""
    count: int = 1
    """How often it has come up before it was over."""
    last_raised_at: int | None = None
    """µs UTC: when it came back last; None: never."""
    holds: int | None = None
    """µs that an acknowledgement holds; None: for good."""
    acknowledged_until: int | None = None
    """µs UTC: when the acknowledgement expires; this and what follows is never said of one that
    is no row yet."""
    order_at: int | None = None
    """µs UTC: when it becomes an order, where that waits for working time."""
    shelf: Shelf | None = None
    explained_by: AlarmReference | None = None
    explains: int = 0
    """How many alarms it explains at present."""
    first_out: bool = False
    """Of those that it explains and itself, or of those explained with it, the first."""
    test: AlarmTest | None = None
    """What a planned test has made of it."""

    @property
    def present(self) -> bool:
        return self.state.present


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingReference:
    """The finding of a round that an order answers."""

    id: str
    round: str
    item: str


class OrderSource(StrEnum):
    """What made an order."""

    ALARM = "alarm"
    FINDING = "finding"
    REQUEST = "request"
    PERSON = "person"
    PLAN = "plan"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requester:
    """Who asked for an order (报修人)."""

    name: str
    phone: str | None
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """When it was promised to be done; postponed once at most (S0)."""

    until: int
    """µs UTC."""
    by: str
    postponed: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkOrder:
    """All times are µs UTC, but for the instants that something is measured from."""

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
    close_after: int
    accepted_at: int | None
    accepted_by: str | None
    completed: Instant | None
    completed_by: str | None
    note: str | None
    closed_at: int | None
    finding: FindingReference | None = None
    """What opened it, where that was no alarm."""
    source: OrderSource = OrderSource.ALARM
    description: str | None = None
    created_by: str | None = None
    requester: Requester | None = None
    promise: Promise | None = None
    assigned_at: int | None = None
    assigned_to: str | None = None
    """Who has it, or is to take it."""
    assigned_name: str | None = None
    arrived_at: int | None = None
    started_at: int | None = None
    suspended_why: str | None = None
    both_crews: str | None = None
    """Why one crew alone cannot go on with it; None: it can."""
    cause_code: str | None = None
    remedy_code: str | None = None
    materials: tuple[Mapping[str, Any], ...] = ()
    labour_minutes: int | None = None
    cost: float | None = None
    verified_at: int | None = None
    verified_by: str | None = None
    """None: telemetry has shown it."""
    proofs: tuple[Proof, ...] = ()
    """What telemetry has shown since it was completed, a rule of its alarms each."""
    visited_at: int | None = None
    visited_by: str | None = None
    satisfied: bool | None = None
    voided_at: int | None = None
    escalated_to: str | None = None
    """Role that has heard of it."""
    clocks: tuple[Clock, ...] = ()
    """In the order in which they end."""
    pauses: tuple[Pause, ...] = ()
    calendar: OwnDays | None = None
    """What the site has entered of its calendar, where a clock needs it."""

    @property
    def completed_at(self) -> int | None:
        return None if self.completed is None else self.completed.wall

    @property
    def verifies_at(self) -> int | None:
        """When telemetry will have shown it by time alone; None: nobody can say."""
        if self.state is not OrderState.COMPLETED:
            return None
        ends = [proof.ends_at for proof in self.proofs]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def clock(self, name: ClockName) -> Clock | None:
        return next((one for one in self.clocks if one.name is name), None)

    @property
    def limit(self) -> int | None:
        """µs in which it is to be completed."""
        clock = self.clock(ClockName.COMPLETE)
        return None if clock is None else clock.limit

    @property
    def due(self) -> Instant | None:
        """When it is to be completed."""
        clock = self.clock(ClockName.COMPLETE)
        return None if clock is None else clock.due

    @property
    def breached_at(self) -> int | None:
        """When it was found not to be completed in time."""
        clock = self.clock(ClockName.COMPLETE)
        return None if clock is None else clock.breached_at


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


def instant_if(row: RowMapping, name: str) -> Instant | None:
    """The same where there may be none."""
    return None if row[f"{name}_wall"] is None else instant(row, name)


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
        life_safety=row["life_safety"],
        latches=row["latches"],
        count=row["count"],
        last_raised_at=row["last_raised_at"],
        holds=row["holds"],
    )


def alarm_reference_of(row: RowMapping) -> AlarmReference:
    return AlarmReference(
        id=row["id"],
        name=Text(**row["name"]),
        equipment=row["equipment"],
        equipment_name=Text(**row["equipment_name"]),
        raised_at=row["raised_at"],
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
        "life_safety": alarm.life_safety,
        "latches": alarm.latches,
        "count": alarm.count,
        "last_raised_at": alarm.last_raised_at,
        "holds": alarm.holds,
    }


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

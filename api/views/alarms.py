"""Alarms as documents."""

from __future__ import annotations

from datetime import tzinfo

from api import models
from api.views import words
from api.views.readings import Readings
from rules.alarms.lifecycle import AlarmState
from rules.ledger.aside import ShelfInForce
from rules.ledger.rows import Alarm, AlarmReference, LifecycleEvent


def document(
    alarm: Alarm,
    readings: Readings,
    zone: tzinfo,
    steps: list[LifecycleEvent] | None = None,
    *,
    explained: list[AlarmReference] | None = None,
    provisional: bool = False,
) -> models.Alarm:
    """``alarm`` with what its point says now; ``steps`` and ``explained`` where they were asked
    for."""
    return models.Alarm(
        id=alarm.id,
        rule=alarm.rule,
        name=words.text(alarm.name),
        equipment=alarm.equipment,
        equipment_name=words.text(alarm.equipment_name),
        area=alarm.area,
        point=alarm.point,
        priority=alarm.priority.value,
        state=alarm.state.value,
        present=alarm.present,
        life_safety=alarm.life_safety,
        value=alarm.value,
        limit=alarm.limit,
        unit=alarm.unit,
        raised_at=words.moment(alarm.raised_at, zone),
        first_reading_at=words.moment(alarm.first_reading_at, zone),
        last_raised_at=words.moment(alarm.last_raised_at or alarm.raised_at, zone),
        count=alarm.count,
        cleared_at=words.moment_if(alarm.cleared_at, zone),
        acknowledged_at=words.moment_if(alarm.acknowledged_at, zone),
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_until=words.moment_if(alarm.acknowledged_until, zone),
        latches=alarm.latches,
        shelf=_shelf(alarm, zone),
        explained_by=_explained_by(alarm, zone),
        explains=alarm.explains,
        first_out=alarm.first_out,
        **_test(alarm, zone),
        note=alarm.note,
        guidance=models.Guidance(zh=list(alarm.guidance.zh), en=list(alarm.guidance.en)),
        order_at=words.moment_if(alarm.order_at, zone),
        order=None
        if alarm.order is None
        else models.OrderRef(id=alarm.order.id, number=alarm.order.number),
        current=readings.document(alarm.point),
        provisional=provisional,
        explained=None if explained is None else [reference(one, zone) for one in explained],
        events=None if steps is None else words.events(steps, zone),
    )


def shelf(one: ShelfInForce, zone: tzinfo) -> models.ShelfInForce:
    return models.ShelfInForce(
        rule=one.rule,
        alarm=reference(one.alarm, zone),
        area=one.area,
        life_safety=one.life_safety,
        present=one.is_there,
        since=words.moment(one.since, zone),
        until=words.moment(one.until, zone),
        by=one.by,
        reason=one.reason,
    )


def reference(alarm: AlarmReference, zone: tzinfo) -> models.AlarmRef:
    return models.AlarmRef(
        id=alarm.id,
        name=words.text(alarm.name),
        equipment=alarm.equipment,
        equipment_name=words.text(alarm.equipment_name),
        raised_at=words.moment(alarm.raised_at, zone),
    )


def _test(alarm: Alarm, zone: tzinfo) -> dict[str, str | None]:
    test = alarm.test
    if test is None:
        return {}
    return {
        "planned_test": test.test,
        "held_until": words.moment_if(test.held_until, zone),
        "confirmed_at": words.moment_if(test.confirmed_at, zone),
        "confirmed_by": test.confirmed_by,
    }


def _shelf(alarm: Alarm, zone: tzinfo) -> models.Shelf | None:
    """Its rule may lie on the shelf while nothing of it is there."""
    if alarm.shelf is None:
        return None
    return models.Shelf(
        until=words.moment(alarm.shelf.until, zone), by=alarm.shelf.by, reason=alarm.shelf.reason
    )


def _explained_by(alarm: Alarm, zone: tzinfo) -> models.AlarmRef | None:
    """What explains it now; that something did so once is in its history."""
    if alarm.explained_by is None or alarm.state is not AlarmState.SUPPRESSED:
        return None
    return reference(alarm.explained_by, zone)

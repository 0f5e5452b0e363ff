"""Alarms as documents."""

from __future__ import annotations

from datetime import tzinfo

from api import models
from api.views import words
from api.views.readings import Readings
from rules.ledger.rows import Alarm, LifecycleEvent


def document(
    alarm: Alarm,
    readings: Readings,
    zone: tzinfo,
    steps: list[LifecycleEvent] | None = None,
    *,
    provisional: bool = False,
) -> models.Alarm:
    """``alarm`` with what its point says now; ``steps`` where its history was asked for."""
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
        value=alarm.value,
        limit=alarm.limit,
        unit=alarm.unit,
        raised_at=words.moment(alarm.raised_at, zone),
        first_reading_at=words.moment(alarm.first_reading_at, zone),
        cleared_at=words.moment_if(alarm.cleared_at, zone),
        acknowledged_at=words.moment_if(alarm.acknowledged_at, zone),
        acknowledged_by=alarm.acknowledged_by,
        note=alarm.note,
        guidance=models.Guidance(zh=list(alarm.guidance.zh), en=list(alarm.guidance.en)),
        order=None
        if alarm.order is None
        else models.OrderRef(id=alarm.order.id, number=alarm.order.number),
        current=readings.document(alarm.point),
        provisional=provisional,
        events=None if steps is None else words.events(steps, zone),
    )

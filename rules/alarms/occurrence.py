"""What is written of an alarm when it begins: the words and limits of that moment."""

from __future__ import annotations

from dataclasses import replace

from rules.alarms.conditions import Change
from rules.alarms.lifecycle import AlarmEvent, AlarmState, step
from rules.ledger.rows import Alarm
from rules.measures import NoData


def alarm_of(raised: Change) -> Alarm:
    """The occurrence that ``raised`` begins, not yet answered by an order."""
    rule, thing = raised.rule, raised.equipment
    point = next(point for point in thing.points if point.key == rule.point)
    return Alarm(
        id=raised.occurrence,
        rule=rule.id,
        name=rule.name,
        equipment=thing.id,
        equipment_name=thing.name,
        area=thing.area,
        point=point.id,
        priority=rule.priority,
        cause_key=rule.cause_key,
        state=step(AlarmState.NORMAL, AlarmEvent.RAISE, alarm=raised.occurrence),
        value=None if isinstance(rule.condition.measure, NoData) else raised.value,
        limit=rule.limit,
        unit=rule.unit(point.unit),
        guidance=rule.guidance,
        first_reading_at=raised.first,
        raised_at=raised.at.wall,
        life_safety=rule.life_safety,
        latches=rule.latches,
    )


def returned(alarm: Alarm, cleared: Change) -> Alarm:
    """``alarm`` after its condition has returned."""
    state = step(alarm.state, AlarmEvent.CLEAR, alarm=alarm.id)
    return replace(alarm, state=state, cleared_at=cleared.at.wall)

"""Work orders as documents."""

from __future__ import annotations

from datetime import tzinfo

from api import models
from api.views import words
from gateway.model.moment import SECOND, Instant
from rules.ledger.rows import LifecycleEvent, WorkOrder
from rules.orders import clock


def document(
    order: WorkOrder,
    now: Instant,
    zone: tzinfo,
    steps: list[LifecycleEvent] | None = None,
) -> models.WorkOrder:
    """``order`` with its clock as it stands at ``now``; ``steps`` where its history was asked
    for."""
    return models.WorkOrder(
        id=order.id,
        number=order.number,
        category=order.category,
        category_name=words.text(order.category_name),
        priority=order.priority.value,
        state=order.state.value,
        title=words.text(order.title),
        equipment=order.equipment,
        equipment_name=words.text(order.equipment_name),
        area=order.area,
        cause_key=order.cause_key,
        alarms=list(order.alarms),
        finding=None
        if order.finding is None
        else models.FindingRef(
            id=order.finding.id, round=order.finding.round, item=order.finding.item
        ),
        created_at=words.moment(order.created_at, zone),
        accepted_at=words.moment_if(order.accepted_at, zone),
        accepted_by=order.accepted_by,
        completed_at=words.moment_if(order.completed_at, zone),
        completed_by=order.completed_by,
        note=order.note,
        clock=_clock(order, now, zone),
        events=None if steps is None else words.events(steps, zone),
    )


def _clock(order: WorkOrder, now: Instant, zone: tzinfo) -> models.Clock:
    stands = clock.clock(
        limit=order.limit,
        due=order.due,
        completed=order.completed,
        now=now,
        in_working_time=clock.runs_in_working_time(order.priority),
    )
    return models.Clock(
        limit_s=stands.limit / SECOND,
        due_at=words.moment(stands.due.wall, zone),
        remaining_s=stands.remaining / SECOND,
        state=stands.state.value,
        explain=words.text(clock.explain(stands, zone)),
    )

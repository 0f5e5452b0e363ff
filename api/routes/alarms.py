"""Alarms, and saying that one has been seen."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api import models
from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    get_visitor,
)
from api.problems import ProblemException, described
from api.views import alarms as views
from api.views import paging
from rules import actions
from rules.alarms.lifecycle import NOT_CLOSED

router = APIRouter(tags=["alarms"], dependencies=[Depends(get_visitor)])


@router.get("/alarms", responses=described(400, 401, 422, 503))
async def alarms(
    desk: DeskNeeded,
    state: Annotated[models.AlarmState | Literal["all"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.AlarmPage:
    """Alarms, newest first; those that are not closed if no state is named."""
    states = None if state == "all" else NOT_CLOSED if state is None else (state,)
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None
    found = await desk.read(lambda view: view.alarms(states=states, limit=limit + 1, before=before))
    page, more = found[:limit], len(found) > limit
    readings = desk.readings()
    return models.AlarmPage(
        items=[views.document(alarm, readings, desk.site.zone) for alarm in page],
        next=paging.cursor(page[-1].raised_at, page[-1].id) if more else None,
    )


@router.get("/alarms/{alarm_id}", responses=described(401, 404, 422, 503))
async def alarm(desk: DeskNeeded, alarm_id: Id) -> models.Alarm:
    """One alarm with its history."""
    found, steps = await desk.read(lambda view: (view.alarm(alarm_id), view.alarm_events(alarm_id)))
    if found is None:
        raise ProblemException(404, f"There is no alarm {alarm_id}.")
    return views.document(found, desk.readings(), desk.site.zone, steps)


@router.post(
    "/alarms/{alarm_id}/acknowledge",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def acknowledge(
    desk: DeskNeeded,
    actor: ActorNeeded,
    alarm_id: Id,
    body: models.Acknowledgement | None = None,
    idempotency_key: IdempotencyKey = None,
) -> models.Alarm:
    """Say that somebody has seen it. It is written before this answers."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: actions.acknowledge_alarm(
            desk.ledger,
            desk.site.id,
            alarm_id,
            actor=actor,
            now=now,
            note=body.note if body else None,
            idempotency_key=idempotency_key,
        )
    )
    return views.document(done, desk.readings(), desk.site.zone)

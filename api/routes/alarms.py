"""Alarms, and saying that one has been seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy.exc import SQLAlchemyError

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
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import alarms as views
from api.views import paging
from rules import actions
from rules.alarms.lifecycle import NOT_CLOSED
from rules.ledger.rows import Alarm
from rules.refusals import NotFoundError

router = APIRouter(tags=["alarms"], dependencies=[Depends(get_visitor)])


@router.get("/alarms", responses=described(400, 401, 422, 503))
async def alarms(
    desk: DeskNeeded,
    state: Annotated[models.AlarmState | Literal["all"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.AlarmPage:
    """Alarms, newest first; those that are not closed if no state is named.

    Where the ledger does not answer, open ones are still told of: those that are up and not in
    it yet. `ledger` says so.
    """
    states = None if state == "all" else NOT_CLOSED if state is None else (state,)
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None
    pending = _provisional(desk, states) if place is None else []
    try:
        found = await desk.read(
            lambda view: view.alarms(states=states, limit=limit + 1, before=before)
        )
    except SQLAlchemyError:
        if place is not None or states is None or "closed" in states:
            raise
        return _page(desk, pending, [], ledger="down")
    page, more = found[:limit], len(found) > limit
    rows = {alarm.id for alarm in page}
    return _page(
        desk,
        [alarm for alarm in pending if alarm.id not in rows],
        page,
        following=paging.cursor(page[-1].raised_at, page[-1].id) if more else None,
    )


@router.get("/alarms/{alarm_id}", responses=described(401, 404, 422, 503))
async def alarm(desk: DeskNeeded, alarm_id: Id) -> models.Alarm:
    """One alarm with its history."""
    provisional = desk.provisional.alarm(alarm_id)
    try:
        found, steps = await desk.read(
            lambda view: (view.alarm(alarm_id), view.alarm_events(alarm_id))
        )
    except SQLAlchemyError:
        if provisional is None:
            raise
        found, steps = None, []
    if found is None and provisional is not None:
        return views.document(provisional, desk.readings(), desk.site.zone, [], provisional=True)
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
    """Say that somebody has seen it. It is written before this answers; 503 for one that is not
    in the ledger yet."""
    now = desk.clock.now()
    try:
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
    except NotFoundError:
        if desk.provisional.alarm(alarm_id) is None:
            raise
        raise ProblemException(
            503, "This alarm is not in the ledger yet. Try again.", headers={"Retry-After": "5"}
        ) from None
    return views.document(done, desk.readings(), desk.site.zone)


def _provisional(desk: Desk, states: Sequence[str] | None) -> list[Alarm]:
    alarms = desk.provisional.alarms()
    return [alarm for alarm in alarms if states is None or alarm.state in states]


def _page(
    desk: Desk,
    provisional: Sequence[Alarm],
    rows: Sequence[Alarm],
    *,
    following: str | None = None,
    ledger: models.LedgerState = "ok",
) -> models.AlarmPage:
    """The provisional ones come besides the rows, each at its place in time."""
    readings, zone = desk.readings(), desk.site.zone
    alarms = [(alarm, True) for alarm in provisional] + [(alarm, False) for alarm in rows]
    alarms.sort(key=lambda one: (one[0].raised_at, one[0].id), reverse=True)
    return models.AlarmPage(
        items=[
            views.document(alarm, readings, zone, provisional=is_provisional)
            for alarm, is_provisional in alarms
        ],
        next=following,
        ledger=ledger,
    )

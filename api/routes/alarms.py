"""Alarms, and saying that one has been seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy.exc import SQLAlchemyError

from api import models
from api.deps import (
    AlarmAct,
    Cursor,
    DeskNeeded,
    Id,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import alarms as views
from api.views import paging
from rules.actions import alarms as alarm_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import CALLING
from rules.ledger.rows import Alarm
from rules.refusals import NotFoundError

router = APIRouter(tags=["alarms"], dependencies=[Depends(get_visitor)])

_REFUSED = described(401, 403, 404, 409, 422, 503)


@router.get("/alarms", responses=described(400, 401, 422, 503))
async def alarms(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    *,
    state: Annotated[list[models.AlarmState | Literal["all"]] | None, Query()] = None,
    area: Annotated[str | None, Query(max_length=64)] = None,
    equipment: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.AlarmPage:
    """Alarms, newest first; those that call for somebody if no state is named: not closed, and
    neither shelved, nor explained by another, nor of equipment out of service.

    Where the ledger does not answer, open ones are still told of: those that are up and not in
    it yet. `ledger` says so.
    """
    states = _states(state)
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None
    pending = _provisional(desk, states) if place is None else []
    pending = [
        one
        for one in visitor.seeing.of(pending)
        if area in (None, one.area) and equipment in (None, one.equipment)
    ]
    try:
        found = await desk.read(
            lambda view: view.alarms(
                states=states,
                limit=limit + 1,
                before=before,
                area=area,
                equipment=equipment,
                areas=visitor.seeing.areas,
            )
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


@router.get("/shelves", responses=described(401, 503))
async def shelves(desk: DeskNeeded) -> models.ShelfList:
    """Every rule that lies on the shelf, whether its alarm is there or over; what ends first
    first."""
    found = await desk.read(lambda view: view.shelves())
    return models.ShelfList(items=[views.shelf(one, desk.site.zone) for one in found])


@router.get("/alarms/{alarm_id}", responses=described(401, 404, 422, 503))
async def alarm(desk: DeskNeeded, alarm_id: Id) -> models.Alarm:
    """One alarm with its history."""
    provisional = desk.provisional.alarm(alarm_id)
    try:
        found, steps, explained = await desk.read(
            lambda view: (
                view.alarm(alarm_id),
                view.alarm_events(alarm_id),
                view.explained(alarm_id),
            )
        )
    except SQLAlchemyError:
        if provisional is None:
            raise
        found, steps, explained = None, [], []
    if found is None and provisional is not None:
        return views.document(provisional, desk.readings(), desk.site.zone, [], provisional=True)
    if found is None:
        raise ProblemException(404, f"There is no alarm {alarm_id}.")
    return views.document(found, desk.readings(), desk.site.zone, steps, explained=explained)


@router.post("/alarms/{alarm_id}/acknowledge", dependencies=[SameOrigin], responses=_REFUSED)
async def acknowledge(
    desk: DeskNeeded, act: AlarmAct, body: models.Acknowledgement | None = None
) -> models.Alarm:
    """Say that somebody has seen it. It is written before this answers; 503 for one that is not
    in the ledger yet."""
    return await _done(
        desk, act, partial(alarm_actions.acknowledge, act, note=body.note if body else None)
    )


@router.post("/alarms/{alarm_id}/shelve", dependencies=[SameOrigin], responses=_REFUSED)
async def shelve(desk: DeskNeeded, act: AlarmAct, body: models.ShelveRequest) -> models.Alarm:
    """Put its rule aside for this equipment, for a time: it calls nobody, also when it comes up
    again meanwhile."""
    return await _done(
        desk, act, partial(alarm_actions.shelve, act, minutes=body.minutes, reason=body.reason)
    )


@router.post("/alarms/{alarm_id}/unshelve", dependencies=[SameOrigin], responses=_REFUSED)
async def unshelve(
    desk: DeskNeeded, act: AlarmAct, body: models.NoteBody | None = None
) -> models.Alarm:
    """Take its rule off the shelf; who does that has seen the alarm."""
    return await _done(
        desk, act, partial(alarm_actions.unshelve, act, note=body.note if body else None)
    )


@router.post("/alarms/{alarm_id}/reset", dependencies=[SameOrigin], responses=_REFUSED)
async def reset(
    desk: DeskNeeded, act: AlarmAct, body: models.NoteBody | None = None
) -> models.Alarm:
    """End an alarm that its rule has latched: somebody has looked."""
    return await _done(
        desk, act, partial(alarm_actions.reset, act, note=body.note if body else None)
    )


async def _done(desk: Desk, act: Act, work: Callable[[], Alarm]) -> models.Alarm:
    """What ``work`` on the alarm has made of it."""
    try:
        done = await desk.in_ledger(work)
    except NotFoundError:
        if desk.provisional.alarm(act.subject) is None:
            raise
        raise ProblemException(
            503, "This alarm is not in the ledger yet. Try again.", headers={"Retry-After": "5"}
        ) from None
    return views.document(done, desk.readings(), desk.site.zone)


def _states(named: Sequence[str] | None) -> Sequence[str] | None:
    """None: all of them."""
    if not named:
        return CALLING
    return None if "all" in named else tuple(named)


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

"""The site's calendar: kinds of days, and the working hours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from api.deps import ActorNeeded, DeskNeeded, SameOrigin, get_visitor
from api.desk import Desk
from api.models import roster as models
from api.problems import described
from api.views import roster as views
from gateway.model.point import Text
from rules.ledger import roster as stored
from rules.shifts import calendar_actions as actions
from rules.shifts.calendar import Calendar, DayKind, WorkingHours
from rules.shifts.local_time import date_of, minute_of

router = APIRouter(tags=["calendar"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 422, 503)

DayPath = Annotated[models.Day, Path(alias="date")]


@router.get("/calendar", responses=described(401, 422, 503))
async def calendar(
    desk: DeskNeeded,
    year: Annotated[
        models.CalendarYear | None, Query(description="This year, if none is named.")
    ] = None,
) -> models.Calendar:
    """Every day of a year. A provisional year lacks its make-up working days."""
    shown = year or date_of(desk.clock.now().wall, desk.site.zone).year
    return views.calendar(await _calendar(desk), shown)


@router.put("/calendar/{date}", dependencies=[SameOrigin], responses=_WRITES)
async def put_day(
    desk: DeskNeeded, actor: ActorNeeded, day: DayPath, body: models.DayBody
) -> models.CalendarDay:
    """Say what a day is at this site, whatever the year's arrangement says."""
    now = desk.clock.now()
    name = None if body.name is None else Text(zh=body.name.zh, en=body.name.en)
    await desk.in_ledger(
        lambda: actions.put_day(
            desk.ledger,
            desk.site.id,
            day=day,
            kind=DayKind(body.kind),
            name=name,
            reason=body.reason,
            actor=actor,
            now=now,
        )
    )
    return views.calendar_day((await _calendar(desk)).day(day))


@router.delete("/calendar/{date}", status_code=204, dependencies=[SameOrigin], responses=_WRITES)
async def remove_day(desk: DeskNeeded, actor: ActorNeeded, day: DayPath) -> Response:
    """Let a day be again what the year's arrangement says."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.remove_day(desk.ledger, desk.site.id, day, actor=actor, now=now)
    )
    return Response(status_code=204)


@router.put("/working-hours", dependencies=[SameOrigin], responses=_WRITES)
async def put_hours(
    desk: DeskNeeded, actor: ActorNeeded, body: models.WorkingHours
) -> models.WorkingHours:
    """Set the hours of every working day; orders of minor priority run in them."""
    now = desk.clock.now()
    hours = WorkingHours(starts=minute_of(body.starts), ends=minute_of(body.ends))
    await desk.in_ledger(
        lambda: actions.put_hours(desk.ledger, desk.site.id, hours, actor=actor, now=now)
    )
    return views.hours(hours)


async def _calendar(desk: Desk) -> Calendar:
    return await desk.read(lambda view: stored.calendar_of(view, desk.site))

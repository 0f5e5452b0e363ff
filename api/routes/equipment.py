"""Equipment, its points, and their past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError

from api import models
from api.deps import Cursor, DeskNeeded, Id, get_visitor
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import paging, readings
from api.views.equipment import EquipmentViews
from gateway.model.equipment import Equipment
from gateway.model.moment import HOUR
from rules.alarms.lifecycle import NOT_CLOSED

router = APIRouter(tags=["equipment"], dependencies=[Depends(get_visitor)])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1970, 1, 2)
_LATEST = datetime(9000, 1, 1)


@router.get("/equipment", responses=described(400, 401, 422, 503))
async def equipment_list(
    desk: DeskNeeded,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Cursor = None,
) -> models.EquipmentPage:
    """All equipment with its points and their readings, in the order of the site file."""
    things = list(desk.site.equipment.values())
    place = paging.place(cursor, int)
    first = int(place[0]) if place else 0
    page = things[first : first + limit]
    end = first + limit
    return models.EquipmentPage(
        items=await _documents(desk, page),
        next=paging.cursor(end) if end < len(things) else None,
    )


@router.get("/equipment/{equipment_id}", responses=described(401, 404, 422, 503))
async def equipment(desk: DeskNeeded, equipment_id: Id) -> models.Equipment:
    """One piece of equipment."""
    thing = desk.site.equipment.get(equipment_id)
    if thing is None:
        raise ProblemException(404, f"There is no equipment {equipment_id}.")
    return (await _documents(desk, [thing]))[0]


@router.get("/points/{point_id}/readings", responses=described(401, 404, 422, 503))
async def point_readings(
    desk: DeskNeeded,
    point_id: Id,
    start: Annotated[datetime | None, Query(description="An hour before `end` if absent.")] = None,
    end: Annotated[datetime | None, Query(description="Now if absent.")] = None,
    buckets: Annotated[int, Query(ge=1, le=2000)] = 300,
) -> models.Readings:
    """The readings of a point between two times, in equal parts; a gap stays a gap.

    A time without an offset is the site's.
    """
    if point_id not in desk.site.points:
        raise ProblemException(404, f"There is no point {point_id}.")
    until = desk.clock.now().wall if end is None else _wall(desk, end, "end")
    since = until - HOUR if start is None else _wall(desk, start, "start")
    if until - since < buckets:
        raise _not_valid("start", "start has to lie before end, a microsecond a bucket at least")
    found = await desk.in_history(lambda: desk.history.buckets(point_id, since, until, buckets))
    return readings.past(desk.site, point_id, since, until, found)


async def _documents(desk: Desk, things: list[Equipment]) -> list[models.Equipment]:
    alarms = await desk.read(lambda view: view.alarms(states=NOT_CLOSED))
    views = EquipmentViews(
        site=desk.site, rulebook=desk.rulebook, readings=desk.readings(), alarms=alarms
    )
    return views.documents(things)


def _wall(desk: Desk, moment: datetime, name: str) -> int:
    """``moment`` in µs UTC; without an offset it is meant in the site's time zone."""
    if not _EARLIEST <= moment.replace(tzinfo=None) <= _LATEST:
        raise _not_valid(name, "this is no time of any reading")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=desk.site.zone)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def _not_valid(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("query", name), "msg": message, "type": "value"}])

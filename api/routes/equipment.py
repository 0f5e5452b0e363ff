"""Equipment, its points, and their past."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError

from api import models
from api.auth import Visitor
from api.deps import Cursor, DeskNeeded, Id, VisitorNeeded, get_visitor
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import paging, readings
from api.views.equipment import EquipmentViews
from gateway.history.base import Gap, History
from gateway.model.equipment import Equipment
from gateway.model.moment import DAY, HOUR
from rules.alarms.lifecycle import CALLING
from rules.ledger import overrides
from rules.overrides import applied

router = APIRouter(tags=["equipment"], dependencies=[Depends(get_visitor)])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1970, 1, 2)
_LATEST = datetime(9000, 1, 1)
_SILENCE_PARTS = 144
"""As exact as it is told where what was never heard of begins: ten minutes of a day."""


@router.get("/equipment", responses=described(400, 401, 422, 503))
async def equipment_list(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Cursor = None,
) -> models.EquipmentPage:
    """All equipment with its points and their readings, in the order of the site file."""
    things = _seen(desk, visitor)
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
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    point_id: Id,
    start: Annotated[datetime | None, Query(description="An hour before `end` if absent.")] = None,
    end: Annotated[datetime | None, Query(description="Now if absent.")] = None,
    buckets: Annotated[int, Query(ge=1, le=2000)] = 300,
) -> models.Readings:
    """The readings of a point between two times, in equal parts; a gap stays a gap.

    A time without an offset is the site's.
    """
    if point_id not in visitor.seeing.points(desk.site, desk.site.points):
        raise ProblemException(404, f"There is no point {point_id}.")
    until = desk.clock.now().wall if end is None else _wall(desk, end, "end")
    since = until - HOUR if start is None else _wall(desk, start, "start")
    if until - since < buckets:
        raise _not_valid("start", "start has to lie before end, a microsecond a bucket at least")
    history = desk.history
    found, gaps, before = await desk.in_history(
        lambda: (
            history.buckets(point_id, since, until, buckets),
            history.gaps([point_id], since, until),
            history.at([point_id], since),
        )
    )
    if point_id not in before:
        gaps = [*readings.unheard(point_id, (since, until), readings.begun(found)), *gaps]
    return readings.past(desk.site, point_id, (since, until), found, gaps)


@router.get("/silences", responses=described(401, 422, 503))
async def silences(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    start: Annotated[datetime | None, Query(description="A day before `end` if absent.")] = None,
    end: Annotated[datetime | None, Query(description="Now if absent.")] = None,
) -> models.Silences:
    """When equipment said nothing between two times: for each piece the gaps of its first point."""
    until = desk.clock.now().wall if end is None else _wall(desk, end, "end")
    since = until - DAY if start is None else _wall(desk, start, "start")
    if until - since < _SILENCE_PARTS:
        raise _not_valid("start", "start has to lie before end, a microsecond a part at least")
    of = {thing.points[0].id: thing.id for thing in _seen(desk, visitor) if thing.points}
    history, span = desk.history, (since, until)

    def look() -> list[Gap]:
        before = history.at(of, since)
        unheard = [
            gap
            for point in of
            if point not in before
            for gap in readings.unheard(point, span, _begun(history, point, span))
        ]
        return [*unheard, *history.gaps(of, *span)]

    return readings.silences(desk.site, of, span, await desk.in_history(look))


def _begun(history: History, point: str, span: tuple[int, int]) -> int | None:
    """When ``point`` was first heard in ``span``, µs UTC; of one that said first that it is not
    read, to a part."""
    first = history.range(point, *span, 1)
    if len(first.time) and math.isfinite(first.value[0]):
        return int(first.time[0])
    return (
        readings.begun(history.buckets(point, *span, _SILENCE_PARTS)) if len(first.time) else None
    )


def _seen(desk: Desk, visitor: Visitor) -> list[Equipment]:
    return visitor.seeing.of(desk.site.equipment.values())


async def _documents(desk: Desk, things: list[Equipment]) -> list[models.Equipment]:
    alarms, kept = await desk.read(lambda view: (view.alarms(states=CALLING), overrides.load(view)))
    views = EquipmentViews(
        site=desk.site,
        rulebook=applied(desk.rulebook, desk.site, kept),
        readings=desk.readings(),
        alarms=alarms,
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

"""How much the alarms ask of the people on duty."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import models
from api.deps import DeskNeeded, get_visitor
from api.problems import described
from api.views import words
from api.views.alarms import reference
from gateway.model.moment import DAY
from rules.ledger import alarm_figures
from rules.ledger.alarm_figures import AlarmFigures, LoadRule

router = APIRouter(tags=["alarms"], dependencies=[Depends(get_visitor)])


@router.get("/alarms/figures", responses=described(401, 422, 503))
async def figures(
    desk: DeskNeeded, days: Annotated[int, Query(ge=1, le=31)] = 7
) -> models.AlarmFigures:
    """Over the last days. An alarm that another explains calls nobody, and is not counted."""
    end = desk.clock.now().wall
    found = await desk.read(
        lambda view: alarm_figures.read(view.connection, view.site, end - days * DAY, end)
    )
    return _document(found, desk.site.zone)


def _document(found: AlarmFigures, zone: tzinfo) -> models.AlarmFigures:
    return models.AlarmFigures(
        start=words.moment(found.start, zone),
        end=words.moment(found.end, zone),
        alarms=found.alarms,
        per_day=found.per_day,
        busiest_10_min=found.busiest_10_min,
        flood_share=found.flood_share,
        by_priority={one.value: count for one, count in found.by_priority.items()},
        top=[_load(one) for one in found.top],
        chattering=[_load(one) for one in found.chattering],
        stale=[reference(one, zone) for one in found.stale],
        shelved=found.shelved,
        suppressed=found.suppressed,
        unordered=found.unordered,
    )


def _load(one: LoadRule) -> models.LoadRule:
    return models.LoadRule(
        rule=one.rule,
        name=words.text(one.name),
        equipment=one.equipment,
        equipment_name=words.text(one.equipment_name),
        count=one.count,
    )

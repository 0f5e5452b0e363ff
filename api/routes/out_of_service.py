"""Equipment of which nobody is called for a time."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends

from api import models
from api.deps import DeskNeeded, EquipmentAct, SameOrigin, VisitorNeeded, get_visitor
from api.desk import Desk
from api.problems import described
from api.views import words
from rules.actions import alarms as alarm_actions
from rules.ledger.aside import ServiceBreak

router = APIRouter(tags=["equipment"], dependencies=[Depends(get_visitor)])

_REFUSED = described(401, 403, 404, 409, 422, 503)


@router.get("/out-of-service", responses=described(401, 503))
async def out_of_service_list(desk: DeskNeeded, visitor: VisitorNeeded) -> models.OutOfServiceList:
    """The equipment that is out of service, the newest first."""
    found = await _list(desk)
    things, seeing = desk.site.equipment, visitor.seeing
    return models.OutOfServiceList(
        items=[
            one
            for one in found.items
            if seeing.area(things[one.equipment].area if one.equipment in things else None)
        ]
    )


@router.post(
    "/equipment/{equipment_id}/out-of-service", dependencies=[SameOrigin], responses=_REFUSED
)
async def take_out_of_service(
    desk: DeskNeeded, act: EquipmentAct, body: models.OutOfServiceRequest
) -> models.OutOfServiceList:
    """Its alarms call nobody until then; fire and lift equipment only by the engineering
    manager."""
    take = alarm_actions.take_out_of_service
    await desk.in_ledger(partial(take, act, desk.site, reason=body.reason, hours=body.hours))
    return await _list(desk)


@router.post("/equipment/{equipment_id}/in-service", dependencies=[SameOrigin], responses=_REFUSED)
async def bring_into_service(
    desk: DeskNeeded, act: EquipmentAct, body: models.NoteBody | None = None
) -> models.OutOfServiceList:
    """What is up of it calls again, within a second."""
    note = body.note if body else None
    await desk.in_ledger(partial(alarm_actions.bring_into_service, act, desk.site, note=note))
    return await _list(desk)


async def _list(desk: Desk) -> models.OutOfServiceList:
    found = await desk.read(lambda view: view.service_breaks())
    return models.OutOfServiceList(items=[_document(desk, one) for one in found])


def _document(desk: Desk, one: ServiceBreak) -> models.OutOfService:
    zone, thing = desk.site.zone, desk.site.equipment.get(one.equipment)
    return models.OutOfService(
        equipment=one.equipment,
        equipment_name=words.same(one.equipment) if thing is None else words.text(thing.name),
        since=words.moment(one.since, zone),
        until=words.moment_if(one.until, zone),
        by=one.by,
        reason=one.reason,
    )

"""The site."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from api import models
from api.deps import DeskNeeded, VisitorNeeded, get_visitor
from api.problems import described
from api.views import certificate, equipment

router = APIRouter(tags=["site"], dependencies=[Depends(get_visitor)])


@router.get("/site", responses=described(401, 503))
async def site(desk: DeskNeeded, visitor: VisitorNeeded, request: Request) -> models.Site:
    """The site, its areas, and whether readings are coming in."""
    found = equipment.site(
        desk.site,
        now=desk.clock.now(),
        received=desk.latest.received,
        version=request.app.version,
    )
    shown = [area for area in found.areas if visitor.seeing.area(area.id)]
    state = request.app.state
    of_https = certificate.state(state.tls, desk.clock.now().wall, desk.site.zone)
    return found.model_copy(
        update={"areas": shown, "certificate": of_https, "demo_faults": state.demo is not None}
    )

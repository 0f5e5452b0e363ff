"""The site."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from api import models
from api.deps import DeskNeeded, get_visitor
from api.problems import described
from api.views import equipment

router = APIRouter(tags=["site"], dependencies=[Depends(get_visitor)])


@router.get("/site", responses=described(401, 503))
async def site(desk: DeskNeeded, request: Request) -> models.Site:
    """The site, its areas, and whether readings are coming in."""
    return equipment.site(
        desk.site,
        now=desk.clock.now(),
        received=desk.latest.received,
        version=request.app.version,
    )

"""Findings of all rounds, and the coverage map: what nobody has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import Cursor, DeskNeeded, get_visitor
from api.desk import Desk
from api.models import round_records as models
from api.models.people import AreaId
from api.models.rounds import SeverityWord
from api.problems import described
from api.views import paging
from api.views import round_records as views
from rules.inspections.coverage import Duty
from rules.inspections.regime import Level, Severity
from rules.ledger import coverage_view, finding_list, round_view
from rules.ledger.finding_list import Wanted
from rules.ledger.view import View

router = APIRouter(tags=["rounds"], dependencies=[Depends(get_visitor)])

Area = Annotated[AreaId | None, Query()]


@router.get("/findings", responses=described(400, 401, 422, 503))
async def findings(
    *,
    desk: DeskNeeded,
    is_open: Annotated[
        bool | None, Query(alias="open", description="Whether its order is not closed.")
    ] = None,
    severity: Annotated[SeverityWord | None, Query()] = None,
    area: Area = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.FindingPage:
    """Findings (巡检异常), the newest first."""
    wanted = Wanted(
        is_open=is_open, severity=None if severity is None else Severity(severity), area=area
    )
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None
    found = await desk.read(
        lambda view: finding_list.findings(view, wanted, limit=limit + 1, before=before)
    )
    page, more = found[:limit], len(found) > limit
    last = page[-1].finding if page else None
    return models.FindingPage(
        items=[views.finding(one, desk.site) for one in page],
        next=paging.cursor(last.at, last.id) if more and last is not None else None,
    )


@router.get("/coverage", responses=described(401, 422, 503))
async def coverage(
    *,
    desk: DeskNeeded,
    area: Area = None,
    days: Annotated[
        int | None,
        Query(ge=1, le=4000, description="Only what nobody has looked at for so many days."),
    ] = None,
) -> models.CoverageMap:
    """Each piece of equipment by the level of its rounds: when last looked at, by whom."""
    now = desk.clock.now().wall
    wanted = await desk.duties()
    found = {duty.level for duty in wanted}
    levels = [level for level in Level if level in found]
    here = desk.site.equipment
    asked = [duty for duty in wanted if area is None or here[duty.equipment].area == area]
    rows = await desk.read(lambda view: _rows(view, desk, asked, now))
    watched = {duty.equipment for duty in wanted}
    return models.CoverageMap(
        levels=[level.value for level in levels],
        items=[row for row in rows if days is None or _is_left(row, days)],
        unwatched=[
            thing.id
            for thing in here.values()
            if thing.id not in watched and (area is None or thing.area == area)
        ],
    )


def _rows(view: View, desk: Desk, wanted: Sequence[Duty], now: int) -> list[models.CoverageRow]:
    since = round_view.duties(view)
    checks = coverage_view.last_checks(view)
    by_equipment: dict[str, list[models.CoverageCell]] = {}
    for duty in wanted:
        begun = [since.get(one) for one in zip(duty.regimes, duty.areas, strict=True)]
        first = min((at for at in begun if at is not None), default=None)
        checked = checks.get((duty.equipment, duty.level))
        cell = views.cell(duty, checked, first, now, desk.site.zone)
        by_equipment.setdefault(duty.equipment, []).append(cell)
    return [views.row(name, cells, desk.site) for name, cells in by_equipment.items()]


def _is_left(row: models.CoverageRow, days: int) -> bool:
    """Whether by rounds of some level nobody has looked at it for ``days``."""
    return any(cell.days is None or cell.days >= days for cell in row.cells)

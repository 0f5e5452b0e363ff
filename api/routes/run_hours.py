"""How long equipment ran in each month."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import DeskNeeded, Id, get_visitor
from api.models import register as documents
from api.problems import described
from api.views import words
from gateway.model.reading import Reading
from rules.ledger.view import View
from rules.register import actions, run_hours

router = APIRouter(tags=["register"], dependencies=[Depends(get_visitor)])


@router.get("/register/{equipment_id}/run-hours", responses=described(401, 404, 422, 503))
async def register_run_hours(desk: DeskNeeded, equipment_id: Id) -> documents.RegisterRunHours:
    """Hours by its device's own counters in each of the last twelve months, newest first; none for
    equipment whose device counts none. The history tells, for as long as it goes back."""
    site, zone = desk.site, desk.site.zone

    def is_there(view: View) -> None:
        actions.find(view, site, equipment_id)

    await desk.read(is_there)
    thing = site.equipment.get(equipment_id)
    points = [] if thing is None else run_hours.counters(thing)
    known = run_hours.months(desk.clock.now().wall, zone) if points else []

    def ask() -> dict[int, dict[str, Reading]]:
        names = [point.id for point in points]
        bounds = {bound for month in known for bound in (month.begin, month.end)}
        return {bound: dict(desk.history.at(names, bound)) for bound in sorted(bounds)}

    said = await desk.in_history(ask)
    return documents.RegisterRunHours(
        items=[
            documents.RegisterRanMonth(
                month=f"{one.month.first:%Y-%m}",
                point=one.point.id,
                name=words.text(one.point.name),
                hours=one.hours,
                total=one.total,
                at=words.moment(one.at, zone),
            )
            for one in run_hours.ran(known, points, said)
        ]
    )

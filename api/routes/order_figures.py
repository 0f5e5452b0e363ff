"""What a month of work orders was like, against the targets of the site."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api import models
from api.deps import DeskNeeded, get_visitor
from api.desk import Desk
from api.problems import described
from api.views import order_figures as views
from rules.ledger import order_figures
from rules.ledger.roster import calendar_of
from rules.shifts.local_time import date_of

router = APIRouter(tags=["orders"], dependencies=[Depends(get_visitor)])

Month = Annotated[str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


@router.get("/order-figures", responses=described(401, 422, 503))
async def order_figures_of_month(desk: DeskNeeded, month: Month = None) -> models.OrderFigures:
    """Of a month by the days of the site; of the present one if none is named."""
    return (await _months(desk, month, 1))[0]


@router.get(
    "/order-figures.csv",
    response_class=Response,
    responses={**described(401, 422, 503), 200: {"content": {"text/csv": {}}}},
)
async def order_figures_table(
    desk: DeskNeeded, month: Month = None, months: Annotated[int, Query(ge=1, le=24)] = 12
) -> Response:
    """The same of several months up to that one, the newest first, as a table."""
    found = await _months(desk, month, months)
    name = f"order-figures-{found[0].month}.csv"
    return Response(
        views.table(found),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _months(desk: Desk, month: str | None, count: int) -> list[models.OrderFigures]:
    zone, targets = desk.site.zone, desk.rulebook.order_book.targets
    today = date_of(desk.clock.now().wall, zone)
    named = today if month is None else date.fromisoformat(f"{month}-01")
    days = [_months_before(named, before) for before in range(count)]
    found = await desk.read(
        lambda view: [
            order_figures.read(
                view.connection,
                view.site,
                day,
                calendar_of(view, desk.site),
                targets.visit_within_days,
            )
            for day in days
        ]
    )
    return [views.document(one, targets, zone) for one in found]


def _months_before(day: date, count: int) -> date:
    number = 12 * day.year + day.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)

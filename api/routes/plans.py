"""Maintenance plans (保养计划): what is due, the year, and what people do with what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.deps import Cursor, DeskNeeded, DueAct, Id, SameOrigin, get_visitor
from api.desk import Desk
from api.models import plans as models
from api.problems import ProblemException, described
from api.views import paging, words
from api.views import plans as views
from gateway.model.moment import SECOND
from rules.actions import plan_steps
from rules.actions import plans as actions
from rules.ledger import plan_view
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plan_steps import ticks
from rules.ledger.plan_view import Wanted
from rules.ledger.plans import Recorded
from rules.ledger.roster import calendar_of
from rules.ledger.view import View
from rules.plans.calendar import IsWorking
from rules.shifts.local_time import date_of

router = APIRouter(tags=["plans"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)
_AHEAD = timedelta(days=30)
_PAST = 100
StepNumber = Annotated[int, Path(ge=1, le=1000)]


@router.get("/plans", responses=described(401, 503))
async def plans(desk: DeskNeeded) -> models.PlanList:
    """The plans in force, each with what it is about, what is due next, and how far counters
    have grown."""
    waiting, counters, calendar = await desk.read(
        lambda view: (
            plan_view.not_over(view),
            plan_view.counters(view),
            calendar_of(view, desk.site),
        )
    )
    known = _known(desk, counters, calendar.is_working)
    found = [views.summary(plan, waiting, known) for plan in desk.rulebook.plans.values()]
    return models.PlanList(items=found)


@router.get("/plans/due", responses=described(400, 401, 422, 503))
async def plans_due(
    *,
    desk: DeskNeeded,
    first: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day.")] = None,
    plan: Annotated[str | None, Query(max_length=64)] = None,
    equipment: Annotated[str | None, Query(max_length=100)] = None,
    order: Annotated[
        str | None, Query(max_length=250, description="What this order is for.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.PlanDuePage:
    """What is due first comes first. Without days: the next 30 days, whatever is owed from before,
    and what waits for a counter."""
    today = date_of(desk.clock.now().wall, desk.site.zone)
    unsaid = first is None and last is None and order is None
    wanted = Wanted(
        plan=plan,
        equipment=equipment,
        order=order,
        first=today if unsaid else first,
        last=today + _AHEAD if unsaid else last,
        or_owed=unsaid,
    )
    place = paging.place(cursor, str, str)
    after = None if place is None else (_day(str(place[0])), str(place[1]))
    found, counters = await desk.read(
        lambda view: (
            plan_view.dues(view, wanted, limit=limit + 1, after=after),
            plan_view.counters(view),
        )
    )
    page, more = found[:limit], len(found) > limit
    known = _known(desk, counters)
    end = (page[-1].day or date.max).isoformat() if page else ""
    return models.PlanDuePage(
        items=[views.due(one, known) for one in page],
        next=paging.cursor(end, page[-1].id) if more else None,
    )


@router.get("/plans/due/{due_id}", responses=described(401, 404, 422, 503))
async def plan_due(desk: DeskNeeded, due_id: Id) -> models.PlanDueWhole:
    """One that is due, with its steps and its history."""
    found = await desk.read(lambda view: plan_view.due_with(view, due_id))
    if found is None:
        raise ProblemException(404, f"Nothing is due that is called {due_id}.")
    return await _whole(desk, found)


@router.post("/plans/due/{due_id}/postpone", dependencies=[SameOrigin], responses=_WRITES)
async def postpone(desk: DeskNeeded, act: DueAct, body: models.PlanPostpone) -> models.PlanDueWhole:
    """Approve another day. A second time takes the engineering manager; the first day is kept."""
    return await _done(
        desk,
        partial(actions.postpone, act, desk.site, desk.rulebook, to=body.to, reason=body.reason),
    )


@router.post("/plans/due/{due_id}/void", dependencies=[SameOrigin], responses=_WRITES)
async def void_due(desk: DeskNeeded, act: DueAct, body: models.PlanVoid) -> models.PlanDueWhole:
    """It is not done at all; its order is void with it."""
    return await _done(desk, partial(actions.void, act, reason=body.reason))


@router.post("/plans/due/{due_id}/record-done", dependencies=[SameOrigin], responses=_WRITES)
async def record_done(
    desk: DeskNeeded, act: DueAct, body: models.PlanRecord
) -> models.PlanDueWhole:
    """It was done without an order of this duty room; 409 where it has one to complete."""
    given = body.done_at
    said = Recorded(
        at=act.now.wall if given is None else round(given.timestamp() * SECOND),
        note=body.note,
        materials=[one.model_dump() for one in body.materials],
        labour_minutes=body.labour_minutes,
    )
    why = body.unticked_why
    return await _done(desk, partial(actions.record, act, desk.site, said, unticked_why=why))


@router.post("/plans/due/{due_id}/steps/{step}", dependencies=[SameOrigin], responses=_WRITES)
async def tick_step(
    desk: DeskNeeded, act: DueAct, step: StepNumber, body: models.PlanTick
) -> models.PlanDueWhole:
    """A step of it is done, or is not after all. Said twice, it stays the word of who said it
    first."""
    return await _done(desk, partial(plan_steps.tick, act, step, done=body.done))


@router.get("/plans/year", responses=described(401, 422, 503))
async def plans_year(
    desk: DeskNeeded, year: Annotated[int, Query(ge=2000, le=2100)]
) -> models.PlanYear:
    """How many of each plan there are in each month, by state, with what is still to come."""
    wanted = Wanted(first=date(year, 1, 1), last=date(year, 12, 31))
    found, planned, calendar = await desk.read(
        lambda view: (
            plan_view.dues(view, wanted),
            plan_view.said_between(view, *views.around(year)),
            calendar_of(view, desk.site),
        )
    )
    return views.year(year, found, planned, _known(desk, {}, calendar.is_working))


@router.get("/plans/{plan_id}", responses=described(401, 404, 422, 503))
async def plan(desk: DeskNeeded, plan_id: Id) -> models.Plan:
    """One plan with its steps and its past."""
    said = desk.rulebook.plans.get(plan_id)
    if said is None:
        raise ProblemException(404, f"There is no plan {plan_id}.")

    def read(view: View) -> models.Plan:
        known = _known(desk, plan_view.counters(view), calendar_of(view, desk.site).is_working)
        waiting = plan_view.not_over(view, plan=plan_id)
        return views.document(said, waiting, plan_view.past(view, plan_id, limit=_PAST), known)

    return await desk.read(read)


def _known(
    desk: Desk, counters: views.Counters, is_working: IsWorking = lambda _: True
) -> views.Known:
    now = desk.clock.now()
    return views.Known(
        site=desk.site,
        rulebook=desk.rulebook,
        counters=counters,
        currents=desk.latest.snapshot(now),
        now=now.wall,
        is_working=is_working,
    )


async def _done(desk: Desk, work: Callable[[], PlanDue]) -> models.PlanDueWhole:
    return await _whole(desk, await desk.in_ledger(work))


async def _whole(desk: Desk, found: PlanDue) -> models.PlanDueWhole:
    events, ticked, counters = await desk.read(
        lambda view: (
            plan_view.events(view, found.id),
            ticks(view, found.id),
            plan_view.counters(view),
        )
    )
    happened = words.events(events, desk.site.zone)
    return views.whole(found, ticked, happened, _known(desk, counters))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise paging.BadCursorError(text) from None

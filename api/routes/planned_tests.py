"""Planned tests (计划测试): planning one, seeing its sheet, confirming a detector."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Query

from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    TestAct,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import planned_tests as models
from api.problems import ProblemException, described
from api.views import paging
from api.views import planned_tests as views
from rules.actions import planned_tests as actions
from rules.ledger import planned_test_view
from rules.ledger.planned_test_view import PlannedTest
from rules.people import people

router = APIRouter(tags=["planned tests"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


@router.get("/planned-tests", responses=described(400, 401, 422, 503))
async def planned_tests(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    *,
    state: Annotated[list[models.PlannedTestState] | None, Query(max_length=8)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.PlannedTestPage:
    """Those that begin last first; all of them if no state is named."""
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None
    found = await desk.read(
        lambda view: planned_test_view.planned_tests(
            view, states=state or None, limit=limit + 1, before=before
        )
    )
    page, more = found[:limit], len(found) > limit
    names = await _names(desk, page)
    shown = visitor.seeing.of(views.document(one, desk.site, desk.rulebook, names) for one in page)
    return models.PlannedTestPage(
        items=shown,
        next=paging.cursor(page[-1].starts_at, page[-1].id) if more else None,
    )


@router.post("/planned-tests", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def plan_test(
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.PlannedTestNew,
    idempotency_key: IdempotencyKey = None,
) -> models.PlannedTest:
    """Plan a test; it starts and ends by itself. Fire and lift equipment only by the engineering
    manager; 409 where another test has some of the equipment at that time."""
    key, now = idempotency_key or uuid4().hex, desk.clock.now()
    work = partial(
        actions.plan,
        desk.ledger,
        desk.site,
        desk.rulebook,
        views.plan(body),
        actor=actor,
        key=key,
        now=now,
    )
    return await _done(desk, work)


@router.get("/planned-tests/{test_id}", responses=described(401, 404, 422, 503))
async def planned_test(desk: DeskNeeded, test_id: Id) -> models.PlannedTest:
    """One test with its sheet and its history."""
    found, steps = await desk.read(
        lambda view: (
            planned_test_view.planned_test_with(view, test_id),
            planned_test_view.events(view, test_id),
        )
    )
    if found is None:
        raise ProblemException(404, f"There is no planned test {test_id}.")
    names = await _names(desk, [found])
    return views.document(found, desk.site, desk.rulebook, names, steps)


@router.post("/planned-tests/{test_id}/cancel", dependencies=[SameOrigin], responses=_WRITES)
async def cancel_test(
    desk: DeskNeeded, act: TestAct, body: models.PlannedTestCancel
) -> models.PlannedTest:
    """It is not held, or not gone on with; what it holds calls people within a second."""
    return await _done(desk, partial(actions.cancel, act, reason=body.reason))


@router.post("/planned-tests/{test_id}/end", dependencies=[SameOrigin], responses=_WRITES)
async def end_test(
    desk: DeskNeeded, act: TestAct, body: models.PlannedTestEnd | None = None
) -> models.PlannedTest:
    """It is over before its time: `passed` if every alarm of its sheet has come. What it holds,
    and what is still up, calls people within a second."""
    return await _done(desk, partial(actions.end, act, note=body.note if body else None))


@router.post("/planned-tests/{test_id}/confirm", dependencies=[SameOrigin], responses=_WRITES)
async def confirm_detector(
    desk: DeskNeeded, act: TestAct, body: models.DetectorConfirm
) -> models.PlannedTest:
    """The tester has set this one off: for its alarms that are held nobody is called. 409 where
    none is held any more: people are called then."""
    return await _done(desk, partial(actions.confirm, act, body.equipment))


async def _done(desk: Desk, work: Callable[[], PlannedTest]) -> models.PlannedTest:
    done = await desk.in_ledger(work)
    return views.document(done, desk.site, desk.rulebook, await _names(desk, [done]))


async def _names(desk: Desk, tests: list[PlannedTest]) -> dict[str, str]:
    return await desk.read(lambda view: people.names(view, [test.tester for test in tests]))

"""Work orders: seeing them, and every step that people take with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from api import models
from api.deps import (
    Cursor,
    DeskNeeded,
    Id,
    OrderAct,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.problems import ProblemException, described
from api.routes import contractor
from api.views import orders as views
from api.views import paging
from rules.actions import order_crews, order_ends
from rules.actions import orders as order_actions
from rules.ledger.attachments import SubjectKind, of_subject
from rules.ledger.order_steps import Work
from rules.ledger.rows import WorkOrder
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED
from rules.people.roles import Permission

router = APIRouter(tags=["orders"], dependencies=[Depends(get_visitor)])

_REFUSED = described(401, 403, 404, 409, 422, 503)


@router.get("/orders", responses=described(400, 401, 422, 503))
async def orders(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    *,
    state: Annotated[list[models.OrderState | Literal["all"]] | None, Query(max_length=16)] = None,
    assigned_to: Annotated[str | None, Query(max_length=64)] = None,
    area: Annotated[str | None, Query(max_length=100)] = None,
    source: models.OrderSource | None = None,
    equipment: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.OrderPage:
    """Work orders, newest first; those that are not over if no state is named."""
    states = NOT_CLOSED if not state else None if "all" in state else tuple(state)
    place = paging.place(cursor, int)
    before = int(place[0]) if place else None
    found = await desk.read(
        lambda view: view.orders(
            states=states,
            limit=limit + 1,
            before=before,
            assigned_to=assigned_to,
            area=area,
            source=source,
            equipment=equipment,
            areas=visitor.seeing.areas,
        )
    )
    page, more = found[:limit], len(found) > limit
    return models.OrderPage(
        items=[visitor.seeing.order(_document(desk, order)) for order in page],
        next=paging.cursor(page[-1].number) if more else None,
    )


@router.get("/order-codes", responses=described(401, 503))
async def order_codes(desk: DeskNeeded) -> models.OrderCodes:
    """What may be chosen when an order is made or completed."""
    return views.codes(desk.rulebook.order_book)


@router.get("/orders/{order_id}", responses=described(401, 404, 422, 503))
async def order(desk: DeskNeeded, visitor: VisitorNeeded, order_id: Id) -> models.WorkOrder:
    """One order with its history, its photographs and signatures."""
    now = desk.clock.now()

    def read(view: View) -> models.WorkOrder:
        found = view.order(order_id)
        if found is None:
            raise ProblemException(404, f"There is no order {order_id}.")
        assigns = visitor.actor.may(Permission.ASSIGN_ORDER, found.area)
        link = contractor.link_of(view, found, now.wall) if assigns else None
        return views.document(
            found,
            now,
            desk.site,
            steps=view.order_events(order_id),
            attached=of_subject(view, SubjectKind.ORDER, order_id),
            link=None if link is None else contractor.link_document(desk, link),
        )

    return await desk.read(read)


@router.post("/orders/{order_id}/assign", dependencies=[SameOrigin], responses=_REFUSED)
async def assign(
    desk: DeskNeeded, act: OrderAct, request: Request, body: models.Assignment
) -> models.WorkOrder:
    """Give the order to somebody, who is told; whoever has it may hand it over this way. A
    contractor, who does not log in, gets a link of their own, which only this answer says."""
    given = await desk.in_ledger(
        partial(
            order_actions.assign,
            act,
            desk.site,
            to=body.username,
            note=body.note,
            links=desk.links,
        )
    )
    link = await desk.read(lambda view: contractor.link_of(view, given, act.now.wall))
    shown = None
    if link is not None and link.created_by == act.by:
        url = contractor.link_url(desk, request, link)
        shown = contractor.link_document(desk, link, url)
    return views.document(given, desk.clock.now(), desk.site, link=shown)


@router.post("/orders/{order_id}/decline", dependencies=[SameOrigin], responses=_REFUSED)
async def decline(desk: DeskNeeded, act: OrderAct, body: models.ReasonBody) -> models.WorkOrder:
    """Give the order back (退回)."""
    return await _done(desk, partial(order_actions.decline, act, reason=body.reason))


@router.post("/orders/{order_id}/accept", dependencies=[SameOrigin], responses=_REFUSED)
async def accept(desk: DeskNeeded, act: OrderAct) -> models.WorkOrder:
    """Take the order: of several who try, one does and the others get 409."""
    return await _done(desk, partial(order_actions.accept, act))


@router.post("/orders/{order_id}/arrive", dependencies=[SameOrigin], responses=_REFUSED)
async def arrive(desk: DeskNeeded, act: OrderAct) -> models.WorkOrder:
    """Say that one is there."""
    return await _done(desk, partial(order_actions.arrive, act))


@router.post("/orders/{order_id}/start", dependencies=[SameOrigin], responses=_REFUSED)
async def start(desk: DeskNeeded, act: OrderAct) -> models.WorkOrder:
    """Begin the work."""
    return await _done(desk, partial(order_actions.start, act))


@router.post("/orders/{order_id}/suspend", dependencies=[SameOrigin], responses=_REFUSED)
async def suspend(desk: DeskNeeded, act: OrderAct, body: models.Suspension) -> models.WorkOrder:
    """Nobody can go on for now: the clocks pause."""
    return await _done(desk, partial(order_actions.suspend, act, why=body.why, note=body.note))


@router.post("/orders/{order_id}/resume", dependencies=[SameOrigin], responses=_REFUSED)
async def resume(desk: DeskNeeded, act: OrderAct) -> models.WorkOrder:
    """Go on with it."""
    return await _done(desk, partial(order_actions.resume, act))


@router.put("/orders/{order_id}/both-crews", dependencies=[SameOrigin], responses=_REFUSED)
async def need_both_crews(
    desk: DeskNeeded, act: OrderAct, body: models.ReasonBody
) -> models.WorkOrder:
    """One crew alone cannot go on with it, and why: while somebody is at work on it, no shift is
    handed over."""
    return await _done(desk, partial(order_crews.need_both, act, why=body.reason))


@router.delete("/orders/{order_id}/both-crews", dependencies=[SameOrigin], responses=_REFUSED)
async def need_one_crew(desk: DeskNeeded, act: OrderAct) -> models.WorkOrder:
    """One crew can go on with it alone."""
    return await _done(desk, partial(order_crews.need_both, act, why=None))


@router.post("/orders/{order_id}/complete", dependencies=[SameOrigin], responses=_REFUSED)
async def complete(desk: DeskNeeded, act: OrderAct, body: models.Completion) -> models.WorkOrder:
    """Say that the work is done, and what was done. It is written before this answers."""
    return await _done(
        desk,
        partial(order_actions.complete, act, Work(**body.model_dump()), desk.rulebook.order_book),
    )


@router.post("/orders/{order_id}/verify", dependencies=[SameOrigin], responses=_REFUSED)
async def verify(desk: DeskNeeded, act: OrderAct, body: models.Verification) -> models.WorkOrder:
    """Say that the work is good (验收), or has to be done again."""
    return await _done(desk, partial(order_ends.verify, act, passed=body.passed, note=body.note))


@router.post("/orders/{order_id}/visit", dependencies=[SameOrigin], responses=_REFUSED)
async def visit(desk: DeskNeeded, act: OrderAct, body: models.Visit) -> models.WorkOrder:
    """Who asked for it was asked (回访). Where they are not satisfied it is done again."""
    return await _done(
        desk, partial(order_ends.visit, act, satisfied=body.satisfied, how=body.how, note=body.note)
    )


@router.post("/orders/{order_id}/void", dependencies=[SameOrigin], responses=_REFUSED)
async def void(desk: DeskNeeded, act: OrderAct, body: models.ReasonBody) -> models.WorkOrder:
    """It should not have been made (作废)."""
    return await _done(desk, partial(order_ends.void, act, reason=body.reason))


async def _done(desk: Desk, take: Callable[[], WorkOrder]) -> models.WorkOrder:
    return _document(desk, await desk.in_ledger(take))


def _document(desk: Desk, order: WorkOrder) -> models.WorkOrder:
    return views.document(order, desk.clock.now(), desk.site)

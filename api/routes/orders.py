"""Work orders: seeing, taking and completing them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api import models
from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import orders as views
from api.views import paging
from rules import actions
from rules.ledger.rows import WorkOrder
from rules.orders.lifecycle import NOT_CLOSED

router = APIRouter(tags=["orders"], dependencies=[Depends(get_visitor)])


@router.get("/orders", responses=described(400, 401, 422, 503))
async def orders(
    desk: DeskNeeded,
    state: Annotated[models.OrderState | Literal["all"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.OrderPage:
    """Work orders, newest first; those that are not closed if no state is named."""
    states = None if state == "all" else NOT_CLOSED if state is None else (state,)
    place = paging.place(cursor, int)
    before = int(place[0]) if place else None
    found = await desk.read(lambda view: view.orders(states=states, limit=limit + 1, before=before))
    page, more = found[:limit], len(found) > limit
    return models.OrderPage(
        items=[_document(desk, order) for order in page],
        next=paging.cursor(page[-1].number) if more else None,
    )


@router.get("/orders/{order_id}", responses=described(401, 404, 422, 503))
async def order(desk: DeskNeeded, order_id: Id) -> models.WorkOrder:
    """One order with its history."""
    found, steps = await desk.read(lambda view: (view.order(order_id), view.order_events(order_id)))
    if found is None:
        raise ProblemException(404, f"There is no order {order_id}.")
    return views.document(found, desk.clock.now(), desk.site.zone, steps)


@router.post(
    "/orders/{order_id}/accept",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def accept(
    desk: DeskNeeded,
    actor: ActorNeeded,
    order_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> models.WorkOrder:
    """Take the order. It is written before this answers."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: actions.accept_order(
            desk.ledger,
            desk.site.id,
            order_id,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return _document(desk, done)


@router.post(
    "/orders/{order_id}/complete",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def complete(
    desk: DeskNeeded,
    actor: ActorNeeded,
    order_id: Id,
    body: models.Completion,
    idempotency_key: IdempotencyKey = None,
) -> models.WorkOrder:
    """Say that the work is done, and what was done. It is written before this answers."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: actions.complete_order(
            desk.ledger,
            desk.site.id,
            order_id,
            actor=actor,
            note=body.note,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return _document(desk, done)


def _document(desk: Desk, order: WorkOrder) -> models.WorkOrder:
    return views.document(order, desk.clock.now(), desk.site.zone)

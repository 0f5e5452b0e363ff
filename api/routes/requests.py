"""Where orders come from that no alarm has raised: people, and what owners ask for (报修); and who
could take one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Depends

from api import models
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    IdempotencyKey,
    OrderAct,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.problems import ProblemException, described
from api.views import orders as views
from api.views import words
from rules.actions import requests as actions
from rules.dispatch.candidates import Candidate, candidates
from rules.ledger.loads import loads
from rules.ledger.roster import roster_of
from rules.ledger.view import View
from rules.people.roles import WHOLE_SITE, Permission, require
from rules.priority import Priority
from rules.shifts.local_time import date_of

router = APIRouter(tags=["requests"], dependencies=[Depends(get_visitor)])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITES = described(401, 403, 404, 409, 422, 503)


@router.post("/orders", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def make(
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.OrderNew,
    idempotency_key: IdempotencyKey = None,
) -> models.WorkOrder:
    """Make an order by hand."""
    task = actions.Task(
        category=body.category,
        priority=Priority(body.priority),
        title=body.title,
        description=body.description,
        equipment=body.equipment,
        area=body.area,
    )
    now = desk.clock.now()
    made = await desk.in_ledger(
        lambda: actions.make(
            desk.ledger,
            desk.site,
            desk.rulebook.order_book,
            task,
            actor=actor,
            now=now,
            key=idempotency_key or uuid4().hex,
        )
    )
    return views.document(made, desk.clock.now(), desk.site)


@router.post("/requests", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def ask(
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.RequestNew,
    idempotency_key: IdempotencyKey = None,
) -> models.WorkOrder:
    """Take down what an owner asks for."""
    wish = actions.Wish(
        name=body.name,
        phone=body.phone,
        place=body.place,
        area=body.area,
        category=body.category,
        description=body.description,
        priority=Priority(body.priority),
        cost=body.cost,
        promised_until=None if body.promised_until is None else _wall(body.promised_until),
    )
    now = desk.clock.now()
    made = await desk.in_ledger(
        lambda: actions.ask(
            desk.ledger,
            desk.site,
            desk.rulebook.order_book,
            wish,
            actor=actor,
            now=now,
            key=idempotency_key or uuid4().hex,
        )
    )
    return views.document(made, desk.clock.now(), desk.site)


@router.post("/orders/{order_id}/promise", dependencies=[SameOrigin], responses=_WRITES)
async def promise(desk: DeskNeeded, act: OrderAct, body: models.PromiseChange) -> models.WorkOrder:
    """Promise who asked for it when it will be done; it is postponed once at most."""
    take = partial(actions.promise, act, _wall(body.until), reason=body.reason)
    return views.document(await desk.in_ledger(take), act.now, desk.site)


@router.get("/orders/{order_id}/candidates", responses=described(401, 403, 404, 422, 503))
async def offered(desk: DeskNeeded, actor: ActorNeeded, order_id: Id) -> models.Candidates:
    """Who could take the order, the best first; for who gives it out, or hands their own over."""
    needed = Permission.ASSIGN_ORDER
    if not actor.may(needed):
        needed = Permission.ACCEPT_ORDER
        require(actor, needed)
    now = desk.clock.now().wall
    today = date_of(now, desk.site.zone)

    def read(view: View) -> Sequence[Candidate]:
        order = view.order(order_id)
        if order is None:
            raise ProblemException(404, f"There is no order {order_id}.")
        area = order.area if order.area in desk.site.areas else WHOLE_SITE
        require(actor, needed, area)
        skills = desk.rulebook.order_book.skills.get(order.category, ())
        # A night shift belongs to the day before.
        roster = roster_of(view, desk.site, today - timedelta(days=1), today)
        return candidates(roster, at=now, today=today, area=area, skills=skills, loads=loads(view))

    found = await desk.read(read)
    return models.Candidates(items=[_candidate(desk, one) for one in found])


def _candidate(desk: Desk, one: Candidate) -> models.Candidate:
    person, last = one.person, one.load.last_assigned_at
    return models.Candidate(
        username=person.username,
        display_name=person.display_name,
        role=person.role.value,
        contractor=person.contractor,
        on_duty=one.on_duty,
        in_area=one.in_area,
        skilled=one.skilled,
        open_orders=one.load.open_orders,
        last_assigned_at=words.moment_if(last, desk.site.zone),
        warning=None if one.warning is None else words.text(one.warning),
    )


def _wall(moment: datetime) -> int:
    """``moment`` in µs UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)

"""Faults of simulated equipment, injected by hand: of a demonstration only.

Where nothing is played there is nothing at these addresses, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated
from uuid import NAMESPACE_OID, uuid4, uuid5

from fastapi import APIRouter, Depends, Request

from api.demo import Demo, PlayedFault, PlayersAwayError
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import demo as models
from api.problems import ProblemException, described
from api.views import demo as views
from rules.actions.act import Act
from rules.ledger.view import View
from rules.people.roles import Actor, Permission, require

_PER_SUBJECT = 20
"""Alarms of one piece of equipment that are looked at."""


async def get_demo(request: Request) -> Demo:
    """404 where there is no demonstration, before it is asked who comes."""
    demo: Demo | None = request.app.state.demo
    if demo is None:
        raise ProblemException(404, "There is nothing at this address.")
    return demo


DemoNeeded = Annotated[Demo, Depends(get_demo)]
router = APIRouter(tags=["demo"], dependencies=[Depends(get_demo), Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


@router.get("/demo/faults", responses=described(401, 403, 404, 503))
async def demo_faults(
    demo: DemoNeeded, desk: DeskNeeded, visitor: VisitorNeeded
) -> models.FaultPanel:
    """What can be made to fail, what was, and which alarms and orders came of it."""
    require(visitor.actor, Permission.INJECT_FAULT)
    return await _panel(demo, desk, visitor.actor)


@router.post("/demo/faults", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def begin_fault(
    demo: DemoNeeded,
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.FaultNew,
    idempotency_key: IdempotencyKey = None,
) -> models.FaultPanel:
    """Let simulated equipment fail; it is well again by itself after `lasts` seconds.

    409 where the same is under way already.
    """
    require(actor, Permission.INJECT_FAULT)
    if body.subject not in demo.offers.get(body.kind, ()):
        raise ProblemException(422, f"{body.kind} cannot befall {body.subject}.")
    require(actor, Permission.INJECT_FAULT, views.area_of(desk.site, body.subject))
    key = idempotency_key or uuid4().hex
    fault = str(uuid5(NAMESPACE_OID, f"{actor.username} {key}"))
    running = await _asked(desk, demo.faults)
    if any(_is_same(one, body) and one.id != fault for one in running):
        raise ProblemException(409, "This is under way already.", name="under-way")
    act = desk.act(body.subject, actor, key)
    note = partial(_note_begin, act, fault=body.kind, lasts=body.lasts, id=fault)
    await desk.in_ledger(note)
    # Behind the audit: sent again after a kill in between, it is the same fault.
    begin = partial(demo.begin, fault, body.kind, body.subject, body.lasts, act.now.wall)
    await desk.in_files(begin)
    return await _panel(demo, desk, actor)


@router.post("/demo/faults/{fault_id}/end", dependencies=[SameOrigin], responses=_WRITES)
async def end_fault(
    demo: DemoNeeded,
    desk: DeskNeeded,
    actor: ActorNeeded,
    fault_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> models.FaultPanel:
    """Let it be well again now; 409 where it is already."""
    require(actor, Permission.INJECT_FAULT)
    running = await _asked(desk, demo.faults)
    found = next((one for one in running if one.id == fault_id), None)
    if found is None:
        raise ProblemException(404, f"There is no fault {fault_id}.")
    require(actor, Permission.INJECT_FAULT, views.area_of(desk.site, found.subject))
    act = desk.act(found.subject, actor, idempotency_key)
    if found.left <= 0:
        raise ProblemException(409, "It is over already.", name="over-already")
    await desk.in_ledger(partial(_note_end, act, fault=found.kind, id=found.id))
    await desk.in_files(partial(demo.end, fault_id, act.now.wall))
    return await _panel(demo, desk, actor)


def _is_same(fault: PlayedFault, body: models.FaultNew) -> bool:
    return (fault.kind, fault.subject) == (body.kind, body.subject) and fault.left > 0


def _note_begin(act: Act, **detail: str | float) -> None:
    with act.ledger.write(act.site) as entry:
        if act.is_new(entry, "demo.begin"):
            act.record(entry, "demo.begin", **detail)


def _note_end(act: Act, **detail: str | float) -> None:
    with act.ledger.write(act.site) as entry:
        if act.is_new(entry, "demo.end"):
            act.record(entry, "demo.end", **detail)


async def _panel(demo: Demo, desk: Desk, actor: Actor) -> models.FaultPanel:
    try:
        faults = await desk.in_files(demo.faults)
        players = "ok"
    except PlayersAwayError:
        faults, players = (), "away"
    found = await desk.read(partial(_outcome, desk, faults))
    return views.panel(desk.site, demo.offers, faults, found, actor, players=players)


def _outcome(desk: Desk, faults: Sequence[PlayedFault], view: View) -> views.Outcome:
    """Of everything that one of ``faults`` reaches the newest alarms, and their orders."""
    reached = {name for one in faults for name in views.reached(desk.site, one.subject)}
    alarms = [
        alarm
        for name in sorted(reached)
        for alarm in view.alarms(equipment=name, limit=_PER_SUBJECT)
    ]
    orders = {alarm.order.id for alarm in alarms if alarm.order is not None}
    known = [order for name in sorted(orders) if (order := view.order(name)) is not None]
    return views.Outcome(alarms=alarms, orders={order.id: order for order in known})


async def _asked(desk: Desk, work: Callable[[], Sequence[PlayedFault]]) -> Sequence[PlayedFault]:
    try:
        return await desk.in_files(work)
    except PlayersAwayError:
        raise ProblemException(
            503, "Nobody plays the devices at the moment.", headers={"Retry-After": "5"}
        ) from None

"""Screens on a wall: making one, opening it by its link, revoking it."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request, Response

from api.auth import visit_of
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    RefusalsNeeded,
    SameOrigin,
    SessionsNeeded,
    VisitorNeeded,
    get_visitor,
)
from api.models import screens as documents
from api.problems import ProblemException, described
from api.refusals import NOBODY
from api.views import screens as views
from rules.people import kiosks
from rules.people.roles import Via

router = APIRouter(tags=["screens"], dependencies=[Depends(get_visitor)])
public = APIRouter(tags=["screens"])


@router.get("/kiosks", responses=described(401, 403, 503))
async def screens(desk: DeskNeeded, visitor: VisitorNeeded) -> documents.Screens:
    """The screens on the walls, newest first: when and from where each was seen last."""
    found = await desk.read(lambda view: kiosks.all_of(view, actor=visitor.actor))
    now, zone = desk.clock.now(), desk.site.zone
    return documents.Screens(items=[views.screen(one, now, zone) for one in found])


@router.post(
    "/kiosks",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 409, 422, 503),
)
async def make_screen(
    desk: DeskNeeded, actor: ActorNeeded, body: documents.ScreenNew
) -> documents.ScreenMade:
    """A new screen. The key of its link is told only now."""
    now = desk.clock.now()
    make = partial(kiosks.make, desk.ledger, desk.site, name=body.name, areas=tuple(body.areas))
    key, made = await desk.in_ledger(lambda: make(actor=actor, now=now))
    return documents.ScreenMade(**dict(views.screen(made, now, desk.site.zone)), key=key)


@router.delete(
    "/kiosks/{kiosk_id}",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 422, 503),
)
async def revoke_screen(
    desk: DeskNeeded, actor: ActorNeeded, sessions: SessionsNeeded, kiosk_id: Id
) -> None:
    """The screen shows nothing any more, within seconds."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: kiosks.revoke(desk.ledger, desk.site.id, kiosk_id, actor=actor, now=now)
    )
    sessions.forget_machines()


@public.post(
    "/kiosk", status_code=204, dependencies=[SameOrigin], responses=described(403, 422, 503)
)
async def open_screen(
    *,
    desk: DeskNeeded,
    request: Request,
    response: Response,
    sessions: SessionsNeeded,
    refusals: RefusalsNeeded,
    body: documents.ScreenKey,
) -> None:
    """Become the screen whose link this key is of; the cookie `dutyroom_screen` carries it."""
    visit, now = visit_of(request), desk.clock.now()
    token = await desk.in_ledger(
        lambda: kiosks.enter(desk.ledger, desk.site.id, body.key, visit, now)
    )
    if token is None:
        await refusals.note("kiosk.refuse", NOBODY, by=NOBODY, via=Via.KIOSK, address=visit.address)
        raise ProblemException(403, "This link is not good any more.", name="link-over")
    sessions.give_screen_cookie(response, token)


@router.get("/kiosk", name="screen", responses=described(401, 403, 503))
async def own_screen(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    request: Request,
    response: Response,
    sessions: SessionsNeeded,
) -> documents.OwnScreen:
    """Which screen this is; 403 for people and machines."""
    if not visitor.is_screen:
        raise ProblemException(403, "This is for screens on a wall.")
    token, visit = visitor.token, visit_of(request)
    await desk.in_ledger(lambda: kiosks.note_where(desk.ledger, desk.site.id, token, visit))
    sessions.give_screen_cookie(response, token)
    return documents.OwnScreen(name=visitor.user.display_name, areas=list(visitor.user.areas))

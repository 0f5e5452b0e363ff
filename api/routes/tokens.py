"""Tokens of machines."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Depends

from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    SameOrigin,
    SessionsNeeded,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import people as documents
from api.problems import described
from api.views import people as views
from rules.people import tokens
from rules.people.roles import Role
from rules.shifts.local_time import date_of

router = APIRouter(tags=["tokens"], dependencies=[Depends(get_visitor)])


@router.get("/tokens", responses=described(401, 403, 503))
async def tokens_list(desk: DeskNeeded, visitor: VisitorNeeded) -> documents.Tokens:
    """The tokens of machines, newest first; never the tokens themselves."""
    found = await desk.read(lambda view: tokens.issued(view, actor=visitor.actor))
    today, zone = _today(desk), desk.site.zone
    return documents.Tokens(items=[views.token(one, today, zone) for one in found])


@router.post(
    "/tokens",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 409, 422, 503),
)
async def issue_token(
    desk: DeskNeeded, actor: ActorNeeded, body: documents.TokenNew
) -> documents.TokenIssued:
    """A new token. It is told only now."""
    now = desk.clock.now()
    token, made = await desk.in_ledger(
        lambda: tokens.issue(
            desk.ledger,
            desk.site,
            name=body.name,
            role=Role(body.role),
            areas=tuple(body.areas),
            expires_on=body.expires_on,
            actor=actor,
            now=now,
        )
    )
    shown = views.token(made, _today(desk), desk.site.zone)
    return documents.TokenIssued(**dict(shown), token=token)


@router.delete(
    "/tokens/{token_id}",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 422, 503),
)
async def revoke_token(
    desk: DeskNeeded, actor: ActorNeeded, sessions: SessionsNeeded, token_id: Id
) -> None:
    """The token is worth nothing from now on."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: tokens.revoke(desk.ledger, desk.site.id, token_id, actor=actor, now=now)
    )
    sessions.forget_machines()


def _today(desk: Desk) -> date:
    return date_of(desk.clock.now().wall, desk.site.zone)

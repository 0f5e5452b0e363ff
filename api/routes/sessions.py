"""Who is logged in, and ending that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    PersonNeeded,
    SameOrigin,
    SessionsNeeded,
    get_visitor,
)
from api.models import people as documents
from api.problems import described
from api.views import people as views
from rules.people import sessions as living

router = APIRouter(tags=["sessions"], dependencies=[Depends(get_visitor)])


@router.get("/sessions", responses=described(401, 403, 422, 503))
async def sessions_list(
    desk: DeskNeeded,
    visitor: PersonNeeded,
    username: Annotated[
        str | None,
        Query(
            max_length=64,
            pattern=rf"{documents.USERNAME}|^\*$",
            description="Whose; `*` is everybody's. One's own if absent.",
        ),
    ] = None,
) -> documents.Sessions:
    """The sessions that are going on, newest first."""
    now, own = desk.clock.now(), visitor.user.username
    whose = None if username == "*" else username or own
    found = await desk.in_ledger(
        lambda: living.living(
            desk.ledger, desk.site.id, actor=visitor.actor, now=now, username=whose
        )
    )
    zone = desk.site.zone
    return documents.Sessions(
        items=[views.session(one, zone, current=visitor.session) for one in found]
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 422, 503),
)
async def revoke_session(
    desk: DeskNeeded, actor: ActorNeeded, sessions: SessionsNeeded, session_id: Id
) -> None:
    """End a session, one's own or, for who may, another's; its streams end within seconds."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: living.revoke(desk.ledger, desk.site.id, session_id, actor=actor, now=now)
    )
    sessions.forget(session=session_id)

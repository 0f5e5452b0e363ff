"""What handlers ask for: the desk, the live stream, the sessions, and who is asking.

All of them are coroutines: FastAPI would send a plain function through the thread pool.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import APIKeyCookie

from api.auth import COOKIE, Sessions, Visitor, refuse_foreign
from api.desk import Desk
from api.live import Live
from api.problems import ProblemException
from rules.people.roles import Actor

_described_cookie = APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False)


async def get_desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def get_live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


async def get_sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


async def get_visitor(
    request: Request,
    sessions: Annotated[Sessions, Depends(get_sessions)],
    _: Annotated[str | None, Depends(_described_cookie)] = None,
) -> Visitor:
    """Whoever is logged in; 401 where nobody is."""
    token = request.cookies.get(sessions.cookie)
    visitor = await sessions.visitor(token) if token else None
    if visitor is None:
        raise ProblemException(401, "Log in first.")
    return visitor


async def get_actor(visitor: Annotated[Visitor, Depends(get_visitor)]) -> Actor:
    """Who a write is done by."""
    return visitor.actor


DeskNeeded = Annotated[Desk, Depends(get_desk)]
LiveNeeded = Annotated[Live, Depends(get_live)]
SessionsNeeded = Annotated[Sessions, Depends(get_sessions)]
VisitorNeeded = Annotated[Visitor, Depends(get_visitor)]
ActorNeeded = Annotated[Actor, Depends(get_actor)]
SameOrigin = Depends(refuse_foreign)
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        description="The same key again changes nothing and gives the same answer.",
    ),
]
Cursor = Annotated[
    str | None, Query(max_length=512, description="`next` of the page before this one.")
]
Id = Annotated[str, Path(max_length=250, pattern=r"^[A-Za-z0-9._-]+$")]

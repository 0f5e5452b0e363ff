"""What handlers ask for: the desk, the live stream, the sessions, and who is asking.

All of them are coroutines: FastAPI would send a plain function through the thread pool.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.auth import COOKIE, Sessions, Visitor, is_machines, is_screens, refuse_foreign
from api.desk import Desk
from api.jobs import Jobs
from api.live import Live
from api.models.people import USERNAME
from api.problems import ProblemException
from api.refusals import NOBODY, Refusals
from api.screens import OPEN_TO_SCREENS
from rules.actions.act import Act
from rules.people import accounts
from rules.people.roles import Actor, Via

_described_cookie = APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False)
_bearer = HTTPBearer(scheme_name="token", description="Of a machine.", auto_error=False)


async def get_desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def get_live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


async def get_jobs(request: Request) -> Jobs | None:
    jobs: Jobs | None = request.app.state.jobs
    return jobs


async def get_sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


async def get_refusals(request: Request) -> Refusals:
    refusals: Refusals = request.app.state.refusals
    return refusals


async def get_visitor(
    request: Request,
    sessions: Annotated[Sessions, Depends(get_sessions)],
    _: Annotated[str | None, Depends(_described_cookie)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> Visitor:
    """Whoever is logged in, the machine whose token it is, or the screen that this is, on what is
    open to screens; 401 where nobody is."""
    if bearer is not None:
        token = bearer.credentials if is_machines(bearer.credentials) else None
    else:
        token = request.cookies.get(sessions.cookie)
        token = None if token is None or is_machines(token) or is_screens(token) else token
    visitor = await sessions.visitor(token) if token else None
    if visitor is None and bearer is None:
        visitor = await _screen(request, sessions)
    if visitor is None:
        raise ProblemException(401, "Log in first.")
    return visitor


async def _screen(request: Request, sessions: Sessions) -> Visitor | None:
    """The screen that asks; 403, and a row in the audit, for what is not open to screens."""
    token = request.cookies.get(sessions.screen_cookie)
    visitor = await sessions.visitor(token) if token and is_screens(token) else None
    route = request.scope.get("route")
    if visitor is None or getattr(route, "name", "") in OPEN_TO_SCREENS:
        return visitor
    refusals: Refusals = request.app.state.refusals
    subject = f"{request.method} {getattr(route, 'path', '')}"
    await refusals.note("denied", subject, by=visitor.user.username, via=visitor.actor.via)
    raise ProblemException(403, "A screen on a wall may only look at what it shows.")


async def get_person(visitor: Annotated[Visitor, Depends(get_visitor)]) -> Visitor:
    """Somebody who is logged in; 403 for a machine."""
    if visitor.session is None:
        raise ProblemException(403, "This is for people who are logged in.")
    return visitor


async def get_actor(
    *,
    request: Request,
    visitor: Annotated[Visitor, Depends(get_visitor)],
    sessions: Annotated[Sessions, Depends(get_sessions)],
    refusals: Annotated[Refusals, Depends(get_refusals)],
    signing_user: Annotated[
        str | None,
        Header(max_length=64, description="Who signs this, where somebody else is logged in."),
    ] = None,
    signing_pin: Annotated[
        str | None, Header(max_length=8, description="The PIN of who signs.")
    ] = None,
) -> Actor:
    """Who a write is done by: whoever is logged in, or who signs it with a PIN."""
    if signing_user is None and signing_pin is None:
        return visitor.actor
    if visitor.session is None:
        raise ProblemException(403, "Only where somebody is logged in can another one sign.")
    name = signing_user if re.fullmatch(USERNAME, signing_user or "") else None
    try:
        if name is None or not signing_pin:
            raise accounts.WrongPinError
        return await sessions.signer(visitor, name, signing_pin)
    except accounts.WrongPinError:
        by = visitor.user.username
        await refusals.note("pin.refuse", name or NOBODY, by=by, via=Via.SESSION)
        raise ProblemException(403, "User name or PIN is wrong.", name="wrong-pin") from None


DeskNeeded = Annotated[Desk, Depends(get_desk)]
JobsThere = Annotated[Jobs | None, Depends(get_jobs)]
LiveNeeded = Annotated[Live, Depends(get_live)]
SessionsNeeded = Annotated[Sessions, Depends(get_sessions)]
RefusalsNeeded = Annotated[Refusals, Depends(get_refusals)]
VisitorNeeded = Annotated[Visitor, Depends(get_visitor)]
PersonNeeded = Annotated[Visitor, Depends(get_person)]
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


async def get_order_act(
    desk: DeskNeeded, actor: ActorNeeded, order_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(order_id, actor, idempotency_key)


async def get_alarm_act(
    desk: DeskNeeded, actor: ActorNeeded, alarm_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(alarm_id, actor, idempotency_key)


async def get_equipment_act(
    desk: DeskNeeded, actor: ActorNeeded, equipment_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(equipment_id, actor, idempotency_key)


async def get_test_act(
    desk: DeskNeeded, actor: ActorNeeded, test_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(test_id, actor, idempotency_key)


async def get_due_act(
    desk: DeskNeeded, actor: ActorNeeded, due_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(due_id, actor, idempotency_key)


OrderAct = Annotated[Act, Depends(get_order_act)]
AlarmAct = Annotated[Act, Depends(get_alarm_act)]
EquipmentAct = Annotated[Act, Depends(get_equipment_act)]
TestAct = Annotated[Act, Depends(get_test_act)]
DueAct = Annotated[Act, Depends(get_due_act)]

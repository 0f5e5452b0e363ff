"""Log-in, log-out, and who is logged in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import models
from api.deps import LiveNeeded, SameOrigin, SessionsNeeded, VisitorNeeded
from api.models import Credentials, LoggedIn
from api.problems import ProblemException, described
from rules.people import accounts

router = APIRouter(tags=["session"])


@router.post("/login", dependencies=[SameOrigin], responses=described(401, 403, 422, 503))
async def login(
    credentials: Credentials,
    request: Request,
    response: Response,
    sessions: SessionsNeeded,
    live: LiveNeeded,
) -> LoggedIn:
    """Start a session; the cookie `dutyroom_session` carries it. An earlier one of this
    browser ends."""
    try:
        token, user = await sessions.log_in(credentials.username, credentials.password)
    except accounts.LogInRefusedError:
        raise ProblemException(401, "User name or password is wrong.") from None
    earlier = request.cookies.get(sessions.cookie)
    if earlier:
        await sessions.log_out(earlier)
        live.end(earlier)
    sessions.give_cookie(response, token)
    return LoggedIn(user=_document(user))


@router.post(
    "/logout", status_code=204, dependencies=[SameOrigin], responses=described(401, 403, 503)
)
async def logout(
    visitor: VisitorNeeded, response: Response, sessions: SessionsNeeded, live: LiveNeeded
) -> None:
    """End the session and its streams."""
    await sessions.log_out(visitor.token)
    live.end(visitor.token)
    sessions.take_cookie(response)


@router.get("/me", responses=described(401, 503))
async def me(visitor: VisitorNeeded) -> LoggedIn:
    """Who is logged in."""
    return LoggedIn(user=_document(visitor.user))


def _document(user: accounts.User) -> models.User:
    return models.User(username=user.username, display_name=user.display_name, role=user.role)

"""Log-in, log-out, who is logged in, and one's own password and PIN."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from api.auth import Sessions, visit_of
from api.deps import (
    DeskNeeded,
    LiveNeeded,
    PersonNeeded,
    RefusalsNeeded,
    SameOrigin,
    SessionsNeeded,
    VisitorNeeded,
)
from api.models import Credentials
from api.models.people import LoggedIn, PasswordChange, PinChange
from api.problems import ProblemException, described
from api.refusals import NOBODY
from api.views import people as views
from rules.people import accounts
from rules.people.roles import Via

router = APIRouter(tags=["session"])


@router.post("/login", dependencies=[SameOrigin], responses=described(401, 403, 422, 429, 503))
async def login(
    *,
    credentials: Credentials,
    request: Request,
    response: Response,
    desk: DeskNeeded,
    sessions: SessionsNeeded,
    refusals: RefusalsNeeded,
    live: LiveNeeded,
) -> LoggedIn:
    """Start a session; the cookie `dutyroom_session` carries it. An earlier one of this
    browser ends. Who guesses has to wait, longer each time."""
    visit = visit_of(request)
    name = credentials.username
    try:
        visitor = await sessions.log_in(name, credentials.password, visit)
    except accounts.LogInRefusedError as refused:
        # Where there is no such account, what was typed may be a password in the wrong field.
        tried = refused.account or NOBODY
        await refusals.note(
            "session.refuse", tried, by=NOBODY, via=Via.SESSION, address=visit.address
        )
        raise ProblemException(401, "User name or password is wrong.") from None
    except accounts.NotAMemberError:
        await refusals.note("denied", "log in", by=name, via=Via.SESSION, address=visit.address)
        raise ProblemException(403, "You do not work at this site.") from None
    earlier = request.cookies.get(sessions.cookie)
    if earlier:
        await sessions.log_out(earlier)
        live.end(earlier)
    sessions.give_cookie(response, visitor.token)
    return views.logged_in(visitor, desk.site.zone)


@router.post(
    "/logout", status_code=204, dependencies=[SameOrigin], responses=described(401, 403, 503)
)
async def logout(
    visitor: PersonNeeded, response: Response, sessions: SessionsNeeded, live: LiveNeeded
) -> None:
    """End the session and its streams."""
    await sessions.log_out(visitor.token)
    live.end(visitor.token)
    sessions.take_cookie(response)


@router.get("/me", responses=described(401, 503))
async def me(visitor: VisitorNeeded, desk: DeskNeeded) -> LoggedIn:
    """Who is asking, and what they may do."""
    return views.logged_in(visitor, desk.site.zone)


@router.post(
    "/me/password",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 422, 429, 503),
)
async def change_password(
    visitor: PersonNeeded, desk: DeskNeeded, sessions: SessionsNeeded, body: PasswordChange
) -> None:
    """Change one's own password; every other session of oneself ends."""
    now = desk.clock.now()
    await _with_own_password(
        sessions,
        visitor.user.username,
        lambda: accounts.change_password(
            desk.ledger,
            desk.site.id,
            actor=visitor.actor,
            old=body.old,
            new=body.new,
            now=now,
            token=visitor.token,
        ),
    )
    sessions.forget(username=visitor.user.username)


@router.put(
    "/me/pin",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 422, 429, 503),
)
async def set_pin(
    visitor: PersonNeeded, desk: DeskNeeded, sessions: SessionsNeeded, body: PinChange
) -> None:
    """Set the PIN with which one signs at a computer where somebody else is logged in."""
    now = desk.clock.now()
    await _with_own_password(
        sessions,
        visitor.user.username,
        lambda: accounts.set_pin(
            desk.ledger,
            desk.site.id,
            actor=visitor.actor,
            password=body.password,
            pin=body.pin,
            now=now,
        ),
    )


@router.delete(
    "/me/pin", status_code=204, dependencies=[SameOrigin], responses=described(401, 403, 503)
)
async def remove_pin(visitor: PersonNeeded, desk: DeskNeeded) -> None:
    """Sign nothing by PIN any more."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: accounts.remove_pin(desk.ledger, desk.site.id, actor=visitor.actor, now=now)
    )


async def _with_own_password(sessions: Sessions, username: str, work: Callable[[], None]) -> None:
    """``work``, which asks for one's password again; 403 if it is wrong."""
    try:
        await sessions.guesses.by_person(username, "own password", work, accounts.LogInRefusedError)
    except accounts.LogInRefusedError:
        raise ProblemException(403, "The password is wrong.", name="wrong-password") from None

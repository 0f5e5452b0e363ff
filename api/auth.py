"""Who is asking: sessions by cookie, and whether a browser was sent here by another page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api.desk import Desk
from api.problems import ProblemException
from gateway.model.moment import MINUTE, SECOND, Instant
from rules.people import accounts
from rules.people.roles import Actor, Role

COOKIE = "dutyroom_session"
TRUSTED_WITHOUT_LEDGER = 15 * MINUTE
"""How long a session that was verified lives on while the ledger does not answer."""
_REMEMBERED_AT_MOST = 10_000
_PASSWORDS_AT_ONCE = 2
"""Argon2 takes 64 MB a check; a flood of guesses waits in line and takes no one else's thread."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Somebody who is logged in."""

    token: str
    session: accounts.Session

    @property
    def user(self) -> accounts.User:
        return self.session.user

    @property
    def actor(self) -> Actor:
        return Actor(username=self.user.username, role=Role(self.user.role))


class Sessions:
    """The ledger's sessions, and the memory that bridges an outage of the ledger."""

    def __init__(self, desk: Desk, *, secure: bool) -> None:
        self._desk = desk
        self._secure = secure
        self._verified: dict[str, tuple[Instant, accounts.Session]] = {}
        self._password_threads = CapacityLimiter(_PASSWORDS_AT_ONCE)

    @property
    def cookie(self) -> str:
        # A browser lets only this very host set a ``__Host-`` cookie, and only over HTTPS.
        return f"__Host-{COOKIE}" if self._secure else COOKIE

    async def log_in(self, username: str, password: str) -> tuple[str, accounts.User]:
        """A new token and its user; raises ``accounts.LogInRefusedError``."""
        work = partial(
            accounts.log_in, self._desk.ledger, username, password, self._desk.clock.now()
        )
        return await to_thread.run_sync(work, limiter=self._password_threads)

    async def log_out(self, token: str) -> None:
        """The token is worth nothing from now on."""
        await self._desk.in_ledger(partial(accounts.log_out, self._desk.ledger, token))
        self._verified.pop(token, None)

    async def visitor(self, token: str) -> Visitor | None:
        """Whose ``token`` it is; None where its session is over or never was.

        While the ledger does not answer, who was verified in the last 15 minutes is believed;
        for others what the ledger raises is raised.
        """
        now = self._desk.clock.now()
        try:
            session = await self._desk.in_ledger(
                partial(accounts.session_of, self._desk.ledger, token, now)
            )
        except SQLAlchemyError:
            remembered = self._remembered(token, now)
            if remembered is None:
                raise
            return remembered
        if session is None:
            self._verified.pop(token, None)
            return None
        self._remember(token, now, session)
        return Visitor(token=token, session=session)

    def give_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(
            self.cookie,
            token,
            max_age=accounts.ABSOLUTE // SECOND,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def take_cookie(self, response: Response) -> None:
        response.delete_cookie(
            self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict"
        )

    def _remember(self, token: str, now: Instant, session: accounts.Session) -> None:
        self._verified.pop(token, None)
        self._verified[token] = (now, session)
        if len(self._verified) > _REMEMBERED_AT_MOST:
            del self._verified[next(iter(self._verified))]

    def _remembered(self, token: str, now: Instant) -> Visitor | None:
        if token not in self._verified:
            return None
        verified, session = self._verified[token]
        if now.since(verified) > TRUSTED_WITHOUT_LEDGER or now.wall >= session.ends_at:
            return None
        log.warning("ledger does not answer; session believed", username=session.user.username)
        return Visitor(token=token, session=session)


async def refuse_foreign(request: Request) -> None:
    """Raise 403 for a request that another site's page made a browser send.

    A browser names the page's origin on every write and on every cross-origin read; where it
    names none, ``Sec-Fetch-Site`` tells. A client that sends neither is no browser.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        # What is no address at all is not our page either.
        with suppress(ValueError):
            if urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower():
                return
    elif request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return
    raise ProblemException(403, "This request comes from a page of another site.")

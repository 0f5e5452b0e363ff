"""Who is asking: sessions and screens by cookie, machines by token, and whether another site's
page sent a browser here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import structlog
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api.desk import Desk
from api.guesses import Guesses
from api.problems import ProblemException
from api.seeing import EVERYTHING, Seeing
from gateway.model.moment import DAY, MINUTE, SECOND, Instant
from rules.people import accounts, kiosks, sessions, tokens
from rules.people.roles import Actor, Via
from rules.people.sessions import Session, User
from rules.shifts.local_time import date_of

COOKIE = "dutyroom_session"
SCREEN_COOKIE = "dutyroom_screen"
_SCREEN_LASTS = 400 * DAY
"""As long as a browser keeps a cookie; it is given anew whenever the wall is opened."""
TRUSTED_WITHOUT_LEDGER = 15 * MINUTE
"""How long a session that was verified lives on while the ledger does not answer."""
_REMEMBERED_AT_MOST = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Somebody who is logged in, a machine with its token, or a screen on a wall."""

    token: str
    user: User
    actor: Actor
    session: Session | None
    """None for a machine and for a screen."""

    @property
    def is_screen(self) -> bool:
        return self.actor.via is Via.KIOSK

    @property
    def seeing(self) -> Seeing:
        """What is shown to them of what everybody may view."""
        return Seeing(areas=self.actor.areas, private=False) if self.is_screen else EVERYTHING


class Sessions:
    """The ledger's sessions and tokens, and the memory that bridges an outage of the ledger."""

    def __init__(self, desk: Desk, *, secure: bool) -> None:
        self._desk = desk
        self._secure = secure
        self._verified: dict[str, tuple[Instant, Visitor]] = {}
        self.guesses = Guesses(desk.clock)

    @property
    def cookie(self) -> str:
        return self._named(COOKIE)

    @property
    def screen_cookie(self) -> str:
        return self._named(SCREEN_COOKIE)

    def _named(self, cookie: str) -> str:
        # A browser lets only this very host set a ``__Host-`` cookie, and only over HTTPS.
        return f"__Host-{cookie}" if self._secure else cookie

    async def log_in(self, username: str, password: str, visit: accounts.Visit) -> Visitor:
        """Somebody with a new session.

        Raises ``accounts.LogInRefusedError``, ``accounts.NotAMemberError``, and a problem 429
        for who has to wait.
        """
        ledger, site = self._desk.ledger, self._desk.site.id
        known = await self._desk.in_ledger(
            partial(accounts.knows_address, ledger, site, username, visit.address)
        )
        now = self._desk.clock.now()
        token, _ = await self.guesses.log_in(
            username,
            visit.address,
            known,
            partial(accounts.log_in, ledger, site, username, password, now, visit=visit),
            accounts.LogInRefusedError,
        )
        visitor = await self.visitor(token)
        if visitor is None:
            raise accounts.NotAMemberError  # deactivated in this very moment
        return visitor

    async def log_out(self, token: str) -> None:
        """The session's token is worth nothing from now on."""
        now = self._desk.clock.now()
        await self._desk.in_ledger(
            partial(sessions.log_out, self._desk.ledger, self._desk.site.id, token, now)
        )
        self._verified.pop(token, None)

    def forget(self, *, username: str | None = None, session: str | None = None) -> None:
        """Believe nobody of these without the ledger: their sessions were ended."""
        for token, (_, visitor) in list(self._verified.items()):
            its = None if visitor.session is None else visitor.session.id
            if visitor.user.username == username or (its is not None and its == session):
                del self._verified[token]

    def forget_machines(self) -> None:
        """As :meth:`forget`, after a token or a screen was revoked."""
        for token, (_, visitor) in list(self._verified.items()):
            if visitor.session is None:
                del self._verified[token]

    async def visitor(self, token: str) -> Visitor | None:
        """Whose ``token`` it is, a session's, a machine's or a screen's; None where it is no
        good.

        While the ledger does not answer, who was verified in the last 15 minutes is believed;
        for others what the ledger raises is raised.
        """
        now = self._desk.clock.now()
        look = self._screen if is_screens(token) else self._person
        look = self._machine if is_machines(token) else look
        try:
            visitor = await self._desk.in_ledger(partial(look, token, now))
        except SQLAlchemyError:
            remembered = self._remembered(token, now)
            if remembered is None:
                raise
            return remembered
        if visitor is None:
            self._verified.pop(token, None)
            return None
        self._remember(token, now, visitor)
        return visitor

    async def signer(self, visitor: Visitor, username: str, pin: str) -> Actor:
        """Who signs with a PIN where ``visitor`` is logged in.

        Raises ``accounts.WrongPinError``, and a problem 429 for who has to wait.
        """
        by = visitor.user.username
        check = partial(
            accounts.signer,
            self._desk.ledger,
            self._desk.site.id,
            username,
            pin,
            at_session_of=by,
        )
        return await self.guesses.pin(by, username, check, accounts.WrongPinError)

    def give_cookie(self, response: Response, token: str) -> None:
        self._give(response, self.cookie, token, sessions.ABSOLUTE)

    def give_screen_cookie(self, response: Response, token: str) -> None:
        self._give(response, self.screen_cookie, token, _SCREEN_LASTS)

    def _give(self, response: Response, name: str, token: str, lasts: int) -> None:
        response.set_cookie(
            name,
            token,
            max_age=lasts // SECOND,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def take_cookie(self, response: Response) -> None:
        response.delete_cookie(
            self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict"
        )

    def _person(self, token: str, now: Instant) -> Visitor | None:
        found = sessions.session_of(self._desk.ledger, self._desk.site.id, token, now)
        if found is None:
            return None
        return Visitor(token=token, user=found.user, actor=found.user.actor, session=found)

    def _machine(self, token: str, now: Instant) -> Visitor | None:
        today = date_of(now.wall, self._desk.site.zone)
        found = tokens.token_of(self._desk.ledger, self._desk.site.id, token, now=now, today=today)
        if found is None:
            return None
        actor = found.actor
        user = User(
            username=actor.username, display_name=found.name, role=found.role, areas=found.areas
        )
        return Visitor(token=token, user=user, actor=actor, session=None)

    def _screen(self, token: str, now: Instant) -> Visitor | None:
        found = kiosks.kiosk_of(self._desk.ledger, self._desk.site.id, token, now)
        if found is None:
            return None
        actor = found.actor
        user = User(
            username=actor.username, display_name=found.name, role=actor.role, areas=found.areas
        )
        return Visitor(token=token, user=user, actor=actor, session=None)

    def _remember(self, token: str, now: Instant, visitor: Visitor) -> None:
        self._verified.pop(token, None)
        self._verified[token] = (now, visitor)
        if len(self._verified) > _REMEMBERED_AT_MOST:
            del self._verified[next(iter(self._verified))]

    def _remembered(self, token: str, now: Instant) -> Visitor | None:
        if token not in self._verified:
            return None
        verified, visitor = self._verified[token]
        ends_at = now.wall + 1 if visitor.session is None else visitor.session.ends_at
        if now.since(verified) > TRUSTED_WITHOUT_LEDGER or now.wall >= ends_at:
            return None
        log.warning("ledger does not answer; session believed", username=visitor.user.username)
        return visitor


def is_machines(token: str) -> bool:
    """Whether it has the form of a machine's token; no session's has."""
    return token.startswith(tokens.PREFIX)


def is_screens(token: str) -> bool:
    """As :func:`is_machines`, of a screen's token."""
    return token.startswith(kiosks.PREFIX)


def visit_of(request: Request) -> accounts.Visit:
    """Where ``request`` comes from: the address, and what the browser calls itself."""
    return accounts.Visit(
        address=request.client.host if request.client else "",
        agent=request.headers.get("user-agent", "").replace("\0", ""),
    )


async def refuse_foreign(request: Request) -> None:
    """Raise 403 for a request that another site's page made a browser send.

    A browser names the page's origin on every write and on every cross-origin read; where it
    names none, ``Sec-Fetch-Site`` tells. A client that sends neither is no browser. Whoever
    shows a machine's token was not sent by a page: no browser adds one by itself.
    """
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    origin = request.headers.get("origin")
    if origin is not None:
        # What is no address at all is not our page either.
        with suppress(ValueError):
            if urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower():
                return
    elif request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return
    raise ProblemException(403, "This request comes from a page of another site.")

"""Which rules worker leads a site, where several may be started.

On PostgreSQL the claim to a site is an advisory lock of a session of its own: the server gives it
up when the session ends, however it ends, and the next worker has it within a second. One whose
process is frozen says nothing, and the server ends its session after 10 s. A ledger in a file has
one worker, and the lock on its directory sees to that.

A worker that leads asks every second whether its session lives.

- The session is gone and so is the ledger: it goes on evaluating, and what comes up is
  provisional. Nobody else can lead meanwhile.
- The session is gone and the ledger is there: it claims again. Where another was quicker it
  stands by; what it had not written the other finds in the spool, under the same ids.
- Between these it is not sure, and commits nothing. That no record has its effect twice hangs on
  the cursor all the same (``CursorMovedError``), not on this.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import Protocol

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.model.moment import SECOND, Instant
from rules import metrics
from rules.ledger.store import Ledger

_log = structlog.get_logger(__name__)

CHECK_S = 1.0
_WAIT_S = 0.5
_SURE = 5 * SECOND
"""µs for which the last answer holds where no new one comes."""
FROZEN_AFTER = "10s"
"""So long the server waits for a word of who leads, who asks every :data:`CHECK_S`."""
_COURTESY_S = 3.0
"""After an outage of the ledger the worker that led comes first: it knows what is provisional."""

_NAME = "SET application_name = 'dutyroom rules claim'"
_IDLE = (
    "SELECT set_config(name, :after, false) FROM pg_settings WHERE name = 'idle_session_timeout'"
)
"""PostgreSQL 13 has no such setting: there a frozen worker keeps its claim."""


class Claim(Protocol):
    """The right to lead a site; every method blocks, and may be called from any one thread."""

    def reach(self) -> None:
        """See that whoever gives the claim is there; raises ``SQLAlchemyError``."""
        ...

    def take(self) -> bool:
        """Have it, or still have it; False if another has. Raises ``SQLAlchemyError``."""
        ...

    def release(self) -> None: ...


def claim_of(ledger: Ledger, site: str) -> Claim | None:
    """The claim to ``site``; None where the ledger has room for one worker only."""
    return PostgresClaim(ledger, site) if ledger.engine.dialect.name == "postgresql" else None


class PostgresClaim:
    """An advisory lock. It does not go through a pooler that shares sessions (PgBouncer's
    transaction mode): name the server itself. Building one connects nothing."""

    def __init__(self, ledger: Ledger, site: str) -> None:
        self._ledger = ledger
        digest = hashlib.sha256(f"dutyroom rules {site}".encode()).digest()
        self._key = int.from_bytes(digest[:8], signed=True)
        self._session: Connection | None = None
        self._held = False

    def reach(self) -> None:
        try:
            if self._session is None:
                self._session = self._opened()
            self._session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self.release()
            raise

    def take(self) -> bool:
        self.reach()
        if not self._held:
            assert self._session is not None
            try:
                lock = text("SELECT pg_try_advisory_lock(:key)")
                self._held = bool(self._session.execute(lock, {"key": self._key}).scalar_one())
            except SQLAlchemyError:
                self.release()
                raise
        return self._held

    def release(self) -> None:
        session, self._session, self._held = self._session, None, False
        if session is not None:
            with suppress(SQLAlchemyError):
                session.close()

    def _opened(self) -> Connection:
        """A session outside of the pool, so that closing it ends it on the server. As every
        session of the ledger's, it is over soon after its machine has vanished."""
        engine = self._ledger.engine.execution_options(isolation_level="AUTOCOMMIT")
        session = engine.connect()
        session.detach()
        session.execute(text(_NAME))
        session.execute(text(_IDLE), {"after": FROZEN_AFTER})
        return session


class Leadership:
    """One worker's place: standing by, leading, or leading without being sure."""

    def __init__(self, claim: Claim | None, clock: Clock) -> None:
        self._claim = claim
        self._clock = clock
        self._confirmed: Instant | None = None

    def is_sure(self) -> bool:
        """Whether we lead and nobody else can."""
        if self._claim is None:
            return True
        confirmed = self._confirmed
        return confirmed is not None and self._clock.now().since(confirmed) <= _SURE

    async def wait(self, stop: asyncio.Event) -> bool:
        """Stand by until we lead: True; or until ``stop``: False."""
        metrics.leads.set(0)
        away = told = False
        while not stop.is_set():
            if self._claim is None:
                break
            try:
                await asyncio.to_thread(self._claim.reach)
                if away:
                    away = False
                    await _pause(stop, _COURTESY_S)
                if await asyncio.to_thread(self._claim.take):
                    self._confirmed = self._clock.now()
                    break
                if not told:
                    told = True
                    _log.info("standing by: another rules worker leads this site")
            except SQLAlchemyError as error:
                if not away:
                    _log.error("ledger does not answer, standing by", error=cause(error))
                away = True
            await _pause(stop, _WAIT_S)
        if stop.is_set():
            return False
        metrics.leads.set(1)
        _log.info("leading")
        return True

    async def keep(self, stop: asyncio.Event, over: asyncio.Event) -> None:
        """Hold on to it; sets ``over`` at ``stop``, or when another worker leads."""
        sure = True
        while not stop.is_set():
            await _pause(stop, CHECK_S)
            if self._claim is None or stop.is_set():
                continue
            try:
                mine = await asyncio.to_thread(self._claim.take)
            except SQLAlchemyError as error:
                self._confirmed = None
                if sure:
                    _log.error("claim lost with the ledger, going on", error=cause(error))
                sure = False
                continue
            if not mine:
                self._confirmed = None
                _log.error("another rules worker leads this site now")
                break
            self._confirmed, sure = self._clock.now(), True
        over.set()

    async def give_up(self) -> None:
        """Let another lead."""
        self._confirmed = None
        metrics.leads.set(0)
        if self._claim is not None:
            await asyncio.to_thread(self._claim.release)


def cause(error: SQLAlchemyError) -> str:
    """The driver's own words: SQLAlchemy's would lay statement and values into the log."""
    return str(getattr(error, "orig", None) or error)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()

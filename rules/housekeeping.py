"""The books that are kept beside the alarms: rounds, plans, shifts, the dates of the register.

Each looks now and then whether something is due. What goes wrong in one of them is told and tried
again, and takes nothing else down: the alarms run in the same process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.model.moment import Instant
from rules import metrics

_log = structlog.get_logger(__name__)

_UNFORESEEN_S = 30.0
"""Seconds until a book is looked at again that failed in a way that nobody foresaw."""


async def keep(
    book: str,
    tick: Callable[[Instant], Awaitable[float]],
    clock: Clock,
    stop: asyncio.Event,
    *,
    patience: float = 2.0,
) -> None:
    """Call ``tick`` until ``stop``: it does what is due at that moment and says in how many seconds
    to call again. ``patience``: seconds to wait for a ledger that is away."""
    while not stop.is_set():
        wait = patience
        try:
            wait = await tick(clock.now())
        except SQLAlchemyError as error:
            # Nothing is lost: what is due follows from calendar, roster and files.
            _log.error("a book waits for the ledger", book=book, error=str(error))
        except Exception:
            metrics.housekeeping_failures.labels(book).inc()
            _log.exception("a book could not be kept, trying again", book=book)
            wait = _UNFORESEEN_S
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await stop.wait()

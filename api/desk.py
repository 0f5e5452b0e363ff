"""What every handler works with, and the way to the parts that block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from sqlalchemy.exc import TimeoutError as LedgerTimeoutError

from api.provisional import Provisional
from api.views.readings import Readings
from gateway.clock import Clock
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules.ledger.store import Ledger
from rules.ledger.view import View
from rules.rule import Rulebook

T = TypeVar("T")

LEDGER_PATIENCE_S = 6.0
"""Longer than a writer waits for its turn (``rules.ledger.store``), so that it says why."""
_LEDGER_THREADS = 8
_HISTORY_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of the duty room that the API shows.

    Ledger and history block, so they are asked in threads, and only in so many that a ledger
    which answers slowly leaves connections to the rules. ``latest`` and ``provisional`` belong to
    the event loop.
    """

    site: Site
    rulebook: Rulebook
    ledger: Ledger
    history: History
    latest: Latest
    provisional: Provisional
    clock: Clock
    _ledger_threads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(_LEDGER_THREADS)
    )
    _history_threads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(_HISTORY_THREADS)
    )

    async def read(self, work: Callable[[View], T]) -> T:
        """``work`` on the ledger as it is at one moment."""

        def reading() -> T:
            with self.ledger.read(self.site.id) as view:
                return work(view)

        return await self.in_ledger(reading)

    async def in_ledger(self, work: Callable[[], T]) -> T:
        """``work``, which blocks on the ledger.

        A server that hangs is like one that is away: after :data:`LEDGER_PATIENCE_S` this raises
        what a ledger raises that has no connection left. The thread ends when the server does.
        """
        try:
            with fail_after(LEDGER_PATIENCE_S):
                return await to_thread.run_sync(
                    work, limiter=self._ledger_threads, abandon_on_cancel=True
                )
        except TimeoutError:
            raise LedgerTimeoutError("the ledger hangs") from None

    async def in_history(self, work: Callable[[], T]) -> T:
        """``work``, which blocks on the history."""
        return await to_thread.run_sync(work, limiter=self._history_threads)

    def readings(self) -> Readings:
        """Every reading, judged now. Call it last, right before answering, on the loop."""
        now = self.clock.now()
        return Readings(site=self.site, currents=self.latest.at(now), now=now)

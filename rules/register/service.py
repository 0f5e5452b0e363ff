"""The dates of the register as a service beside the alarms."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules import housekeeping
from rules.ledger.store import Ledger
from rules.register.book import RegisterBook
from rules.register.upkeep import Upkeep
from rules.wall_clock import Settling

_TICK_S = 30.0


async def run(
    *, site: Site, book: RegisterBook, ledger: Ledger, clock: Clock, stop: asyncio.Event
) -> None:
    """Tell of what comes near or passes, until ``stop``."""
    service = Dates(site=site, book=book, ledger=ledger)

    async def tick(now: Instant) -> float:
        await asyncio.to_thread(service.tick, now)
        return _TICK_S

    await housekeeping.keep("register", tick, clock, stop)


class Dates:
    """When to look: not while the wall clock may be wrong, for what was told is not taken back."""

    def __init__(self, *, site: Site, book: RegisterBook, ledger: Ledger) -> None:
        self._upkeep = Upkeep(site=site, book=book, ledger=ledger)
        self._settling = Settling()

    def tick(self, now: Instant) -> int:
        """How many dates somebody was told of; raises what the ledger raises."""
        if not self._settling.is_over(now):
            return 0
        return self._upkeep.keep(now)

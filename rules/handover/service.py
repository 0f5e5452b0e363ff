"""Shifts and their handovers as a service beside the rounds."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules import housekeeping
from rules.handover import keeping
from rules.ledger.store import Ledger
from rules.rule import Rulebook
from rules.wall_clock import Settling

_TICK_S = 5.0
_MEETING_S = 2.0
"""While somebody hands over: a fault that comes up is not to wait."""


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    latest: Latest,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Open logs and compose sheets when they are due, until ``stop``."""
    settling = Settling()

    async def tick(now: Instant) -> float:
        if not settling.is_over(now):
            return _TICK_S
        around = (ledger, site, rulebook, latest.snapshot(now), now)
        is_open = await asyncio.to_thread(keeping.keep, *around)
        return _MEETING_S if is_open else _TICK_S

    await housekeeping.keep("shifts", tick, clock, stop)

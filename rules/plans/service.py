"""The maintenance plans as a service beside the alarms and the rounds."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules import housekeeping
from rules.contractor_link import Links
from rules.ledger.store import Ledger
from rules.plans.upkeep import Upkeep
from rules.rule import Rulebook
from rules.wall_clock import Settling

_TICK_S = 2.0
_PLAN_EVERY = MINUTE
"""µs after which calendar, files and completions are compared with what is planned."""


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    latest: Latest,
    clock: Clock,
    stop: asyncio.Event,
    links: Links | None = None,
) -> None:
    """Plan, announce, open and count, until ``stop``. ``links``: what those of contractors are
    made with."""
    service = Plans(site=site, rulebook=rulebook, ledger=ledger, latest=latest, links=links)

    async def tick(now: Instant) -> float:
        await service.tick(now)
        return _TICK_S

    await housekeeping.keep("plans", tick, clock, stop, patience=_TICK_S)


class Plans:
    """When to look at what is due: when its time comes, and once a minute for the rest."""

    def __init__(
        self,
        *,
        site: Site,
        rulebook: Rulebook,
        ledger: Ledger,
        latest: Latest,
        links: Links | None = None,
    ) -> None:
        self._upkeep = Upkeep(site=site, rulebook=rulebook, ledger=ledger, links=links)
        self._latest = latest
        self._planned: Instant | None = None
        self._told: int | None = None
        """Up to when it was told what has turned late, µs UTC."""
        self._look_at = 0
        """µs UTC."""
        self._settling = Settling()

    async def tick(self, now: Instant) -> None:
        """Do what is due at ``now``; raises what the ledger raises, and then it is still due."""
        if not self._settling.is_over(now):
            return
        planned = self._planned
        if planned is None or now.since(planned) >= _PLAN_EVERY:
            await asyncio.to_thread(self._upkeep.plan, now)
            await asyncio.to_thread(self._upkeep.count, now, self._latest.snapshot(now))
            self._planned, self._look_at = now, 0
        told = now.wall if self._told is None else self._told
        if now.wall < self._look_at and now.wall >= told:
            return
        told = min(told, now.wall)
        self._look_at = await asyncio.to_thread(self._upkeep.keep, now, told=told)
        self._told = now.wall

"""The rounds as a service beside the alarms."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules import housekeeping
from rules.inspections.upkeep import Upkeep
from rules.ledger.store import Ledger
from rules.rule import Rulebook
from rules.shifts.local_time import date_of
from rules.wall_clock import Settling

_TICK_S = 1.0
_PLAN_EVERY = 5 * MINUTE
"""µs after which the calendar, which people change, is compared with what is planned."""


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    latest: Latest,
    clock: Clock,
    stop: asyncio.Event,
    history: History | None = None,
) -> None:
    """Make what is due and fill what telemetry proves, until ``stop``."""
    service = Rounds(site=site, rulebook=rulebook, ledger=ledger, latest=latest, history=history)

    async def tick(now: Instant) -> float:
        await service.tick(now)
        return _TICK_S

    await housekeeping.keep("rounds", tick, clock, stop, patience=_TICK_S)


class Rounds:
    """When to look at the rounds: at what they wait for, and now and then at the calendar."""

    def __init__(
        self,
        *,
        site: Site,
        rulebook: Rulebook,
        ledger: Ledger,
        latest: Latest,
        history: History | None = None,
    ) -> None:
        self._upkeep = Upkeep(site=site, rulebook=rulebook, ledger=ledger, history=history)
        self._site = site
        self._latest = latest
        self._planned: Instant | None = None
        self._told: Instant | None = None
        """When the rounds were last looked at."""
        self._look_at = 0
        """µs UTC: when there may be something to do."""
        self._settling = Settling()

    async def tick(self, now: Instant) -> None:
        """Do what is due at ``now``; raises what the ledger raises, and then it is still due.

        Nothing is done while the wall clock may be wrong: what is opened is filled for good.
        """
        if not self._settling.is_over(now):
            return
        if self._is_to_plan(now):
            await asyncio.to_thread(self._upkeep.plan, now)
            self._planned = now
            self._look_at = 0
        # A wall clock that was set back makes what we wait for seem further away than it is.
        told = self._told if self._told is not None else now
        if now.wall < self._look_at and now.wall >= told.wall:
            return
        currents = self._latest.snapshot(now)
        self._look_at = await asyncio.to_thread(
            self._upkeep.keep, now, currents, told=min(told.wall, now.wall)
        )
        self._told = now

    def _is_to_plan(self, now: Instant) -> bool:
        planned = self._planned
        if planned is None or now.since(planned) >= _PLAN_EVERY:
            return True
        zone = self._site.zone
        return date_of(now.wall, zone) != date_of(planned.wall, zone)

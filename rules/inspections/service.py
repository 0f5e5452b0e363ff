"""The rounds as a service beside the alarms."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules.inspections.upkeep import Upkeep
from rules.ledger.store import Ledger
from rules.rule import Rulebook
from rules.shifts.local_time import date_of
from rules.worker import StepWatch

_log = structlog.get_logger(__name__)

_TICK_S = 1.0
_SETTLING = MINUTE
"""µs after a step of the wall clock within which it may be set right again."""
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
) -> None:
    """Make what is due and fill what telemetry proves, until ``stop``."""
    service = Rounds(site=site, rulebook=rulebook, ledger=ledger, latest=latest)
    while not stop.is_set():
        try:
            await service.tick(clock.now())
        except SQLAlchemyError as error:
            # Nothing is lost: what is due follows from the calendar.
            _log.error("rounds wait for the ledger", error=str(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await stop.wait()


class Rounds:
    """When to look at the rounds: at what they wait for, and now and then at the calendar."""

    def __init__(self, *, site: Site, rulebook: Rulebook, ledger: Ledger, latest: Latest) -> None:
        self._upkeep = Upkeep(site=site, rulebook=rulebook, ledger=ledger)
        self._site = site
        self._latest = latest
        self._planned: Instant | None = None
        self._told: Instant | None = None
        """When the rounds were last looked at."""
        self._look_at = 0
        """µs UTC: when there may be something to do."""
        self._steps = StepWatch()
        self._ticked = False
        self._stepped: Instant | None = None
        """When the wall clock was last seen to step, if ever."""

    async def tick(self, now: Instant) -> None:
        """Do what is due at ``now``; raises what the ledger raises, and then it is still due.

        Nothing is done while the wall clock may be wrong: what is opened is filled for good.
        """
        if not self._is_settled(now):
            return
        if self._is_to_plan(now):
            await asyncio.to_thread(self._upkeep.plan, now)
            self._planned = now
            self._look_at = 0
        # A wall clock that was set back makes what we wait for seem further away than it is.
        told = self._told if self._told is not None else now
        if now.wall < self._look_at and now.wall >= told.wall:
            return
        currents = self._latest.at(now)
        self._look_at = await asyncio.to_thread(
            self._upkeep.keep, now, currents, told=min(told.wall, now.wall)
        )
        self._told = now

    def _is_settled(self, now: Instant) -> bool:
        """Whether the wall clock has not stepped of late; a start is no step."""
        if self._steps.seen(now) and self._ticked:
            self._stepped = now
        self._ticked = True
        return self._stepped is None or now.since(self._stepped) >= _SETTLING

    def _is_to_plan(self, now: Instant) -> bool:
        planned = self._planned
        if planned is None or now.since(planned) >= _PLAN_EVERY:
            return True
        zone = self._site.zone
        return date_of(now.wall, zone) != date_of(planned.wall, zone)

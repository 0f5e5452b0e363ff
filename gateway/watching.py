"""What a gateway looks at once a second: its clock, its spool, the length of its history."""

from __future__ import annotations

import asyncio

import structlog

from gateway import metrics
from gateway.clock_watch import ClockWatch
from gateway.history.base import HistoryUnavailableError
from gateway.history.retention import Retention
from gateway.history.writer import HistoryWriter
from gateway.intake import Intake
from gateway.model.equipment import Site
from gateway.model.events import GatewayEvent, GatewayEventKind
from gateway.model.moment import HOUR, SECOND, Instant, iso
from gateway.spool.queue import Spool

_log = structlog.get_logger(__name__)

_NEARLY_FULL = 0.7
_ROOMY_AGAIN = 0.6
"""Of the spool's capacity."""


class Watching:
    """``started``: now."""

    def __init__(
        self,
        *,
        site: Site,
        spool: Spool,
        intake: Intake,
        writer: HistoryWriter,
        retention: Retention,
        started: Instant,
    ) -> None:
        self._site = site
        self._spool = spool
        self._intake = intake
        self._writer = writer
        self._retention = retention
        self._clock_watch = ClockWatch(started)
        self._started = self._trimmed = started
        self.disk_failing_since: int | None = None
        """µs UTC, to a second."""
        self._nearly_full = False
        self._gone = 0
        """Records that are known to be lost."""

    async def look(self, now: Instant) -> None:
        self.look_at_clock(now)
        if not self._intake.disk_fails:
            self.disk_failing_since = None
        elif self.disk_failing_since is None:
            self.disk_failing_since = now.wall
        self._look_at_spool(now)
        self._show(now)
        if now.since(self._trimmed) >= HOUR:
            self._trimmed = now
            await self.trim(now)

    def look_at_clock(self, now: Instant) -> None:
        step = self._clock_watch.look(now)
        if step:
            detail = f"{step / SECOND:+.3f} s, to {iso(now.wall, self._site.zone)}"
            _log.warning("wall clock was stepped", by=detail)
            self._retention.stepped(now, step)
            self._say(GatewayEventKind.CLOCK_STEP, detail, now)

    async def trim(self, now: Instant) -> None:
        try:
            removed = await asyncio.to_thread(self._retention.trim, now)
        except HistoryUnavailableError as error:
            _log.error("history cannot be trimmed", error=str(error))
            return
        if removed:
            _log.info("history trimmed", readings=removed)

    def _look_at_spool(self, now: Instant) -> None:
        used = self._spool.size / self._spool.capacity_bytes
        if used >= _NEARLY_FULL and not self._nearly_full:
            _log.warning(
                "spool is nearly full, the oldest readings will go: does the history run?",
                used=f"{used:.0%}",
                backlog={name: self._spool.backlog(name) for name in self._spool.consumers},
            )
        self._nearly_full = used >= (_ROOMY_AGAIN if self._nearly_full else _NEARLY_FULL)
        gone = self._spool.shed + self._spool.dropped
        if gone > self._gone and not self._intake.disk_fails:
            detail = f"{gone - self._gone} records, for want of room"
            self._gone = gone
            _log.error("readings are lost to the history", records=detail)
            self._say(GatewayEventKind.SHED, detail, now)

    def _say(self, kind: GatewayEventKind, detail: str, now: Instant) -> None:
        self._intake.take(GatewayEvent(kind=kind, subject=self._site.gateway, detail=detail), now)

    def _show(self, now: Instant) -> None:
        spool = self._spool
        metrics.spool_records.set(spool.synced)
        metrics.spool_bytes.set(spool.size)
        metrics.spool_used.set(spool.size / spool.capacity_bytes)
        metrics.spool_waiting.set(spool.waiting_size)
        metrics.spool_torn.set(spool.torn)
        metrics.spool_shed.set(spool.shed)
        metrics.spool_dropped.set(spool.dropped)
        metrics.spool_fails.set(self._intake.disk_fails)
        for consumer in spool.consumers:
            metrics.spool_backlog.labels(consumer).set(spool.backlog(consumer))
        metrics.history_behind.set(self.behind(now) / SECOND)

    def behind(self, now: Instant) -> int:
        """µs of age of the oldest record that the history lacks; 0 if it has all."""
        since = self._writer.written or self._started.wall
        return now.wall - since if self._writer.behind else 0

"""Equipment that is out of service: it is judged, and nobody is called for it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, delete, select

from gateway.model.moment import HOUR, Instant
from rules.ledger import timers
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import service_break
from rules.ledger.timers import TimerKind


def begin(
    entry: Entry, equipment: str, *, hours: int | None, reason: str, by: str, now: Instant
) -> bool:
    """False where it is out of service already, and then nothing changes."""
    added = entry.insert_once(
        service_break, equipment=equipment, reason=reason, by=by, since=now.wall
    )
    if added and hours is not None:
        time = hours * HOUR
        timers.start(entry, TimerKind.SERVICE_OVER, equipment, now.plus(time), allowed=time)
    if added:
        entry.changed(ChangeKind.ASIDE, equipment, now.wall)
    return added


def end(entry: Entry, equipment: str, now: Instant) -> bool:
    """False where it is in service."""
    timers.cancel(entry, TimerKind.SERVICE_OVER, equipment)
    here = and_(service_break.c.site_id == entry.site, service_break.c.equipment == equipment)
    was_out = entry.connection.execute(delete(service_break).where(here)).rowcount > 0
    if was_out:
        entry.changed(ChangeKind.ASIDE, equipment, now.wall)
    return was_out


def end_others(entry: Entry, installed: Collection[str], now: Instant) -> None:
    """What is no longer installed is not out of service either."""
    for equipment in all_of(entry) - set(installed):
        end(entry, equipment, now)


def all_of(entry: Entry) -> set[str]:
    here = service_break.c.site_id == entry.site
    return set(entry.connection.execute(select(service_break.c.equipment).where(here)).scalars())

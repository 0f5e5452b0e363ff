"""Rules that are put aside for a time on one piece of equipment: nobody is called meanwhile."""

from __future__ import annotations

from sqlalchemy import delete, select

from gateway.model.moment import MINUTE, Instant
from rules.ledger import timers
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import shelf
from rules.ledger.timers import TimerKind


def put(
    entry: Entry, rule: str, equipment: str, *, minutes: int, reason: str, by: str, now: Instant
) -> None:
    columns = {"rule": rule, "equipment": equipment, "reason": reason, "by": by, "at": now.wall}
    entry.put(shelf, [columns])
    subject, time = _subject(rule, equipment), minutes * MINUTE
    timers.start(entry, TimerKind.SHELF_OVER, subject, now.plus(time), allowed=time)
    entry.changed(ChangeKind.ASIDE, subject, now.wall)


def take_off(entry: Entry, rule: str, equipment: str, now: Instant) -> bool:
    """False where nothing lay there."""
    subject = _subject(rule, equipment)
    timers.cancel(entry, TimerKind.SHELF_OVER, subject)
    here = (shelf.c.site_id == entry.site, shelf.c.rule == rule, shelf.c.equipment == equipment)
    was_there = entry.connection.execute(delete(shelf).where(*here)).rowcount > 0
    if was_there:
        entry.changed(ChangeKind.ASIDE, subject, now.wall)
    return was_there


def all_of(entry: Entry) -> set[tuple[str, str]]:
    """(rule, equipment) of all that is put aside."""
    query = select(shelf.c.rule, shelf.c.equipment).where(shelf.c.site_id == entry.site)
    return {(rule, equipment) for rule, equipment in entry.connection.execute(query)}


def named(subject: str) -> tuple[str, str]:
    """(rule, equipment) of the timer on ``subject``."""
    rule, equipment = subject.split(" ")
    return rule, equipment


def _subject(rule: str, equipment: str) -> str:
    return f"{rule} {equipment}"

"""Changing the site's calendar: single days and the working hours. The shipped arrangement of a
year is never touched; each action is one transaction with its line in the audit.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete

from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.ledger import order_clocks, roster
from rules.ledger.rows import words
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables import roster as tables
from rules.people.roles import Actor, Permission, require
from rules.refusals import NotFoundError
from rules.shifts.calendar import DayKind, WorkingHours
from rules.shifts.checks import check_hours, refuse
from rules.shifts.local_time import written


def put_day(
    ledger: Ledger,
    site: str,
    *,
    day: date,
    kind: DayKind,
    name: Text | None,
    reason: str,
    actor: Actor,
    now: Instant,
) -> None:
    """From now on ``day`` is what the site says, whatever the year's arrangement is."""
    with ledger.write(site) as entry:
        require(actor, Permission.EDIT_CALENDAR)
        row = {
            "date": day,
            "kind": kind.value,
            "name": None if name is None else words(name),
            "reason": reason,
            "by": actor.username,
            "at": now.wall,
        }
        entry.put(tables.calendar_day, [row])
        told = {"kind": kind.value, "reason": reason}
        roster.note(entry, actor, "calendar.put", day.isoformat(), now, **told)
        order_clocks.to_reckon_working_time(entry, now)


def remove_day(ledger: Ledger, site: str, day: date, *, actor: Actor, now: Instant) -> None:
    """``day`` is again what the year's arrangement says. Raises ``NotFoundError``."""
    with ledger.write(site) as entry:
        require(actor, Permission.EDIT_CALENDAR)
        of = tables.calendar_day
        gone = entry.connection.execute(
            delete(of).where(of.c.site_id == site, of.c.date == day).returning(of.c.date)
        )
        if gone.first() is None:
            raise NotFoundError(f"the site has not changed {day}")
        roster.note(entry, actor, "calendar.remove", day.isoformat(), now)
        order_clocks.to_reckon_working_time(entry, now)


def put_hours(
    ledger: Ledger, site: str, hours: WorkingHours, *, actor: Actor, now: Instant
) -> None:
    """The hours of every working day. Raises ``NotValidError``."""
    with ledger.write(site) as entry:
        require(actor, Permission.EDIT_CALENDAR)
        write_hours(entry, hours, now)
        told = {"starts": written(hours.starts), "ends": written(hours.ends)}
        roster.note(entry, actor, "calendar.hours", "working-hours", now, **told)


def write_hours(entry: Entry, hours: WorkingHours, now: Instant) -> None:
    """Within somebody's transaction. Raises ``NotValidError``."""
    refuse(check_hours(hours))
    entry.put(tables.working_hours, [{"starts": hours.starts, "ends": hours.ends}])
    order_clocks.to_reckon_working_time(entry, now)

"""What a site has entered of its calendar: its hours, and days that are not what they seem."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gateway.model.point import Text
from rules.ledger.tables.roster import calendar_day, working_hours
from rules.shifts.calendar import DEFAULT_HOURS, DayKind, OwnDays, SpecialDay, WorkingHours


def own_days(connection: Connection, site: str) -> OwnDays:
    changed = connection.execute(select(calendar_day).where(calendar_day.c.site_id == site))
    hours = connection.execute(select(working_hours).where(working_hours.c.site_id == site))
    return OwnDays(
        changed={
            row["date"]: SpecialDay(
                kind=DayKind(row["kind"]),
                name=None if row["name"] is None else Text(**row["name"]),
            )
            for row in changed.mappings()
        },
        hours=next(
            (WorkingHours(starts=row["starts"], ends=row["ends"]) for row in hours.mappings()),
            DEFAULT_HOURS,
        ),
    )

"""The roster and the calendar of a site as typed records, and word of what changed in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta, tzinfo

from sqlalchemy import RowMapping, Select, select

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.ledger import audit
from rules.ledger.own_days import own_days
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.roster import (
    leave,
    roster_override,
    rotation,
    shift,
    team,
    team_member,
)
from rules.ledger.view import View
from rules.people.people import Person, everybody
from rules.people.roles import Actor
from rules.shifts.calendar import Calendar, OwnDays
from rules.shifts.duty import (
    Duty,
    Leave,
    LeaveKind,
    Override,
    Roster,
    Team,
)
from rules.shifts.local_time import date_of
from rules.shifts.rotation import Rotation, Shift
from rules.shifts.year_files import years_of

Source = View | Entry
"""Either has a connection and a site."""


def calendar_of(source: Source, site: Site) -> Calendar:
    """The rulebook's years, with the changes and the hours that the site has entered."""
    return calendar_with(own_days(source.connection, source.site), site)


def calendar_with(own: OwnDays, site: Site) -> Calendar:
    """The rulebook's years, with ``own``."""
    return Calendar(
        zone=site.zone, years=years_of(site.rulebook), changed=own.changed, hours=own.hours
    )


def on_duty(source: Source, site: Site, at: int) -> Duty | None:
    """Who is on duty at ``at`` (µs UTC); None between shifts, or without a rotation."""
    today = date_of(at, site.zone)
    return roster_of(source, site, today - timedelta(days=1), today).at(at)


def roster_of(source: Source, site: Site, first: date, last: date) -> Roster:
    """What decides who is on duty in shifts that start on ``first`` to ``last``."""
    return Roster(
        rotation=rotation_of(source, site.zone),
        teams={team.id: team for team in teams_of(source)},
        people=people_of(source),
        overrides=overrides_of(source, first, last),
        leaves=leaves_of(source, first, last),
    )


def rotation_of(source: Source, zone: tzinfo) -> Rotation | None:
    rows = _rows(source, select(rotation).where(rotation.c.site_id == source.site))
    if not rows:
        return None
    return Rotation(
        shifts=shifts_of(source),
        anchor=rows[0]["anchor"],
        pattern=tuple(rows[0]["pattern"]),
        zone=zone,
    )


def shifts_of(source: Source) -> tuple[Shift, ...]:
    """In the order of the day."""
    query = select(shift).where(shift.c.site_id == source.site).order_by(shift.c.starts)
    return tuple(
        Shift(
            id=row["id"],
            name=Text(**row["name"]),
            starts=row["starts"],
            ends=row["ends"],
            minimum=row["minimum"],
        )
        for row in _rows(source, query)
    )


def teams_of(source: Source) -> list[Team]:
    """By id."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    query = (
        select(team_member)
        .where(team_member.c.site_id == source.site)
        .order_by(team_member.c.position)
    )
    for row in _rows(source, query):
        members[row["team"]].append(row["username"])
    rows = _rows(source, select(team).where(team.c.site_id == source.site).order_by(team.c.id))
    return [
        Team(
            id=row["id"],
            name=Text(**row["name"]),
            areas=tuple(row["areas"]),
            members=tuple(members[row["id"]]),
            leader=row["leader"],
        )
        for row in rows
    ]


def overrides_of(source: Source, first: date, last: date) -> list[Override]:
    """Of shifts that start on ``first`` to ``last``; by day, then as they were entered."""
    of = roster_override
    query = (
        select(of)
        .where(of.c.site_id == source.site, of.c.date >= first, of.c.date <= last)
        .order_by(of.c.date, of.c.change)
    )
    return [override_of(row) for row in _rows(source, query)]


def override_of(row: RowMapping) -> Override:
    return Override(**{name: row[name] for name in Override.__slots__})


def leaves_of(source: Source, first: date, last: date) -> list[Leave]:
    """Those with a day in ``first`` to ``last``, by their first day."""
    query = (
        select(leave)
        .where(leave.c.site_id == source.site, leave.c.first <= last, leave.c.last >= first)
        .order_by(leave.c.first, leave.c.username)
    )
    return [leave_of(row) for row in _rows(source, query)]


def leave_of(row: RowMapping) -> Leave:
    return Leave(
        id=row["id"],
        username=row["username"],
        first=row["first"],
        last=row["last"],
        kind=LeaveKind(row["kind"]),
        reason=row["reason"],
        by=row["by"],
        at=row["at"],
    )


def people_of(source: Source) -> dict[str, Person]:
    """Everybody who works or has worked at the site, by user name."""
    view = View(connection=source.connection, site=source.site)
    return {person.username: person for person in everybody(view)}


def staff_of(source: Source) -> dict[str, bool]:
    """User name → whether they still work at the site."""
    return {name: person.active for name, person in people_of(source).items()}


def note(
    entry: Entry, actor: Actor, action: str, subject: str, now: Instant, /, **detail: str | None
) -> None:
    """A deed for the audit, and for whoever is looking."""
    audit.record(entry, actor, action, subject, now.wall, **detail)
    entry.changed(ChangeKind.ROSTER, subject, now.wall)


def _rows(source: Source, query: Select[*tuple[object, ...]]) -> Sequence[RowMapping]:
    return source.connection.execute(query).mappings().all()

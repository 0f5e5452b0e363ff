"""A file of people → the teams, shifts, rotation and working hours that it holds, with every
mistake at once. The people themselves are ``rules.people.people_file``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from gateway.files.documents import (
    ConfigurationError,
    Document,
    Finding,
    Parsed,
    UnreadableError,
    findings,
    salvage,
)
from gateway.files.fields import Slug, Whole, Words, instead
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger.roster import staff_of
from rules.ledger.store import Ledger
from rules.people.people_file import PeopleDocument, PersonDocument, Username
from rules.people.roles import Actor
from rules.shifts.actions import Plan, put_plan
from rules.shifts.calendar import WorkingHours
from rules.shifts.checks import (
    Staff,
    check_held,
    check_hours,
    check_pattern,
    check_shifts,
    check_team,
)
from rules.shifts.duty import Team
from rules.shifts.local_time import END_FORM, FORM, minute_of
from rules.shifts.rotation import Shift

TimeOfDay = Annotated[str, Field(strict=True, pattern=FORM)]


class TeamDocument(Document):
    id: Slug
    name: Words
    areas: tuple[Slug, ...] = ()
    members: tuple[Username, ...] = ()
    leader: Username | None = None


class ShiftDocument(Document):
    id: Slug
    name: Words
    starts: TimeOfDay
    ends: TimeOfDay
    minimum: Annotated[Whole, Field(ge=1, le=200)] = 1

    def shift(self) -> Shift:
        return Shift(
            id=self.id,
            name=self.name.text(),
            starts=minute_of(self.starts),
            ends=minute_of(self.ends),
            minimum=self.minimum,
        )


class RotationDocument(Document):
    anchor: date
    pattern: tuple[Mapping[Slug, Slug], ...] = Field(min_length=1, max_length=400)


class HoursDocument(Document):
    starts: TimeOfDay
    ends: Annotated[str, Field(strict=True, pattern=END_FORM)]

    def hours(self) -> WorkingHours:
        return WorkingHours(starts=minute_of(self.starts), ends=minute_of(self.ends))


class RosterDocument(Document):
    people: tuple[PersonDocument, ...] = ()
    """Read here for who names a team."""
    teams: tuple[TeamDocument, ...] = Field(min_length=1)
    shifts: tuple[ShiftDocument, ...] = Field(min_length=1, max_length=24)
    rotation: RotationDocument
    working_hours: HoursDocument | None = None


def holds_roster(content: PeopleDocument) -> bool:
    """Whether a file of people has a roster too."""
    return bool(content.teams or content.shifts or content.rotation)


def bring_in(ledger: Ledger, site: Site, path: Path, *, actor: Actor, now: Instant) -> Plan:
    """The roster of the file at ``path`` is the site's from now on.

    Raises :class:`ConfigurationError`, ``ForbiddenError``, or ``NotValidError`` where people of
    the file are not brought in yet; then nothing has changed.
    """
    with ledger.read(site.id) as view:
        staff = staff_of(view)
    plan = read(path, site, staff)
    put_plan(ledger, site, plan, actor=actor, now=now)
    return plan


def read(path: Path, site: Site, staff: Staff = MappingProxyType({})) -> Plan:
    """The plan of the file at ``path``, checked against the areas of the site and its people:
    ``staff`` and those of the file itself.

    Raises :class:`ConfigurationError` with every problem.
    """
    parsed, problems = salvage(path, RosterDocument)
    if parsed is None:
        raise ConfigurationError(problems)
    found = findings(*_checks(parsed, site, staff))
    problems = [*problems, *(parsed.problem(*finding) for finding in found)]
    if problems:
        raise ConfigurationError(problems)
    content = parsed.content
    return Plan(
        teams=tuple(_team(team, content) for team in content.teams),
        shifts=tuple(shift.shift() for shift in content.shifts),
        anchor=content.rotation.anchor,
        pattern=tuple(dict(day) for day in content.rotation.pattern),
        hours=None if content.working_hours is None else content.working_hours.hours(),
    )


def _checks(
    parsed: Parsed[RosterDocument], site: Site, staff: Staff
) -> Iterator[Iterator[Finding]]:
    content = parsed.content
    staff = {**staff, **_staff(content)}
    yield _check_teams(content)
    yield _check_belonging(content)
    for place, document in enumerate(_readable_teams(content)):
        yield _below(("teams", place), _check_team(document, site, staff))
    yield _below(("shifts",), _check_shifts(content))
    yield _below(("rotation", "pattern"), _check_pattern(content))
    yield _below(("rotation", "pattern"), _check_held(content))
    yield _below(("working_hours",), _check_hours(content))


def _below(place: tuple[str | int, ...], found: Iterator[Finding]) -> Iterator[Finding]:
    for where, wrong, mend in found:
        yield (*place, *where), wrong, mend


def _staff(content: RosterDocument) -> Staff:
    """The people of the file, as far as it can be read."""
    try:
        return {person.username: person.active for person in content.people}
    except UnreadableError:
        return {}


def _readable_teams(content: RosterDocument) -> tuple[TeamDocument, ...]:
    try:
        return content.teams
    except UnreadableError:
        return ()


def _check_teams(content: RosterDocument) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, team in enumerate(content.teams):
        if team.id in seen:
            yield ("teams", place, "id"), f"there are two teams {team.id!r}", "give it another id"
        seen.add(team.id)


def _check_belonging(content: RosterDocument) -> Iterator[Finding]:
    """Whoever names a team names one of this file."""
    teams = [team.id for team in content.teams]
    for place, person in enumerate(content.people):
        if person.team is not None and person.team not in teams:
            where = ("people", place, "team")
            yield where, f"there is no team {person.team!r}", instead(person.team, teams)


def _check_team(document: TeamDocument, site: Site, staff: Staff) -> Iterator[Finding]:
    yield from check_team(_plain(document), site.areas, staff)


def _check_shifts(content: RosterDocument) -> Iterator[Finding]:
    yield from check_shifts([shift.shift() for shift in content.shifts])


def _check_pattern(content: RosterDocument) -> Iterator[Finding]:
    shifts, teams = ([one.id for one in some] for some in (content.shifts, content.teams))
    yield from check_pattern(content.rotation.pattern, shifts, teams)


def _check_held(content: RosterDocument) -> Iterator[Finding]:
    members = {team.id: _members(team, content) for team in content.teams}
    yield from check_held(content.rotation.pattern, members)


def _check_hours(content: RosterDocument) -> Iterator[Finding]:
    if content.working_hours is not None:
        yield from check_hours(content.working_hours.hours())


def _plain(document: TeamDocument) -> Team:
    return Team(
        id=document.id,
        name=document.name.text(),
        areas=document.areas,
        members=document.members,
        leader=document.leader,
    )


def _members(document: TeamDocument, content: RosterDocument) -> tuple[str, ...]:
    """Those that the team names, then those that name it."""
    belonging = [person.username for person in content.people if person.team == document.id]
    return tuple(dict.fromkeys([*document.members, *belonging]))


def _team(document: TeamDocument, content: RosterDocument) -> Team:
    return replace(_plain(document), members=_members(document, content))

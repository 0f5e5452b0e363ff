"""Who is on duty: the rotation, with what was changed for a day and who is on leave. Pure.

What the ledger holds comes by ``rules.ledger.roster.roster_of``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from gateway.model.point import Text
from rules.people.people import CertificateState, Person
from rules.shifts.rotation import Rotation, ShiftDay


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    id: str
    name: Text
    areas: Sequence[str] = ()
    """Those it answers for (片区责任制); empty: the whole site."""
    members: Sequence[str] = ()
    """User names."""
    leader: str | None = None
    """Who answers for the team; on duty with it only as one of its members."""


class LeaveKind(StrEnum):
    ANNUAL = "annual"
    SICK = "sick"
    PERSONAL = "personal"
    COMPENSATORY = "compensatory"
    """For time worked before (调休)."""
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leave:
    id: str
    username: str
    first: date
    last: date
    """Both are days of the leave. A shift belongs to the day on which it starts."""
    kind: LeaveKind
    reason: str
    by: str
    at: int
    """µs UTC: when it was entered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """A change to one shift of one day: somebody stays away, comes, or stands in for another."""

    id: str
    change: int
    """The id of the change that it was: later ones build on earlier ones."""
    date: date
    shift: str
    instead_of: str | None
    """None: ``username`` comes in addition."""
    username: str | None
    """None: nobody comes for ``instead_of``."""
    reason: str
    by: str
    at: int
    """µs UTC: when it was entered."""


class ProblemKind(StrEnum):
    EMPTY = "empty"
    BELOW_MINIMUM = "below_minimum"
    ON_LEAVE = "on_leave"
    """On leave, and nobody stands in."""
    INACTIVE = "inactive"
    """On the roster, but no longer one of the site's people."""
    CERTIFICATE_EXPIRED = "certificate_expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    kind: ProblemKind
    text: Text
    username: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CrewMember:
    person: Person
    instead_of: str | None = None
    """User name of whom they stand in for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """One shift of one day with the people who hold it."""

    day: ShiftDay
    team: Team
    crew: Sequence[CrewMember]
    problems: Sequence[Problem]
    is_override: bool
    """Whether something was changed for this day."""


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Everything that decides who is on duty at one site."""

    rotation: Rotation | None
    """None: nobody has set one up."""
    teams: Mapping[str, Team] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    leaves: Sequence[Leave] = ()

    def at(self, at: int) -> Duty | None:
        """Who is on duty at ``at`` (µs UTC); None between shifts, or without a rotation."""
        return self._duty(None if self.rotation is None else self.rotation.at(at))

    def after(self, at: int) -> Duty | None:
        """The next shift that starts later than ``at``."""
        return self._duty(None if self.rotation is None else self.rotation.after(at))

    def between(self, first: date, last: date) -> Iterator[Duty]:
        """The shifts that start on ``first`` to ``last``, in order."""
        if self.rotation is None:
            return
        for ahead in range((last - first).days + 1):
            for day in self.rotation.of_date(first + timedelta(days=ahead)):
                yield self.duty(day)

    def duty(self, day: ShiftDay) -> Duty:
        """``day`` with its people.

        1. Begin with the team's members, and make the changes in the order of their entry.
        2. Take out who is on leave or no longer of the site: each is a problem.
        3. Note expired certificates, and a crew that is too small.
        """
        team = self.teams[day.team]
        changes = self.overrides_of(day)
        crew: list[CrewMember] = []
        problems: list[Problem] = []
        for username, instead_of in self.planned(day).items():
            person = self.people.get(username)
            absence = self._absence(username, person, day.date)
            if absence is not None:
                problems.append(absence)
            elif person is not None:
                crew.append(CrewMember(person=person, instead_of=instead_of))
                problems += _expired(person, day.date)
        problems = [*_too_few(crew, day.shift.minimum), *problems]
        return Duty(day=day, team=team, crew=crew, problems=problems, is_override=bool(changes))

    def planned(self, day: ShiftDay) -> dict[str, str | None]:
        """Who is to come, leave or not: user name → whom they stand in for."""
        planned: dict[str, str | None] = dict.fromkeys(self.teams[day.team].members)
        for change in self.overrides_of(day):
            if change.instead_of is not None:
                planned.pop(change.instead_of, None)
            if change.username is not None:
                planned[change.username] = change.instead_of
        return planned

    def overrides_of(self, day: ShiftDay) -> list[Override]:
        """The changes to ``day``, oldest first."""
        found = [
            change
            for change in self.overrides
            if change.date == day.date and change.shift == day.shift.id
        ]
        return sorted(found, key=lambda change: change.change)

    def _duty(self, day: ShiftDay | None) -> Duty | None:
        return None if day is None else self.duty(day)

    def _absence(self, username: str, person: Person | None, day: date) -> Problem | None:
        if person is None or not person.active:
            name = username if person is None else person.display_name
            return Problem(
                kind=ProblemKind.INACTIVE,
                text=Text(
                    zh=f"{name} 已不在岗，仍在排班表上", en=f"{name} has left, but is on the roster"
                ),
                username=username,
            )
        if any(of.username == username and of.first <= day <= of.last for of in self.leaves):
            return Problem(
                kind=ProblemKind.ON_LEAVE,
                text=Text(
                    zh=f"{person.display_name} 请假，无人顶班",
                    en=f"{person.display_name} is on leave and nobody stands in",
                ),
                username=username,
            )
        return None


def _expired(person: Person, day: date) -> Iterator[Problem]:
    for certificate in person.certificates:
        if certificate.state(day) is CertificateState.EXPIRED:
            until = certificate.expires_on
            yield Problem(
                kind=ProblemKind.CERTIFICATE_EXPIRED,
                text=Text(
                    zh=f"{person.display_name} 的 {certificate.name} 已于 {until} 到期",
                    en=f"{certificate.name} of {person.display_name} expired on {until}",
                ),
                username=person.username,
            )


def _too_few(crew: Sequence[CrewMember], minimum: int) -> Iterator[Problem]:
    if not crew:
        yield Problem(
            kind=ProblemKind.EMPTY,
            text=Text(zh="本班无人值守", en="nobody is on this shift"),
        )
    elif len(crew) < minimum:
        yield Problem(
            kind=ProblemKind.BELOW_MINIMUM,
            text=Text(
                zh=f"本班 {len(crew)} 人，少于规定的 {minimum} 人",
                en=f"{len(crew)} on this shift, {minimum} are required",
            ),
        )

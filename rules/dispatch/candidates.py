"""Who could take an order, the best first.

Whoever is on duty comes before whoever is not, then whose area it is, then who has a skill for
it, then who has the least to do and was given something the longest ago: of two who are equal in
all else they take turns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.model.point import Text
from rules.people.people import CertificateState, Person
from rules.people.roles import Role
from rules.shifts.duty import Roster


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What somebody has to do already."""

    open_orders: int = 0
    last_assigned_at: int | None = None
    """µs UTC."""


NOTHING = Load()
_AT_WORK = (Role.TECHNICIAN, Role.FOREMAN)
"""Those whose work it is; others may take an order, and are not offered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    person: Person
    on_duty: bool
    in_area: bool
    skilled: bool
    load: Load
    warning: Text | None

    @property
    def order(self) -> tuple[bool, bool, bool, int, int, str]:
        """Smaller is better."""
        return (
            not self.on_duty,
            not self.in_area,
            not self.skilled,
            self.load.open_orders,
            self.load.last_assigned_at or 0,
            self.person.username,
        )


def candidates(
    roster: Roster,
    *,
    at: int,
    today: date,
    area: str,
    skills: Collection[str],
    loads: Mapping[str, Load],
) -> Sequence[Candidate]:
    """Everybody who may take an order in ``area`` at ``at`` (µs UTC), the best first.

    ``skills``: those of the order's category, any of which is enough; none: everybody has them.
    Whoever may act in other areas only is left out; so is who is on leave.
    """
    duty = roster.at(at)
    crew = set() if duty is None else {member.person.username for member in duty.crew}
    found = [
        Candidate(
            person=person,
            on_duty=person.username in crew,
            in_area=_answers_for(roster, person, area),
            skilled=not skills or bool(set(person.skills) & set(skills)),
            load=loads.get(person.username, NOTHING),
            warning=_warning(person, today),
        )
        for person in roster.people.values()
        if _may_take(person, area) and not _on_leave(roster, person, today)
    ]
    return sorted(found, key=lambda one: one.order)


def _may_take(person: Person, area: str) -> bool:
    return person.active and person.role in _AT_WORK and (not person.areas or area in person.areas)


def _answers_for(roster: Roster, person: Person, area: str) -> bool:
    """By name, or as one of a team that does (片区责任制)."""
    if area in person.areas:
        return True
    return any(
        area in team.areas for team in roster.teams.values() if person.username in team.members
    )


def _on_leave(roster: Roster, person: Person, today: date) -> bool:
    return any(
        leave.username == person.username and leave.first <= today <= leave.last
        for leave in roster.leaves
    )


def _warning(person: Person, today: date) -> Text | None:
    for certificate in person.certificates:
        if certificate.state(today) is CertificateState.EXPIRED:
            until = certificate.expires_on
            return Text(
                zh=f"{certificate.name} 已于 {until} 到期",
                en=f"{certificate.name} expired on {until}",
            )
    return None

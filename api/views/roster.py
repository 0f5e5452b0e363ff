"""The roster and the calendar as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from api.models import roster as models
from api.views import words
from rules.shifts import duty
from rules.shifts.calendar import Calendar, Day, WorkingHours
from rules.shifts.local_time import date_of, written
from rules.shifts.rotation import Rotation, Shift


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterViews:
    """``sees_people``: skills and certificates of others may be shown."""

    zone: tzinfo
    sees_people: bool

    def shift_now(self, held: duty.Duty | None) -> models.ShiftNow | None:
        return None if held is None else models.ShiftNow(**self._fields(held))

    def shift_day(self, held: duty.Duty) -> models.ShiftDay:
        return models.ShiftDay(**self._fields(held), is_override=held.is_override)

    def _fields(self, held: duty.Duty) -> dict[str, Any]:
        return {
            "id": held.day.shift.id,
            "name": words.text(held.day.shift.name),
            "date": held.day.date,
            "starts_at": words.moment(held.day.starts, self.zone),
            "ends_at": words.moment(held.day.ends, self.zone),
            "team": models.TeamRef(id=held.team.id, name=words.text(held.team.name)),
            "crew": [self._member(member) for member in held.crew],
            "problems": [
                models.DutyProblem(
                    kind=problem.kind.value,
                    text=words.text(problem.text),
                    username=problem.username,
                )
                for problem in held.problems
                if self.sees_people or problem.kind is not duty.ProblemKind.CERTIFICATE_EXPIRED
            ],
        }

    def _member(self, member: duty.CrewMember) -> models.CrewMember:
        person = member.person
        return models.CrewMember(
            username=person.username,
            display_name=person.display_name,
            role=person.role.value,
            skills=list(person.skills) if self.sees_people else [],
            instead_of=member.instead_of,
        )


def team(found: duty.Team) -> models.Team:
    return models.Team(
        id=found.id,
        name=words.text(found.name),
        areas=list(found.areas),
        members=list(found.members),
        leader=found.leader,
    )


def override(found: duty.Override, zone: tzinfo) -> models.Override:
    return models.Override(
        id=found.id,
        date=found.date,
        shift=found.shift,
        instead_of=found.instead_of,
        username=found.username,
        reason=found.reason,
        by=found.by,
        at=words.moment(found.at, zone),
    )


def leave(found: duty.Leave, zone: tzinfo, *, is_told: bool) -> models.Leave:
    """``is_told``: why, too."""
    return models.Leave(
        id=found.id,
        username=found.username,
        first=found.first,
        last=found.last,
        kind=found.kind.value if is_told else None,
        reason=found.reason if is_told else None,
        by=found.by,
        at=words.moment(found.at, zone),
    )


def shifts(
    found: Sequence[Shift], rotation: Rotation | None, zone: tzinfo, at: int
) -> models.Shifts:
    """``at`` (µs UTC) tells which day is today."""
    today: Mapping[str, str] = {}
    if rotation is not None:
        today = {day.shift.id: day.team for day in rotation.of_date(date_of(at, zone))}
    return models.Shifts(
        items=[
            models.Shift(
                id=shift.id,
                name=words.text(shift.name),
                starts=written(shift.starts),
                ends=written(shift.ends),
                minimum=shift.minimum,
                team=today.get(shift.id),
            )
            for shift in found
        ],
        rotation=None if rotation is None else _rotation(rotation),
    )


def _rotation(found: Rotation) -> models.Rotation:
    named = (team for day in found.pattern for team in day.values())
    return models.Rotation(
        teams=list(dict.fromkeys(named)),
        anchor=found.anchor,
        days=len(found.pattern),
        pattern=[dict(day) for day in found.pattern],
    )


def calendar(found: Calendar, year: int) -> models.Calendar:
    return models.Calendar(
        year=year,
        provisional=found.is_provisional(year),
        working_hours=hours(found.hours),
        items=[calendar_day(day) for day in found.days(year)],
    )


def calendar_day(found: Day) -> models.CalendarDay:
    return models.CalendarDay(
        date=found.date,
        kind=found.kind.value,
        name=None if found.name is None else words.text(found.name),
        source=found.source.value,
    )


def hours(found: WorkingHours) -> models.WorkingHours:
    return models.WorkingHours(starts=written(found.starts), ends=written(found.ends))


def days(first: date, last: date) -> int:
    """How many there are from ``first`` to ``last``, both of them counted."""
    return (last - first).days + 1

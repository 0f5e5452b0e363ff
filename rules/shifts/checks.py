"""What is wrong with a team, with shifts or with a rotation, whoever gives them: a file or the
API. Pure; each finding is a place in what was given, what is wrong there, and the mend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gateway.files.documents import Finding
from gateway.files.fields import instead
from rules.refusals import NotValidError
from rules.shifts.calendar import WorkingHours
from rules.shifts.duty import Team
from rules.shifts.rotation import Shift, overlapping

Staff = Mapping[str, bool]
"""User name → whether they still work at the site."""


def refuse(findings: Iterable[Finding], *below: str) -> None:
    """Raises :class:`NotValidError` with the first of ``findings``, if there is one.

    ``below``: where in what was given the findings count their places from.
    """
    for where, wrong, mend in findings:
        raise NotValidError(".".join(map(str, (*below, *where))), f"{wrong}; {mend}")


def check_person(username: str, staff: Staff) -> Iterator[tuple[str, str]]:
    """What is wrong with ``username`` on a roster, and the mend."""
    if username not in staff:
        active = [name for name, works in staff.items() if works]
        yield f"there is no {username!r} among the people of the site", instead(username, active)
    elif not staff[username]:
        yield f"{username!r} no longer is one of the site's people", "name somebody else"


def check_team(team: Team, areas: Collection[str], staff: Staff) -> Iterator[Finding]:
    """Its areas and people are the site's, each person named once."""
    for place, area in enumerate(team.areas):
        if area not in areas:
            yield ("areas", place), f"there is no area {area!r}", instead(area, areas)
    for place, username in enumerate(team.members):
        if username in team.members[:place]:
            yield ("members", place), f"{username!r} is named twice", "keep one of the two"
        for finding in check_person(username, staff):
            yield ("members", place), *finding
    if team.leader is not None:
        for finding in check_person(team.leader, staff):
            yield ("leader",), *finding


def check_shifts(shifts: Sequence[Shift]) -> Iterator[Finding]:
    """Each has its own id, and no two hold at one time."""
    ids = [shift.id for shift in shifts]
    for place, name in enumerate(ids):
        if name in ids[:place]:
            yield (place, "id"), f"there are two shifts {name!r}", "give it another id"
    pair = overlapping(shifts)
    if pair is not None:
        one, other = pair
        wrong = f"the shift {one.id!r} has not ended when {other.id!r} starts"
        yield (shifts.index(other), "starts"), wrong, "let it start when the one before it ends"


def check_pattern(
    pattern: Sequence[Mapping[str, str]], shifts: Collection[str], teams: Collection[str]
) -> Iterator[Finding]:
    """Every shift and team that it names exists."""
    for place, day in enumerate(pattern):
        for shift, team in day.items():
            if shift not in shifts:
                yield (place, shift), f"there is no shift {shift!r}", instead(shift, shifts)
            if team not in teams:
                yield (place, shift), f"there is no team {team!r}", instead(team, teams)
    if not any(pattern):
        yield (), "names no shift on any day", "name the team of at least one shift"


def check_held(
    pattern: Sequence[Mapping[str, str]], members: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Somebody is on duty in every shift; ``members``: of each team."""
    for place, day in enumerate(pattern):
        for shift, team in day.items():
            if team in members and not members[team]:
                wrong = f"nobody is on duty: the team {team!r} has no members"
                yield (place, shift), wrong, "name its members, or another team"


def check_hours(hours: WorkingHours) -> Iterator[Finding]:
    if hours.starts >= hours.ends:
        yield ("ends",), "is not later than the start", "let working hours end on the same day"

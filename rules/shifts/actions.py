"""Changing the roster. Each action is one transaction: the change, its line in the audit, and
word of it to whoever is looking. Who may not gets ``ForbiddenError``, and nothing has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger import audit, roster
from rules.ledger.idempotency import is_new
from rules.ledger.rows import ChangeKind, words
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables import roster as tables
from rules.ledger.view import View
from rules.people.people import find
from rules.people.roles import WHOLE_SITE, Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.shifts import checks
from rules.shifts.calendar import WorkingHours
from rules.shifts.calendar_actions import write_hours
from rules.shifts.duty import Leave, LeaveKind, Override, Roster, Team
from rules.shifts.rotation import Shift, ShiftDay


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The standing part of a roster: who forms a team, and which team holds which shift."""

    teams: Sequence[Team]
    shifts: Sequence[Shift]
    anchor: date
    pattern: Sequence[Mapping[str, str]]
    hours: WorkingHours | None = None
    """None: as they are."""


def put_team(ledger: Ledger, site: Site, team: Team, *, actor: Actor, now: Instant) -> Team:
    """Add ``team``, or replace the one with its id. Raises ``NotValidError``."""
    with ledger.write(site.id) as entry:
        before = _teams(entry).get(team.id)
        _require(actor, team.areas)
        if before is not None:
            _require(actor, before.areas)
        checks.refuse(checks.check_team(team, site.areas, roster.staff_of(entry)))
        if not team.members and _is_on_rotation(entry, site, team.id):
            raise NotValidError("members", "the rotation names this team; name somebody")
        _write_team(entry, team)
        roster.note(entry, actor, "team.put", f"team.{team.id}", now, **_told(team))
    return team


def remove_team(ledger: Ledger, site: Site, team_id: str, *, actor: Actor, now: Instant) -> None:
    """Raises ``NotFoundError``; ``ConflictError`` where the rotation names it."""
    require(actor, Permission.EDIT_ROSTER)
    with ledger.write(site.id) as entry:
        found = _teams(entry).get(team_id)
        if found is None:
            raise NotFoundError(f"there is no team {team_id}")
        _require(actor, found.areas)
        if _is_on_rotation(entry, site, team_id):
            raise ConflictError(f"the rotation names the team {team_id}")
        _delete_team(entry, team_id)
        roster.note(entry, actor, "team.remove", f"team.{team_id}", now, **_told(found))


def put_shifts(
    ledger: Ledger,
    site: Site,
    *,
    shifts: Sequence[Shift],
    anchor: date,
    pattern: Sequence[Mapping[str, str]],
    actor: Actor,
    now: Instant,
) -> None:
    """Replace all shifts and the rotation. Raises ``NotValidError``."""
    require(actor, Permission.EDIT_ROSTER, WHOLE_SITE)
    with ledger.write(site.id) as entry:
        teams = _teams(entry)
        _write_shifts(entry, shifts, anchor, pattern, teams)
        told = {"shifts": ",".join(shift.id for shift in shifts), "anchor": anchor.isoformat()}
        days = " ".join(",".join(f"{s}={t}" for s, t in day.items()) for day in pattern)
        roster.note(entry, actor, "shifts.put", "shifts", now, pattern=days, **told)


def put_plan(ledger: Ledger, site: Site, plan: Plan, *, actor: Actor, now: Instant) -> None:
    """Replace teams, shifts, rotation and (where named) working hours, all in one.

    Raises ``NotValidError``.
    """
    require(actor, Permission.EDIT_ROSTER, WHOLE_SITE)
    with ledger.write(site.id) as entry:
        before = _teams(entry)
        staff = roster.staff_of(entry)
        for place, team in enumerate(plan.teams):
            checks.refuse(checks.check_team(team, site.areas, staff), "teams", str(place))
        kept = {team.id: team for team in plan.teams}
        for gone in before.keys() - kept.keys():
            _delete_team(entry, gone)
        for team in plan.teams:
            _write_team(entry, team)
        _write_shifts(entry, plan.shifts, plan.anchor, plan.pattern, kept)
        if plan.hours is not None:
            require(actor, Permission.EDIT_CALENDAR)
            write_hours(entry, plan.hours, now)
        told = {"teams": ",".join(kept), "shifts": ",".join(shift.id for shift in plan.shifts)}
        roster.note(entry, actor, "roster.import", "roster", now, **told)


def add_override(
    ledger: Ledger,
    site: Site,
    *,
    day: date,
    shift: str,
    instead_of: str | None,
    username: str | None,
    reason: str,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> Override:
    """Change one shift of one day: see :class:`Override`.

    Raises ``NotValidError``; ``ConflictError`` where it does not fit who is planned.
    """
    require(actor, Permission.EDIT_ROSTER)
    with ledger.write(site.id) as entry:
        here = roster.roster_of(entry, site, day, day)
        held = _held(here, day, shift)
        _require(actor, here.teams[held.team].areas)
        name = f"{day}.{shift}.{_digest(instead_of or '', username or '')}"
        by = actor.username
        if is_new(entry, idempotency_key, "roster.override", name, by=by, now=now):
            _check_override(here, held, instead_of, username)
            change = entry.changed(ChangeKind.ROSTER, name, now.wall)
            columns = {"date": day, "shift": shift, "instead_of": instead_of, "username": username}
            if not entry.insert_once(
                tables.roster_override,
                id=name,
                change=change,
                reason=reason,
                by=by,
                at=now.wall,
                **columns,
            ):
                raise ConflictError(f"this was said for {day} already, and undone by another")
            told = {"instead_of": instead_of, "username": username, "reason": reason}
            audit.record(entry, actor, "roster.override", name, now.wall, **told)
        return _override(entry, name)


def remove_override(
    ledger: Ledger, site: Site, override_id: str, *, actor: Actor, now: Instant
) -> None:
    """Raises ``NotFoundError``; ``ConflictError`` where a later one builds on it."""
    require(actor, Permission.EDIT_ROSTER)
    with ledger.write(site.id) as entry:
        found = _override(entry, override_id)
        here = roster.roster_of(entry, site, found.date, found.date)
        areas = [here.teams[held.team].areas for held in _of_date(here, found.date, found.shift)]
        _require(actor, *areas)
        for other in here.overrides:
            later = other.shift == found.shift and other.change > found.change
            if later and found.username is not None and other.instead_of == found.username:
                raise ConflictError(f"{other.id} builds on it; remove that one first")
        of = tables.roster_override
        entry.connection.execute(
            delete(of).where(of.c.site_id == entry.site, of.c.id == override_id)
        )
        told = {"instead_of": found.instead_of, "username": found.username}
        roster.note(entry, actor, "roster.override_remove", override_id, now, **told)


def add_leave(
    ledger: Ledger,
    site: Site,
    *,
    username: str,
    first: date,
    last: date,
    kind: LeaveKind,
    reason: str,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> Leave:
    """Raises ``NotValidError``; ``ConflictError`` where they are on leave then already."""
    with ledger.write(site.id) as entry:
        require(actor, Permission.EDIT_ROSTER)
        if last < first:
            raise NotValidError("to", f"{last} is before {first}")
        for wrong, mend in checks.check_person(username, roster.staff_of(entry)):
            raise NotValidError("username", f"{wrong}; {mend}")
        _require(actor, _areas_of(entry, username))
        name = f"{first}.leave.{_digest(username, last.isoformat())}"
        by = actor.username
        if is_new(entry, idempotency_key, "roster.leave", name, by=by, now=now):
            for other in roster.leaves_of(entry, first, last):
                if other.username == username:
                    raise ConflictError(
                        f"{username} is on leave from {other.first} to {other.last} already"
                    )
            columns = {"username": username, "first": first, "last": last, "kind": kind.value}
            entry.insert_once(tables.leave, id=name, reason=reason, by=by, at=now.wall, **columns)
            told = {"username": username, "to": last.isoformat(), "kind": kind.value}
            roster.note(entry, actor, "roster.leave", name, now, reason=reason, **told)
        return _leave(entry, name)


def remove_leave(ledger: Ledger, site: Site, leave_id: str, *, actor: Actor, now: Instant) -> None:
    """Raises ``NotFoundError``."""
    with ledger.write(site.id) as entry:
        require(actor, Permission.EDIT_ROSTER)
        found = _leave(entry, leave_id)
        _require(actor, _areas_of(entry, found.username))
        entry.connection.execute(
            delete(tables.leave).where(
                tables.leave.c.site_id == entry.site, tables.leave.c.id == leave_id
            )
        )
        told = {"username": found.username, "to": found.last.isoformat()}
        roster.note(entry, actor, "roster.leave_remove", leave_id, now, **told)


def _require(actor: Actor, *areas: Collection[str]) -> None:
    """The actor may edit the roster in each of ``areas``; none in one of them: the whole site."""
    require(actor, Permission.EDIT_ROSTER)
    for area in {area for some in areas for area in some or (WHOLE_SITE,)}:
        require(actor, Permission.EDIT_ROSTER, area)


def _areas_of(entry: Entry, username: str) -> Collection[str]:
    """Where somebody works; empty: everywhere on the site."""
    found = find(View(connection=entry.connection, site=entry.site), username)
    return () if found is None else found.areas


def _teams(entry: Entry) -> dict[str, Team]:
    return {team.id: team for team in roster.teams_of(entry)}


def _is_on_rotation(entry: Entry, site: Site, team_id: str) -> bool:
    rotation = roster.rotation_of(entry, site.zone)
    return rotation is not None and any(team_id in day.values() for day in rotation.pattern)


def _told(team: Team) -> dict[str, str | None]:
    """``team`` as the audit keeps it."""
    return {
        "name": team.name.zh,
        "areas": ",".join(team.areas),
        "members": ",".join(team.members),
        "leader": team.leader,
    }


def _write_team(entry: Entry, team: Team) -> None:
    row = {
        "id": team.id,
        "name": words(team.name),
        "areas": list(team.areas),
        "leader": team.leader,
    }
    entry.put(tables.team, [row])
    _delete_members(entry, team.id)
    entry.put(
        tables.team_member,
        [
            {"team": team.id, "username": username, "position": position}
            for position, username in enumerate(team.members)
        ],
    )


def _delete_team(entry: Entry, team_id: str) -> None:
    _delete_members(entry, team_id)
    team = tables.team
    entry.connection.execute(delete(team).where(team.c.site_id == entry.site, team.c.id == team_id))


def _delete_members(entry: Entry, team_id: str) -> None:
    member = tables.team_member
    entry.connection.execute(
        delete(member).where(member.c.site_id == entry.site, member.c.team == team_id)
    )


def _write_shifts(
    entry: Entry,
    shifts: Sequence[Shift],
    anchor: date,
    pattern: Sequence[Mapping[str, str]],
    teams: Mapping[str, Team],
) -> None:
    checks.refuse(checks.check_shifts(shifts), "items")
    ids = [shift.id for shift in shifts]
    checks.refuse(checks.check_pattern(pattern, ids, teams), "rotation", "pattern")
    members = {team.id: team.members for team in teams.values()}
    checks.refuse(checks.check_held(pattern, members), "rotation", "pattern")
    entry.connection.execute(delete(tables.shift).where(tables.shift.c.site_id == entry.site))
    entry.put(
        tables.shift,
        [
            {
                "id": shift.id,
                "name": words(shift.name),
                "starts": shift.starts,
                "ends": shift.ends,
                "minimum": shift.minimum,
            }
            for shift in shifts
        ],
    )
    row = {"anchor": anchor, "pattern": [dict(day) for day in pattern]}
    entry.put(tables.rotation, [row])


def _of_date(here: Roster, day: date, shift: str) -> list[ShiftDay]:
    rotation = here.rotation
    return [] if rotation is None else [d for d in rotation.of_date(day) if d.shift.id == shift]


def _held(here: Roster, day: date, shift: str) -> ShiftDay:
    for found in _of_date(here, day, shift):
        return found
    raise NotValidError("shift", f"no shift {shift!r} is held on {day}")


def _check_override(
    here: Roster, held: ShiftDay, instead_of: str | None, username: str | None
) -> None:
    """It names somebody of the site who can come, and somebody who would have come."""
    if instead_of is None and username is None:
        raise NotValidError("username", "nobody is named")
    planned = here.planned(held)
    if username is not None:
        staff = {name: person.active for name, person in here.people.items()}
        for wrong, mend in checks.check_person(username, staff):
            raise NotValidError("username", f"{wrong}; {mend}")
        if username in planned:
            raise ConflictError(f"{username} is on this shift already")
    if instead_of is not None and instead_of not in planned:
        raise ConflictError(f"{instead_of} is not on this shift")


def _override(entry: Entry, override_id: str) -> Override:
    of = tables.roster_override
    query = select(of).where(of.c.site_id == entry.site, of.c.id == override_id)
    row = entry.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no override {override_id}")
    return roster.override_of(row)


def _leave(entry: Entry, leave_id: str) -> Leave:
    query = select(tables.leave).where(
        tables.leave.c.site_id == entry.site, tables.leave.c.id == leave_id
    )
    row = entry.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no leave {leave_id}")
    return roster.leave_of(row)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]

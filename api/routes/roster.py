"""The roster: who is on duty, teams, shifts and their rotation, overrides, leave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from api.auth import Visitor
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import roster as models
from api.problems import ProblemException, described
from api.views import roster as views
from api.views import words
from gateway.model.point import Text
from rules.ledger import roster as stored
from rules.people.roles import Permission
from rules.shifts import actions, duty
from rules.shifts.local_time import date_of, minute_of
from rules.shifts.rotation import Shift

router = APIRouter(tags=["roster"], dependencies=[Depends(get_visitor)])

_MOST_DAYS = 62
_READS = described(401, 422, 503)
_WRITES = described(401, 403, 404, 409, 422, 503)
_AHEAD = timedelta(days=400)
"""The longest pattern: the next shift is not further away."""

First = Annotated[models.Day, Query(alias="from", description="The first day.")]
Last = Annotated[models.Day, Query(alias="to", description="The last day.")]
TeamPath = Annotated[models.TeamId, Path()]


@router.get("/duty", responses=described(401, 503))
async def duty_now(desk: DeskNeeded, visitor: VisitorNeeded) -> models.Duty:
    """Who is on duty now, and who comes next."""
    now = desk.clock.now().wall
    zone = desk.site.zone
    today = date_of(now, zone)

    def work(view: stored.Source) -> tuple[duty.Duty | None, duty.Duty | None]:
        first, last = today - timedelta(days=1), today + _AHEAD
        here = stored.roster_of(view, desk.site, first, last)
        return here.at(now), here.after(now)

    current, coming = await desk.read(work)
    shown = _views(desk, visitor)
    return models.Duty(
        at=words.moment(now, zone),
        shift=shown.shift_now(current),
        next=shown.shift_now(coming),
        outgoing=None,
    )


@router.get("/roster", responses=_READS)
async def roster(
    desk: DeskNeeded, visitor: VisitorNeeded, first: First, last: Last
) -> models.RosterPage:
    """The shifts that start on these days, in order; at most 62 days."""
    _check_days(first, last)
    found = await desk.read(
        lambda view: list(stored.roster_of(view, desk.site, first, last).between(first, last))
    )
    shown = _views(desk, visitor)
    return models.RosterPage(items=[shown.shift_day(held) for held in found])


@router.get("/roster/overrides", responses=_READS)
async def overrides(desk: DeskNeeded, first: First, last: Last) -> models.Overrides:
    """What was changed for these days."""
    found = await desk.read(lambda view: stored.overrides_of(view, first, last))
    return models.Overrides(items=[views.override(one, desk.site.zone) for one in found])


@router.post("/roster/overrides", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def add_override(
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.OverrideNew,
    idempotency_key: IdempotencyKey = None,
) -> models.Override:
    """Change who comes to one shift of one day. It is written before this answers."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: actions.add_override(
            desk.ledger,
            desk.site,
            day=body.date,
            shift=body.shift,
            instead_of=body.instead_of,
            username=body.username,
            reason=body.reason,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return views.override(done, desk.site.zone)


@router.delete(
    "/roster/overrides/{override_id}",
    status_code=204,
    dependencies=[SameOrigin],
    responses=_WRITES,
)
async def remove_override(desk: DeskNeeded, actor: ActorNeeded, override_id: Id) -> Response:
    """Take a change back."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.remove_override(desk.ledger, desk.site, override_id, actor=actor, now=now)
    )
    return Response(status_code=204)


@router.get("/roster/leaves", responses=_READS)
async def leaves(
    desk: DeskNeeded, visitor: VisitorNeeded, first: First, last: Last
) -> models.Leaves:
    """Who is on leave on at least one of these days. Why is told to who may edit the roster, and
    to oneself."""
    found = await desk.read(lambda view: stored.leaves_of(view, first, last))
    is_told = visitor.actor.may(Permission.EDIT_ROSTER)
    own = visitor.user.username
    return models.Leaves(
        items=[
            views.leave(one, desk.site.zone, is_told=is_told or one.username == own)
            for one in found
        ]
    )


@router.post("/roster/leaves", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def add_leave(
    desk: DeskNeeded,
    actor: ActorNeeded,
    body: models.LeaveNew,
    idempotency_key: IdempotencyKey = None,
) -> models.Leave:
    """Enter leave; an override says who stands in."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: actions.add_leave(
            desk.ledger,
            desk.site,
            username=body.username,
            first=body.first,
            last=body.last,
            kind=duty.LeaveKind(body.kind),
            reason=body.reason,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return views.leave(done, desk.site.zone, is_told=True)


@router.delete(
    "/roster/leaves/{leave_id}", status_code=204, dependencies=[SameOrigin], responses=_WRITES
)
async def remove_leave(desk: DeskNeeded, actor: ActorNeeded, leave_id: Id) -> Response:
    """Take leave back."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.remove_leave(desk.ledger, desk.site, leave_id, actor=actor, now=now)
    )
    return Response(status_code=204)


@router.get("/teams", responses=described(401, 503))
async def teams(desk: DeskNeeded) -> models.Teams:
    """The teams, with the areas they answer for."""
    found = await desk.read(stored.teams_of)
    return models.Teams(items=[views.team(one) for one in found])


@router.put("/teams/{team_id}", dependencies=[SameOrigin], responses=_WRITES)
async def put_team(
    desk: DeskNeeded, actor: ActorNeeded, team_id: TeamPath, body: models.TeamBody
) -> models.Team:
    """Add a team, or replace it."""
    now = desk.clock.now()
    given = duty.Team(
        id=team_id,
        name=_text(body.name),
        areas=tuple(body.areas),
        members=tuple(body.members),
        leader=body.leader,
    )
    done = await desk.in_ledger(
        lambda: actions.put_team(desk.ledger, desk.site, given, actor=actor, now=now)
    )
    return views.team(done)


@router.delete("/teams/{team_id}", status_code=204, dependencies=[SameOrigin], responses=_WRITES)
async def remove_team(desk: DeskNeeded, actor: ActorNeeded, team_id: TeamPath) -> Response:
    """Remove a team that the rotation does not name."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.remove_team(desk.ledger, desk.site, team_id, actor=actor, now=now)
    )
    return Response(status_code=204)


@router.get("/shifts", responses=described(401, 503))
async def shifts(desk: DeskNeeded) -> models.Shifts:
    """The shifts of a day, and the rotation of the teams through them."""
    zone = desk.site.zone
    found, rotation = await desk.read(
        lambda view: (stored.shifts_of(view), stored.rotation_of(view, zone))
    )
    return views.shifts(found, rotation, zone, desk.clock.now().wall)


@router.put("/shifts", dependencies=[SameOrigin], responses=_WRITES)
async def put_shifts(
    desk: DeskNeeded, actor: ActorNeeded, body: models.ShiftsBody
) -> models.Shifts:
    """Replace all shifts and the rotation."""
    now = desk.clock.now()
    given = tuple(_shift(shift) for shift in body.items)
    await desk.in_ledger(
        lambda: actions.put_shifts(
            desk.ledger,
            desk.site,
            shifts=given,
            anchor=body.rotation.anchor,
            pattern=body.rotation.pattern,
            actor=actor,
            now=now,
        )
    )
    return await shifts(desk)


def _views(desk: Desk, visitor: Visitor) -> views.RosterViews:
    return views.RosterViews(
        zone=desk.site.zone, sees_people=visitor.actor.may(Permission.VIEW_PEOPLE)
    )


def _check_days(first: date, last: date) -> None:
    if not 1 <= views.days(first, last) <= _MOST_DAYS:
        raise ProblemException(422, f"From {first} to {last} are not 1 to {_MOST_DAYS} days.")


def _text(given: models.NewText) -> Text:
    return Text(zh=given.zh, en=given.en)


def _shift(given: models.ShiftBody) -> Shift:
    return Shift(
        id=given.id,
        name=_text(given.name),
        starts=minute_of(given.starts),
        ends=minute_of(given.ends),
        minimum=given.minimum,
    )

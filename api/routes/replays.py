"""Replays: a rule with another limit over the history, as a job."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query

from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    IdempotencyKey,
    JobsThere,
    SameOrigin,
    get_visitor,
)
from api.models import rules as models
from api.problems import ProblemException, described
from api.views import rules as views
from gateway.model.moment import DAY, SECOND
from rules.actions import replays as actions
from rules.ledger import jobs
from rules.ledger.jobs import Job, JobKind
from rules.people.roles import Permission, require
from rules.refusals import ConflictError
from rules.replay.work import Trial

router = APIRouter(tags=["rules"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


@router.post("/replays", status_code=201, dependencies=[SameOrigin], responses=_WRITES)
async def begin_replay(
    desk: DeskNeeded,
    running: JobsThere,
    actor: ActorNeeded,
    body: models.ReplayBody,
    idempotency_key: IdempotencyKey = None,
) -> models.Replay:
    """Begin one. It runs in a process of its own; one at a time."""
    require(actor, Permission.EDIT_RULES)
    if running is None:
        raise ConflictError("nothing here runs long jobs")
    now = desk.clock.now()
    trial = Trial(
        rule=body.rule,
        equipment=body.equipment,
        limit=body.limit,
        delay=None if body.delay_s is None else round(body.delay_s * SECOND),
    )
    job, is_new = await desk.in_ledger(
        lambda: actions.begin(
            desk.ledger,
            desk.site,
            desk.rulebook,
            trial,
            start=now.wall - body.days * DAY,
            end=now.wall,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    if is_new:
        await to_thread.run_sync(running.start, job.id)
    return views.replay(job, desk.site.zone)


@router.get("/replays", responses=described(401, 422, 503))
async def replays(
    desk: DeskNeeded, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> models.Replays:
    """The newest ones first."""
    wall = desk.clock.now().wall
    found = await desk.read(lambda view: jobs.newest(view, JobKind.REPLAY, limit, wall))
    return models.Replays(items=[views.replay(job, desk.site.zone) for job in found])


@router.get("/replays/{replay_id}", responses=described(401, 404, 422, 503))
async def replay(desk: DeskNeeded, replay_id: Id) -> models.Replay:
    """One with its progress, and its result when it is done."""
    wall = desk.clock.now().wall
    found = await desk.read(lambda view: jobs.job_with(view, replay_id, wall))
    if found is None or found.kind is not JobKind.REPLAY:
        raise ProblemException(404, f"There is no replay {replay_id}.")
    return views.replay(found, desk.site.zone)


@router.post("/replays/{replay_id}/cancel", dependencies=[SameOrigin], responses=_WRITES)
async def cancel_replay(desk: DeskNeeded, actor: ActorNeeded, replay_id: Id) -> models.Replay:
    """Ask for its end; it comes within seconds."""
    now = desk.clock.now()
    found: Job = await desk.in_ledger(
        lambda: actions.cancel(desk.ledger, desk.site.id, replay_id, actor=actor, now=now)
    )
    return views.replay(found, desk.site.zone)

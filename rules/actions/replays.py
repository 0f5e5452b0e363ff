"""What a person may do with a replay; see the package."""

from __future__ import annotations

from dataclasses import asdict

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger import audit, jobs, overrides
from rules.ledger.idempotency import is_new
from rules.ledger.jobs import Job, JobKind, JobState
from rules.ledger.store import Ledger
from rules.overrides import applied
from rules.people.roles import WHOLE_SITE, Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.replay.work import LONGEST, Trial, altered
from rules.rule import Rulebook


def begin(
    ledger: Ledger,
    site: Site,
    rulebook: Rulebook,
    trial: Trial,
    *,
    start: int,
    end: int,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> tuple[Job, bool]:
    """The job, and whether its process is to be started: a repeated request starts none.

    Raises as :func:`rules.replay.work.altered` does; ``ConflictError`` while another one runs, or
    where the replay of the key is not kept any more.
    """
    require(actor, Permission.EDIT_RULES, WHOLE_SITE)
    if not start < end <= now.wall or end - start > LONGEST:
        raise NotValidError("days", "a replay is of the past, and of 92 days at most")
    with ledger.write(site.id) as entry:
        altered(applied(rulebook, site, overrides.load(entry)), site, trial)
        by = actor.username
        name = jobs.name_of(JobKind.REPLAY, idempotency_key, by=by, now=now)
        is_first = is_new(entry, idempotency_key, "replay.begin", trial.rule, by=by, now=now)
        if is_first:
            jobs.give_up(entry, now)
            if jobs.is_any_running(entry, JobKind.REPLAY):
                raise ConflictError("another replay is running: wait for it, or cancel it")
            params = {"from": start, "to": end, **asdict(trial)}
            jobs.begin(entry, name, JobKind.REPLAY, params, by=by, now=now)
            audit.record(entry, actor, "replay.begin", name, now.wall, rule=trial.rule)
        job = jobs.job_with(entry, name, now.wall)
    if job is None:
        kept = f"only the newest {jobs.KEPT} are kept"
        raise ConflictError(f"this replay was begun and is gone, {kept}: begin it with another key")
    return job, is_first


def cancel(ledger: Ledger, site: str, name: str, *, actor: Actor, now: Instant) -> Job:
    """Ask for its end; it comes within seconds. Raises ``NotFoundError`` or ``ConflictError``."""
    require(actor, Permission.EDIT_RULES, WHOLE_SITE)
    with ledger.write(site) as entry:
        jobs.give_up(entry, now)
        job = jobs.job_with(entry, name, now.wall)
        if job is None or job.kind is not JobKind.REPLAY:
            raise NotFoundError(f"there is no replay {name}")
        if job.state is not JobState.RUNNING:
            raise ConflictError(f"{name} is {job.state.value}")
        if not job.cancel:
            jobs.cancel(entry, name)
            audit.record(entry, actor, "replay.cancel", name, now.wall)
        job = jobs.job_with(entry, name, now.wall)
    assert job is not None
    return job

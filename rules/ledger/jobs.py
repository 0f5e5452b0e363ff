"""Long jobs as rows: a process of its own does one, says how far it is, and is asked to end.

Whoever asks for a job sees whether its process still says something; one that does not has ended
with it, and is ``interrupted``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from gateway.model.moment import MINUTE, Instant, stamp
from rules.ledger.store import Entry
from rules.ledger.tables.rules import job
from rules.ledger.view import View

SILENT = MINUTE
"""µs without a word after which the process of a job counts as gone."""
KEPT = 50
"""Of each kind so many are kept, the newest; a result of some months is long."""


class JobKind(StrEnum):
    REPLAY = "replay"
    REGISTER_IMPORT = "register_import"


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Its process is gone; nothing is known of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    id: str
    kind: JobKind
    state: JobState
    progress: float
    """0 to 1."""
    cancel: bool
    params: Mapping[str, Any]
    result: Mapping[str, Any] | None
    detail: str | None
    by: str
    created_at: int
    ended_at: int | None


def name_of(kind: JobKind, key: str | None, *, by: str, now: Instant) -> str:
    """Of a new job; the same ``key`` of somebody again is the same one."""
    if key is None:
        return f"{kind.value}-{stamp(now.wall)}"
    digest = hashlib.sha256(f"{by}\0{key}".encode()).hexdigest()
    return f"{kind.value}-{digest[:16]}"


def begin(
    entry: Entry, name: str, kind: JobKind, params: Mapping[str, Any], *, by: str, now: Instant
) -> None:
    """A job ``name`` that is about to be done. Of those before it the oldest are forgotten."""
    entry.connection.execute(
        insert(job).values(
            site_id=entry.site,
            id=name,
            kind=kind.value,
            state=JobState.RUNNING.value,
            progress=0.0,
            cancel=False,
            params=dict(params),
            by=by,
            created_at=now.wall,
            heard_at=now.wall,
        )
    )
    _forget_oldest(entry, kind)


def _forget_oldest(entry: Entry, kind: JobKind) -> None:
    of = job.c
    mine = (of.site_id == entry.site, of.kind == kind.value)
    kept = select(of.id).where(*mine).order_by(of.created_at.desc(), of.id.desc()).limit(KEPT)
    names = entry.connection.scalars(kept).all()
    entry.connection.execute(
        delete(job).where(*mine, of.id.not_in(names), of.state != JobState.RUNNING.value)
    )


def tell(entry: Entry, name: str, progress: float, now: Instant) -> bool:
    """Say how far it is; whether it is still wanted."""
    of = job.c
    row = entry.connection.execute(
        update(job)
        .where(of.site_id == entry.site, of.id == name, of.state == JobState.RUNNING.value)
        .values(progress=progress, heard_at=now.wall)
        .returning(of.cancel)
    ).first()
    return row is not None and not row.cancel


def finish(
    entry: Entry,
    name: str,
    state: JobState,
    now: Instant,
    *,
    result: Mapping[str, Any] | None = None,
    detail: str | None = None,
) -> None:
    """It has ended; one that has ended before stays as it is."""
    of = job.c
    changed: dict[str, Any] = {"state": state.value, "ended_at": now.wall, "detail": detail}
    if result is not None:
        changed["result"] = dict(result)
    if state is JobState.DONE:
        changed["progress"] = 1.0
    entry.connection.execute(
        update(job)
        .where(of.site_id == entry.site, of.id == name, of.state == JobState.RUNNING.value)
        .values(changed)
    )


def cancel(entry: Entry, name: str) -> None:
    """Ask for its end."""
    of = job.c
    entry.connection.execute(
        update(job).where(of.site_id == entry.site, of.id == name).values(cancel=True)
    )


def give_up(entry: Entry, now: Instant) -> None:
    """Those whose process has said nothing for :data:`SILENT`."""
    of = job.c
    entry.connection.execute(
        update(job)
        .where(
            of.site_id == entry.site,
            of.state == JobState.RUNNING.value,
            of.heard_at < now.wall - SILENT,
        )
        .values(state=JobState.INTERRUPTED.value, ended_at=now.wall)
    )


def is_any_running(source: View | Entry, kind: JobKind) -> bool:
    of = job.c
    found = source.connection.execute(
        select(of.id).where(
            of.site_id == source.site,
            of.kind == kind.value,
            of.state == JobState.RUNNING.value,
        )
    )
    return found.first() is not None


def newest(source: View | Entry, kind: JobKind, limit: int, wall: int) -> list[Job]:
    """As they stand at ``wall`` (µs UTC)."""
    of = job.c
    rows = source.connection.execute(
        select(job)
        .where(of.site_id == source.site, of.kind == kind.value)
        .order_by(of.created_at.desc(), of.id.desc())
        .limit(limit)
    ).mappings()
    return [_job(row, wall) for row in rows]


def job_with(source: View | Entry, name: str, wall: int) -> Job | None:
    """As it stands at ``wall`` (µs UTC)."""
    of = job.c
    row = (
        source.connection.execute(select(job).where(of.site_id == source.site, of.id == name))
        .mappings()
        .first()
    )
    return None if row is None else _job(row, wall)


def _job(row: RowMapping, wall: int) -> Job:
    state = JobState(row["state"])
    if state is JobState.RUNNING and row["heard_at"] < wall - SILENT:
        state = JobState.INTERRUPTED
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        state=state,
        progress=row["progress"],
        cancel=row["cancel"],
        params=row["params"],
        result=row["result"],
        detail=row["detail"],
        by=row["by"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )

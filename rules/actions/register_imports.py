"""What a person may do with a workbook of the register; see the package.

The work itself is a job in a process of its own: reading a large workbook would hold up whoever
polls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.model.moment import Instant
from rules.ledger import jobs
from rules.ledger.idempotency import is_new
from rules.ledger.jobs import Job, JobKind
from rules.ledger.store import Ledger
from rules.people.roles import Actor, Permission, Role, Via, require
from rules.refusals import ConflictError


def begin(
    ledger: Ledger,
    site: str,
    workbook: bytes,
    *,
    dry_run: bool,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> tuple[Job, bool]:
    """The job, and whether its process is to be started: a repeated request starts none.

    Raises ``ForbiddenError``, and ``ConflictError`` while another one runs or where the job of the
    key is not kept any more.
    """
    require(actor, Permission.EDIT_REGISTER)
    kind, by = JobKind.REGISTER_IMPORT, actor.username
    sha256 = hashlib.sha256(workbook).hexdigest()
    with ledger.write(site) as entry:
        name = jobs.name_of(kind, idempotency_key, by=by, now=now)
        about = f"{sha256} {dry_run}"
        is_first = is_new(entry, idempotency_key, "register_import.begin", about, by=by, now=now)
        if is_first:
            jobs.give_up(entry, now)
            if jobs.is_any_running(entry, kind):
                raise ConflictError("another workbook is being taken in: wait for it")
            params = {"sha256": sha256, "dry_run": dry_run, "actor": _said(actor)}
            jobs.begin(entry, name, kind, params, by=by, now=now)
        job = jobs.job_with(entry, name, now.wall)
    if job is None:
        kept = f"only the newest {jobs.KEPT} are kept"
        raise ConflictError(f"this import was begun and is gone, {kept}: begin it with another key")
    return job, is_first


def actor_of(params: Mapping[str, Any]) -> Actor:
    """Whose job it is, with what they might do when they asked for it."""
    said = params["actor"]
    return Actor(
        username=said["username"],
        role=Role(said["role"]),
        areas=frozenset(said["areas"]),
        via=Via(said["via"]),
        at_session_of=said["at_session_of"],
    )


def _said(actor: Actor) -> dict[str, Any]:
    return {
        "username": actor.username,
        "role": actor.role.value,
        "areas": sorted(actor.areas),
        "via": actor.via.value,
        "at_session_of": actor.at_session_of,
    }

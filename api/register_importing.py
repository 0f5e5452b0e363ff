"""A workbook that was sent to the register, taken in by a process of its own (``job_work``)."""

from __future__ import annotations

import hashlib

from api import job_work, register_workbook
from api.job_work import Told
from api.views import register as views
from gateway.clock import Clock
from gateway.model.equipment import Site
from rules.actions.act import Act
from rules.actions.register_imports import actor_of
from rules.ledger.jobs import Job
from rules.ledger.store import Ledger
from rules.refusals import NotValidError
from rules.register import actions
from rules.register.actions import NotRightError
from rules.register.sheets import Import
from rules.rule import Rulebook


def do(
    name: str, workbook: bytes, *, site: Site, rulebook: Rulebook, ledger: Ledger, clock: Clock
) -> None:
    """The job ``name`` from its row to its end: what the workbook has changed, or would change, or
    every mistake in it."""

    def take(job: Job, told: Told) -> dict[str, object]:
        sha256, dry_run = job.params["sha256"], job.params["dry_run"]
        if hashlib.sha256(workbook).hexdigest() != sha256:
            raise NotValidError("file", "has not come whole")
        told(0.1)
        sheets = register_workbook.cells(workbook)
        told(0.5)
        if dry_run:
            with ledger.read(site.id) as view:
                found = actions.would_change(view, site, rulebook.register, sheets)
        else:
            act = Act(ledger, site.id, sha256, actor_of(job.params), clock.now())
            try:
                found = actions.take_in(act, site, rulebook.register, sheets)
            except NotRightError as error:
                found = Import(changed=(), unchanged=0, errors=error.errors)
        done = not dry_run and not found.errors
        return views.imported(found, done=done).model_dump(mode="json")

    job_work.do(name, site.id, ledger, take)

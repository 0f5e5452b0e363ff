"""A replay that was begun from the page, done in its own process (``job_work``)."""

from __future__ import annotations

from api import job_work
from api.job_work import Told
from api.views.rules import replay_result
from gateway.history.base import History
from gateway.model.equipment import Site
from rules.ledger import overrides
from rules.ledger.jobs import Job
from rules.ledger.raised import raised
from rules.ledger.store import Ledger
from rules.overrides import applied
from rules.replay import work
from rules.replay.work import Trial
from rules.rule import Rulebook


def do(name: str, *, site: Site, rulebook: Rulebook, ledger: Ledger, history: History) -> None:
    """The job ``name`` from its row to its end, whatever that is."""

    def replay(job: Job, told: Told) -> dict[str, object]:
        params = job.params
        trial = Trial(
            rule=params["rule"],
            equipment=params["equipment"],
            limit=params["limit"],
            delay=params["delay"],
        )
        with ledger.read(site.id) as view:
            kept = overrides.load(view)
            found = raised(view, [trial.rule], params["from"] - work.RUN_UP, params["to"])
        report = work.run(
            site,
            work.altered(applied(rulebook, site, kept), site, trial),
            [trial.rule],
            history,
            raised=found,
            start=params["from"],
            end=params["to"],
            told=told,
        )
        return replay_result(report, site.zone).model_dump(mode="json", by_alias=True)

    job_work.do(name, site.id, ledger, replay)

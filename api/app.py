"""The web application: what is put together for it, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path

from fastapi import FastAPI

from api import problems, refusals
from api.auth import Sessions
from api.demo import Demo
from api.desk import Desk
from api.edge import Edge
from api.jobs import Jobs
from api.live import Live
from api.provisional import Provisional
from api.refusals import Refusals
from api.routes import (
    alarm_figures,
    alarms,
    attachments,
    audit,
    calendar,
    commands,
    contractor,
    demo_faults,
    equipment,
    handovers,
    kiosks,
    links,
    machine,
    notices,
    offline,
    order_figures,
    orders,
    out_of_service,
    page,
    people,
    places,
    planned_tests,
    plans,
    profiles,
    regimes,
    register,
    replays,
    requests,
    roster,
    round_records,
    rounds,
    rules,
    run_hours,
    session,
    sessions,
    shift_log,
    site,
    stream,
    tokens,
    trust,
)
from api.tls.in_force import Tls
from api.uses import Uses
from api.wishes import Wishes
from gateway.bus.questions import Questions
from gateway.clock import Clock
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules.attached_files import AttachedFiles
from rules.contractor_link import Links
from rules.ledger.store import Ledger
from rules.rule import Rulebook

_DESCRIPTION = """Watching and bookkeeping for the engineering duty room of a compound.

Log in first: `POST /api/v1/login` gives the cookie that every other call needs. Every error is a
problem as RFC 9457 has it. Every value carries its quality; one that is not there is null.
"""


def create_app(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    history: History,
    latest: Latest,
    clock: Clock,
    questions: Questions,
    secure: bool,
    attached: AttachedFiles,
    link_key: bytes,
    jobs: Jobs | None = None,
    hsts: bool | None = None,
    demo: Demo | None = None,
    tls: Tls | None = None,
    plain_port: int = 0,
    tls_port: int = 0,
    static: Path = page.STATIC,
) -> FastAPI:
    """The application over the parts given.

    ``secure``: it is reached by HTTPS. ``attached``: where photographs lie. ``link_key``: what
    contractors' links are made with. ``jobs``: what runs long jobs, if anything does.
    ``static``: the folder of the built page. ``hsts``: browsers are told to come by HTTPS only
    (None: as ``secure``); never with a certificate of our own, whose plain port at the same host
    they would not find any more. ``demo``: what a demonstration has beside the product. ``tls``:
    our own certificate, with the ports of HTTPS and of what leads there.

    The live stream runs as long as the application does (its lifespan).
    """
    app = described_app()
    desk = Desk(
        site=site,
        rulebook=rulebook,
        ledger=ledger,
        history=history,
        latest=latest,
        provisional=Provisional(site.id, clock),
        clock=clock,
        questions=questions,
        attached=attached,
        links=Links(key=link_key, lasts=rulebook.order_book.contractor_link),
    )
    app.state.desk = desk
    app.state.jobs = jobs
    app.state.demo = demo
    app.state.tls, app.state.plain_port, app.state.tls_port = tls, plain_port, tls_port
    app.state.sessions = Sessions(desk, secure=secure)
    app.state.refusals = Refusals(desk)
    app.state.wishes = Wishes(clock)
    app.state.uses = Uses(clock)
    app.state.live = Live(desk, app.state.sessions)
    page.install(app, static)
    app.add_middleware(Edge, secure=secure if hsts is None else hsts)
    return app


def described_app() -> FastAPI:
    """The routes with nothing behind them: enough to describe the API."""
    app = FastAPI(
        title="值班室 dutyroom",
        version=_version(),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan,
    )
    problems.install(app)
    refusals.install(app)
    for subject in (
        session,
        site,
        equipment,
        register,
        run_hours,
        links,
        profiles,
        commands,
        # Before the alarms: among their ids nothing else is looked for.
        alarm_figures,
        alarms,
        out_of_service,
        planned_tests,
        order_figures,
        orders,
        attachments,
        contractor,
        requests,
        places,
        notices,
        roster,
        shift_log,
        handovers,
        calendar,
        regimes,
        rounds,
        round_records,
        offline,
        plans,
        rules,
        replays,
        stream,
        people,
        sessions,
        tokens,
        kiosks,
        audit,
        demo_faults,
    ):
        app.include_router(subject.router, prefix="/api/v1")
    app.include_router(places.public, prefix="/api/v1")
    app.include_router(contractor.public, prefix="/api/v1")
    app.include_router(kiosks.public, prefix="/api/v1")
    app.include_router(machine.router)
    app.include_router(trust.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    live: Live = app.state.live
    running = asyncio.create_task(live.run())
    try:
        yield
    finally:
        live.end()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _version() -> str:
    try:
        return metadata.version("dutyroom")
    except metadata.PackageNotFoundError:
        return "0+source"

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
from api.desk import Desk
from api.edge import Edge
from api.live import Live
from api.provisional import Provisional
from api.refusals import Refusals
from api.routes import (
    alarms,
    audit,
    calendar,
    equipment,
    machine,
    orders,
    page,
    people,
    roster,
    rounds,
    session,
    sessions,
    site,
    stream,
    tokens,
)
from gateway.clock import Clock
from gateway.history.base import History
from gateway.latest import Latest
from gateway.model.equipment import Site
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
    secure: bool,
    static: Path = page.STATIC,
) -> FastAPI:
    """The application over the parts given.

    ``secure``: it is reached by HTTPS. ``static``: the folder of the built page.

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
    )
    app.state.desk = desk
    app.state.sessions = Sessions(desk, secure=secure)
    app.state.refusals = Refusals(desk)
    app.state.live = Live(desk, app.state.sessions)
    page.install(app, static)
    app.add_middleware(Edge, secure=secure)
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
        alarms,
        orders,
        roster,
        calendar,
        rounds,
        stream,
        people,
        sessions,
        tokens,
        audit,
    ):
        app.include_router(subject.router, prefix="/api/v1")
    app.include_router(machine.router)
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

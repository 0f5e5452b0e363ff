"""The duty room of the API's tests, and the ways into it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_room import PASSWORD, Room, Served, log_in, serving
from fastapi import FastAPI
from starlette.testclient import TestClient

import api.app
from gateway.clock import ManualClock
from gateway.history.embedded import EmbeddedHistory
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.site.files import load
from rules.attached_files import AttachedFiles
from rules.ledger.store import open_ledger
from rules.people.accounts import ensure_admin
from rules.rule import Rulebook
from rules.rulebook import load_rulebook
from rules.worker import Worker

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "site.yaml"


@pytest.fixture(scope="session", autouse=True)
def routes_made_once() -> Iterator[None]:
    """An application of a test has routes that are made already: FastAPI makes those of each
    application at its first request, which takes longer than most tests. What differs between two
    of them is in their state."""
    described_app = api.app.described_app
    made = described_app()

    def with_made_routes() -> FastAPI:
        app = described_app()
        app.router.routes[:] = made.router.routes
        return app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.app, "described_app", with_made_routes)
        yield


@pytest.fixture(scope="session")
def site() -> Site:
    return load(DEMO)


@pytest.fixture(scope="session")
def rulebook(site: Site) -> Rulebook:
    return load_rulebook(site)


def the_clock() -> ManualClock:
    return ManualClock(1_763_719_200_000_000, mono=1_000_000_000)


@pytest.fixture(scope="session")
def new_ledger(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that knows the admin and nothing else, to be copied: making one takes longer than
    most tests."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledger = open_ledger(file)
    ensure_admin(ledger, site.id, the_clock().now(), PASSWORD)
    ledger.close()
    return file


@pytest.fixture
def room(site: Site, rulebook: Rulebook, new_ledger: Path, tmp_path: Path) -> Iterator[Room]:
    clock = the_clock()
    ledger = open_ledger(shutil.copy(new_ledger, tmp_path / "ledger.db"))
    history = EmbeddedHistory(tmp_path / "history.db")
    worker = Worker(site=site, rulebook=rulebook, ledger=ledger)
    worker.load()
    yield Room(
        site=site,
        rulebook=rulebook,
        ledger=ledger,
        history=history,
        latest=Latest(site),
        clock=clock,
        worker=worker,
        attached=AttachedFiles(tmp_path / "attachments", reserve=0),
    )
    history.close()
    ledger.close()


@pytest.fixture
def visitor(room: Room) -> Iterator[TestClient]:
    """Somebody who has not logged in."""
    with TestClient(room.app()) as client:
        yield client


@pytest.fixture
def client(visitor: TestClient) -> TestClient:
    """Somebody who has."""
    log_in(visitor)
    return visitor


@pytest.fixture
def served(room: Room, free_port: int) -> Iterator[Served]:
    with serving(room, free_port) as found:
        yield found

"""The duty room of the API's tests, and the ways into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_room import PASSWORD, Room, Served, log_in, serving
from starlette.testclient import TestClient

from gateway.clock import ManualClock
from gateway.history.embedded import EmbeddedHistory
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.site import load
from rules.ledger.store import open_ledger
from rules.people.accounts import ensure_admin
from rules.rule import Rulebook
from rules.rulebook import load_rulebook
from rules.worker import Worker

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "site.yaml"


@pytest.fixture(scope="session")
def site() -> Site:
    return load(DEMO)


@pytest.fixture(scope="session")
def rulebook(site: Site) -> Rulebook:
    return load_rulebook(site)


@pytest.fixture
def room(site: Site, rulebook: Rulebook, tmp_path: Path) -> Iterator[Room]:
    clock = ManualClock(1_763_719_200_000_000, mono=1_000_000_000)
    ledger = open_ledger(tmp_path / "ledger.db")
    ensure_admin(ledger, site.id, clock.now(), PASSWORD)
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

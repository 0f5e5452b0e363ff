"""The ledgers under contract: SQLite and PostgreSQL, an empty one for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.ledger.store import Ledger, open_ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty ledger may be opened, as often as the test likes."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    server = request.getfixturevalue("postgres_server")
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    opened = open_ledger(place)
    yield opened
    opened.close()

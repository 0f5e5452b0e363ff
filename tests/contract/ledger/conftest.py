"""The ledgers under contract: SQLite and PostgreSQL, an empty one for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rules.ledger.store import Ledger, open_ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with its tables and nothing in them, to be copied: making the tables takes longer
    than most tests."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    open_ledger(file).close()
    return file


@pytest.fixture
def place(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[str]:
    """Where there is a ledger with nothing in it, to be opened as often as the test likes."""
    with ExitStack() as ends:
        if backend == "sqlite":
            made = request.getfixturevalue("sqlite_ledger")
            yield str(shutil.copy(made, tmp_path / "ledger.db"))
        else:
            server = request.getfixturevalue("postgres_server")
            url = server.new_ledger()
            ends.callback(server.drop_database, url)
            yield url


@pytest.fixture
def untouched_place(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[str]:
    """Where no ledger has been made yet."""
    with ExitStack() as ends:
        if backend == "sqlite":
            yield str(tmp_path / "ledger.db")
        else:
            server = request.getfixturevalue("postgres_server")
            url = server.new_database()
            ends.callback(server.drop_database, url)
            yield url


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    opened = open_ledger(place)
    yield opened
    opened.close()

"""The ledgers under contract: SQLite and PostgreSQL, an empty one for every test.

Every test runs on SQLite. On PostgreSQL all those run that are about the ledger itself, and every
fourth one of the others, always the same; ``DUTYROOM_TEST_POSTGRESQL_EVERY=1`` (as in ``make
soak``) runs them all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest

from rules.ledger.store import Ledger, open_ledger

EVERY = int(os.environ.get("DUTYROOM_TEST_POSTGRESQL_EVERY", "4"))
OF_THE_LEDGER = ("store", "upgrade", "kiosks", "offline")
"""Files of which every test runs on both."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def is_left_out(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("backend") != "postgresql":
        return False
    whole = item.path.stem.removeprefix("test_ledger_") in OF_THE_LEDGER
    return not whole and crc32(item.nodeid.encode()) % EVERY != 0


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
            ends.callback(server.take_back, url)
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

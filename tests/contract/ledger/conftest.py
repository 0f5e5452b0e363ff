"""The ledgers under contract. ``DUTYROOM_TEST_LEDGER`` names an empty database to use instead
of SQLite files; its tables are dropped before each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from rules.ledger.store import Ledger, open_ledger


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Where an empty ledger may be opened, as often as the test likes."""
    url = os.environ.get("DUTYROOM_TEST_LEDGER")
    if url is None:
        return str(tmp_path / "ledger.db")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    opened = open_ledger(place)
    yield opened
    opened.close()

"""What every test shares: servers on free loopback ports, and one list of what was not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from influx import InfluxServer, running_influx
from postgres import PostgresServer, running_postgres
from worlds import free_port as a_free_port


def _program(name: str, *patterns: str) -> str | None:
    found = shutil.which(name)
    if found:
        return found
    hits = sorted(str(path) for pattern in patterns for path in Path("/").glob(pattern))
    return hits[-1] if hits else None


def need(name: str, *patterns: str) -> str:
    """Path of a program that the test needs; in CI its absence fails, elsewhere it skips."""
    path = _program(name, *patterns)
    if path:
        return path
    message = f"{name} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def free_port() -> int:
    return a_free_port()


@pytest.fixture(scope="session")
def mosquitto() -> str:
    return need("mosquitto", "usr/sbin/mosquitto")


@pytest.fixture(scope="session")
def chromium() -> str:
    return need("chromium", "usr/bin/chromium")


@pytest.fixture(scope="session")
def postgres() -> str:
    return need("postgres", "usr/lib/postgresql/*/bin/postgres")


@pytest.fixture(scope="session")
def postgres_server(postgres: str) -> Iterator[PostgresServer]:
    """One server for many tests, each with a database of its own; not to be killed. It does not
    wait for the disk. A test that kills takes ``running_postgres`` for itself."""
    with running_postgres(postgres, a_free_port(), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def influxd() -> str:
    return need("influxd", "usr/bin/influxd")


@pytest.fixture(scope="session")
def victoria_metrics() -> str:
    return need("victoria-metrics", "usr/bin/victoria-metrics")


@pytest.fixture(scope="session")
def influx_server(influxd: str) -> Iterator[InfluxServer]:
    """One server for many tests, each with a database of its own; not to be killed."""
    with running_influx(influxd) as server:
        yield server

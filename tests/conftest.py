"""What every test shares: servers on free loopback ports, and one list of what was not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from influx import InfluxServer, running_influx
from postgres import PostgresServer, running_postgres
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from worlds import free_port as a_free_port
from xdist.scheduler import LoadScopeScheduling

from rules.people import passwords

# Tests that start whole products, and the worker that they share: two run beside each other, and
# the many tests that mostly wait fill what is left of two cores.
WHOLE_PRODUCTS = {"browser": "products-1", "faults": "products-1", "system": "products-2"}

# Every worker and every process of a product would compile the same files anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_SLOW_HASHER = passwords._hasher


class _Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Each test to whichever worker is free, but for those of whole products, and those of a
    module that says ``pytestmark = pytest.mark.one_worker``: what it makes for all of its tests is
    made once. (xdist's own groups do nothing with pytest 9.2, which knows a test by another
    attribute.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        # Whoever hands out the tests has not imported them.
        alone = file if _is_of_one_worker(self.config.rootpath / file) else nodeid
        return WHOLE_PRODUCTS.get(nodeid.split("/")[1], alone)


@cache
def _is_of_one_worker(file: Path) -> bool:
    return "\npytestmark = pytest.mark.one_worker\n" in file.read_text(encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _Sharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """In the process of the tests a password is hashed at once, and not on purpose slowly; whole
    products do as they always do, and so does a test that asks for :func:`slow_passwords`."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: quick)
        yield


@pytest.fixture
def slow_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "_hasher", _SLOW_HASHER)
    # A hash is as slow as it was made.
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


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

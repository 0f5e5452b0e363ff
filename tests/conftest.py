"""What every test shares: servers on free loopback ports, and one list of what was not run."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def mosquitto() -> str:
    return need("mosquitto", "usr/sbin/mosquitto")


@pytest.fixture(scope="session")
def chromium() -> str:
    return need("chromium", "usr/bin/chromium")


@pytest.fixture(scope="session")
def postgres() -> str:
    return need("postgres", "usr/lib/postgresql/*/bin/postgres")

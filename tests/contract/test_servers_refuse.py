"""Servers that are away or do not let us in: one clear line, exit code 2, no password in it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from influx import USER
from product import ROOT
from worlds import demo_site, free_port

from api.servers import INFLUX_BUCKET, INFLUX_TOKEN, INFLUX_URL, LEDGER

SECRET = "not-for-any-log"


@pytest.fixture
def start(tmp_path):
    """``start(service, **environment)``: what it says, if it ends with code 2."""
    broker = {"host": "127.0.0.1", "port": free_port()}
    site = demo_site(tmp_path / "site", broker=broker)

    def run(service: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", service],
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "DUTYROOM_SITE": str(site),
                "DUTYROOM_DATA": str(tmp_path / "data"),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 2, said
        assert SECRET not in said
        (line,) = [text for text in said.splitlines() if text.startswith("dutyroom: ")]
        assert "Traceback" not in said
        return line

    return run


@pytest.mark.parametrize("service", ["rules", "api"])
def test_a_ledger_server_that_is_not_there(service, start):
    url = f"postgresql://dutyroom:{SECRET}@127.0.0.1:{free_port()}/duty"
    line = start(service, **{LEDGER: url})
    assert "Connection refused" in line
    assert "postgresql+psycopg://dutyroom:***@127.0.0.1" in line


def test_a_ledger_server_that_refuses_the_password(start, postgres_server):
    line = start("rules", **{LEDGER: postgres_server.url("postgres", password=SECRET)})
    assert "password authentication failed" in line
    assert "DUTYROOM_LEDGER" in line


def test_a_ledger_server_without_the_database(start, postgres_server):
    line = start("rules", **{LEDGER: postgres_server.url("no_such")})
    assert 'database "no_such" does not exist' in line


def test_a_history_server_that_refuses_the_token(start, influx_server):
    token = f"{USER}:{SECRET}"
    line = start("gateway", **{INFLUX_URL: influx_server.url, INFLUX_TOKEN: token})
    assert "refuses user or token (401" in line
    assert "DUTYROOM_INFLUX_TOKEN" in line


def test_a_history_server_without_the_bucket(start, influx_server):
    right = influx_server.new_database()
    line = start(
        "gateway",
        **{INFLUX_URL: right.url, INFLUX_TOKEN: right.token, INFLUX_BUCKET: "no_such"},
    )
    influx_server.drop_database(right)
    assert "database not found: no_such" in line

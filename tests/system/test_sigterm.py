"""Experiment 43: SIGTERM while thousands of readings a second come in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from product import ROOT, Product, wait_for
from worlds import free_port

from deploy.bench import site
from deploy.bench.site import Load
from gateway.history.embedded import EmbeddedHistory
from gateway.model.moment import SECOND
from gateway.spool.queue import Spool

pytestmark = pytest.mark.slow

LOAD = Load(devices=50, points=20, links=1, poll=0.2, port=free_port())
"""5,000 readings a second."""
POINT = "meter-7.voltage_l1"


def test_all_that_was_taken_is_drained_within_10_s(tmp_path: Path) -> None:
    product = Product(data=tmp_path / "data", site=_site(tmp_path), port=free_port())
    command = [sys.executable, "-m", "deploy.bench.devices", "--devices", str(LOAD.devices)]
    command += ["--points", str(LOAD.points), "--links", "1", "--port", str(LOAD.port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as devices:
        try:
            product.start()
            wait_for("readings flow", lambda: _readings(product) >= 20)
            assert product.process is not None
            begun, wall = time.monotonic(), time.time()
            os.kill(product.process.pid, signal.SIGTERM)
            assert product.process.wait(20) == 0
            passed = time.monotonic() - begun
        finally:
            product.end()
            devices.kill()
    assert passed < 10
    spool = Spool.open(tmp_path / "data" / "spool")
    history = EmbeddedHistory(tmp_path / "data" / "history.db")
    try:
        assert history.cursor("gw-1") == (spool.epoch, spool.synced), "all of it is in the history"
        last = history.latest([POINT])[POINT]
        assert last.received > (wall - 2) * SECOND, "what came up to the end"
    finally:
        history.close()
        spool.close()


def _site(folder: Path) -> Path:
    return site.write(folder / "site", LOAD)


def _readings(product: Product) -> int:
    """Of one point so far, in the history."""
    found = product.get(f"points/{POINT}/readings")
    return sum(bucket["count"] for bucket in found["buckets"])

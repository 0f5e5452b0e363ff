"""A service dies and nothing starts it again: people hear of it from outside (experiment 41)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from processes import Processes, separate_processes
from product import Sink, wait_for, webhook_sink

pytestmark = pytest.mark.slow

WITHIN_S = 90.0


@pytest.fixture
def processes(tmp_path: Path, mosquitto: str) -> Iterator[Processes]:
    with separate_processes(tmp_path, mosquitto, hot=[]) as made:
        for service in ("simulate", "gateway", "rules", "api"):
            made.start(service)
        made.be_ready()
        yield made


def heard(sink: Sink, kind: str) -> Mapping[str, Any] | None:
    return next((one for one in sink.receipts if one["kind"] == kind), None)


def test_a_killed_service_is_told_of_within_90_s(processes: Processes) -> None:
    """Two die at once: both are named, so each is watched on its own."""
    url = f"http://127.0.0.1:{processes.product.port}/healthz"
    services = ("gateway", "rules")
    with webhook_sink() as sink:
        processes.start("watchdog", "watchdog", "--url", url, "--webhook", sink.address)
        for service in services:
            processes.kill(service)
        begun = time.monotonic()
        told = wait_for("people are told", partial(heard, sink, "watchdog_unwell"), WITHIN_S)
        print(f"told after {time.monotonic() - begun:.0f} s, scale 1:1")
        for service in services:
            assert f"{service}: " in told["title"]["zh"]
            processes.start(service)
        wait_for("people are told", partial(heard, sink, "watchdog_well"), 60)
        assert [one["kind"] for one in sink.receipts] == ["watchdog_unwell", "watchdog_well"]
        assert processes.end("watchdog") == 0

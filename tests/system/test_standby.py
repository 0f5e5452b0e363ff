"""Two rules workers of one site, each in a process of its own (experiment 40)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from postgres import PostgresServer
from processes import Processes, separate_processes
from product import wait_for
from worlds import free_port

pytestmark = pytest.mark.slow

WITHIN_S = 5.0
"""The second leads after a kill -9 of the first."""


@pytest.fixture
def processes(
    tmp_path: Path, mosquitto: str, postgres_server: PostgresServer
) -> Iterator[Processes]:
    ledger = postgres_server.new_database()
    with separate_processes(
        tmp_path, mosquitto, ledger=ledger, hot=[(25, 600)], quick_rule=True
    ) as made:
        yield made


def test_the_second_takes_over_and_nothing_is_lost_or_doubled(processes: Processes) -> None:
    for service in ("simulate", "gateway", "api"):
        processes.start(service)
    folder = processes.folder
    processes.start("first", "rules", DUTYROOM_DATA=str(folder / "data-1"))
    processes.be_ready()
    first = wait_for("somebody leads", lambda: processes.health()["leader"])
    assert str(first).endswith(f":{processes.running['first'].pid}")
    processes.start("second", "rules", DUTYROOM_DATA=str(folder / "data-2"))
    wait_for("it stands by", lambda: "standing by" in processes.log("second"))
    assert "leading" not in processes.log("second")

    processes.kill("first")
    begun = time.monotonic()
    wait_for("the second leads", lambda: processes.health()["leader"] not in (first, None))
    took = time.monotonic() - begun
    print(f"led again after {took:.1f} s")
    assert took <= WITHIN_S
    assert str(processes.health()["leader"]).endswith(f":{processes.running['second'].pid}")

    (order,) = wait_for("an order", lambda: answers(processes), 60)
    assert order["equipment"] == "pump-2"
    processes.start("first", "rules", DUTYROOM_DATA=str(folder / "data-1"))
    wait_for("it stands by", lambda: processes.log("first").count("standing by") == 1)
    assert processes.end("second") == 0
    wait_for("the first leads again", lambda: processes.log("first").count("leading") == 2)
    wait_for("all is well", processes.product.answers)
    assert [one["id"] for one in answers(processes)] == [order["id"]]
    assert len(processes.product.alarms()) == 1
    assert "Traceback" not in processes.logs()


def test_on_one_data_directory_the_second_refuses(tmp_path: Path, mosquitto: str) -> None:
    with separate_processes(tmp_path, mosquitto) as processes:
        for service in ("gateway", "rules", "api"):
            processes.start(service)
        processes.be_ready()
        for service in ("gateway", "rules", "embedded"):
            processes.start("second", service, DUTYROOM_PORT=str(free_port()))
            assert processes.running.pop("second").wait(30) == 2
            name = "gateway" if service == "embedded" else service
            assert f"another dutyroom {name} is running" in processes.log("second")
        assert processes.product.answers(), processes.product.trouble


def answers(processes: Processes) -> list[Mapping[str, Any]]:
    """The orders that answer an alarm."""
    return [order for order in processes.product.orders() if order["alarms"]]

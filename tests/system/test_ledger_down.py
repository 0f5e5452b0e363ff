"""The ledger is away while a pump runs hot: the alarm is on the screen all the same, and is
written once when the ledger is back (experiments 30 and 31)."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from listening import Message, listening, readings
from postgres import running_postgres
from processes import Processes, separate_processes
from product import Product, wait_for
from worlds import free_port

pytestmark = pytest.mark.slow

ON_SCREEN_S = 5.0
"""From when the alarm is due to when the page has it."""
PUMP = "pump-2"
SILENT = ("link-lost", "link-silent", "-no-data")
"""How the rules end whose alarms come up while the devices are silent."""
DOWN_S = 20.0
"""The ledger is away for so long, at the least; the experiment says 10 minutes."""


@dataclass
class Screen:
    """An open page: what it heard, and when."""

    product: Product
    heard: list[tuple[float, Message]] = field(default_factory=list)

    def listen(self) -> None:
        with httpx2.Client(
            base_url=self.product.session.base_url,
            cookies=self.product.session.cookies,
            timeout=60,
            trust_env=False,
        ) as client:
            try:
                with listening(client) as stream:
                    while (message := stream.next()) is not None:
                        self.heard.append((time.time(), message))
            except httpx2.HTTPError:
                return

    def provisional(self) -> tuple[float, dict[str, Any]] | None:
        """The first provisional alarm of the pump, and when it was heard. The links may have one
        each: their devices have been silent for a while."""
        for at, message in list(self.heard):
            if message.event == "provisional":
                for alarm in message.data["alarms"]:
                    if alarm["equipment"] == PUMP:
                        return at, alarm
        return None

    def row(self, alarm: str) -> int | None:
        """Where in ``heard`` the alarm came as one that is in the ledger."""
        for place, (_, message) in enumerate(list(self.heard)):
            if message.event == "alarm" and message.data["alarm"]["id"] == alarm:
                return place
        return None


@contextmanager
def screen(product: Product) -> Iterator[Screen]:
    made = Screen(product)
    thread = threading.Thread(target=made.listen, daemon=True)
    thread.start()
    wait_for("the page has its snapshot", lambda: len(made.heard) > 1)
    yield made


def it_is_shown_and_written_once(
    processes: Processes, go_down: Callable[[], object], come_back: Callable[[], None]
) -> None:
    """The devices are silent until the ledger is away, so that the alarm falls due meanwhile."""
    product = processes.product
    for service in ("gateway", "rules", "api"):
        processes.start(service)
    processes.be_ready()
    with screen(product) as page:
        went = time.monotonic()
        go_down()
        processes.start("simulate")
        at, alarm = wait_for("the alarm is on the screen", page.provisional, 60)
        late = at - datetime.fromisoformat(alarm["raised_at"]).timestamp()
        print(f"on the screen {late:.1f} s after it was due")
        assert alarm["provisional"]
        assert late <= ON_SCREEN_S
        assert processes.health()["checks"]["rules"] != "ok"

        left = DOWN_S - (time.monotonic() - went)
        print(f"scale: the ledger is away for {DOWN_S:g} s instead of 600 s")
        threading.Event().wait(max(0.0, left))
        come_back()
        wait_for("an order", lambda: _answering(product, alarm["id"]), 60)
        place = wait_for("the page has the row", lambda: page.row(alarm["id"]))
        shown = [message for heard_at, message in page.heard[:place] if heard_at >= at]
        lists = [m.data["alarms"] for m in shown if m.event == "provisional"]
        assert all(alarm["id"] in [one["id"] for one in listed] for listed in lists), "it blinked"
        wait_for(
            "the page is told that all is written",
            lambda: _last_provisional(page) == {"alarms": [], "ledger": "ok"},
        )
    wait_for("all is well", product.answers, 40)
    every = product.alarms()
    assert [one["id"] for one in every if one["equipment"] == PUMP] == [alarm["id"]]
    assert all(one["rule"].endswith(SILENT) for one in every if one["equipment"] != PUMP)
    assert not any(one["provisional"] for one in every)
    # Each of them once; what a lost link explains has no order, and all else has one.
    names = [(one["rule"], one["equipment"]) for one in every]
    assert len(set(names)) == len(names)
    for one in every:
        assert len(_answering(product, one["id"])) == (one["explained_by"] is None), one
    assert len(_answering(product, alarm["id"])) == 1


def _answering(product: Product, alarm: str) -> list[Any]:
    """The orders that answer the alarm; none while the ledger is away."""
    answer = product.session.get("/api/v1/orders", params={"state": "all"})
    found = answer.json()["items"] if answer.status_code == httpx2.codes.OK else []
    return [order for order in found if alarm in order["alarms"]]


def _last_provisional(page: Screen) -> Any:
    told = [message.data for _, message in page.heard if message.event == "provisional"]
    return told[-1] if told else None


def test_postgresql_is_stopped(tmp_path: Path, mosquitto: str, postgres: str) -> None:
    with (
        running_postgres(postgres, free_port()) as server,
        separate_processes(
            tmp_path, mosquitto, ledger=server.new_database(), hot=[(2, 600)], quick_rule=True
        ) as processes,
    ):
        it_is_shown_and_written_once(processes, server.stop, server.start)
        known = {one["id"] for one in processes.product.alarms() if one["state"] != "closed"}
        server.stop()
        wait_for("it is seen to be away", lambda: not processes.product.answers())
        # A page that is opened now shows what is measured, and says that it knows no more.
        with screen(processes.product) as page:
            every, first = (message for _, message in page.heard[:2])
            assert (first.event, first.data["seq"], first.data["alarms"]) == ("snapshot", None, [])
            assert first.data["ledger"] == "down"
            assert readings(every)["pump-2.motor_temperature"]["quality"] == "good"
            server.start()
            second = wait_for("its rows come", lambda: _second_snapshot(page), 30)
            shown = [alarm["id"] for alarm in second["alarms"]]
            # A link's alarm may have cleared meanwhile, but nobody has acknowledged any.
            assert len(shown) == len(known)
            assert set(shown) == known
        assert "Traceback" not in processes.logs()


def _second_snapshot(page: Screen) -> Any:
    found = [message.data for _, message in page.heard if message.event == "snapshot"]
    return found[1] if len(found) > 1 else None


def test_a_file_is_locked_by_another_process(tmp_path: Path, mosquitto: str) -> None:
    with separate_processes(tmp_path, mosquitto, hot=[(2, 600)], quick_rule=True) as processes:
        other = sqlite3.connect(processes.product.data / "ledger.db", isolation_level=None)
        it_is_shown_and_written_once(
            processes, lambda: other.execute("BEGIN IMMEDIATE"), other.close
        )
        assert "Traceback" not in processes.logs()

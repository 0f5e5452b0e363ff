"""Two minutes in which nothing of ours runs: a machine that was suspended, a process that stood
still. Of real time, so ``make soak`` only."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from product import ROOT, Product, Sink, wait_for, webhook_sink
from worlds import demo_site, free_port

STOPPED = 120.0
"""s."""
_LIMIT = ("respond: {within: 15m, from: created", "respond: {within: 30s, from: created")
"""Of an order like the pump's: over while everything stands still."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("DUTYROOM_TEST_KILLS" not in os.environ, reason="takes minutes: make soak"),
]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with webhook_sink() as sink:
        yield sink


@pytest.fixture
def product(tmp_path: Path, sink: Sink) -> Iterator[Product]:
    site = demo_site(tmp_path / "site", webhooks=[sink.address], hot=[(10, 1000)], quick_rule=True)
    shipped = (ROOT / "rules/book/time_limits.yaml").read_text(encoding="utf-8")
    assert _LIMIT[0] in shipped
    own = tmp_path / "site" / "rulebook" / "time_limits.yaml"
    own.write_text(shipped.replace(*_LIMIT), encoding="utf-8")
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    yield product
    for process in product.family():
        process.resume()
    product.end()


def _server(product: Product) -> list[psutil.Process]:
    """Gateway, rules and API; the devices and the broker go on meanwhile."""
    return [wait_for("the server runs", lambda: product.child("embedded"))]


def _all(product: Product) -> list[psutil.Process]:
    """The machine was suspended: the devices too."""
    return product.family()


@pytest.mark.parametrize("who", [_server, _all], ids=["the-server", "everything"])
def test_experiment_38_two_minutes_of_sigstop_are_no_flood_and_one_breach(
    product: Product, sink: Sink, who: Callable[[Product], list[psutil.Process]]
) -> None:
    product.start()
    (order,) = wait_for("an order", lambda: _of_the_pump(product), 60)
    before = {alarm["id"] for alarm in product.alarms()}
    assert not _breaches(product, order["id"])
    stopped = who(product)
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    for process in reversed(stopped):
        process.send_signal(signal.SIGCONT)
    product.be_ready()
    wait_for("the limit that has passed is told", lambda: _breaches(product, order["id"]), 30)
    # Long enough for every delay of a rule about silence that a pause could set off.
    time.sleep(90)
    assert _breaches(product, order["id"]) == 1
    told = Counter(receipt["id"] for receipt in sink.receipts)
    assert [told[name] for name in told if name.startswith("order_breached")] == [1]
    after = {alarm["id"] for alarm in product.alarms()}
    assert after == before, "nothing came up by the pause"
    assert [one["id"] for one in _of_the_pump(product)] == [order["id"]]


def _of_the_pump(product: Product) -> list[dict[str, object]]:
    return [dict(one) for one in product.orders() if one["equipment"] == "pump-2"]


def _breaches(product: Product, order: object) -> int:
    events = product.get(f"orders/{order}")["events"]
    return sum(event["event"] == "breach" for event in events)

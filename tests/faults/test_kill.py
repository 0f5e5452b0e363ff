"""kill -9 at random moments and at each failpoint; the oracle judges what is left."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from oracle import Evidence, Rule, episodes, examine
from product import Product, Sink, wait_for, webhook_sink
from worlds import demo_site, free_port

RULE = Rule(id="motor-temperature-high", point="motor_temperature", delay=2, clear_after=2)
KILLS = int(os.environ.get("DUTYROOM_TEST_KILLS", "4"))
SEED = 20261121

pytestmark = pytest.mark.slow


@pytest.fixture
def sink() -> Iterator[Sink]:
    with webhook_sink() as sink:
        yield sink


@pytest.fixture
def new_product(tmp_path: Path, sink: Sink) -> Iterator[Callable[..., Product]]:
    with ExitStack() as ends:

        def make(hot: list[tuple[float, float]]) -> Product:
            site = demo_site(tmp_path / "site", webhooks=[sink.address], hot=hot, quick_rule=True)
            product = Product(data=tmp_path / "data", site=site, port=free_port())
            ends.callback(product.end)
            return product

        yield make


def settled(product: Product) -> None:
    """Wait until what has happened so far has reached every store, then end in order."""
    latest = wait_for("a reading", lambda: product.get("site")["gateway"]["last_received"])
    wait_for(
        "the history has caught up",
        lambda: product.get("site")["gateway"]["last_received"] > latest,
    )
    time.sleep(2.5)
    assert product.stop() == 0, product.output()[-3000:]


PLACES = [("after-spool", 12), ("between-send-and-mark", 1)]
if KILLS > 8:
    # The commits are killed in each ledger by tests/contract/ledger/test_ledger_service.py, too.
    # Changes are committed when the alarm begins and when it ends.
    PLACES += [("before-commit", 1), ("before-commit", 2), ("after-commit", 1), ("after-commit", 2)]
    PLACES += [("after-spool", 60)]


@pytest.mark.parametrize(("place", "nth"), PLACES)
def test_kill_at_a_failpoint(place, nth, new_product, sink):
    """Gate 37: after a kill between any two steps there is one order, and a notice of it."""
    # Longer than a start takes: it is still hot if the kill came before anybody had seen it.
    product = new_product(hot=[(10, 25)])
    product.start(DUTYROOM_FAILPOINT=f"{place}:{nth}")
    wait_for("the failpoint killed the server", lambda: "SIGKILL" in product.output(), 60)
    product.be_ready()
    (order,) = wait_for("an order", lambda: _of_the_pump(product))
    sent = 2 if place == "between-send-and-mark" else 1
    wait_for("the notice", lambda: _times_first(sink) >= sent, 60)
    wait_for("the end of the episode", lambda: episodes(product.data, RULE.point)[0].ends, 60)
    orders_of_the_pump = _of_the_pump(product)
    settled(product)
    evidence = Evidence(receipts=sink.receipts)
    assert examine(product.data, [RULE], evidence, site=product.site, slack=4) == []
    # Of the alarm, or of the daily round that saw the same fault first: one order for the cause.
    assert [one["id"] for one in orders_of_the_pump] == [order["id"]]
    if place == "between-send-and-mark":
        # That nobody is on duty is a notice of its own; no id came twice unmarked (the oracle).
        first = [r for r in sink.receipts if r["id"] == sink.receipts[0]["id"]]
        assert [bool(r["possibly_repeated"]) for r in first] == [False, True]


def test_kill_at_random_moments(new_product, sink):
    """Gate 36: the whole group or only the server, at random moments; nothing lost or doubled."""
    chance = random.Random(SEED)
    product = new_product(hot=[(at, 7) for at in range(3, 600, 15)])
    acknowledged: list[str] = []
    print(f"{KILLS} kills, seed {SEED}")
    product.start()
    # An episode that nobody could see, for that long everything was down, is none that was missed.
    down = 0.0
    for number in range(KILLS):
        time.sleep(chance.uniform(0, 6))
        if number == KILLS - 1 and not acknowledged:
            # Where a start takes as long as an episode, no alarm has waited yet.
            acknowledged += wait_for("an alarm", lambda: _acknowledge_one(product), 90)
        killed = time.monotonic()
        if number % 3 == 2:
            _kill_server(product)
        else:
            product.kill()
            product.start()
        down = max(down, time.monotonic() - killed)
        acknowledged += _acknowledge_one(product)
    wait_for(
        "two more episodes",
        lambda: sum(e.ends is not None for e in episodes(product.data, RULE.point)) >= 3,
        60,
    )
    settled(product)
    truth = episodes(product.data, RULE.point)
    print(f"{len(truth)} episodes, {len(acknowledged)} acknowledged, {len(sink.receipts)} notices")
    print(f"down for {down:.1f} s at most")
    evidence = Evidence(receipts=sink.receipts, acknowledged=acknowledged)
    found = examine(product.data, [RULE], evidence, site=product.site, slack=6, blind=down + 3)
    assert found == []
    assert acknowledged


def _times_first(sink: Sink) -> int:
    """How often the notice that came first has come."""
    return [one["id"] for one in sink.receipts].count(
        sink.receipts[0]["id"] if sink.receipts else ""
    )


def _of_the_pump(product: Product) -> list[Mapping[str, Any]]:
    """On a busy machine a link may be lost for a while as well."""
    return [one for one in product.orders() if one["equipment"] == "pump-2"]


def _kill_server(product: Product) -> None:
    server = wait_for("the server runs", lambda: product.child("embedded"))
    server.kill()
    psutil.wait_procs([server], timeout=10)
    product.be_ready()


def _acknowledge_one(product: Product) -> list[str]:
    """Acknowledge the newest alarm that waits for it; its id if the answer was 2xx."""
    waiting = [a for a in product.alarms() if "unacknowledged" in a["state"]]
    if not waiting:
        return []
    answer = product.session.post(f"/api/v1/alarms/{waiting[0]['id']}/acknowledge", json={})
    return [waiting[0]["id"]] if answer.is_success else []

"""kill -9 at random moments and at each failpoint; the oracle judges what is left."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from oracle import Evidence, Rule, episodes, examine
from product import Product, Sink, wait_for, webhook_sink
from worlds import demo_site, free_port

RULE = Rule(id="motor-temperature-high", point="motor_temperature", delay=2, clear_after=2)
KILLS = int(os.environ.get("DUTYROOM_TEST_KILLS", "20"))
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


PLACES = [
    ("after-spool", 60),
    ("after-spool", 12),
    # Changes are committed when the alarm begins and when it ends.
    ("before-commit", 1),
    ("before-commit", 2),
    ("after-commit", 1),
    ("after-commit", 2),
    ("between-send-and-mark", 1),
]


@pytest.mark.parametrize(("place", "nth"), PLACES)
def test_kill_at_a_failpoint(place, nth, new_product, sink):
    """Gate 37: after a kill between any two steps there is one order, and a notice of it."""
    product = new_product(hot=[(10, 10)])
    product.start(DUTYROOM_FAILPOINT=f"{place}:{nth}")
    wait_for("the failpoint killed the server", lambda: "SIGKILL" in product.output(), 30)
    product.be_ready()
    (order,) = wait_for("an order", product.orders)
    sent = 2 if place == "between-send-and-mark" else 1
    wait_for("the notice", lambda: len(sink.receipts) >= sent, 60)
    wait_for("the end of the episode", lambda: episodes(product.data, RULE.point)[0].ends)
    settled(product)
    assert examine(product.data, [RULE], Evidence(receipts=sink.receipts), slack=4) == []
    assert order["id"].startswith("pump-2.")
    if place == "between-send-and-mark":
        assert [bool(r["possibly_repeated"]) for r in sink.receipts] == [False, True]
        assert sink.receipts[0]["id"] == sink.receipts[1]["id"]


def test_kill_at_random_moments(new_product, sink):
    """Gate 36: the whole group or only the server, at random moments; nothing lost or doubled."""
    chance = random.Random(SEED)
    product = new_product(hot=[(at, 7) for at in range(3, 600, 15)])
    acknowledged: list[str] = []
    print(f"{KILLS} kills, seed {SEED}")
    product.start()
    for number in range(KILLS):
        time.sleep(chance.uniform(0, 6))
        if number % 3 == 2:
            _kill_server(product)
        else:
            product.kill()
            product.start()
        acknowledged += _acknowledge_one(product)
    wait_for(
        "two more episodes",
        lambda: sum(e.ends is not None for e in episodes(product.data, RULE.point)) >= 3,
        60,
    )
    settled(product)
    truth = episodes(product.data, RULE.point)
    print(f"{len(truth)} episodes, {len(acknowledged)} acknowledged, {len(sink.receipts)} notices")
    evidence = Evidence(receipts=sink.receipts, acknowledged=acknowledged)
    assert examine(product.data, [RULE], evidence, slack=6) == []
    assert acknowledged


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

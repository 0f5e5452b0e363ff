"""``dutyroom up`` as a newcomer sees it: wires, alarm, order, a kill, and the same order again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from product import Product, wait_for
from worlds import demo_site, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    site = demo_site(tmp_path / "site", hot=[(3, 600)], burnt_out=[(3, 600)])
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    yield product
    product.end()


def test_from_the_wire_to_an_order_and_over_a_kill(product):
    product.start()
    wait_for("both orders", lambda: len(product.orders()) == 2, 60)
    orders = {order["equipment"]: order for order in product.orders()}
    assert set(orders) == {"pump-2", "lamp-1"}
    assert orders["pump-2"]["priority"] == "major"
    assert orders["pump-2"]["clock"]["state"] == "running"
    assert 0 < orders["pump-2"]["clock"]["remaining_s"] <= 7200
    assert orders["lamp-1"]["category"] == "lighting"
    before = {alarm["id"] for alarm in product.alarms()}
    assert len(before) == 2

    product.kill()
    product.start()
    for _ in range(3):
        seen = product.get("site")["gateway"]["last_received"]
        wait_for(
            "a newer reading",
            lambda seen=seen: product.get("site")["gateway"]["last_received"] != seen,
        )
    time.sleep(3)
    assert {alarm["id"] for alarm in product.alarms()} == before
    assert {order["id"] for order in product.orders()} == {o["id"] for o in orders.values()}

    buckets = product.get("points/pump-2.motor_temperature/readings", buckets=60)["buckets"]
    assert max(b["max"] for b in buckets if b["count"]) > 75
    metrics = httpx2.get(f"http://127.0.0.1:{product.port}/metrics", trust_env=False).text
    assert "# TYPE dutyroom_" in metrics

    began = time.monotonic()
    assert product.stop() == 0
    assert time.monotonic() - began < 10
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", product.port))
    assert "Traceback" not in product.output(), product.output()

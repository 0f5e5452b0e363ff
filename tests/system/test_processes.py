"""A process for each service, over the broker that the site file names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from brokers import mosquitto_broker
from product import PASSWORD, ROOT, Product, wait_for
from worlds import demo_site, free_port

pytestmark = pytest.mark.slow


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    """``command`` as long as the test needs it; it must not end before."""
    name = command[-1]
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield
        assert process.poll() is None, f"{name} ended by itself"
    finally:
        process.terminate()
        assert process.wait(15) in (0, -15), f"{name} did not end in order"


def test_four_processes_and_mosquitto_make_one_order(tmp_path, mosquitto):
    broker = mosquitto_broker(mosquitto, tmp_path, free_port())
    secret = tmp_path / "broker.secret"
    secret.write_text(broker.address.password)
    site = demo_site(
        tmp_path / "site",
        hot=[(3, 600)],
        quick_rule=True,
        broker={
            "host": broker.address.host,
            "port": broker.address.port,
            "username": broker.address.username,
            "password_file": str(secret),
        },
    )
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    settings = {
        "DUTYROOM_SITE": str(site),
        "DUTYROOM_DATA": str(product.data),
        "DUTYROOM_PORT": str(product.port),
        "DUTYROOM_ADMIN_PASSWORD": PASSWORD,
    }
    with ExitStack() as processes:
        processes.enter_context(broker)
        for service in ("simulate", "gateway", "rules", "api"):
            command = [sys.executable, "-m", "api.cli", service]
            processes.enter_context(running(command, tmp_path, **settings))
        wait_for("the api answers", product.answers, 40)
        product.log_in()
        (order,) = wait_for("an order", product.orders, 40)
        assert order["equipment"] == "pump-2"
        live = product.get("equipment/pump-2")["points"]
        assert {point["reading"]["quality"] for point in live} == {"good"}
    assert "Traceback" not in product.output(), product.output()

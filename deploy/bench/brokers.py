"""Mosquitto for the time of a measurement, as the tests run it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.model.equipment import Broker

_SUPPORT = Path(__file__).parents[2] / "tests" / "support"
sys.path.insert(0, str(_SUPPORT))
from brokers import PASSWORD, USER, mosquitto_broker  # noqa: E402  # it lies among the tests
from worlds import free_port  # noqa: E402


def program() -> str | None:
    """Where it is installed."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


def at(port: int) -> Broker:
    """Of the one on ``port``."""
    return Broker(host="127.0.0.1", port=port, username=USER, password=PASSWORD)


@contextmanager
def mosquitto(path: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Its port and its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with mosquitto_broker(path, folder, free_port(), durable=True) as broker:
        yield broker.address.port, broker.process

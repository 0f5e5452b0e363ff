"""The buses under contract: in memory, on Mosquitto, on amqtt; each with a broker of its own."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from gateway.bus.base import Bus
from gateway.bus.memory import MemoryBus
from gateway.bus.mqtt import MqttBus
from gateway.model.equipment import Broker

USER, PASSWORD = "dutyroom", "right"

_AMQTT = """
import asyncio, logging, sys
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
logging.getLogger("amqtt").setLevel(logging.CRITICAL)
async def main():
    broker = Broker(BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"127.0.0.1:{sys.argv[1]}")},
        plugins={"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": sys.argv[2]}},
    ))
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """``await until(lambda: ...)``: wait for a condition, fail after 15 s."""

    async def wait(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not true():  # noqa: ASYNC110  # some conditions are in other processes
                await asyncio.sleep(0.005)

    return wait


class BrokerProcess:
    """A broker that a test may kill and start again on the same port."""

    def __init__(self, command: list[str], port: int) -> None:
        self._command = command
        self.address = Broker(host="127.0.0.1", port=port, username=USER, password=PASSWORD)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.address.port), 0.2).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "the broker does not listen"
                assert self._process.poll() is None, "the broker has ended"
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def mosquitto_broker(program: str, folder: Path, port: int) -> BrokerProcess:
    passwords = folder / "passwords"
    passwords.write_text(f"{USER}:{PASSWORD}\n")
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n"
    )
    return BrokerProcess([program, "-c", str(settings)], port)


def amqtt_broker(folder: Path, port: int) -> BrokerProcess:
    from pwdlib.hashers.argon2 import Argon2Hasher

    passwords = folder / "passwords"
    hashed = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    passwords.write_text(f"{USER}:{hashed}\n")
    return BrokerProcess([sys.executable, "-c", _AMQTT, str(port), str(passwords)], port)


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: int
) -> Iterator[BrokerProcess]:
    if request.param == "mosquitto":
        made = mosquitto_broker(request.getfixturevalue("mosquitto"), tmp_path, free_port)
    else:
        made = amqtt_broker(tmp_path, free_port)
    made.start()
    yield made
    made.kill()


@pytest.fixture(params=["memory", "mosquitto", "amqtt"])
def make_bus(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: int
) -> Iterator[Callable[[str], Bus]]:
    """``make_bus(client_id)``: buses that reach each other."""
    if request.param == "memory":
        memory = MemoryBus()
        yield lambda _client_id: memory
        return
    if request.param == "mosquitto":
        made = mosquitto_broker(request.getfixturevalue("mosquitto"), tmp_path, free_port)
    else:
        made = amqtt_broker(tmp_path, free_port)
    made.start()
    yield lambda client_id: MqttBus(made.address, client_id)
    made.kill()

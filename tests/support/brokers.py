"""Brokers that a test may start and kill: Mosquitto and amqtt, with a password, on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

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


class BrokerProcess:
    """A broker that a test may kill and start again on the same port."""

    def __init__(self, command: list[str], port: int) -> None:
        self._command = command
        self.address = Broker(host="127.0.0.1", port=port, username=USER, password=PASSWORD)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BrokerProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

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

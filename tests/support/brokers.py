"""Brokers that a test may start and kill: Mosquitto and amqtt, with a password, on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.model.equipment import Broker, BrokerTls

USER, PASSWORD = "dutyroom", "right"
DURABLE = ("persistence true", "autosave_interval 1", "autosave_on_changes true")

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

    def __init__(self, command: list[str], port: int, tls: BrokerTls | None = None) -> None:
        self._command = command
        self.address = Broker(
            host="127.0.0.1", port=port, username=USER, password=PASSWORD, tls=tls
        )
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


def mosquitto_broker(
    program: str,
    folder: Path,
    port: int,
    *,
    durable: bool = False,
    tls: BrokerTls | None = None,
    devices: Sequence[str] = (),
    acl: Path | None = None,
) -> BrokerProcess:
    """``durable``: what was acknowledged outlives kill -9; the settings are those that
    ``deploy/docs/running.md`` asks for. ``tls``: encrypted, and clients show a certificate too.
    ``devices``: users beside our own, with the same password. ``acl``: who may say what."""
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{user}:{PASSWORD}\n" for user in (USER, *devices)))
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    settings = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}"]
    lines.append("user root")
    if durable:
        lines += [f"persistence_location {folder}/", *DURABLE]
    if acl is not None:
        lines.append(f"acl_file {acl}")
    if tls is not None:
        lines += [f"cafile {tls.authorities}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
        lines.append("require_certificate true")
    settings.write_text("\n".join(lines) + "\n")
    return BrokerProcess([program, "-c", str(settings)], port, tls)


def self_made_certificate(folder: Path, name: str) -> BrokerTls:
    """A key and a certificate for 127.0.0.1 that nobody but itself has signed."""
    folder.mkdir()
    made = BrokerTls(
        authorities=str(folder / f"{name}.crt"),
        certificate=str(folder / f"{name}.crt"),
        key=str(folder / f"{name}.key"),
    )
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-noenc", "-days", "2", "-subj", f"/CN={name}", "-addext"),
            *("subjectAltName=IP:127.0.0.1", "-keyout", made.key, "-out", made.certificate),
        ],
        check=True,
        capture_output=True,
    )
    return made


def amqtt_broker(folder: Path, port: int) -> BrokerProcess:
    from pwdlib.hashers.argon2 import Argon2Hasher

    passwords = folder / "passwords"
    hashed = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    passwords.write_text(f"{USER}:{hashed}\n")
    return BrokerProcess([sys.executable, "-c", _AMQTT, str(port), str(passwords)], port)

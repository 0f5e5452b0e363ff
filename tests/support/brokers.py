"""Brokers that a test may start and kill: Mosquitto and amqtt, with a password, on loopback."""

from __future__ import annotations

import ipaddress
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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

    @property
    def process(self) -> int:
        """Its number."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """In good order, as for an update."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def pause(self) -> None:
        """It keeps its connections and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

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
    settings: Sequence[str] = (),
) -> BrokerProcess:
    """``durable``: what was acknowledged outlives kill -9; the settings are those that
    ``deploy/docs/running.md`` asks for. ``tls``: encrypted, and clients show a certificate too.
    ``devices``: users beside our own, with the same password. ``acl``: who may say what.
    ``settings``: further lines of its file."""
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{user}:{PASSWORD}\n" for user in (USER, *devices)))
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    file = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}"]
    lines += ["user root", *settings]
    if durable:
        lines += [f"persistence_location {folder}/", *DURABLE]
    if acl is not None:
        lines.append(f"acl_file {acl}")
    if tls is not None:
        lines += [f"cafile {tls.authorities}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
        lines.append("require_certificate true")
    file.write_text("\n".join(lines) + "\n")
    return BrokerProcess([program, "-c", str(file)], port, tls)


def self_made_certificate(folder: Path, name: str) -> BrokerTls:
    """A key and a certificate for 127.0.0.1 that nobody but itself has signed."""
    folder.mkdir()
    made = BrokerTls(
        authorities=str(folder / f"{name}.crt"),
        certificate=str(folder / f"{name}.crt"),
        key=str(folder / f"{name}.key"),
    )
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, here = datetime.now(UTC), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    Path(made.certificate).write_bytes(certificate.public_bytes(Encoding.PEM))
    Path(made.key).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def amqtt_broker(folder: Path, port: int) -> BrokerProcess:
    from pwdlib.hashers.argon2 import Argon2Hasher

    passwords = folder / "passwords"
    hashed = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    passwords.write_text(f"{USER}:{hashed}\n")
    return BrokerProcess([sys.executable, "-c", _AMQTT, str(port), str(passwords)], port)

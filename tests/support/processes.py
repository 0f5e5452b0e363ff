"""A process for each service, over Mosquitto and PostgreSQL, that a test may kill and start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from brokers import BrokerProcess, mosquitto_broker
from product import PASSWORD, ROOT, Product, wait_for
from worlds import demo_site, free_port

from gateway.history.influx_address import InfluxAddress


@dataclass(kw_only=True)
class Processes:
    """The services of one site, by name; each writes its log to ``NAME.log`` of the folder."""

    folder: Path
    product: Product
    broker: BrokerProcess
    environment: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """``dutyroom`` with ``arguments``, or with ``name`` where none are given."""
        with (self.folder / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "api.cli", *(arguments or (name,))],
                cwd=ROOT,
                env={**os.environ, **self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str) -> int:
        """SIGTERM, and its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(20)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def logs(self) -> str:
        """The end of every log."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{self.log(path.stem)[-2500:]}" for path in paths)

    def be_ready(self) -> None:
        """Wait until the API says that all is well, and log in."""
        try:
            wait_for("all is well", self.product.answers, 60)
        except AssertionError:
            raise AssertionError(f"{self.product.trouble}\n{self.logs()}") from None
        self.product.log_in()

    def health(self) -> Mapping[str, object]:
        found: Mapping[str, object] = self.product.session.get("/healthz").json()
        return found


@contextmanager
def separate_processes(
    folder: Path,
    mosquitto: str,
    *,
    ledger: str | None = None,
    history: InfluxAddress | None = None,
    **site: object,
) -> Iterator[Processes]:
    """Mosquitto, as it is to be set up, and a site that names it; no service runs yet. ``site``:
    as ``demo_site`` has it. ``ledger``: its URL, instead of a file; ``history`` likewise."""
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto_broker(mosquitto, folder, free_port(), durable=True))
        secret = folder / "broker.secret"
        secret.write_text(broker.address.password)
        document = {
            "host": broker.address.host,
            "port": broker.address.port,
            "username": broker.address.username,
            "password_file": str(secret),
        }
        file = demo_site(folder / "site", broker=document, **site)
        product = Product(data=folder / "data", site=file, port=free_port())
        made = Processes(
            folder=folder,
            product=product,
            broker=broker,
            environment={
                "DUTYROOM_SITE": str(file),
                "DUTYROOM_DATA": str(product.data),
                "DUTYROOM_PORT": str(product.port),
                "DUTYROOM_ADMIN_PASSWORD": PASSWORD,
                **({"DUTYROOM_LEDGER": ledger} if ledger else {}),
                **_history(history),
            },
        )
        try:
            yield made
        finally:
            for name in reversed(list(made.running)):
                made.kill(name)
            product.session.close()


def _history(address: InfluxAddress | None) -> Mapping[str, str]:
    if address is None:
        return {}
    return {
        "DUTYROOM_INFLUX_URL": address.url,
        "DUTYROOM_INFLUX_BUCKET": address.bucket,
        "DUTYROOM_INFLUX_TOKEN": address.token,
    }

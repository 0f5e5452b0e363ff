"""From a register that changes to the order on the page: the whole product, on real wires.

A fire panel of a hundred detectors is polled by ``dutyroom up``; one after the other they report
fire. The panel knows when it first said so, and the live stream tells when the page hears of the
alarm and of its order: what lies between is the product's own, beyond the wait for the next poll.
"""

from __future__ import annotations

import json
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

from deploy.bench.figures import Figure, WrongError

_SUPPORT = Path(__file__).parents[2] / "tests" / "support"
sys.path.insert(0, str(_SUPPORT))
from product import Product  # noqa: E402  # it lies among the tests
from worlds import free_port  # noqa: E402

DETECTORS = 100
_BETWEEN_S = 0.37
"""Between two changes: of no common measure with the poll."""
_PATIENCE_S = 60.0
_QUIET, _FIRE = 1 << 10, 1 << 10 | 1 << 11 | 0x10
"""As the panel says them: enabled; enabled, active, fire (``notifier-detector``)."""
_REQUEST = struct.Struct(">HHHBBHH")
_HEAD = struct.Struct(">HHHBBB")
_TARGET_S = 1.0


class Panel(socketserver.ThreadingTCPServer):
    """Answers reads of holding registers; detector n lies at address n."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.registers = [_QUIET] * DETECTORS
        self.said: dict[int, float] = {}
        """Detector → when its fire was first said (s, monotonic)."""

    def read(self, address: int, count: int) -> list[int]:
        found = self.registers[address : address + count]
        now = time.monotonic()
        for number, word in enumerate(found, address):
            if word == _FIRE:
                self.said.setdefault(number, now)
        return found


class _Answers(socketserver.StreamRequestHandler):
    server: Panel

    def handle(self) -> None:
        while len(request := self.rfile.read(_REQUEST.size)) == _REQUEST.size:
            transaction, _, _, unit, function, address, count = _REQUEST.unpack(request)
            words = self.server.read(address, count)
            said = struct.pack(f">{len(words)}H", *words)
            head = _HEAD.pack(transaction, 0, 3 + len(said), unit, function, len(said))
            self.wfile.write(head + said)


class Ear:
    """The live stream as a page hears it: when each alarm and each order was first told."""

    def __init__(self, product: Product) -> None:
        self.heard: dict[tuple[str, str], float] = {}
        """Event and equipment → s, monotonic."""
        self.listening = threading.Event()
        self._product = product

    def listen(self) -> None:
        """Until the product ends."""
        try:
            with self._product.session.stream("GET", "/api/v1/stream", timeout=None) as answer:
                event = ""
                for line in answer.iter_lines():
                    name, _, value = line.partition(":")
                    if name == "event":
                        event = value.strip()
                        self.listening.set()
                    elif name == "data" and event in ("alarm", "order"):
                        thing = json.loads(value)[event]["equipment"]
                        self.heard.setdefault((event, thing), time.monotonic())
        except httpx2.HTTPError:
            return


def change(folder: Path) -> list[Figure]:
    port = free_port()
    product = Product(data=folder / "data", site=_site(folder / "site", port), port=free_port())
    with _panel(port) as panel:
        try:
            product.start()
            ear = Ear(product)
            threading.Thread(target=ear.listen, daemon=True).start()
            if not ear.listening.wait(_PATIENCE_S):
                raise WrongError("the stream says nothing")
            for number in range(DETECTORS):
                panel.registers[number] = _FIRE
                time.sleep(_BETWEEN_S)
            _wait_for(ear)
            orders = {order["equipment"] for order in product.orders()}
            if len(orders) != DETECTORS or len(product.orders()) != DETECTORS:
                raise WrongError(f"{len(product.orders())} orders of {len(orders)} detectors")
        finally:
            product.end()
    return [
        Figure(
            part="change",
            what=f"register changed → {event} on the page, p{share}, beyond the poll",
            unit="s",
            ours=float(np.percentile(_latencies(panel, ear, event), share)),
            target=f"{_TARGET_S:g}" if (event, share) == ("order", 99) else "",
            more_is_better=False,
            checked=f"{DETECTORS} fires, an alarm and an order each, by {DETECTORS} changes",
        )
        for event in ("alarm", "order")
        for share in (50, 99)
    ]


def _latencies(panel: Panel, ear: Ear, event: str) -> list[float]:
    return [ear.heard[event, _name(number)] - panel.said[number] for number in range(DETECTORS)]


def _wait_for(ear: Ear) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while len(ear.heard) < 2 * DETECTORS:
        if time.monotonic() > ends:
            raise WrongError(f"of {DETECTORS} fires only {len(ear.heard)} alarms and orders came")
        time.sleep(0.05)


@contextmanager
def _panel(port: int) -> Iterator[Panel]:
    with Panel(port) as panel:
        serving = threading.Thread(target=panel.serve_forever, daemon=True)
        serving.start()
        try:
            yield panel
        finally:
            panel.shutdown()


def _name(number: int) -> str:
    return f"smoke-{number}"


def _site(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True)
    lines = [
        "site: {id: bench, name: {zh: 测试, en: Bench}, timezone: Asia/Shanghai}",
        "gateway: gw-1",
        "areas: [{id: hall, name: {zh: 大厅, en: Hall}}]",
        f"links: [{{id: fire, protocol: modbus-tcp, host: 127.0.0.1, port: {port}, timeout: 1s}}]",
        "equipment:",
        *(
            f"  - {{id: {_name(n)}, name: {{zh: 烟感 {n}, en: Detector {n}}}, "
            f"profile: notifier-detector, parameters: {{loop: 1, address: {n + 1}}}, "
            "area: hall, link: fire, unit: 1, poll: 1s}"
            for n in range(DETECTORS)
        ),
    ]
    path = folder / "site.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

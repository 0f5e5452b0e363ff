"""Two hundred open pages on one server, and one page in a real browser.

The site has 2,000 points that are read once a second, each another value every time. The streams
are read by a process of their own (:mod:`deploy.bench.readers`), so that what is measured is the
server's. The browser (:mod:`deploy.bench.page`) is Debian's Chromium, without a screen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psutil

from deploy.bench import page, site
from deploy.bench.figures import Figure, WrongError
from deploy.bench.polling import ROOT, devices
from deploy.bench.site import Load

_SUPPORT = ROOT / "tests" / "support"
sys.path.insert(0, str(_SUPPORT))
from product import Product, wait_for  # noqa: E402  # it lies among the tests
from worlds import free_port  # noqa: E402

PAGES = 200
LOAD = Load(devices=100, points=20, links=4, port=24100)
_POINTS = LOAD.devices * LOAD.points
_ASKED = ("alarms", "orders", "site", "rounds")
"""What a page asks for besides its stream."""
_ASKED_S = 20.0
_PATIENCE_S = 60.0
_NEARLY = 0.8


def pages(folder: Path) -> list[Figure]:
    file = site.write(folder / "site", LOAD)
    product = Product(data=folder / "data", site=file, port=free_port())
    found: list[Figure] = []
    try:
        product.start()
        # Nothing answers yet: its alarms, with their orders, are those of the shift.
        templates = {
            "alarm": wait_for("an alarm", product.alarms)[0],
            "order": wait_for("an order", product.orders)[0],
        }
        with devices(LOAD):
            _hear(product)
            alone = _server(product).memory_info().rss
            _tell(found, _two_hundred(product, alone))
            visitor = page.Visitor(
                base=f"http://127.0.0.1:{product.port}", cookies=dict(product.session.cookies)
            )
            for figures in page.measure(visitor, site.name(0), templates, _POINTS):
                _tell(found, figures)
    finally:
        product.end()
    return found


def _tell(found: list[Figure], new: list[Figure]) -> None:
    """Each part as soon as it is there, with the load of the machine at that moment."""
    load = os.getloadavg()[0]
    for one in new:
        one.notes["load"] = round(load, 1)
        print(f"  {one.what}: {one.ours:.3g} {one.unit}", file=sys.stderr, flush=True)
    print(f"  (load {load:.1f} on {os.cpu_count()} cores)", file=sys.stderr, flush=True)
    found += new


def _hear(product: Product) -> None:
    """Until every point has a good value: else an empty house would be measured."""

    def deaf() -> int:
        things, cursor = [], None
        while True:
            told = product.get("equipment", limit=200, **({"cursor": cursor} if cursor else {}))
            things += told["items"]
            if (cursor := told["next"]) is None:
                break
        points = [point for thing in things for point in thing["points"]]
        return _POINTS - sum(point["reading"]["quality"] == "good" for point in points)

    wait_for("every point is heard", lambda: deaf() == 0, _PATIENCE_S)


def _two_hundred(product: Product, alone: int) -> list[Figure]:
    with _readers(product, PAGES, slow=1) as told:
        took = _ask(product)
        beside = _server(product).memory_info().rss
        # Until whoever never reads has been cut.
        time.sleep(max(0.0, _PATIENCE_S - _ASKED_S))
    # Who is behind gets fewer and larger rounds.
    if told["lost"] or told["rounds_least"] < _NEARLY * told["rounds_most"]:
        raise WrongError(f"not everybody heard the same: {told}")
    if told["slow_cut"] is None:
        raise WrongError("who never reads was not cut")
    checked = f"{PAGES} streams heard {told['rounds_least']} to {told['rounds_most']} rounds"
    shares = [
        Figure(
            part="pages",
            what=f"a request beside {PAGES} open pages at {LOAD.tags:,.0f} points/s, p{share}",
            unit="s",
            ours=float(np.percentile(took, share)),
            target="1" if share == 95 else "",
            more_is_better=False,
            checked=checked,
        )
        for share in (50, 95)
    ]
    return [
        *shares,
        Figure(
            part="pages",
            what="whoever never reads is cut after",
            unit="s",
            ours=told["slow_cut"],
            more_is_better=False,
            checked=checked,
        ),
        Figure(
            part="pages",
            what=f"memory for {PAGES} pages and one that never reads",
            unit="MB",
            ours=(beside - alone) / 1e6,
            more_is_better=False,
            checked=checked,
        ),
    ]


def _ask(product: Product) -> list[float]:
    """s of each request, one after the other as a page asks."""
    took = []
    ends = time.monotonic() + _ASKED_S
    while time.monotonic() < ends:
        for path in _ASKED:
            begun = time.monotonic()
            try:
                answer = product.session.get(f"/api/v1/{path}")
            except httpx2.TimeoutException:
                raise WrongError(f"{path}: no answer in 10 s beside {PAGES} pages") from None
            took.append(time.monotonic() - begun)
            if answer.status_code != httpx2.codes.OK:
                raise WrongError(f"{path}: {answer.status_code}")
        time.sleep(0.1)
    return took


@contextmanager
def _readers(product: Product, count: int, *, slow: int) -> Iterator[Mapping[str, Any]]:
    """What they have heard is there when they have ended."""
    told: dict[str, Any] = {}
    cookie = "; ".join(f"{name}={value}" for name, value in product.session.cookies.items())
    arguments = ("--port", product.port, "--cookie", cookie, "--count", count, "--slow", slow)
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "deploy.bench.readers", *map(str, arguments)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise WrongError("the readers did not start")
            yield told
        finally:
            process.terminate()
            if process.stdout is not None:
                told.update(json.loads(process.stdout.read() or "{}"))


def _server(product: Product) -> psutil.Process:
    found = product.child("embedded")
    if found is None:
        raise WrongError("there is no server")
    return found

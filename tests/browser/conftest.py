"""A browser, and a page of it on the ``product`` of the test, which is not to complain.

A file that needs a world of its own has its own ``product``; the others share one.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from product import ROOT, Product
from ruamel.yaml import YAML
from worlds import demo_site, free_port

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


NO_TOUR = "try { localStorage.setItem('dutyroom.tour', '*') } catch {}"
"""Before everything else: nobody here is on their first visit. An empty page is of no site, and
keeps nothing."""


@pytest.fixture(scope="package")
def browser(chromium: str, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One for all: what a test keeps is in its own context, and a start costs two seconds of work.
    It ends with this package, for its loop would be in the way of tests that run one."""
    # Without its __init__.py this would be the session, and whichever tests came to the same worker
    # afterwards could run no loop of their own.
    assert isinstance(request.node, pytest.Package)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*sandbox, *QUIET])
        yield browser
        browser.close()


@dataclass
class Group:
    """The robot of a chat group: the texts that it was told, and what it answers."""

    answer: dict[str, object] = field(default_factory=lambda: {"errcode": 0, "errmsg": "ok"})
    told: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def group() -> Group:
    return Group()


@pytest.fixture(scope="session")
def group_address(group: Group) -> Iterator[str]:
    """Where the robot of the group listens."""

    class Robot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            group.told.append(json.dumps(message, ensure_ascii=False))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(group.answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/send?key=of-the-group"
    server.shutdown()
    thread.join()
    server.server_close()


def with_channel(site: Path, address: str) -> None:
    """``site`` tells the group at ``address`` whatever is critical or major."""
    (site.parent / "group.url").write_text(address, encoding="utf-8")
    yaml = YAML()
    document = yaml.load(site)
    document["notices"]["channels"] = [
        {
            "id": "duty-group",
            "kind": "wecom",
            "address_file": "group.url",
            "priorities": ["critical", "major"],
        }
    ]
    yaml.dump(document, site)


def with_plan(site: Path) -> None:
    """``site`` has maintenance of a pump that is due today."""
    plan = f"""
        plan: pump-check
        name: {{zh: 水泵检查, en: Pump check}}
        category: water_supply
        scope: {{per: equipment, equipment: [pump-3]}}
        trigger: {{every: 15d, anchor: 2026-01-01, anchors: {{pump-3: {_days_ago(15)}}}}}
        allowed: 3d
        grace: 2d
        materials: [{{name: {{zh: 润滑脂, en: Grease}}}}]
        steps:
          - {{name: {{zh: 润滑轴承, en: Lubricate}}, required: true, source: "[NV]"}}
          - {{name: {{zh: 检查密封, en: Check the seal}}, required: true, source: "[NV]"}}
        source: "[NV]"
    """
    folder = site.parent / "rulebook/plans"
    folder.mkdir(parents=True)
    (folder / "pump-check.yaml").write_text(dedent(plan), encoding="utf-8")


def _days_ago(number: int) -> date:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=number)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, group_address: str) -> Iterator[Product]:
    """The demonstration, in which pump 2 runs hot from the start, and a chat group hears of it. Its
    own profile swapped-meter is the incoming meter's with the words of each number exchanged."""
    folder = tmp_path_factory.mktemp("shared")
    meter = (ROOT / "gateway/profiles/meter/eastron-sdm630.yaml").read_text(encoding="utf-8")
    swapped = meter.replace("profile: eastron-sdm630", "profile: swapped-meter").replace(
        "type: float32}", "type: float32, order: CDAB}"
    )
    assert swapped.count("CDAB") > 20
    site = demo_site(
        folder / "site",
        hot=[(5, 3600)],
        quick_rule=True,
        profiles={"swapped-meter": swapped},
    )
    with_channel(site, group_address)
    with_plan(site)
    shutil.copy(ROOT / "deploy/demo/people.yaml", site.parent)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{product.port}",
        viewport={"width": 1920, "height": 1080},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    context.add_init_script(NO_TOUR)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: _only_here(r.url, product, faults))
    yield page
    context.close()
    # The browser notes an answer 401 (who is there, asked before the log-in) and, where the test
    # has killed the server, every request that came to nothing.
    unasked = "the server responded with a status of 401"
    expected = (unasked, "net::ERR_") if product.killed else (unasked,)
    assert [fault for fault in faults if not any(word in fault for word in expected)] == []


@pytest.fixture
def stranger(browser: Browser, product: Product) -> Iterator[BrowserContext]:
    """The phone of somebody who is not of the house and logs in nowhere."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{product.port}",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    yield context
    context.close()


@pytest.fixture
def photograph(browser: Browser) -> bytes:
    """A JPEG as a phone makes it, larger than what is sent."""
    page = browser.new_page()
    drawn: str = page.evaluate(
        """() => {
            const canvas = document.createElement('canvas')
            Object.assign(canvas, { width: 2400, height: 1800 })
            const pen = canvas.getContext('2d')
            for (let n = 0; n < 40; n += 1) {
                pen.fillStyle = `hsl(${n * 31} 55% 55%)`
                pen.fillRect((n % 8) * 300, Math.floor(n / 8) * 360, 300, 360)
            }
            return canvas.toDataURL('image/jpeg', 0.9)
        }"""
    )
    page.close()
    return base64.b64decode(drawn.partition(",")[2])


def _only_here(url: str, product: Product, faults: list[str]) -> None:
    if not url.startswith((f"http://127.0.0.1:{product.port}/", "data:", "blob:")):
        faults.append(f"the page asked for {url}")

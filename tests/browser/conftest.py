"""A browser, and a page of it on the ``product`` of the test, which is not to complain."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from product import Product

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*sandbox, *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{product.port}",
        viewport={"width": 1920, "height": 1080},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
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


def _only_here(url: str, product: Product, faults: list[str]) -> None:
    if not url.startswith((f"http://127.0.0.1:{product.port}/", "data:", "blob:")):
        faults.append(f"the page asked for {url}")

"""A duty officer's first minute, in a real browser on the real product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from product import PASSWORD, ROOT, Product, wait_for
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = ROOT / "build" / "pictures"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    site = demo_site(tmp_path / "site", hot=[(35, 600)], quick_rule=True)
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    product.start()
    yield product
    product.end()


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
    expected = ("401", "net::ERR_") if product.killed else ("401",)
    assert [fault for fault in faults if not any(word in fault for word in expected)] == []


def _only_here(url: str, product: Product, faults: list[str]) -> None:
    if not url.startswith((f"http://127.0.0.1:{product.port}/", "data:", "blob:")):
        faults.append(f"the page asked for {url}")


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def at(page: Page, name: str) -> Locator:
    return page.locator(f"[data-test={name}]")


def log_in(page: Page) -> None:
    page.goto("/")
    at(page, "login-username").fill("admin")
    at(page, "login-password").fill(PASSWORD)
    at(page, "login-submit").click()
    expect(at(page, "verdict")).to_be_visible()


def test_the_alarm_comes_up_is_acknowledged_and_its_order_is_there(page, product):
    log_in(page)
    page.evaluate("window.stillTheSamePage = true")
    # The lamp says everything it has to say every ten seconds.
    expect(at(page, "verdict")).to_contain_text("正常", timeout=20_000)
    expect(at(page, "alarm-row")).to_have_count(0)
    picture(page, "overview-quiet")

    # The pump runs hot now; nobody reloads the page.
    alarm = at(page, "alarm-row").first
    expect(alarm).to_be_visible(timeout=60_000)
    expect(alarm).to_contain_text("电机温度高")
    expect(at(page, "order-row").first).to_be_visible(timeout=5_000)
    picture(page, "overview-alarm")

    at(page, "nav-alarms").first.click()
    identity = at(page, "alarm-row").first.get_attribute("data-alarm-id")
    at(page, "alarm-acknowledge").first.click()
    state = page.locator(f"[data-alarm-id='{identity}'] [data-test=alarm-state]").first
    expect(state).to_have_attribute("data-state", "acknowledged")
    picture(page, "alarms")
    wait_for(
        "the ledger has the acknowledgement",
        lambda: product.get(f"alarms/{identity}")["acknowledged_by"] == "admin",
    )

    at(page, "nav-orders").first.click()
    order = at(page, "order-row").first
    expect(order).to_contain_text("电机温度高")
    expect(order).to_have_attribute("data-order-id", product.orders()[0]["id"])
    expect(at(page, "order-clock").first).to_be_visible()
    picture(page, "orders")
    assert page.evaluate("window.stillTheSamePage") is True

    at(page, "language-switch").first.click()
    expect(order).to_contain_text("Motor temperature high")


def test_an_equipment_page_shows_live_values_and_says_when_the_server_is_gone(page, product):
    log_in(page)
    page.goto("/equipment/pump-2")
    expect(at(page, "point-row").first).to_be_visible()
    expect(at(page, "trend").locator("canvas").first).to_be_visible(timeout=15_000)
    picture(page, "equipment")
    product.kill()
    expect(at(page, "connection-lost")).to_be_visible(timeout=30_000)
    row = page.locator("[data-test=point-row]", has_text="电机温度")
    expect(row).to_have_attribute("data-quality", "stale", timeout=15_000)
    picture(page, "equipment-lost")


def test_on_a_phone_nothing_is_wider_than_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page)
    for place in ("overview", "alarms", "orders", "equipment"):
        link = at(page, f"nav-{place}").last
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} px too wide"
        picture(page, f"phone-{place}")

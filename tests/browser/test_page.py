"""A duty officer's first minute, in a real browser on the real product."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect
from product import Product, wait_for
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Quiet for half a minute, which the first test sees; the last one kills it and starts it."""
    folder = tmp_path_factory.mktemp("minute")
    site = demo_site(folder / "site", hot=[(35, 600)], quick_rule=True)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


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


def test_on_a_phone_nothing_is_wider_than_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page)
    for place in ("overview", "alarms", "orders", "equipment"):
        link = at(page, f"nav-{place}").last
        if not link.is_visible():
            at(page, "nav-more").click()
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} px too wide"
        picture(page, f"phone-{place}")


def an_updated_server(page: Page) -> None:
    """The page is asked for anew, and is another."""

    def answer(route: Route) -> None:
        if route.request.resource_type != "fetch":
            return route.fallback()
        return route.fulfill(body='<script type="module" src="/assets/another.js"></script>')

    page.route(lambda address: urlsplit(address).path == "/", answer)


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

    # It comes back as another version: what stays open says so, and where one goes next is new.
    an_updated_server(page)
    page.evaluate("window.stillTheSamePage = true")
    product.start()
    expect(at(page, "newer")).to_contain_text("刷新", timeout=30_000)
    picture(page, "equipment-newer")
    at(page, "nav-alarms").first.click()
    expect(page).to_have_url("/alarms")
    expect(at(page, "nav-alarms").first).to_have_attribute("aria-current", "page")
    assert page.evaluate("window.stillTheSamePage") is None

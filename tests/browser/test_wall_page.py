"""The wall: opened by a link and by nobody, honest when it is cut off, and gone when revoked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from product import Product, wait_for
from relay import relay
from webpage import at, log_in, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = [(1366, 768), (3840, 2160), (1920, 1080)]


def test_a_screen_shows_the_compound_and_nothing_else(page, product: Product, browser: Browser):
    log_in(page)
    page.goto("/tokens")
    at(page, "screen-add").click()
    at(page, "screen-name").fill("东墙")
    at(page, "dialog-submit").click()
    link = at(page, "screen-secret").input_value()
    at(page, "dialog-submit").click()
    expect(at(page, "screen-row")).to_contain_text("还没有打开")
    wait_for("something is wrong", product.alarms, 60)

    with relay(product.port) as way:
        here = f"http://127.0.0.1:{way.port}"
        context = browser.new_context(
            base_url=here,
            viewport={"width": 1920, "height": 1080},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        screen = context.new_page()
        # Opened by its link without a log-in; nobody can read the key off it afterwards.
        screen.goto(f"/wall#{link.partition('#')[2]}")
        expect(at(screen, "alarm-row").first).to_contain_text("电机温度高", timeout=20_000)
        assert screen.url == f"{here}/wall"
        expect(at(screen, "verdict")).to_contain_text("重要")
        expect(screen.locator("header")).to_contain_text("东墙")
        first = at(screen, "wall-clock").inner_text()
        expect(at(screen, "wall-clock")).not_to_have_text(first)

        # It reaches nothing else, and writes nothing.
        assert at(screen, "alarm-acknowledge").count() == 0
        assert screen.locator("[data-test=wall] a[href]:not([inert] *)").count() == 0
        asked = "async ([method, path]) => (await fetch(path, { method })).status"
        for method, path in (
            ("GET", "/api/v1/me"),
            ("GET", "/api/v1/audit"),
            ("GET", "/api/v1/rules"),
            ("POST", f"/api/v1/alarms/{product.alarms()[0]['id']}/acknowledge"),
        ):
            assert screen.evaluate(asked, [method, path]) == 403, path
        other = context.new_page()
        other.goto("/orders")
        expect(at(other, "login-username")).to_be_visible()
        other.close()

        # Everything is in sight on every screen.
        for width, height in SIZES:
            screen.set_viewport_size({"width": width, "height": height})
            seen = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
            assert screen.evaluate(seen) == [width, height]
        for theme in ("day", "night"):
            screen.evaluate("theme => localStorage.setItem('dutyroom.theme', theme)", theme)
            screen.reload()
            expect(at(screen, "verdict")).to_contain_text("重要")
            picture(screen, f"wall-{theme}")

        # Cut off, nothing passes for what is so now; it comes back by itself.
        way.cut()
        expect(at(screen, "wall-lost")).to_contain_text("并非实时", timeout=20_000)
        expect(at(screen, "verdict")).to_contain_text("现状不明")
        picture(screen, "wall-lost")
        way.mend()
        expect(at(screen, "verdict")).to_contain_text("重要", timeout=30_000)

        # Revoked, it says so.
        page.reload()
        expect(at(page, "screen-row")).to_contain_text("127.0.0.1")
        picture(page, "screens")
        at(page, "screen-remove").click()
        at(page, "dialog-submit").click()
        expect(at(page, "screen-row")).to_have_count(0)
        expect(at(screen, "wall-closed")).to_have_attribute("data-state", "revoked", timeout=30_000)
        picture(screen, "wall-revoked")
        context.close()

"""Every page, on a desk and on a phone, by day and by night: nothing that keeps people out, nothing
wider than the screen, no complaint of the browser; and a picture of each to look at.

The pictures are under ``build/screenshots/``, a folder a width and theme.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from product import PASSWORD, ROOT, Product, wait_for
from webpage import at

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WEB = ROOT / "api" / "web"
PICTURES = ROOT / "build" / "screenshots"
SCREENS = {"desk": (1920, 1080, "zh"), "phone": (390, 844, "en")}
UNKNOWN = "none"
"""An id of nothing: the page says so, and the browser notes the answer."""

# What is told as wrong: https://dequeuniversity.com/rules/axe/
AXE = """async (only) => {
    const options = { resultTypes: ['violations'], ...(only ? { runOnly: only } : {}) }
    const { violations } = await axe.run(document, options)
    return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ target, html }) =>
            `${id}: ${target.join(' ')} ${html.slice(0, 160)}`))
}"""
GO = """(address) => {
    history.pushState(null, '', address)
    dispatchEvent(new PopStateEvent('popstate', { state: null }))
}"""
# The page before stands until the code of the next one is there.
SETTLED = """() => {
    const { $router } = document.querySelector('#page').__vue_app__.config.globalProperties
    const there = $router.currentRoute.value.fullPath === location.pathname + location.search
    const waits = document.querySelector('[role=status].loading') !== null
    const said = (document.querySelector('main, .page')?.textContent ?? '').trim()
    return there && !waits && said !== ''
}"""


def addresses(product: Product) -> Mapping[str, tuple[str, ...]]:
    """Of every route by its name; one with an id has something of the demonstration."""
    alarm = wait_for("an alarm with an order", lambda: _with_order(product))
    regime, plan = (_first(product, kind)["id"] for kind in ("regimes", "plans"))
    return {
        "overview": ("/",),
        "wall": ("/wall",),
        "alarm-load": ("/alarms/load",),
        "planned-tests": ("/alarms/tests",),
        "alarms": ("/alarms", f"/alarms/{alarm['id']}"),
        "order-figures": ("/orders/figures",),
        "orders": ("/orders", f"/orders/{alarm['order']['id']}"),
        "equipment-list": ("/equipment", "/equipment?by=area&q=pump"),
        "system": tuple(
            f"/equipment/system/{one}" for one in ("power", "water", "lift", "fire", "lighting")
        ),
        "equipment": (
            *(
                f"/equipment/{one}"
                for one in ("pump-2", "meter-1", "lift-1", "fire-panel", "lamp-1", "sump-1")
            ),
            "/equipment/pump-2/register",
        ),
        "register": ("/register",),
        "rounds": ("/rounds", "/rounds/week", "/rounds/month", "/rounds/all"),
        "round": (f"/rounds/{_first(product, 'rounds').get('id', UNKNOWN)}",),
        "regimes": ("/regimes", f"/regimes/{regime}"),
        "findings": ("/findings",),
        "coverage": ("/coverage",),
        "plans": ("/plans", "/plans/year", "/plans/all"),
        "plan-due": (f"/plans/due/{_first(product, 'plans/due').get('id', UNKNOWN)}",),
        "plan": (f"/plans/of/{plan}",),
        "roster": ("/roster", "/roster/leave", "/roster/teams", "/roster/calendar"),
        "shift": ("/shift",),
        "handover": ("/handover",),
        "links": ("/links",),
        "profiles": ("/profiles", "/profiles/eastron-sdm630"),
        "people": ("/people", "/people/admin"),
        "tokens": ("/tokens",),
        "audit": ("/audit",),
        "account": ("/account",),
        "rules": ("/rules", "/rules/motor-temperature-high"),
        "notices": ("/notices",),
        "demo": ("/demo",),
        "offline": ("/offline/conflicts",),
        "request-new": ("/requests/new",),
        "place-codes": ("/requests/codes",),
        "request-public": (f"/r/{UNKNOWN}",),
        "contractor": (f"/c/{UNKNOWN}",),
        "phone-orders": ("/m",),
        "phone-order": (f"/m/orders/{alarm['order']['id']}",),
        "phone-rounds": ("/m/rounds",),
        "phone-round": (f"/m/rounds/{UNKNOWN}",),
        "phone-scan": ("/m/scan",),
        "phone-me": ("/m/me",),
        "phone-login": ("/m/login",),
        "elsewhere": ("/nowhere",),
        "login": ("/login",),
    }


def _with_order(product: Product) -> Mapping[str, Any] | None:
    return next((alarm for alarm in product.alarms() if alarm["order"] is not None), None)


def _first(product: Product, kind: str) -> Mapping[str, Any]:
    items = product.get(kind)["items"]
    return items[0] if items else {}


def _enter(browser: Browser, product: Product, screen: str) -> tuple[BrowserContext, Page]:
    width, height, language = SCREENS[screen]
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{product.port}",
        viewport={"width": width, "height": height},
        has_touch=screen == "phone",
        timezone_id="Asia/Shanghai",
        # A colour on its way to another one is neither.
        reduced_motion="reduce",
        # Every page comes from the server itself.
        service_workers="block",
    )
    # The look around that a first visit begins with would lie over every page.
    kept = {"dutyroom.language": language, "dutyroom.tour": "*"}
    context.add_init_script(f"Object.assign(localStorage, {json.dumps(kept)})")
    context.add_init_script(path=WEB / "node_modules/axe-core/axe.min.js")
    page = context.new_page()
    page.goto("/login")
    at(page, "login-username").fill("admin")
    at(page, "login-password").fill(PASSWORD)
    at(page, "login-submit").click()
    expect(at(page, "verdict")).to_be_visible(timeout=30_000)
    return context, page


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_lets_everybody_in_and_fits(browser, product, screen):
    named = set(re.findall(r"name: '([\w-]+)'", (WEB / "src/router.ts").read_text("utf-8")))
    visited = addresses(product)
    assert named ^ set(visited) == set(), "every route has addresses here, and nothing else has"

    context, page = _enter(browser, product, screen)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url} {error}"))
    page.on("console", lambda said: _hear(page, said, wrong))
    for name, places in visited.items():
        for number, address in enumerate(places):
            page.evaluate(GO, address)
            page.wait_for_function(SETTLED)
            picture = name if number == 0 else f"{name}-{number}"
            wrong += _looked_at(page, screen, picture)
    context.close()
    assert not wrong, "\n".join(wrong)


def _hear(page: Page, said: ConsoleMessage, wrong: list[str]) -> None:
    # Asked for what there is not, and the wall, which has been given no token of its own. Of which
    # address it was the message says; the page may be at the next one already.
    refused = "the server responded with a status of 4" in said.text
    about = str(said.location.get("url", ""))
    expected = refused and (about.endswith("/kiosk") or f"/{UNKNOWN}" in about + page.url)
    if said.type == "error" and not expected:
        wrong.append(f"{page.url} {said.text} {about}")


def _looked_at(page: Page, screen: str, picture: str) -> list[str]:
    """What is wrong with the page that is open; its pictures are taken."""
    wrong: list[str] = []
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if too_wide > 0:
        wrong.append(f"{page.url} is {too_wide} px too wide")
    for theme in ("day", "night"):
        # As the switch of the page does.
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        folder = PICTURES / f"{screen}-{theme}"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{picture}.png")
        # Of the other theme only its colours are new.
        only = None if theme == "day" else ["color-contrast"]
        wrong += [f"{page.url} by {theme}: {one}" for one in page.evaluate(AXE, only)]
    return wrong

"""Handing a shift over in a real browser: what forbids it, how it goes away, two signatures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect
from product import PASSWORD, ROOT, Product, wait_for
from ruamel.yaml import YAML
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIN = "8264"
ZONE = ZoneInfo("Asia/Shanghai")


class Person:
    """Somebody who is logged in somewhere else."""

    def __init__(self, browser: Browser, product: Product, username: str) -> None:
        self.origin = f"http://127.0.0.1:{product.port}"
        self.context = browser.new_context(base_url=self.origin)
        self.send("POST", "login", {"username": username, "password": PASSWORD})

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.context.request.fetch(
            f"/api/v1/{path}", method=method, data=body, headers={"Origin": self.origin}
        )
        assert answer.ok, answer.text()
        return answer.json() if answer.body() else None


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Team a goes in twelve minutes, and team b comes: at whatever time this runs, and from the
    start, for shifts that are changed while one is handed over wait for that."""
    folder = tmp_path_factory.mktemp("handover")
    site = demo_site(folder / "site", hot=[(36_000, 1)], quick_rule=True)
    now = datetime.now(UTC).astimezone(ZONE)
    starts, ends = (f"{now + timedelta(minutes=shift):%H:%M}" for shift in (-180, 12))
    name = {"zh": "班", "en": "Shift"}
    yaml = YAML()
    people = yaml.load(ROOT / "deploy/demo/people.yaml")
    people["shifts"] = [
        {"id": "off", "name": name, "starts": starts, "ends": ends},
        {"id": "on", "name": name, "starts": ends, "ends": starts},
    ]
    people["rotation"] = {"anchor": now.date(), "pattern": [{"off": "a", "on": "b"}]}
    yaml.dump(people, site.parent / "people.yaml")
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


@pytest.fixture
def handover(product: Product) -> str:
    """The id of the one that is due."""
    return wait_for("the sheet composes itself", lambda: _prepared(product))


def _prepared(product: Product) -> str | None:
    found = product.get("handovers/current")["handover"]
    ours = found is not None and found["id"].endswith(".off")
    return str(found["id"]) if ours else None


def test_a_handover_is_refused_until_each_reason_is_gone_and_then_signed_by_both(
    page, product, browser, handover
):
    with ExitStack() as stack:
        wu, zhao, chen = (Person(browser, product, name) for name in ("wu", "zhao", "chen"))
        for one in (wu, zhao):
            one.send("PUT", "me/pin", {"password": PASSWORD, "pin": PIN})
            stack.callback(one.send, "DELETE", "me/pin")
        log_in(page, "zhou")
        page.goto("/handover")
        expect(at(page, "handover-blocks")).to_contain_text("不能交接")
        reasons = page.locator("[data-test^=block-]")
        for reason in reasons.all():
            expect(reason.locator(".mend")).to_contain_text("→ ")
        expect(at(page, "block-relief-absent")).to_contain_text("接班人员未到岗签到")
        expect(at(page, "handover-give")).to_be_disabled()

        sign(page, "handover-arrive-as", "wu")
        expect(at(page, "block-relief-absent")).to_have_count(0)
        expect(at(page, "block-crew-incomplete")).to_contain_text("未到：赵建国")
        zhao.send("POST", f"handovers/{handover}/arrivals", {"note": None})
        expect(at(page, "arrival")).to_have_count(2)
        expect(at(page, "block-crew-incomplete")).to_have_count(0)

        at(page, "all-well-outgoing").click()
        for field in page.locator("[data-test^=explain-]").all():
            field.fill("轴承磨损，已降频运行")
        at(page, "submit-outgoing").click()
        expect(at(page, "block-relief-unfit")).to_have_count(0)
        at(page, "all-well-incoming").click()
        sign(page, "submit-incoming-as", "wu")
        expect(at(page, "block-count-differs")).to_have_count(0)
        picture(page, "handover-answered")

        # What the demonstration has at work.
        left = product.get(f"handovers/{handover}")["blocks"]
        if left:
            ids = [one["id"] for one in left]
            body = {"reason": "演示", "blocks": ids}
            chen.send("POST", f"handovers/{handover}/override", body)
        expect(at(page, "handover-blocks")).to_contain_text("可以交接", timeout=20_000)

        at(page, "handover-give").click()
        expect(at(page, "signed-outgoing")).to_contain_text("周明")
        sign(page, "handover-take-as", "wu")
        expect(at(page, "signed-incoming")).to_contain_text("吴秀兰")
        expect(at(page, "handover-said")).to_contain_text("实点 1")
        picture(page, "handover-signed")

        with page.expect_popup() as opened:
            at(page, "handover-pdf").click()
        address = opened.value.url
        opened.value.close()
        printed = page.request.get(f"/api/v1/handovers/{handover}/record.pdf")
        assert address.endswith(f"{handover}/record.pdf") or address in (":", "about:blank")
        assert printed.headers["content-type"] == "application/pdf"
        assert printed.body().startswith(b"%PDF-")


def sign(page, button: str, username: str) -> None:
    """With the PIN of somebody else at the same computer."""
    at(page, button).click()
    at(page, "signing-user").click()
    at(page, f"signing-user-{username}").click()
    expect(at(page, f"signing-user-{username}")).to_be_hidden()
    at(page, "signing-pin").fill(PIN)
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_have_count(0)

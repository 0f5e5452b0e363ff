"""Work orders in a real browser on the real product: one from the desk to the last look at it, and
what an owner asks for by telephone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from product import Product
from webpage import at, log_in, log_out, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def stands(page: Page, state: str) -> None:
    expect(at(page, "order-details")).to_have_attribute("data-state", state)


def chosen_from_menu(page: Page, step: str) -> None:
    at(page, "order-more").click()
    at(page, f"order-more-{step}").click()


def on_the_board(page: Page, column: str, order_id: str) -> None:
    page.goto("/orders")
    card = at(page, f"column-{column}").locator(f"[data-order-id='{order_id}']")
    expect(card).to_be_visible()


def not_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{wide} px too wide"


def kept(product: Product, order_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = product.get(f"orders/{order_id}")
    return found


def done_by_the_admin(product: Product, order_id: str, step: str, body: object = None) -> None:
    answer = product.session.post(f"/api/v1/orders/{order_id}/{step}", json=body)
    assert answer.is_success, answer.text


def test_an_order_goes_from_the_desk_to_the_last_look_at_it(page, product):
    # The officer makes it and gives it to somebody who is free.
    log_in(page, "zhou")
    at(page, "nav-orders").first.click()
    at(page, "order-new").click()
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_contain_text("必填")
    at(page, "new-title").fill("地库 B 区灯管更换")
    at(page, "new-category-lighting").click()
    at(page, "new-area").click()
    at(page, "new-area-garage").click()
    at(page, "dialog-submit").click()
    stands(page, "open")
    identity = page.url.rsplit("/", 1)[-1]
    at(page, "order-assign").click()
    at(page, "candidate-li").click()
    picture(page, "order-assign")
    at(page, "dialog-submit").click()
    stands(page, "assigned")
    on_the_board(page, "assigned", identity)
    picture(page, "orders-board")
    log_out(page)

    # The technician has it on the phone: every step is the one large button.
    log_in(page, "li")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/orders/{identity}")
    for step, state in (("accept", "accepted"), ("arrive", "on_site"), ("start", "in_progress")):
        at(page, f"order-{step}").click()
        stands(page, state)
    not_wider_than_the_screen(page)
    picture(page, "phone-order")
    chosen_from_menu(page, "suspend")
    at(page, "suspend-why-parts").click()
    at(page, "step-note").fill("等灯管")
    at(page, "dialog-submit").click()
    stands(page, "suspended")
    expect(at(page, "clock-pause")).to_contain_text("等配件")
    picture(page, "phone-order-suspended")
    at(page, "order-resume").click()
    stands(page, "in_progress")
    at(page, "order-complete").click()
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "order-note").fill("更换灯管两根")
    at(page, "material-add").click()
    at(page, "material-name-0").fill("LED 灯管")
    at(page, "material-quantity-0").fill("2")
    at(page, "material-price-0").fill("18，5")
    at(page, "order-minutes").fill("25")
    not_wider_than_the_screen(page)
    picture(page, "phone-order-complete")
    at(page, "dialog-submit").click()
    stands(page, "completed")
    expect(at(page, "order-materials")).to_contain_text("37.00")
    done = kept(product, identity)
    assert (done["completed_by"], done["labour_minutes"]) == ("li", 25)
    log_out(page)

    # The foreman looks at it: nothing measures whether a lamp is right.
    page.set_viewport_size({"width": 1920, "height": 1080})
    log_in(page, "qian")
    page.goto(f"/orders/{identity}")
    at(page, "order-verify").click()
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "step-note").fill("现场已亮")
    at(page, "dialog-submit").click()
    stands(page, "closed")
    expect(at(page, "order-actions")).to_have_count(0)
    picture(page, "order-closed")
    steps = [event["event"] for event in kept(product, identity)["events"]]
    gone = ["assign", "accept", "arrive", "start", "suspend", "resume", "complete", "verify"]
    assert [step for step in steps if step in gone] == gone


def test_what_an_owner_asks_for_by_telephone_is_promised_and_asked_after(page, product):
    log_in(page, "zhou")
    page.goto("/requests/new")
    # The caller speaks and both hands are on the keyboard.
    expect(at(page, "request-name")).to_be_focused()
    page.keyboard.type("王女士")
    page.keyboard.press("Tab")
    page.keyboard.type("139 0000 0000")
    page.keyboard.press("Tab")
    page.keyboard.type("1 号楼 2 单元 801")
    at(page, "request-description").focus()
    page.keyboard.type("厨房水龙头漏水")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    at(page, "request-until").locator("input").fill("2099-01-01 18:00")
    page.keyboard.press("Enter")
    picture(page, "request")
    page.keyboard.press("Control+Enter")
    number = int((at(page, "request-number").text_content() or "").strip().lstrip("#"))
    at(page, "request-order").click()
    stands(page, "open")
    identity = page.url.rsplit("/", 1)[-1]
    asked = kept(product, identity)
    assert (asked["number"], asked["requester"]["phone"]) == (number, "139 0000 0000")
    assert asked["promise"]["until"].startswith("2099-01-01T18:00")

    # Whoever calls again about the same is found while the name is typed.
    page.goto("/requests/new")
    at(page, "request-name").fill("王女士")
    expect(at(page, "open-request").first).to_contain_text("可能已报过")

    # What was promised is put off once, with a reason, and then never again.
    page.goto(f"/orders/{identity}")
    at(page, "order-postpone").click()
    at(page, "promise-until").locator("input").fill("2099-01-02 12:00")
    page.keyboard.press("Enter")
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "promise-reason").fill("等配件，已与业主说好")
    at(page, "dialog-submit").click()
    expect(at(page, "order-promise")).to_contain_text("01-02 12:00")
    expect(at(page, "order-postpone")).to_be_disabled()
    expect(at(page, "order-request")).to_contain_text("不能再改")
    picture(page, "order-request")

    done_by_the_admin(product, identity, "accept")
    done_by_the_admin(product, identity, "complete", {"note": "更换阀芯"})
    done_by_the_admin(product, identity, "verify", {"passed": True, "note": "不漏"})
    stands(page, "verified")
    at(page, "order-visit").click()
    at(page, "visit-satisfied-no").click()
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "visit-satisfied-yes").click()
    at(page, "dialog-submit").click()
    stands(page, "closed")
    visited = kept(product, identity)
    assert (visited["state"], visited["satisfied"]) == ("closed", True)

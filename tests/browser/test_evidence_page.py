"""What was there to be seen: photographs and a signature on an order, in the office and by the link
of a contractor, who does one order without a log-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect
from product import Product
from webpage import at, log_in, log_out, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def done(product: Product, path: str, body: object = None) -> Mapping[str, Any]:
    answer = product.session.post(f"/api/v1/{path}", json=body)
    assert answer.is_success, answer.text
    document: Mapping[str, Any] = answer.json()
    return document


def jpeg(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def is_shown(page: Page) -> None:
    """The last photograph has arrived, and came back from the server as a picture."""
    expect(at(page, "photo-sending")).to_have_count(0, timeout=15_000)
    last = at(page, "photos").locator("img").last
    expect(last).to_have_js_property("complete", value=True)
    assert last.evaluate("image => Math.max(image.naturalWidth, image.naturalHeight)") == 1600


def not_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{wide} px too wide"


def test_an_order_is_photographed_signed_for_and_a_wrong_photograph_struck_out(
    page, product, photograph
):
    asked = {
        "name": "王女士",
        "phone": "139 0000 0001",
        "place": "1 号楼 2 单元 1203",
        "category": "water_supply",
        "priority": "minor",
        "description": "卫生间地漏返水",
    }
    identity = done(product, "requests", asked)["id"]
    done(product, f"orders/{identity}/assign", {"username": "li"})
    log_in(page, "li")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/orders/{identity}")
    photos = at(page, "photo-files")
    photos.set_input_files([jpeg("before.jpg", photograph), jpeg("wrong.jpg", photograph)])
    expect(at(page, "photos").locator("img")).to_have_count(2, timeout=15_000)
    is_shown(page)

    at(page, "signature-ask").click()
    # The owner's name stands there already; without a line nobody has signed.
    expect(at(page, "signer")).to_have_value("王女士")
    expect(at(page, "dialog-submit")).to_be_disabled()
    box = at(page, "signature-pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for x, y in ((90, 30), (140, 80), (200, 40), (260, 70)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    picture(page, "phone-signature")
    not_wider_than_the_screen(page)
    at(page, "dialog-submit").click()
    expect(at(page, "signature")).to_contain_text("王女士")
    not_wider_than_the_screen(page)
    picture(page, "phone-order-photos")
    kept = product.get(f"orders/{identity}")["attachments"]
    assert sorted((one["kind"], one["by"]) for one in kept) == [
        ("photo", "li"),
        ("photo", "li"),
        ("signature", "li"),
    ]
    log_out(page)

    # Whoever verifies may strike one out, and says why; that it was there stays to be read.
    page.set_viewport_size({"width": 1920, "height": 1080})
    log_in(page, "qian")
    page.goto(f"/orders/{identity}")
    at(page, "photos").locator("button").last.click()
    expect(at(page, "photo-large").locator("img")).to_be_visible()
    picture(page, "order-photo-large")
    at(page, "photo-strike").click()
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "strike-why").fill("拍的是另一户")
    at(page, "dialog-submit").click()
    expect(at(page, "photos").locator("img")).to_have_count(1)
    expect(at(page, "order-attachments")).to_contain_text("拍的是另一户")
    picture(page, "order-photos")


def test_a_contractor_does_an_order_by_a_link_and_the_link_ends_with_it(
    page, product, photograph, stranger
):
    order = {
        "category": "lift",
        "priority": "major",
        "title": "1 号楼电梯异响",
        "description": "运行中轿厢有摩擦声",
        "equipment": "lift-1",
    }
    identity = done(product, "orders", order)["id"]
    log_in(page, "chen")
    page.goto(f"/orders/{identity}")
    at(page, "order-assign").click()
    at(page, "candidate-lift-co").click()
    at(page, "dialog-submit").click()
    url = at(page, "contractor-url").input_value()
    picture(page, "contractor-link")
    at(page, "dialog-submit").click()
    expect(at(page, "contractor-url")).to_have_count(0)
    details = at(page, "order-details")
    expect(details).to_have_attribute("data-state", "assigned")

    phone = stranger.new_page()
    phone.goto("/c/" + url.rsplit("/", 1)[-1])
    theirs = at(phone, "contractor-order")
    expect(theirs).to_contain_text("1 号楼电梯异响")
    picture(phone, "phone-contractor")
    for step, state in (("accept", "accepted"), ("arrive", "on_site"), ("start", "in_progress")):
        at(phone, f"contractor-{step}").click()
        expect(theirs).to_have_attribute("data-state", state)
    # The office sees it while it happens.
    expect(details).to_have_attribute("data-state", "in_progress")
    at(phone, "contractor-suspend").click()
    at(phone, "contractor-why-parts").click()
    at(phone, "contractor-suspend-send").click()
    expect(at(phone, "contractor-state")).to_contain_text("等配件")
    at(phone, "contractor-resume").click()
    expect(theirs).to_have_attribute("data-state", "in_progress")

    at(phone, "photo-files").set_input_files(jpeg("rail.jpg", photograph))
    is_shown(phone)
    at(phone, "contractor-complete").click()
    expect(at(phone, "contractor-send")).to_be_disabled()
    at(phone, "contractor-note").fill("导靴磨损，已更换并润滑")
    not_wider_than_the_screen(phone)
    picture(phone, "phone-contractor-complete")
    at(phone, "contractor-send").click()
    expect(theirs).to_have_attribute("data-state", "completed")
    picture(phone, "phone-contractor-done")

    expect(details).to_have_attribute("data-state", "completed")
    is_shown(page)
    picture(page, "order-by-contractor")
    kept = product.get(f"orders/{identity}")
    assert (kept["completed_by"], kept["note"]) == ("lift-co", "导靴磨损，已更换并润滑")
    # Nothing else is to be had by it, and nothing at all by a wrong one.
    assert phone.request.get("/api/v1/orders").status == 401
    done(product, f"orders/{identity}/verify", {"passed": True, "note": "已试运行"})
    phone.reload()
    expect(phone.locator("main")).to_contain_text("链接")
    expect(theirs).to_have_count(0)
    picture(phone, "phone-contractor-over")

"""A planned test in a real browser: planned, seen by everybody, confirmed below the detector."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from product import ROOT, Product
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DETECTOR = "smoke-101"
FIRST, AGAIN = 30, 80
"""s after the start, and between two fires: on a busy machine the test is planned later."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Somebody holds smoke to the detector in the lobby, for some seconds, again and again."""
    folder = tmp_path_factory.mktemp("tests")
    smoke = [(FIRST + AGAIN * n, 14.0) for n in range(8)]
    site = demo_site(folder / "site", hot=[], burning=smoke)
    shutil.copy(ROOT / "deploy/demo/people.yaml", site.parent)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


def test_a_detector_is_set_off_counted_down_and_confirmed_on_the_phone(page, product):
    log_in(page, "chen")
    page.goto("/alarms/tests")
    at(page, "test-new").click()
    at(page, "test-area").click()
    at(page, "test-area-tower-1").last.click()
    # Every detector of the area, and of each its fire alarm, is what is meant as a rule.
    page.locator("[data-test=test-equipment-smoke-102]").click()
    picture(page, "planned-test-new")
    at(page, "dialog-submit").click()
    details = at(page, "test-details")
    expect(details).to_have_attribute("data-state", "running")
    row = at(page, "sheet-row")
    expect(row).to_have_count(1)
    expect(row).to_have_attribute("data-state", "waiting")

    page.goto("/")
    expect(at(page, "test-band")).to_contain_text("测试中")
    page.goto("/alarms")
    expect(at(page, "test-band")).to_contain_text("1 号楼")
    # It shows as any alarm does, and says that nobody else has heard of it yet.
    mark = at(page, "alarm-row").first.locator("[data-test=test-mark]")
    expect(mark).to_have_attribute("data-state", "held", timeout=(AGAIN + FIRST) * 1000)
    expect(mark).to_contain_text("后对外通知")
    picture(page, "planned-test-held")

    page.set_viewport_size({"width": 390, "height": 844})
    at(page, "test-band").get_by_role("link").click()
    waiting = at(page, "test-confirm")
    expect(waiting).to_contain_text("0:")
    button = at(page, "confirm-detector").bounding_box()
    assert button is not None
    assert button["height"] >= 60, "a thumb has to hit it"
    assert button["y"] > 844 / 2, "it lies where the thumb is"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "planned-test-phone")
    at(page, "confirm-detector").click()
    expect(waiting).to_have_count(0)
    expect(row).to_have_attribute("data-state", "came")
    expect(at(page, "test-sheet")).to_contain_text("陈立")
    (alarm,) = product.alarms()
    assert (alarm["equipment"], alarm["confirmed_by"], alarm["order"]) == (DETECTOR, "chen", None)

    at(page, "test-end").click()
    at(page, "dialog-submit").click()
    expect(details).to_have_attribute("data-state", "passed")
    expect(at(page, "test-band")).to_have_count(0)

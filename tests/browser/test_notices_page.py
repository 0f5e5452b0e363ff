"""The page of the notices in a real browser: a channel that refuses is seen at once, and tried."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from product import wait_for
from webpage import at, log_in, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REFUSED = {"errcode": 93000, "errmsg": "invalid webhook url"}


def test_a_group_that_refuses_is_seen_and_what_waited_goes_when_it_answers(page, product, group):
    heard = wait_for("the group hears of the hot pump", lambda: list(group.told), 60)
    assert any("水泵" in text for text in heard)
    log_in(page)
    at(page, "nav-notices").click()
    card = at(page, "channel-card")
    expect(card).to_have_attribute("data-state", "well")
    expect(card).to_contain_text("127.0.0.1")
    assert "of-the-group" not in page.content(), "the address of a robot is its key"
    hot = at(page, "notice").filter(has_text="电机温度高").last
    expect(hot).to_have_attribute("data-state", "sent")

    # HTTP 200 with an error in it is a refusal.
    good, group.answer = group.answer, REFUSED
    try:
        at(page, "channel-test").click()
        expect(card).to_have_attribute("data-state", "failing", timeout=15_000)
        expect(card).to_contain_text("93000")
        waiting = at(page, "notice").first
        expect(waiting).to_contain_text("93000", timeout=15_000)
        picture(page, "notices-failing")
    finally:
        group.answer = good
    expect(card).to_have_attribute("data-state", "well", timeout=60_000)
    expect(waiting).to_have_attribute("data-state", "sent", timeout=15_000)
    picture(page, "notices")

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "phone-notices")

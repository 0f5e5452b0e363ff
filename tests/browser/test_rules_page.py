"""The rulebook in a real browser on the real product: a rule is found, and a pump has a limit of
its own for a while."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from webpage import at, log_in, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RULE = "motor-temperature-high"
PUMP = "pump-1"


def test_a_rule_is_found_and_a_pump_has_a_limit_of_its_own_for_a_while(page, product):
    log_in(page, "chen")
    page.goto("/rules")
    expect(at(page, "rule-row").first).to_be_visible()
    every = at(page, "rule-row").count()
    page.get_by_role("textbox").last.fill("电机温度")
    row = page.locator(f"[data-rule='{RULE}']")
    expect(row).to_be_visible()
    assert at(page, "rule-row").count() < every

    row.get_by_role("link").click()
    details = at(page, "rule-details")
    expect(details).to_contain_text(RULE)
    pump = at(page, "rule-equipment").filter(has=page.locator(f"a[href='/equipment/{PUMP}']"))
    expect(pump).to_contain_text("75")
    at(pump, "rule-change").click()
    at(page, "limit-value").fill("80")
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_contain_text("必填")
    at(page, "limit-reason").fill("F 级绝缘")
    picture(page, "rule-limit")
    at(page, "dialog-submit").click()
    expect(pump).to_contain_text("80")
    expect(pump).to_contain_text("F 级绝缘")
    expect(row).to_contain_text("1")
    picture(page, "rules")
    assert limit_of(product) == (80.0, "chen")

    at(pump, "rule-change").click()
    at(page, "limit-drop").click()
    expect(pump).not_to_contain_text("F 级绝缘")
    expect(pump).to_contain_text("75")
    assert limit_of(product) == (75.0, None)


def limit_of(product) -> tuple[float, str | None]:
    judged = product.get(f"rules/{RULE}")["judged_on"]
    (pump,) = (one for one in judged if one["id"] == PUMP)
    return pump["limit"], pump["override"] and pump["override"]["by"]

"""The duty officer's alarms in a real browser: keyboard, shelf, out of service, figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from product import Product, wait_for
from ruamel.yaml import YAML
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOT = "motor-temperature-high"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Pump 2 stays hot and the lobby burns; pump 1 is hot for half a minute, and the rule of
    their temperature latches."""
    folder = tmp_path_factory.mktemp("alarms")
    site = demo_site(folder / "site", hot=[(5, 3600)], burning=[(10, 3600)], quick_rule=True)
    yaml = YAML()
    world = site.parent / "hot.yaml"
    scenario = yaml.load(world)
    pump_1 = {"at": "5s", "lasts": "30s", "equipment": "pump-1", "kind": "overheating", "rise": 58}
    scenario["faults"].append(pump_1)
    yaml.dump(scenario, world)
    book = site.parent / "rulebook/alarms/pump.yaml"
    rules = yaml.load(book)
    rules["rules"][0]["latch"] = True
    yaml.dump(rules, book)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


def alarm_of(product: Product, equipment: str, rule: str = HOT) -> str:
    """The id of the alarm that is there."""

    def look() -> str | None:
        items = product.get("alarms", state="all")["items"]
        found = [one for one in items if (one["equipment"], one["rule"]) == (equipment, rule)]
        return str(found[0]["id"]) if found else None

    return wait_for(f"{equipment} is in alarm", look, 60)


def state_of(place: Page | Locator) -> Locator:
    return place.locator("[data-test=alarm-state]").first


def row(page: Page, alarm: str) -> Locator:
    return page.locator(f"[data-test=alarm-row][data-alarm-id='{alarm}']").first


def chosen_by_keyboard(page: Page) -> str:
    return str(
        page.evaluate("document.activeElement.closest('[data-alarm-id]')?.dataset.alarmId ?? ''")
    )


def reached(page: Page, name: str) -> None:
    """By the tab key; within a choice by its arrows."""
    for key in ["Tab", "ArrowDown"] * 8:
        if page.evaluate("document.activeElement.closest('[data-test]')?.dataset.test") == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} is not reached by keyboard")


def bug_in_a_menu_the_keys_were_those_of_the_alarms_behind_it(page: Page) -> None:
    at(page, "help").click()
    for key in ("ArrowDown", "a"):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_have_role("menuitem")
    page.keyboard.press("Escape")
    expect(at(page, "help")).to_be_focused()


def test_by_keyboard_an_alarm_is_chosen_acknowledged_opened_and_in_the_end_reset(page, product):
    alarm = alarm_of(product, "pump-1")
    log_in(page)
    page.goto("/alarms")
    expect(row(page, alarm)).to_be_visible(timeout=15_000)
    page.keyboard.press("ArrowDown")
    for _ in range(10):
        if chosen_by_keyboard(page) == alarm:
            break
        page.keyboard.press("ArrowDown")
    assert chosen_by_keyboard(page) == alarm
    state = product.get(f"alarms/{alarm}")["state"]
    bug_in_a_menu_the_keys_were_those_of_the_alarms_behind_it(page)
    assert product.get(f"alarms/{alarm}")["state"] == state
    page.keyboard.press("ArrowDown")
    assert chosen_by_keyboard(page) == alarm
    page.keyboard.press("a")
    expect(state_of(row(page, alarm))).not_to_have_attribute("data-state", state)
    picture(page, "alarms-keyboard")

    page.keyboard.press("Enter")
    details = at(page, "alarm-details")
    expect(details).to_contain_text("电机温度高")
    expect(at(page, "alarm-why")).to_contain_text("上限 75")
    expect(at(page, "trend").locator("canvas").first).to_be_visible(timeout=15_000)
    # It cools down by itself, and stays until somebody has looked.
    expect(state_of(details)).to_have_attribute("data-state", "latched", timeout=60_000)
    picture(page, "alarm-latched")
    at(page, "alarm-note").fill("现场已查看")
    at(page, "alarm-reset").click()
    expect(state_of(details)).to_have_attribute("data-state", "closed")
    last = product.get(f"alarms/{alarm}")["events"][-1]
    assert (last["event"], last["by"], last["why"]) == ("reset", "admin", "现场已查看")


def test_bug_an_alarm_was_not_shelved_by_key_while_the_list_was_not_there(page, product):
    alarm = alarm_of(product, "pump-2")
    log_in(page)
    page.route("**/api/v1/stream*", lambda _: None)  # it is not answered
    page.goto(f"/alarms/{alarm}")
    expect(at(page, "alarm-shelve")).to_be_visible()
    expect(at(page, "alarm-row")).to_have_count(0)
    page.keyboard.press("s")
    expect(at(page, "shelve-submit")).to_be_visible()


def test_by_keyboard_a_reason_puts_an_alarm_on_the_shelf_and_it_is_taken_off_again(page, product):
    alarm = alarm_of(product, "pump-2")
    log_in(page)
    page.goto(f"/alarms/{alarm}")
    expect(at(page, "alarm-shelve")).to_be_visible()
    page.keyboard.press("s")
    expect(at(page, "shelve-submit")).to_be_disabled()
    reached(page, "time-60")
    page.keyboard.press("Space")
    reached(page, "aside-reason")
    page.keyboard.type("传感器待更换")
    picture(page, "alarm-shelve")
    page.keyboard.press("Control+Enter")
    details = at(page, "alarm-details")
    expect(state_of(details)).to_have_attribute("data-state", "shelved")
    expect(at(page, "alarm-why")).to_contain_text("传感器待更换")
    # It calls nobody, and it is not forgotten.
    expect(row(page, alarm)).to_have_count(0)
    page.goto("/")
    expect(at(page, "aside-note")).to_contain_text("搁置 1")
    at(page, "aside-note").locator("a", has_text="搁置").click()
    expect(row(page, alarm)).to_be_visible()
    picture(page, "alarms-shelved")

    row(page, alarm).locator("a").first.click()
    at(page, "alarm-unshelve").click()
    # Who takes it off has seen it.
    expect(state_of(details)).to_have_attribute("data-state", "acknowledged")
    audited = [one["action"] for one in product.get("audit", subject=alarm)["items"]]
    assert audited[:2] == ["alarm.unshelve", "alarm.shelve"]


def test_fire_stands_on_top_and_is_shelved_by_the_engineering_manager_only(page, product):
    alarm = alarm_of(product, "smoke-101", "fire-alarm")
    log_in(page)
    page.goto("/alarms")
    expect(at(page, "alarm-row").first).to_have_attribute("data-alarm-id", alarm)
    page.goto(f"/alarms/{alarm}")
    at(page, "alarm-shelve").click()
    expect(at(page, "life-safety")).to_contain_text("只有工程经理")
    expect(at(page, "shelve-submit")).to_have_count(0)
    expect(at(page, "shelve-submit-as")).to_be_visible()
    picture(page, "alarm-shelve-fire")


def test_equipment_out_of_service_calls_nobody_until_it_is_brought_back(page, product):
    alarm = alarm_of(product, "pump-2")
    log_in(page)
    page.goto("/equipment/pump-2")
    expect(at(page, "out-of-service")).to_have_count(0)
    at(page, "take-out").click()
    page.locator("[data-test=time-endless]").check(force=True)
    at(page, "aside-reason").fill("水泵大修")
    at(page, "take-out-submit").click()
    expect(at(page, "out-of-service")).to_contain_text("水泵大修")
    expect(at(page, "take-out")).to_have_count(0)
    quiet = page.locator(f"[data-test=alarm-aside][data-alarm-id='{alarm}']")
    expect(state_of(quiet)).to_have_attribute("data-state", "out_of_service")
    picture(page, "equipment-out-of-service")

    at(page, "in-service").click()
    expect(at(page, "out-of-service")).to_have_count(0)
    expect(state_of(row(page, alarm))).to_have_attribute("data-state", "unacknowledged")


def test_the_figures_say_what_called_and_nothing_is_wider_than_a_phone(page, product):
    alarm = alarm_of(product, "pump-2")
    log_in(page)
    page.goto("/alarms")
    # The answer that the page had itself: an alarm may come before another one is asked for.
    with page.expect_response(lambda answer: "/alarms/figures" in answer.url) as answered:
        at(page, "tab-alarm-load").click()
    figures = answered.value.json()
    expect(at(page, "load-figures")).to_be_visible()
    expect(at(page, "load-top")).to_contain_text("电机温度高")
    assert 0 < figures["alarms"] <= product.get("alarms/figures", days=7)["alarms"]
    expect(page.locator("[data-figure=perDay]")).to_contain_text(f"共 {figures['alarms']} 条")
    picture(page, "alarm-load")

    page.set_viewport_size({"width": 390, "height": 844})
    for place in ("/alarms", f"/alarms/{alarm}", "/alarms/load", "/equipment/pump-2"):
        page.goto(place)
        expect(page.locator("main .card:visible").first).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} px too wide"

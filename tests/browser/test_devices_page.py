"""Links, profiles and commands in a real browser, down to the simulated devices and back."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect
from product import Product, wait_for
from webpage import at, log_in, log_out, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def probe_with(page: Page, profile: str) -> None:
    at(page, "probe-profile").click()
    page.locator(f"[data-test=probe-profile-{profile}]").click()
    at(page, "dialog-submit").click()
    expect(at(page, "probe-result")).to_be_visible(timeout=30_000)


def happened(product: Product, equipment: str) -> list[str]:
    """What the simulated ``equipment`` did, as its world's log has it."""
    log = product.data / "simulators/events.jsonl"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [event["kind"] for event in events if event["equipment"] == equipment]


def test_all_links_are_up_with_their_units(page):
    log_in(page)
    at(page, "nav-links").first.click()
    cards = at(page, "link-card")
    expect(cards).to_have_count(7)
    expect(page.locator("[data-test=link-card][data-connected=true]")).to_have_count(7)
    room = page.locator("[data-link=power-room]")
    expect(room.locator("[data-test=link-unit]")).to_have_count(2)
    expect(room).to_contain_text("站号 1")
    expect(room).to_contain_text("进线总表")
    expect(at(page, "keeping")).to_be_visible()
    expect(at(page, "quarantine")).to_contain_text("没有")
    picture(page, "links")


def test_an_administrator_probes_a_device_and_is_told_what_is_wrong_with_a_profile(page, product):
    log_in(page)
    page.goto("/links")
    page.locator("[data-link=power-room] [data-test=link-probe]").click()
    # What the site file says of the unit is offered first.
    expect(at(page, "probe-profile")).to_contain_text("eastron-sdm630")
    probe_with(page, "eastron-sdm630")
    expect(at(page, "probe-result")).to_contain_text("29 个测点都读到，数值合理")
    expect(at(page, "probe-point")).to_have_count(29)
    picture(page, "probe")
    row = product.get("audit", limit=1)["items"][0]
    assert (row["action"], row["by"], row["subject"]) == ("device.probe", "admin", "power-room")

    probe_with(page, "swapped-meter")
    expect(at(page, "probe-result")).to_contain_text("读不到或不合理")
    expect(at(page, "probe-point").first).to_contain_text("ABCD")
    picture(page, "probe-hint")

    # Of a device that has nothing of what was asked for, that is said once.
    probe_with(page, "schneider-iem3000")
    expect(at(page, "probe-result")).to_contain_text("一个测点都没读到")
    expect(at(page, "probe-point")).to_have_count(0)
    at(page, "dialog-cancel").click()
    expect(at(page, "dialog")).to_have_count(0)


def test_the_profiles_are_listed_and_one_says_where_its_points_lie(page):
    log_in(page)
    page.goto("/profiles")
    expect(at(page, "profile-row").first).to_be_visible()
    assert at(page, "profile-row").count() > 25
    page.locator("main .search input").fill("eastron-sdm630")
    expect(at(page, "profile-row")).to_have_count(1)
    page.locator("[data-profile=eastron-sdm630] a").click()
    expect(at(page, "profile-details")).to_contain_text("进线总表")
    expect(at(page, "profile-point").first).to_contain_text("input 0 float32 ABCD")
    picture(page, "profile")


def test_an_officer_switches_the_lighting_of_the_grounds_and_sees_it_go_out(page, product):
    log_in(page, "zhou")
    page.goto("/links")
    expect(at(page, "link-card").first).to_be_visible()
    expect(at(page, "link-probe")).to_have_count(0)

    page.goto("/equipment/garden-lights")
    output = page.locator("[data-test=point-row]", has_text="继电器输出")
    feedback = page.locator("[data-test=point-row]", has_text="接触器反馈")
    expect(output).to_contain_text("吸合", timeout=15_000)
    # What it is already is not to be chosen.
    expect(at(page, "command-1")).to_be_disabled()
    at(page, "command-0").click()
    expect(at(page, "command-change")).to_contain_text("吸合 → 断开")
    assert product.get("commands", equipment="garden-lights")["items"][0]["state"] == "proposed"
    assert "switched_off" not in happened(product, "garden-lights")
    picture(page, "command")
    at(page, "dialog-submit").click()
    outcome = at(page, "command-outcome")
    expect(outcome).to_have_attribute("data-state", "done", timeout=20_000)
    expect(outcome).to_contain_text("断开")
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_have_count(0)
    expect(output).to_contain_text("断开", timeout=15_000)
    expect(feedback).to_contain_text("断开", timeout=15_000)
    expect(at(page, "command-told").first).to_have_attribute("data-state", "done")
    picture(page, "command-done")

    assert happened(product, "garden-lights") == ["switched_off"]
    rows = product.get("audit", subject="garden-lights.output")["items"]
    assert [row["action"] for row in rows[:2]] == ["device.command.done", "device.command"]
    assert {row["by"] for row in rows[:2]} == {"zhou"}
    assert rows[0]["detail"]["read_back"] == 0
    assert rows[1]["detail"]["value"] == 0

    at(page, "command-1").click()
    at(page, "dialog-submit").click()
    expect(outcome).to_have_attribute("data-state", "done", timeout=20_000)
    wait_for(
        "the board is on again",
        lambda: happened(product, "garden-lights") == ["switched_off", "switched_on"],
    )


def test_a_technician_dims_a_lamp_behind_the_broker(page, product):
    log_in(page, "li")
    page.goto("/equipment/lamp-2")
    brightness = page.locator("[data-test=command-row]", has_text="亮度")
    brightness.locator("input").fill("300")
    expect(brightness.locator("button")).to_be_disabled()
    brightness.locator("input").fill("90")
    brightness.locator("button").click()
    expect(at(page, "command-change")).to_contain_text("→ 90")
    at(page, "dialog-submit").click()
    expect(at(page, "command-outcome")).to_have_attribute("data-state", "done", timeout=20_000)
    at(page, "dialog-submit").click()
    row = page.locator("[data-test=point-row]", has_text="亮度")
    expect(row).to_contain_text("90", timeout=15_000)
    told = product.get("commands", equipment="lamp-2")["items"][0]
    assert (told["state"], told["read_back"], told["by"]) == ("done", 90, "li")


def test_who_may_not_command_sees_no_command(page):
    for username, equipment in (("lin", "garden-lights"), ("chen", "lift-1")):
        log_in(page, username)
        page.goto(f"/equipment/{equipment}")
        expect(at(page, "point-row").first).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        expect(at(page, "commands")).to_have_count(0)
        log_out(page)


def test_on_a_phone_the_devices_are_no_wider_than_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page)
    for place in ("/links", "/profiles", "/profiles/eastron-sdm630", "/equipment/lamp-2"):
        page.goto(place)
        expect(page.locator("main .card:visible").first).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} px too wide"
        picture(page, f"phone{place.replace('/', '-')}")

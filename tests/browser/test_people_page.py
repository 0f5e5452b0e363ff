"""People and roster in a real browser: what each role is offered, and whose name is signed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from product import PASSWORD, wait_for
from webpage import at, log_in, log_out, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIN = "4711"


def test_an_officer_is_not_offered_what_is_for_those_who_answer_for_others(page):
    log_in(page, "zhou")
    expect(at(page, "account")).to_be_visible()
    expect(at(page, "nav-people")).to_have_count(0)
    expect(at(page, "nav-audit")).to_have_count(0)

    page.goto("/people/zhao")
    expect(at(page, "person-details")).to_contain_text("赵建国")
    expect(page.locator("[data-test=certificate][data-state=expired]").first).to_be_visible()
    for name in ("person-add", "person-edit", "person-reset", "person-active", "tab-tokens"):
        expect(at(page, name)).to_have_count(0)
    page.goto("/audit")
    expect(page.locator("main")).to_contain_text("没有这个权限")
    expect(at(page, "audit-row")).to_have_count(0)

    page.goto("/roster")
    expect(at(page, "duty-person").first).to_be_visible()
    expect(page.locator("[data-test=roster-cell] [data-shift]").first).to_be_visible()
    assert page.locator("[data-test=roster-cell] button").count() == 0


def test_the_managers_override_is_in_the_grid_and_in_the_audit(page, product):
    log_in(page, "chen")
    at(page, "nav-roster").first.click()
    shift = page.locator("[data-team=a] [data-shift]").last
    expect(shift).to_contain_text("李强")
    shift.click()
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_contain_text("必填")
    at(page, "override-instead-of").click()
    at(page, "override-instead-of-li").click()
    at(page, "override-username").click()
    at(page, "override-username-qian").click()
    at(page, "override-reason").fill("李强家中有事")
    at(page, "dialog-submit").click()
    expect(shift).to_contain_text("钱师傅")
    expect(shift).to_contain_text("代")
    expect(shift).not_to_contain_text("李强")
    picture(page, "roster-override")

    row = product.get("audit", limit=1)["items"][0]
    assert (row["action"], row["by"], row["via"]) == ("roster.override", "chen", "session")

    shift.click()
    at(page, "override-remove").click()
    expect(at(page, "override")).to_have_count(0)
    at(page, "dialog-cancel").click()
    expect(shift).to_contain_text("李强")


def test_a_pin_acknowledges_as_the_other_person_at_the_same_computer(page, product):
    log_in(page, "zhou")
    at(page, "account").click()
    at(page, "pin-new").fill(PIN)
    at(page, "pin-password").fill(PASSWORD)
    at(page, "pin-save").click()
    expect(at(page, "pin-state")).to_have_text("已设置")
    log_out(page)

    # The project manager may not acknowledge: only somebody else can, with their PIN.
    log_in(page, "lin")
    at(page, "nav-alarms").first.click()
    expect(at(page, "alarm-filter")).to_be_visible()
    row = at(page, "alarm-row").first
    expect(row).to_be_visible(timeout=60_000)
    expect(at(page, "alarm-acknowledge")).to_have_count(0)
    identity = row.get_attribute("data-alarm-id")
    at(page, "alarm-acknowledge-as").first.click()
    at(page, "signing-user").click()
    # Who has no PIN or may not acknowledge is not to be chosen.
    expect(page.locator("[data-test^=signing-user-]")).to_have_count(1)
    at(page, "signing-user-zhou").click()
    at(page, "signing-pin").fill(PIN)
    picture(page, "signing")
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_have_count(0)
    expect(page.locator(f"[data-alarm-id='{identity}']")).to_contain_text("周明")
    wait_for(
        "the ledger has it of the one who signed",
        lambda: product.get(f"alarms/{identity}")["acknowledged_by"] == "zhou",
    )
    row = product.get("audit", subject=identity)["items"][0]
    assert (row["by"], row["via"]) == ("zhou", "pin")
    assert PIN not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_a_new_person_logs_in_and_is_shut_out_again(page, product):
    log_in(page)
    at(page, "nav-people").first.click()
    at(page, "person-add").click()
    at(page, "dialog-submit").click()
    expect(at(page, "dialog")).to_contain_text("必填")
    at(page, "person-name").fill("马超")
    at(page, "person-username").fill("ma")
    at(page, "person-password").fill(PASSWORD)
    at(page, "dialog-submit").click()
    expect(at(page, "person-details")).to_contain_text("马超")
    picture(page, "person")
    at(page, "person-active").click()
    at(page, "dialog-submit").click()
    expect(at(page, "person-details")).to_contain_text("已停用")
    assert product.get("people/ma")["active"] is False

    at(page, "nav-audit").first.click()
    at(page, "audit-verify").click()
    expect(at(page, "audit-verdict")).to_have_attribute("data-ok", "true")
    picture(page, "audit")


def test_on_a_phone_people_and_roster_are_no_wider_than_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page)
    at(page, "nav-more").click()
    expect(at(page, "more-sheet")).to_be_visible()
    page.locator("[data-test=more-sheet] [data-test=nav-roster]").click()
    expect(at(page, "more-sheet")).to_have_count(0)
    expect(at(page, "duty")).to_be_visible()
    places = ("/roster", "/roster/leave", "/roster/teams", "/roster/calendar")
    for place in (*places, "/people", "/people/zhao", "/tokens", "/audit", "/account"):
        page.goto(place)
        expect(page.locator("main .card:visible").first).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} px too wide"
        picture(page, f"phone{place.replace('/', '-')}")

"""Maintenance and the equipment register in a real browser on the real product: one that is due is
ticked and done, and a workbook comes back, first with a mistake."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from playwright.sync_api import FilePayload, expect
from product import wait_for
from webpage import at, log_in, log_out, picture

from api.register_workbook import MEDIA_TYPE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def workbook(model: str, purchased: str) -> FilePayload:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "台账"
    sheet.append(["设备编号", "型号", "采购日期"])
    sheet.append(["pump-1", model, purchased])
    made = io.BytesIO()
    book.save(made)
    return {"name": "register.xlsx", "mimeType": MEDIA_TYPE, "buffer": made.getvalue()}


def test_maintenance_is_ticked_and_done_and_a_workbook_comes_back(page, product):
    def due():
        found = product.get("plans/due", plan="pump-check")["items"]
        return next((one for one in found if one["order"]), None)

    one = wait_for("the order of the plan", due)
    # Whoever is on duty at this hour had it; now it is somebody who is known.
    given = product.session.post(f"/api/v1/orders/{one['order']}/assign", json={"username": "li"})
    assert given.is_success, given.text
    log_in(page, "li")
    page.goto("/plans")
    page.locator(f"[data-due-id='{one['id']}'] a").first.click()
    # Late on the day after: midnight may be between.
    expect(at(page, "due-details")).to_have_attribute("data-state", re.compile("^(due|late)$"))
    at(page, "step-1").click()
    expect(at(page, "step-1")).to_have_attribute("aria-checked", "true")
    expect(at(page, "steps-done")).to_contain_text("1 / 2")
    picture(page, "plan-due-ticked")

    # Its order: without the other step it is not finished.
    page.goto(f"/orders/{one['order']}")
    for step in ("accept", "arrive", "start", "complete"):
        at(page, f"order-{step}").click()
    at(page, "order-note").fill("润滑完成")
    expect(at(page, "unticked-why")).to_be_visible()
    expect(at(page, "material-name-0")).to_have_value("润滑脂")
    expect(at(page, "dialog-submit")).to_be_disabled()
    picture(page, "plan-order-unticked")
    at(page, "dialog-cancel").click()
    at(page, "step-2").click()
    expect(at(page, "step-2")).to_have_attribute("aria-checked", "true")
    at(page, "order-complete").click()
    at(page, "order-note").fill("润滑完成")
    at(page, "dialog-submit").click()
    expect(at(page, "order-details")).to_have_attribute("data-state", "completed")
    page.goto(f"/plans/due/{one['id']}")
    expect(at(page, "due-details")).to_have_attribute("data-state", "done")

    log_out(page)
    log_in(page)
    page.goto("/register")
    at(page, "register-import").click()
    at(page, "import-file").set_input_files(workbook("CR 32", "昨天"))
    expect(at(page, "import-errors")).to_contain_text("台账!C2", timeout=30_000)
    expect(at(page, "dialog-submit")).to_be_disabled()
    at(page, "import-file").set_input_files(workbook("CR 32", "2024-05-01"))
    expect(at(page, "import-changes")).to_contain_text("CR 32", timeout=30_000)
    picture(page, "register-import")
    at(page, "dialog-submit").click()
    expect(at(page, "import-done")).to_be_visible(timeout=30_000)
    record = product.get("register/pump-1")
    assert record["attributes"]["purchased_on"] == "2024-05-01"

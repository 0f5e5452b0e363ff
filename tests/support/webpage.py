"""What browser tests do with a page: find its parts, log in, take its picture."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from product import PASSWORD, ROOT

PICTURES = ROOT / "build" / "pictures"


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def at(page: Page, name: str) -> Locator:
    return page.locator(f"[data-test={name}]")


def log_in(page: Page, username: str = "admin") -> None:
    page.goto("/")
    at(page, "login-username").fill(username)
    at(page, "login-password").fill(PASSWORD)
    at(page, "login-submit").click()
    expect(at(page, "verdict")).to_be_visible()


def log_out(page: Page) -> None:
    at(page, "logout").click()
    expect(at(page, "login-username")).to_be_visible()

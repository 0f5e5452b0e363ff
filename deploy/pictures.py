"""The two pictures of the README: the wall, and a technician's phone, of the demonstration.

    python -m deploy.pictures

Starts the product with a pump that runs hot, waits until its order is there, and writes
``deploy/docs/wall.png`` and ``deploy/docs/phone.png``, of at most 300 kB each.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from product import PASSWORD, Product, wait_for  # noqa: E402  # it lies among the tests
from worlds import demo_site, free_port  # noqa: E402

_FOLDER = ROOT / "deploy" / "docs"
_CHROMIUM = "/usr/bin/chromium"
_WITH_SOUND = "--autoplay-policy=no-user-gesture-required"
"""As a screen on the wall is started (``deploy/docs/wall.md``)."""
_MOST_BYTES = 300_000
_SETTLED_MS = 4_000
"""Until everything that moves at first is drawn."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dutyroom-pictures-") as name:
        folder = Path(name)
        site = demo_site(folder / "site", hot=[(5, 3600)], quick_rule=True)
        shutil.copy(ROOT / "deploy/demo/people.yaml", site.parent)
        product = Product(data=folder / "data", site=site, port=free_port())
        try:
            product.start()
            wait_for("an order", product.orders, 90)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=_CHROMIUM, args=["--no-sandbox", _WITH_SOUND]
                )
                _wall(browser, product)
                _phone(browser, product)
                browser.close()
        finally:
            product.end()


def _wall(browser: Browser, product: Product) -> None:
    page = browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    _log_in(page, product, "admin")
    page.goto(f"http://127.0.0.1:{product.port}/wall")
    page.wait_for_timeout(_SETTLED_MS)
    _keep(page.screenshot(), "wall.png")


def _phone(browser: Browser, product: Product) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
    _log_in(page, product, "zhao")
    page.goto(f"http://127.0.0.1:{product.port}/m")
    page.wait_for_timeout(_SETTLED_MS)
    _keep(page.screenshot(), "phone.png")


def _log_in(page: Page, product: Product, username: str) -> None:
    page.goto(f"http://127.0.0.1:{product.port}/login")
    page.locator("[data-test=login-username]").fill(username)
    page.locator("[data-test=login-password]").fill(PASSWORD)
    page.locator("[data-test=login-submit]").click()
    page.wait_for_url(lambda url: "/login" not in url)


def _keep(png: bytes, name: str) -> None:
    """Raises :class:`SystemExit` for a picture that is too large to lie in the repository."""
    if len(png) > _MOST_BYTES:
        raise SystemExit(f"{name}: {len(png):,} bytes, of {_MOST_BYTES:,}")
    (_FOLDER / name).write_bytes(png)
    print(f"{name}: {len(png):,} bytes")


if __name__ == "__main__":
    main()

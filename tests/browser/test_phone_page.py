"""A technician's phone without signal, in a real browser on the real product."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route, expect
from product import PASSWORD, ROOT, Product, wait_for
from ruamel.yaml import YAML
from webpage import at, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WALK = """
    regime: {name}
    level: daily
    name: {{zh: 泵房随检, en: Pump room walk}}
    done_by: technician
    scope: {{classes: [pump]}}
    days: all
    window: {{opens: "00:00", due: "24:00", late_until: "+1d 24:00"}}
    orders: {{category: water_supply, serious_within: 2h, normal_within: 3d, close_after: 30m}}
    source: "test"
    sections:
      - name: {{zh: 现场, en: On the spot}}
        items:
          - key: tank
            name: {{zh: 水箱液位, en: Tank level}}
            class: booster
            point: tank_level
            check: {{low: 1, unit: "%"}}
            severity: serious
            source: "test"
          - key: pressure
            name: {{zh: 出水压力, en: Outlet pressure}}
            answer: number
            check: {{low: 0.2, high: 0.6, unit: MPa}}
            severity: normal
            source: "test"
          - key: noise
            name: {{zh: 无异响, en: No noise}}
            answer: tick
            evidence: [photo]
            severity: normal
            source: "test"
"""


SET_BACK = """{
    const now = Date.now.bind(Date)
    window.Date = class extends Date {
        constructor(...said) { said.length ? super(...said) : super(now() - 3 * 3600e3) }
        static now() { return now() - 3 * 3600e3 }
    }
}"""


def with_walks(site: Path, *names: str) -> None:
    """The site gets these rounds besides those that are shipped; they are open at any hour."""
    yaml = YAML()
    document = yaml.load(site.read_text(encoding="utf-8"))
    document["site"]["rulebook_folder"] = "rulebook"
    with site.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    folder = site.parent / "rulebook/regimes"
    folder.mkdir(parents=True)
    for name in names:
        (folder / f"{name}.yaml").write_text(WALK.format(name=name), encoding="utf-8")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("phone")
    site = demo_site(folder / "site")
    shutil.copy(ROOT / "deploy/demo/people.yaml", site.parent)
    with_walks(site, "walk-alone", "walk-together")
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


@pytest.fixture
def phone(browser: Browser, product: Product) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{product.port}",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    yield context
    context.close()


def found(product: Product, regime: str) -> Mapping[str, Any]:
    """The round of ``regime`` of today, once telemetry has said what it can."""

    def look() -> Mapping[str, Any] | None:
        rounds = product.get("rounds", limit=200)["items"]
        mine = [one for one in rounds if one["regime"] == regime and one["items"]["passed"]]
        return mine[0] if mine else None

    return wait_for(f"{regime} is open", look)


def line(product: Product, round_id: str, key: str) -> Mapping[str, Any]:
    rows = product.get(f"rounds/{round_id}")["rows"]
    return next(row for row in rows if row["key"] == key)


def opened(phone: BrowserContext, round_id: str) -> Page:
    """The page of the round, opened from the start by a technician, and kept by the phone."""
    page = phone.new_page()
    page.goto("/")
    at(page, "login-username").fill("li")
    at(page, "login-password").fill(PASSWORD)
    at(page, "login-submit").click()
    # Whoever works with their hands is at the phone's own page.
    page.wait_for_url("**/m")
    at(page, "phone-rounds").click()
    page.locator(f"[data-round-id='{round_id}'] a").click()
    expect(item(page, "tank.booster-1")).to_have_attribute("data-state", "passed")
    # Not by `ready`, which is of the address that was opened, and that was another one.
    page.wait_for_function(
        "async () => (await navigator.serviceWorker.getRegistration('/m'))?.active?.state"
        " === 'activated'"
    )
    return page


def item(page: Page, key: str) -> Locator:
    return page.locator(f"[data-test=phone-item][data-item='{key}']")


def strip(page: Page, standing: str) -> None:
    expect(at(page, "phone-strip")).to_have_attribute("data-standing", standing, timeout=15_000)


def reloaded(page: Page) -> None:
    """Opened again without signal. On a busy machine the browser may give up to wake the service
    worker; whoever sees that opens the page once more."""
    for _ in range(4):
        try:
            page.reload()
        except Error:
            page.wait_for_timeout(1000)
        else:
            return
    page.reload()


def test_a_round_is_filled_in_without_signal_and_arrives_once(phone, product, photograph):
    walk = found(product, "walk-alone")
    page = opened(phone, walk["id"])
    strip(page, "fresh")
    manifest = page.request.get("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    assert page.request.get("/sw.js").headers["cache-control"] == "no-cache"

    # The page opens without signal, with the round that was fetched before, and says how old it is.
    phone.set_offline(True)
    reloaded(page)
    strip(page, "off")
    expect(at(page, "phone-age")).to_contain_text("显示")
    expect(item(page, "tank.booster-1")).to_have_attribute("data-state", "passed")
    expect(item(page, "tank.booster-1")).to_contain_text("采样")

    # Out of its limits is said at once; what is written stays through a reload.
    number = item(page, "pressure").locator("[data-test=item-number]")
    number.fill("0.9")
    expect(item(page, "pressure").locator("[data-test=item-beyond]")).to_contain_text("高于上限")
    number.fill("0.42")
    number.press("Enter")
    expect(item(page, "pressure")).to_have_attribute("data-state", "waiting")
    item(page, "noise").locator("[data-test=pick-pass]").click()
    heic = {"name": "noise.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}
    item(page, "noise").locator("[data-test=phone-camera]").set_input_files(heic)
    expect(at(page, "phone-trouble")).to_contain_text("没有保存")
    file = {"name": "noise.jpg", "mimeType": "image/jpeg", "buffer": photograph}
    item(page, "noise").locator("[data-test=phone-camera]").set_input_files(file)
    expect(at(page, "phone-photo")).to_have_attribute("data-state", "waiting")
    expect(at(page, "phone-unsent")).to_have_text("2 项、1 张照片待上传")
    # A clock that is put back makes nothing younger.
    page.add_init_script(SET_BACK)
    reloaded(page)
    expect(at(page, "phone-age")).to_contain_text("手机时钟被调过")
    expect(at(page, "phone-unsent")).to_have_text("2 项、1 张照片待上传")
    strip(page, "off")
    expect(item(page, "pressure").locator("[data-test=item-number]")).to_have_value("0.42")
    picture(page, "phone-offline-round")
    assert line(product, walk["id"], "pressure")["entry"] is None
    at(page, "phone-finish").click()
    at(page, "dialog-submit").click()
    expect(at(page, "phone-round-signed")).to_be_visible()

    # Back with signal, the first answer is lost on its way: the same goes again, and counts once.
    lost: list[str] = []

    def lose(route: Route) -> None:
        if not lost:
            lost.append(route.request.post_data or "")
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/offline/entries", lose)
    phone.set_offline(False)
    expect(at(page, "phone-unsent")).to_have_count(0, timeout=30_000)
    strip(page, "fresh")
    assert lost
    whole = product.get(f"rounds/{walk['id']}")
    assert (whole["state"], whole["done_by"]) == ("done", "li")
    # The first answer begins the round.
    entered = [one["why"] for one in whole["events"] if one["event"] in ("begin", "enter")]
    assert sorted(entered) == ["noise", "pressure"]
    rows = {row["key"]: row for row in whole["rows"]}
    assert rows["pressure"]["entry"]["value"] == 0.42
    assert rows["pressure"]["entry"]["id"] in lost[0]
    (taken,) = rows["noise"]["photos"]
    assert taken["size"] < len(photograph)


def test_what_somebody_else_has_answered_meanwhile_is_shown_as_a_conflict(phone, product):
    walk = found(product, "walk-together")
    page = opened(phone, walk["id"])
    phone.set_offline(True)
    item(page, "noise").locator("[data-test=pick-pass]").click()
    expect(item(page, "noise")).to_have_attribute("data-state", "waiting")

    base = f"http://127.0.0.1:{product.port}"
    with httpx2.Client(base_url=base, headers={"Origin": base}, trust_env=False) as other:
        other.post("/api/v1/login", json={"username": "zhao", "password": PASSWORD})
        answer = other.post(
            f"/api/v1/rounds/{walk['id']}/items/noise",
            json={"entry": str(uuid4()), "value": False, "passed": False, "note": "联轴器异响"},
        )
        assert answer.status_code == httpx2.codes.OK, answer.text

    phone.set_offline(False)
    fallen = at(page, "phone-fallen")
    expect(fallen).to_have_attribute("data-state", "conflict", timeout=30_000)
    expect(fallen).to_contain_text("别人已先填了这一项")
    expect(fallen).to_contain_text("合格")
    expect(at(page, "phone-theirs")).to_contain_text("赵建国")
    expect(item(page, "noise")).to_have_attribute("data-state", "failed")
    picture(page, "phone-conflict")
    # Nothing was overwritten, and it stays in sight until somebody has seen it.
    assert line(product, walk["id"], "noise")["entry"]["by"] == "zhao"
    page.reload()
    expect(fallen).to_be_visible()

    # The server itself is gone: the page is still there, and never says that it is of now.
    product.kill()
    reloaded(page)
    expect(fallen).to_contain_text("联轴器异响")
    strip(page, "off")
    at(page, "phone-dismiss").click()
    expect(fallen).to_have_count(0)

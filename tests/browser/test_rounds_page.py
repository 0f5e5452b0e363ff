"""A round from the first answer to the countersignature, in a real browser on the real product."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect
from product import PASSWORD, ROOT, Product, wait_for
from ruamel.yaml import YAML
from webpage import at, log_in, log_out, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAILY = """
    regime: daily-walk
    level: daily
    name: {zh: 泵房随检, en: Pump room walk}
    form: {zh: 泵房随检表, en: Walk record}
    done_by: technician
    scope: {classes: [pump]}
    days: all
    window: {opens: "00:00", due: "24:00", late_until: "+1d 24:00"}
    orders: {category: water_supply, serious_within: 2h, normal_within: 3d, close_after: 30m}
    source: "test"
    sections:
      - name: {zh: 仪表, en: Instruments}
        items:
          - key: tank
            name: {zh: 水箱液位, en: Tank level}
            class: booster
            point: tank_level
            check: {low: 1, unit: "%"}
            severity: serious
            source: "test"
          - key: pressure
            name: {zh: 出水压力, en: Outlet pressure}
            answer: number
            check: {low: 0.2, high: 0.6, unit: MPa}
            severity: normal
            source: "test"
      - name: {zh: 现场, en: On the spot}
        items:
          - key: noise
            name: {zh: 无异响, en: No noise}
            answer: tick
            severity: normal
            source: "test"
          - key: weather
            name: {zh: 天气, en: Weather}
            answer: choice
            choices:
              - {key: fine, name: {zh: 晴, en: Fine}, passes: true}
              - {key: rain, name: {zh: 雨, en: Rain}, passes: true}
            severity: minor
            source: "test"
"""

WEEKLY = """
    regime: weekly-walk
    level: weekly
    name: {zh: 泵房周随检, en: Weekly walk}
    done_by: technician
    countersigned_by: engineering_manager
    scope: {classes: [pump]}
    days: all
    weekday: monday
    window: {opens: "00:00", due: "+7d 00:00", late_until: "+9d 00:00"}
    orders: {category: water_supply, serious_within: 2h, normal_within: 3d, close_after: 30m}
    statement: {zh: 情况属实，经抽查签认。, en: As recorded; spot-checked.}
    source: "test"
    sections:
      - name: {zh: 周工作, en: The week}
        items:
          - key: sound
            name: {zh: 设备完好, en: Equipment is sound}
            answer: tick
            severity: minor
            source: "test"
"""


def with_regimes(site: Path, *regimes: str) -> None:
    """The site gets these regimes besides those that are shipped; they are open at any hour."""
    yaml = YAML()
    document = yaml.load(site.read_text(encoding="utf-8"))
    document["site"]["rulebook_folder"] = "rulebook"
    with site.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    folder = site.parent / "rulebook/regimes"
    folder.mkdir(parents=True, exist_ok=True)
    for regime in regimes:
        content = yaml.load(dedent(regime))
        (folder / f"{content['regime']}.yaml").write_text(dedent(regime), encoding="utf-8")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("rounds")
    site = demo_site(folder / "site")
    shutil.copy(ROOT / "deploy/demo/people.yaml", site.parent)
    with_regimes(site, DAILY, DAILY.replace("daily-walk", "daily-walk-2"), WEEKLY)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


def found(product: Product, regime: str) -> Mapping[str, Any]:
    """The round of ``regime`` of today or this week, once telemetry has said what it can."""

    def look() -> Mapping[str, Any] | None:
        rounds = product.get("rounds", limit=200)["items"]
        mine = [one for one in rounds if one["regime"] == regime and one["items"]["total"]]
        here = mine[0] if mine else None
        answered = here and here["items"]["passed"] >= here["items"]["automatic"]
        return here if answered else None

    return wait_for(f"{regime} is open", look)


def item(page: Page, key: str) -> Locator:
    return page.locator(f"[data-test=round-item][data-item='{key}']")


def kept(product: Product, round_id: str, key: str) -> Mapping[str, Any]:
    rows = product.get(f"rounds/{round_id}")["rows"]
    return next(row for row in rows if row["key"] == key)


def test_a_technician_fills_a_round_on_a_phone_and_signs_it(page, product):
    daily = found(product, "daily-walk")
    log_in(page, "li")
    page.set_viewport_size({"width": 390, "height": 844})
    at(page, "nav-rounds").last.click()
    row = page.locator(f"[data-round-id='{daily['id']}']")
    expect(row).to_contain_text("泵房随检")
    expect(row.locator("[data-test=round-state]")).to_have_attribute("data-state", "due")
    picture(page, "phone-rounds")
    row.click()

    # What telemetry proves shows its proof, and is not for a person.
    tank = item(page, "tank.booster-1")
    expect(tank).to_have_attribute("data-state", "passed")
    expect(tank).to_contain_text("采样")
    expect(tank.locator("button, input")).to_have_count(0)
    expect(at(page, "round-finish")).to_be_disabled()

    # A number outside its limits is asked about; one within goes on to the next item.
    at(page, "round-next").click()
    number = item(page, "pressure").locator("[data-test=item-number]")
    expect(number).to_be_focused()
    number.fill("0,9")
    number.press("Enter")
    expect(item(page, "pressure").locator("[data-test=item-judge]")).to_be_visible()
    assert kept(product, daily["id"], "pressure")["entry"] is None
    number.fill("0,42")
    number.press("Enter")
    expect(item(page, "pressure")).to_have_attribute("data-state", "passed")
    assert kept(product, daily["id"], "pressure")["entry"]["value"] == 0.42

    # What is not in order takes a word about it along, and becomes an order.
    noise = item(page, "noise")
    noise.locator("[data-test=pick-fail]").click()
    noise.locator("[data-test=item-note]").fill("泵 2 联轴器有异响")
    noise.locator("[data-test=item-judge]").click()
    expect(noise).to_have_attribute("data-state", "failed")
    expect(noise.locator("[data-test=item-finding]")).to_contain_text("工单 #")
    expect(noise.locator("[data-test=item-by]")).to_contain_text("李强")
    picture(page, "phone-round")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{wide} px too wide"

    item(page, "weather").locator("[data-test=pick-rain]").click()
    expect(at(page, "round-to-signing")).to_be_visible()
    at(page, "round-to-signing").click()
    at(page, "round-finish").click()
    expect(at(page, "round-signed")).to_contain_text("李强")
    signed = product.get(f"rounds/{daily['id']}")
    assert (signed["state"], signed["done_by"]) == ("done", "li")
    assert "联轴器" in signed["findings"][0]["text"]["zh"]


def sign_as_manager(page, button: str) -> None:
    at(page, button).click()
    at(page, "signing-user").click()
    expect(at(page, "signing-user-li")).to_have_count(0)
    at(page, "signing-user-chen").click()
    at(page, "signing-pin").fill("4711")
    at(page, "dialog-submit").click()


def test_the_manager_countersigns_with_a_pin_what_the_technician_has_signed(page, product):
    weekly = found(product, "weekly-walk")
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    log_in(page, "chen")
    page.goto("/account")
    at(page, "pin-new").fill("4711")
    at(page, "pin-password").fill(PASSWORD)
    at(page, "pin-save").click()
    expect(at(page, "pin-state")).to_contain_text("已设置")
    log_out(page)

    log_in(page, "li")
    page.goto(f"/rounds/{weekly['id']}")
    contained = page.locator("[data-test=contained]", has_text="泵房随检")
    expect(contained.first).to_be_visible()
    assert any(one["period"] == today for one in product.get(f"rounds/{weekly['id']}")["contains"])
    item(page, "sound").locator("[data-test=pick-pass]").click()
    expect(item(page, "sound")).to_have_attribute("data-state", "passed")
    at(page, "round-finish").click()
    expect(at(page, "round-signed")).to_contain_text("李强")

    # Who signed does not countersign; the manager does, at the same computer.
    expect(at(page, "round-countersign")).to_have_count(0)
    expect(at(page, "round-countersign-as")).to_be_disabled()
    at(page, "sample-sound").locator("[data-test=pick-yes]").click()
    sign_as_manager(page, "round-sample-as")
    expect(at(page, "item-spot")).to_contain_text("抽查相符")
    sign_as_manager(page, "round-countersign-as")
    expect(at(page, "round-countersigned")).to_contain_text("陈立")
    picture(page, "round-countersigned")
    assert product.get(f"rounds/{weekly['id']}")["countersigned_by"] == "chen"


LOSE_ANSWERS = """
    const ask = window.fetch
    window.losing = true
    window.fetch = async (request) => {
      const answer = await ask(request)
      if (window.losing && request.url.includes('/items/')) throw new TypeError('lost on the way')
      return answer
    }
"""


def test_an_answer_that_seems_lost_is_shown_and_counts_once(page, product):
    another = found(product, "daily-walk-2")
    page.add_init_script(LOSE_ANSWERS)
    log_in(page, "li")
    page.goto(f"/rounds/{another['id']}")
    asked: list[str] = []
    page.on(
        "request",
        lambda one: asked.append(one.post_data_json["entry"]) if "/items/" in one.url else None,
    )

    # It arrives, but its answer does not: the page cannot know.
    item(page, "noise").locator("[data-test=pick-pass]").click()
    lost = item(page, "noise").locator("[data-test=item-undelivered]")
    expect(lost).to_be_visible()
    expect(at(page, "round-undelivered")).to_contain_text("1 项未送达")
    expect(at(page, "round-finish")).to_be_disabled()
    picture(page, "round-undelivered")

    page.evaluate("window.losing = false")
    item(page, "noise").locator("[data-test=item-again]").click()
    expect(lost).to_have_count(0)
    expect(item(page, "noise")).to_have_attribute("data-state", "passed")
    assert len(asked) > 1 and len(set(asked)) == 1
    steps = [one["event"] for one in product.get(f"rounds/{another['id']}")["events"]]
    assert (steps.count("begin"), steps.count("enter")) == (1, 0)


def test_the_pages_beside_a_round_say_what_was_found_covered_and_ruled(page, product):
    daily = found(product, "daily-walk")
    if not product.get(f"rounds/{daily['id']}")["findings"]:
        answer = {"entry": str(uuid4()), "value": False}
        path = f"/api/v1/rounds/{daily['id']}/items/noise"
        assert product.session.post(path, json=answer).is_success
    log_in(page, "chen")
    page.goto(f"/rounds/{daily['id']}")
    form = page.request.get(at(page, "round-pdf").get_attribute("href"))
    assert form.headers["content-type"] == "application/pdf"
    assert form.body().startswith(b"%PDF-")

    page.goto("/findings")
    expect(at(page, "finding-row").first).to_contain_text("无异响")
    page.goto("/coverage")
    tank = at(page, "coverage").locator("tr", has=page.locator("a[href='/equipment/booster-1']"))
    expect(tank).to_contain_text("遥测")
    page.goto("/regimes/weekly-night-lighting")
    expect(at(page, "regime-item").first).to_contain_text("夜间巡查计划")

"""The alarms are heard: by an ear that counts what the page plays, in the real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from product import Product, wait_for
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EAR = """
window.heard = []
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (at) {
  if (this.context.state === 'running') {
    window.heard.push({ hertz: this.frequency.value, at: performance.now() })
  }
  return start.call(this, at)
}
"""
CRITICAL, MINOR = 960, 540
"""Hz, of the first note."""
SETTLED = 6000
"""ms until the page knows that it may not sound. Until then nobody looks into it: to the browser a
look of Playwright is a gesture of the user."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The lobby burns from the start, and nothing else is wrong."""
    folder = tmp_path_factory.mktemp("sound")
    site = demo_site(folder / "site", hot=[], burning=[(5, 3600)])
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        wait_for("it burns", lambda: fires(product), 60)
        yield product
    finally:
        product.end()


def fires(product: Product) -> list[str]:
    return [alarm["id"] for alarm in product.alarms() if alarm["priority"] == "critical"]


def times_heard(page: Page, hertz: int) -> int:
    found: int = page.evaluate(
        "hertz => heard.filter((note) => note.hertz === hertz).length", hertz
    )
    return found


def test_a_fire_sounds_in_one_tab_until_it_is_acknowledged(page, product):
    (fire,) = fires(product)
    page.context.add_init_script(EAR)
    log_in(page)  # whoever logs in has pressed a key, and the browser lets the page sound
    wait_for("it sounds", lambda: times_heard(page, CRITICAL) > 0)
    wait_for("and again", lambda: times_heard(page, CRITICAL) >= 12)

    # A second tab that may sound as well is silent, and says nothing of it.
    other = page.context.new_page()
    other.goto("/alarms/load")
    at(other, "tab-alarms").click()
    before = times_heard(page, CRITICAL)
    wait_for("the first goes on", lambda: times_heard(page, CRITICAL) >= before + 6)
    assert times_heard(other, CRITICAL) == 0
    expect(at(other, "sound-blocked")).to_have_count(0)
    # It goes on where the first is closed.
    page.goto("about:blank")
    wait_for("the second took over", lambda: times_heard(other, CRITICAL) >= 6)
    other.close()

    # Opened anew nothing was pressed yet: silent, and nobody can miss that it is.
    last = page.context.new_page()
    last.goto(f"/alarms/{fire}")
    last.wait_for_timeout(SETTLED)
    bar = at(last, "sound-blocked")
    expect(bar).to_contain_text("声音未启用")
    picture(last, "sound-blocked")
    assert times_heard(last, CRITICAL) == 0
    height = last.evaluate("document.documentElement.scrollHeight")
    at(last, "sound-enable").click()
    expect(bar).to_have_count(0)
    assert last.evaluate("document.documentElement.scrollHeight") == height
    wait_for("it sounds at once", lambda: times_heard(last, CRITICAL) > 0, 3)

    at(last, "alarm-details").locator("[data-test=alarm-acknowledge]").click()
    wait_for("it is acknowledged", lambda: product.get(f"alarms/{fire}")["acknowledged_by"])
    last.wait_for_timeout(500)
    silent = times_heard(last, CRITICAL)
    last.wait_for_timeout(6000)
    assert times_heard(last, CRITICAL) == silent


def test_each_sound_is_tried_and_off_is_shown(page, product):
    page.context.add_init_script(EAR)
    log_in(page)
    switch = at(page, "sound-switch")
    expect(switch).to_have_attribute("data-state", "on")
    switch.click()
    for sound, hertz in {"minor": MINOR, "major": 660, "lost": 780}.items():
        assert times_heard(page, hertz) == 0
        at(page, f"sound-try-{sound}").click()
        assert times_heard(page, hertz) > 0
    picture(page, "sound-dialog")
    at(page, "sound-off").click()
    expect(switch).to_have_attribute("data-state", "off")
    at(page, "dialog-submit").click()
    picture(page, "sound-off")
    page.reload()
    expect(switch).to_contain_text("声音已关")

    # In a pocket nothing sounds unless somebody wants it.
    page.evaluate("localStorage.clear()")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(switch).to_have_attribute("data-state", "off")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_page_without_its_source_says_so_to_the_ear(page, product):
    for fire in fires(product):  # what is critical would cover it
        product.session.post(f"/api/v1/alarms/{fire}/acknowledge")
    page.context.add_init_script(EAR)
    log_in(page)
    assert times_heard(page, 780) == 0
    product.kill()
    wait_for("it is heard", lambda: times_heard(page, 780) > 0, 60)

"""Experiment 62: names that are script, formula or half a tag are words on the page, no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from product import Product, Sink, webhook_sink
from ruamel.yaml import YAML
from webpage import at, log_in
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = "<script>window.hit=1</script>"
IMAGE = '"><img src=x onerror="window.hit=1">'
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with webhook_sink() as sink:
        yield sink


@pytest.fixture
def product(tmp_path: Path, sink: Sink) -> Iterator[Product]:
    site = demo_site(tmp_path / "site", hot=[(5, 600)], quick_rule=True, webhooks=[sink.address])
    yaml = YAML()
    document = yaml.load(site.read_text(encoding="utf-8"))
    (pump,) = (thing for thing in document["equipment"] if thing["id"] == "pump-2")
    pump["name"] = {"zh": IMAGE, "en": SCRIPT}
    with site.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


def test_hostile_names_are_words(page, product, sink):
    made = product.session.post(
        "/api/v1/people",
        json={"username": "mallory", "display_name": FORMULA, "role": "technician"},
    )
    assert made.status_code == 201, made.text
    for unseen in ("a\u202eb", "a\r\nb", "a\0b"):
        refused = product.session.patch("/api/v1/people/mallory", json={"display_name": unseen})
        assert refused.status_code == 422, refused.text

    log_in(page)
    alarm = at(page, "alarm-row").first
    expect(alarm).to_be_visible(timeout=60_000)
    expect(alarm).to_contain_text(IMAGE)
    page.goto("/equipment/pump-2")
    expect(page.locator("h1")).to_contain_text(IMAGE)
    identity = product.alarms()[0]["id"]
    noted = product.session.post(
        f"/api/v1/alarms/{identity}/acknowledge", json={"note": f"{SCRIPT}\r\n[info] forged"}
    )
    assert noted.status_code == 200, noted.text
    page.goto(f"/alarms/{identity}")
    expect(page.get_by_text(SCRIPT).first).to_be_visible()
    page.goto("/people")
    expect(page.get_by_text(FORMULA).first).to_be_visible()
    page.goto("/audit")
    expect(page.get_by_text(SCRIPT).first).to_be_visible()
    assert page.evaluate("window.hit") is None

    forged = [line for line in product.output().splitlines() if line.startswith("[info] forged")]
    assert forged == []
    raised = [notice for notice in sink.receipts if "pump-2" in json.dumps(notice)]
    assert IMAGE in json.dumps(raised[0], ensure_ascii=False).replace('\\"', '"')

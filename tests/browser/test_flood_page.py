"""Five hundred circuits go dark at once and the lobby burns: what the duty officer sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from playwright.sync_api import expect
from product import Product
from ruamel.yaml import YAML
from webpage import at, log_in, picture
from worlds import demo_site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CIRCUITS = 500
BOARD = 8
OUT = 20
"""s from the start until they go out; the fire comes 15 s later, into the flood."""


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Boards of eight circuits each behind one link, whose contactors all fall off at once."""
    folder = tmp_path_factory.mktemp("flood")
    site = demo_site(folder / "site", hot=[], burning=[(OUT + 15, 3600)])
    yaml = YAML()
    document = yaml.load(site)
    (known,) = (one for one in document["equipment"] if one["id"] == "garden-lights")
    world = site.parent / "hot.yaml"
    scenario = yaml.load(world)
    for number in range(CIRCUITS):
        circuit = deepcopy(known)
        circuit["id"] = f"circuit-{number}"
        circuit["unit"] = 2 + number // BOARD
        circuit["parameters"]["channel"] = 1 + number % BOARD
        circuit["poll"] = "5s"
        document["equipment"].append(circuit)
        fault = {"equipment": circuit["id"], "kind": "contactor-stuck"}
        scenario["faults"].append({"at": f"{OUT}s", "lasts": "3600s", **fault})
    yaml.dump(document, site)
    yaml.dump(scenario, world)
    product = Product(data=folder / "data", site=site, port=free_port())
    try:
        product.start()
        yield product
    finally:
        product.end()


def test_a_flood_is_one_line_a_system_with_the_fire_above_it(page, product):
    log_in(page)
    page.goto("/alarms")
    expect(at(page, "alarm-flood")).to_be_visible(timeout=60_000)
    first = at(page, "alarm-row").first
    expect(first).to_contain_text("火警", timeout=60_000)

    circuits = at(page, "alarm-group").filter(has_text="照明")
    expect(circuits).to_contain_text(str(CIRCUITS), timeout=120_000)
    # Not a line for each: the fire and whatever else is never hidden, and the heads of groups.
    assert at(page, "alarm-row").count() < 10
    picture(page, "alarms-flood")

    # The fire is acknowledged while they stand there.
    at(first, "alarm-acknowledge").click()
    expect(at(first, "alarm-state")).to_have_attribute("data-state", "acknowledged")
    circuits.locator("button").first.click()
    expect(at(page, "alarm-row").first).to_contain_text("火警")
    picture(page, "alarms-flood-open")
    at(page, "nav-overview").click()
    expect(at(page, "verdict")).to_contain_text("紧急")

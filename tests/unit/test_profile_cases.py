"""Golden cases: what a device sends, worked by hand from its manual, and what it must mean."""

import math
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from gateway import site
from gateway.modbus.decode import Decoder
from gateway.modbus.plan import plan
from gateway.model.profile import Function
from gateway.model.quality import Quality
from gateway.mqtt.mapping import MessageMapping
from gateway.profile_files import SHIPPED, load_profiles

CASES = Path(__file__).parents[1] / "cases"
FILES = sorted(CASES.glob("*/*.yaml"))
SITE = """
site: {{id: s, name: {{zh: 园, en: Garden}}, timezone: Asia/Shanghai}}
gateway: gw
areas: [{{id: a, name: {{zh: 房, en: Room}}}}]
links:
  - {{id: modbus, protocol: modbus-tcp, host: 127.0.0.1, port: 502}}
  - {{id: mqtt, protocol: mqtt}}
equipment:
  - {{id: x, name: {{zh: 物, en: Thing}}, profile: {profile}, area: a, {how}}}
"""


def installed(folder, case):
    """The case's profile as installed on one piece of equipment."""
    profile = case["profile"]
    how = "link: mqtt, topic: device/1, silence: 60s"
    if load_profiles([SHIPPED])[profile].profile.protocol == "modbus":
        parameters = case.get("parameters", {})
        numbers = ", ".join(f"{name}: {value}" for name, value in parameters.items())
        how = f"link: modbus, unit: 1, poll: 1s, parameters: {{{numbers}}}"
    if "class" in case:
        how += f", class: {case['class']}"
    path = folder / "site.yaml"
    path.write_text(SITE.format(profile=profile, how=how), encoding="utf-8")
    return site.load(path).equipment["x"]


def from_registers(thing, case):
    """Key → (value, quality, reason); a case gives each table by the name of its function."""
    sent = {
        (function, start + at): word
        for function in Function
        for start, words in case.get(function.value, {}).items()
        for at, word in enumerate(words)
    }
    places = {f"{thing.id}.{key}": place for key, place in thing.modbus.items()}
    decoder = Decoder(thing.points, places, plan(places))
    replies = {
        block: np.array(
            [sent[block.function, n] for n in range(block.address, block.end)],
            dtype=np.bool_ if block.function.is_bits else np.uint16,
        )
        for block in decoder.blocks
    }
    columns = decoder.decode(replies, {})
    return readings(decoder.points, columns)


def from_message(thing, case):
    received = round(case["received"] * 1_000_000)
    topic = f"device/1/{case['topic']}".removesuffix("/")
    frame = MessageMapping([thing]).take(topic, case["payload"].encode(), received)
    if frame is None:
        return {}
    assert set(frame.source_time) == {round(case["source_time"] * 1_000_000)}
    return readings(frame.points, frame)


def readings(points, columns):
    return {
        point.removeprefix("x."): (
            float(columns.value[row]),
            Quality(columns.quality[row]),
            columns.reason.get(row),
        )
        for row, point in enumerate(points)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path, tmp_path):
    case = YAML(typ="safe").load(path)
    thing = installed(tmp_path, case)
    got = from_registers(thing, case) if thing.modbus else from_message(thing, case)
    assert set(got) == set(case["expect"])
    for key, wanted in case["expect"].items():
        value, quality, reason = got[key]
        if wanted == "bad":
            assert math.isnan(value), key
            assert quality is Quality.BAD, key
            assert reason, key
        elif isinstance(wanted, dict):
            assert (value, quality) == (wanted["value"], Quality.UNCERTAIN), key
            assert reason == wanted["uncertain"], key
        else:
            assert (value, quality, reason) == (wanted, Quality.GOOD, None), key


def test_every_shipped_profile_has_cases():
    used = {YAML(typ="safe").load(path)["profile"] for path in FILES}
    assert used == set(load_profiles([SHIPPED]))

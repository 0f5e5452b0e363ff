"""Golden cases: what a device sends, worked by hand from its manual, and what it must mean."""

import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from gateway.modbus.decode import Decoder
from gateway.modbus.plan import plan
from gateway.model.profile import Function, RegisterType
from gateway.model.quality import Quality
from gateway.mqtt.mapping import MessageMapping
from gateway.profile.files import SHIPPED, load_profiles
from gateway.site import files as site

CASES = Path(__file__).parents[1] / "cases"
ROOT = Path(__file__).parents[2]
BOOK = ROOT / "rules" / "book"
DOCUMENT = ROOT / "deploy" / "docs" / "profiles.md"
FILES = sorted(CASES.glob("*/*.yaml"))
GIVEN = {path: YAML(typ="safe").load(path) for path in FILES}
PROFILES = load_profiles([SHIPPED])
SIGNED = {RegisterType.INT16, RegisterType.INT32, RegisterType.INT64, RegisterType.FLOAT32}
NOBODYS = 0xA55A
"""What a device has in registers that are read along and that no point is made of."""
SITE = """
site: {id: s, name: {zh: 园, en: Garden}, timezone: Asia/Shanghai}
gateway: gw
areas: [{id: a, name: {zh: 房, en: Room}}]
links:
  - {id: modbus, protocol: modbus-tcp, host: 127.0.0.1, port: 502}
  - {id: mqtt, protocol: mqtt}
equipment:
"""


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Path of each case → the equipment that the case's profile is installed on."""
    path = tmp_path_factory.mktemp("cases") / "site.yaml"
    lines = [line for n, case in enumerate(GIVEN.values(), 1) for line in installed(n, case)]
    path.write_text(SITE + "\n".join(lines) + "\n", encoding="utf-8")
    equipment = site.load(path).equipment
    return {path: equipment[f"x{n}"] for n, path in enumerate(GIVEN, 1)}


def installed(number, case):
    """The lines of a site file by which the profile of ``case`` is installed."""
    profile = case["profile"]
    yield f"  - id: x{number}"
    yield f"    name: {{zh: 物, en: Thing}}\n    area: a\n    profile: {profile}"
    if PROFILES[profile].profile.protocol == "modbus":
        yield f"    link: modbus\n    unit: {number}\n    poll: 1h"
        yield f"    parameters: {case.get('parameters', {})}"
    else:
        yield f"    link: mqtt\n    topic: device/{number}\n    silence: 60s"
    if "class" in case:
        yield f"    class: {case['class']}"


def from_registers(thing, case):
    """Key → (value, quality, reason); a case gives each table by the name of its function."""
    sent = {
        (function, start + at): word
        for function in Function
        for start, words in case.get(function.value, {}).items()
        for at, word in enumerate(words)
    }
    for key, place in thing.modbus.items():
        for address in range(place.address, place.address + place.registers):
            assert (place.function, address) in sent, f"the case has not what {key} lies in"
    places = {f"{thing.id}.{key}": place for key, place in thing.modbus.items()}
    read = [point for point in thing.points if point.key in thing.modbus]
    decoder = Decoder(read, places, plan(places))
    replies = {
        block: np.array(
            [sent.get((block.function, n), NOBODYS) for n in range(block.address, block.end)],
            dtype=np.bool_ if block.function.is_bits else np.uint16,
        )
        for block in decoder.blocks
    }
    columns = decoder.decode(replies, {})
    return readings(decoder.points, columns)


def from_message(thing, case):
    """As :func:`from_registers`; a case's topic stands below the equipment's, or around it."""
    received = round(case["received"] * 1_000_000)
    own = f"device/{thing.id.removeprefix('x')}"
    topic = case["topic"]
    topic = topic.replace("{topic}", own) if "{topic}" in topic else f"{own}/{topic}".rstrip("/")
    frame = MessageMapping([thing]).take(topic, case["payload"].encode(), received)
    if frame is None:
        return {}
    assert set(frame.source_time) == {round(case["source_time"] * 1_000_000)}
    return readings(frame.points, frame)


def readings(points, columns):
    return {
        point.partition(".")[2]: (
            float(columns.value[row]),
            Quality(columns.quality[row]),
            columns.reason.get(row),
        )
        for row, point in enumerate(points)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path, things):
    case, thing = GIVEN[path], things[path]
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


def expected(profile):
    """Point key → everything that a case of ``profile`` expects of it."""
    found = defaultdict(list)
    for case in GIVEN.values():
        for key, wanted in case["expect"].items() if case["profile"] == profile else ():
            found[key].append(wanted["value"] if isinstance(wanted, dict) else wanted)
    return found


def test_every_case_is_of_a_shipped_profile():
    assert {case["profile"] for case in GIVEN.values()} <= set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_point_of_a_shipped_profile_has_a_case_and_so_has_what_it_says_for_nothing(profile):
    file, wanted = PROFILES[profile], expected(profile)
    points = {point.key: point for point in file.document.points if point.derived is None}
    assert set(wanted) == set(points)
    for key, point in points.items():
        assert set(wanted[key]) - {"bad"}, f"no case has a value of {key}"
        if point.modbus is not None and point.modbus.absent:
            assert "bad" in wanted[key], f"no case has {key} not available"
    signed = [
        key
        for key, point in points.items()
        if point.modbus is not None
        and point.modbus.register_type in SIGNED
        and (point.low is None or point.low < 0)
    ]
    below = {key for key in signed for value in wanted[key] if value != "bad" and value < 0}
    assert bool(below) == bool(signed), f"no case has a number below zero of {signed}"


def points_read(node, classes=()):
    """(class, point) of every rule and every item of a round below ``node``."""
    if isinstance(node, dict):
        classes = [node["class"]] if "class" in node else classes
        if isinstance(node.get("point"), str):
            yield from ((name, node["point"]) for name in classes)
    inner = node.values() if isinstance(node, dict) else node
    for one in inner if isinstance(node, dict | list) else ():
        yield from points_read(one, classes)


def test_the_documentation_says_which_points_no_rule_reads():
    book = [YAML(typ="safe").load(path) for path in BOOK.glob("*/*.yaml")]
    read = {pair for file in book for pair in points_read(file)}
    rows = {}
    for name, file in PROFILES.items():
        profile = file.profile
        classes = (profile.equipment_class, *profile.generic)
        keys = [p.key for p in profile.points if not read & {(c, p.key) for c in classes}]
        if keys:
            rows[name] = ", ".join(f"`{key}`" for key in keys)
    said = DOCUMENT.read_text(encoding="utf-8").partition("## What no rule reads")[2]
    lines = [line.strip("| ").split(" | ") for line in said.splitlines() if line.startswith("| `")]
    assert {name.strip("`"): keys for name, keys in lines} == rows

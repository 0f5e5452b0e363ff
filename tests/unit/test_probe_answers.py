"""The question ``probe``: what the gateway reads of its own links, and what it refuses."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.bus.questions import QuestionRefusedError
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.probe.answers import ProbeAnswers
from gateway.profile.files import SHIPPED
from gateway.site import files as sites

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
PUMP = {"link": "pump-room", "unit": 1, "profile": "grundfos-ciu-pump", "parameters": {"pump": 2}}


class Session:
    """Zeros for everything, or silence, and what it was asked."""

    def __init__(self, silent=False, holding=None):
        self.silent = silent
        self.holding = holding
        self.asked = []
        self.reached = asyncio.Event()

    async def read(self, unit, block):
        self.asked.append((unit, block))
        self.reached.set()
        if self.holding is not None:
            await self.holding.wait()
        if self.silent:
            raise ReadFailure(FailureKind.NO_CONNECTION, "no_connection: nobody")
        return np.zeros(block.count, dtype=np.bool_ if block.function.is_bits else np.uint16)

    async def close(self):
        pass


@pytest.fixture(scope="module")
def site():
    return sites.load(DEMO)


def ask(site, body, session=None):
    sessions = dict.fromkeys(site.links, session or Session())
    return asyncio.run(ProbeAnswers(site, sessions)(body))


def refused(site, body, session=None):
    with pytest.raises(QuestionRefusedError) as refusal:
        ask(site, body, session)
    return refusal.value.code


def test_a_device_of_the_site_is_read_through_its_link(site):
    session = Session()
    told = ask(site, PUMP, session)
    assert set(told) == {"link", "unit", "profile", "points", "dead_addresses", "requests"}
    assert (told["link"], told["unit"], told["requests"]) == ("pump-room", 1, len(session.asked))
    keys = {"key", "name", "value", "text", "unit", "quality", "reason", "raw", "hint"}
    assert all(set(point) == keys for point in told["points"])
    speed = next(point for point in told["points"] if point["key"] == "speed")
    assert (speed["value"], speed["quality"], speed["raw"]) == (0.0, "good", ["0x0000"])
    assert {unit for unit, _ in session.asked} == {1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"link": "elsewhere"}, "unknown_link"),
        ({"link": None}, "unknown_link"),
        ({"link": ["pump-room"]}, "unknown_link"),
        ({"unit": 77}, "unknown_unit"),
        ({"unit": True}, "unknown_unit"),
        ({"unit": "1"}, "unknown_unit"),
        ({"profile": "no-such"}, "unknown_profile"),
        ({"profile": "../site"}, "unknown_profile"),
        ({"profile": {}}, "unknown_profile"),
        ({"profile": "shelly-plus-1pm"}, "wrong_protocol"),
        ({"parameters": {}}, "bad_parameters"),
        ({"parameters": {"pump": 7}}, "bad_parameters"),
        ({"parameters": {"pump": True}}, "bad_parameters"),
        ({"parameters": {"pump": 1, "x": 1}}, "bad_parameters"),
        ({"parameters": [1]}, "bad_parameters"),
    ],
)
def test_what_is_not_of_the_site_is_refused_before_anything_is_asked(site, change, code):
    session = Session()
    assert refused(site, PUMP | change, session) == code
    assert session.asked == []


def test_an_mqtt_link_is_refused(site):
    mqtt = next(link.id for link in site.links.values() if not hasattr(link, "host"))
    assert refused(site, PUMP | {"link": mqtt}) == "wrong_protocol"


def test_fire_and_lift_equipment_is_read_by_its_own_profile_only(site):
    session = Session()
    other = {"link": "fire", "unit": 1, "profile": "eastron-sdm630", "parameters": {}}
    assert refused(site, other, session) == "class_forbidden"
    lift = {"link": "lift-1", "unit": 247, "profile": "eastron-sdm630", "parameters": {}}
    assert refused(site, lift, session) == "class_forbidden"
    assert session.asked == []
    own = {
        "link": "fire",
        "unit": 1,
        "profile": "notifier-detector",
        "parameters": {"loop": 1, "address": 1},
    }
    ask(site, own, session)
    assert {(block.address, block.count) for _, block in session.asked} == {(0, 1)}


def test_a_generic_device_that_the_site_calls_a_lift_is_guarded_too(site):
    thing = replace(site.equipment["pump-2"], equipment_class="lift_motor")
    guarded = replace(site, equipment={**site.equipment, "pump-2": thing})
    session = Session()
    ask(guarded, PUMP, session)
    own = {place.address + at for place in thing.modbus.values() for at in range(place.registers)}
    assert {at for _, b in session.asked for at in range(b.address, b.end)} <= own


def test_silence_is_refused_with_its_reason(site):
    with pytest.raises(QuestionRefusedError) as refusal:
        ask(site, PUMP, Session(silent=True))
    assert (refusal.value.code, refusal.value.detail) == ("no_reply", "no_connection: nobody")


def test_one_probe_a_link_at_a_time(site):
    async def run():
        release = asyncio.Event()
        session = Session(holding=release)
        answers = ProbeAnswers(site, dict.fromkeys(site.links, session))
        first = asyncio.create_task(answers(PUMP))
        async with asyncio.timeout(10):
            await session.reached.wait()
        with pytest.raises(QuestionRefusedError) as refusal:
            await answers(PUMP)
        release.set()
        told = await first
        again = await answers(PUMP)
        return refusal.value.code, told, again

    code, told, again = asyncio.run(run())
    assert code == "busy"
    assert told == again


def test_a_probe_that_takes_too_long_is_given_up(site, monkeypatch):
    monkeypatch.setattr("gateway.probe.answers._LONGEST", 0.05)

    async def run():
        session = Session(holding=asyncio.Event())
        await ProbeAnswers(site, dict.fromkeys(site.links, session))(PUMP)

    with pytest.raises(QuestionRefusedError) as refusal:
        asyncio.run(run())
    assert refusal.value.code == "too_slow"


def test_the_sites_own_profile_goes_before_the_shipped_one_and_a_wrong_one_is_refused(
    site, tmp_path
):
    text = Path(DEMO).read_text(encoding="utf-8")
    text = text.replace(
        "timezone: Asia/Shanghai}", "timezone: Asia/Shanghai, profiles_folder: own}"
    )
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "own").mkdir()
    shipped = next(path for path in SHIPPED.rglob("grundfos-ciu-pump.yaml"))
    own = tmp_path / "own" / shipped.name
    own.write_text(shipped.read_text("utf-8").replace("high: 6", "high: 9"), "utf-8")
    moved = replace(site, file=str(tmp_path / "site.yaml"))
    assert ask(moved, PUMP | {"parameters": {"pump": 9}})["profile"] == "grundfos-ciu-pump"
    own.write_text("profile: grundfos-ciu-pump\n", "utf-8")
    assert refused(moved, PUMP) == "unknown_profile"

"""What the gateway answers when it is asked how its links are."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway import link_answers
from gateway.history.parking import Parking
from gateway.link_answers import LinkAnswers, Now
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Broker, ModbusLink, MqttLink
from gateway.model.moment import SECOND
from gateway.mqtt.link import MqttSession
from gateway.site.files import load
from gateway.spool.queue import Spool

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"


@pytest.fixture
def spool(tmp_path):
    made = Spool.open(tmp_path / "spool")
    yield made
    made.close()


@pytest.fixture(scope="module")
def site():
    return load(DEMO)


def session(site):
    broker = Broker(host="10.0.0.9", port=1883, username="", password="")
    return MqttSession(broker, "gw", ["lamp/status"], lambda _: None)


def pollers(site):
    for link in site.links.values():
        things = [thing for thing in site.equipment.values() if thing.link == link.id]
        if isinstance(link, ModbusLink) and things:
            yield LinkPoller(link, things)


def asked(answers):
    """The answer as it goes over the bus."""
    return orjson.loads(orjson.dumps(asyncio.run(answers({}))))


def documented():
    """The answer that the module's docstring shows, without its remarks."""
    text = link_answers.__doc__.split("::\n", 1)[1].split("\n\nA link that", 1)[0]
    text = re.sub(r"\s#.*", "", text)
    return orjson.loads(text.replace('\\"', "'").replace('"…"', '"x"'))


def keys(said):
    """The keys of a document at all levels, of a list those of its first item."""
    if isinstance(said, dict):
        return {key: keys(inner) for key, inner in said.items()}
    return [keys(said[0])] if isinstance(said, list) and said else None


def test_it_is_of_the_documented_form(site, spool, tmp_path):
    """A page is built on it."""
    mqtt = session(site)
    mqtt.quarantine.put("lamp/status", b"x", "not_json: …", 5)
    parking = Parking(tmp_path / "parked")
    parking.put("a b=1", "type conflict")
    answers = LinkAnswers(
        site=site, pollers=[*pollers(site)], mqtt=mqtt, spool=spool, now=Now, parking=parking
    )
    got, wanted = keys(asked(answers)), keys(documented())
    modbus, lamps = documented()["links"]
    for link in asked(answers)["links"]:
        shown = lamps if link["protocol"] == "mqtt" else modbus
        assert set(link) == set(shown)
        if link["protocol"] == "modbus":
            assert set(link["units"][0]) == set(shown["units"][0])
            assert set(link["budget"]) == set(shown["budget"])
    del got["links"], wanted["links"]
    assert got == wanted | {"spool": {**wanted["spool"], "backlog": got["spool"]["backlog"]}}


def test_every_link_with_equipment_is_there_once(site, spool):
    lone = replace(site, links={**site.links, "spare": MqttLink(id="spare")})
    answers = LinkAnswers(
        site=lone, pollers=[*pollers(site)], mqtt=session(site), spool=spool, now=Now
    )
    used = {thing.link for thing in site.equipment.values()}
    assert sorted(link["id"] for link in asked(answers)["links"]) == sorted(used)


def test_a_broker_link_says_what_it_heard_and_why_it_is_down(site, spool):
    mqtt = session(site)
    mqtt.reason, mqtt.heard, mqtt.lost = "no_connection: refused", 7, 2
    mqtt.overflow.hear(b"5")
    mqtt.overflow.hear(b"8")
    now = Now(repeats=3, disk_failing_since=9, behind=2500 * SECOND // 1000)
    said = asked(LinkAnswers(site=site, pollers=[], mqtt=mqtt, spool=spool, now=lambda: now))
    (link,) = said["links"]
    assert (link["where"], link["connected"]) == ("10.0.0.9:1883", False)
    assert link["reason"] == "no_connection: refused"
    assert (link["heard"], link["repeats"], link["lost"], link["dropped"]) == (7, 3, 2, 3)
    assert link["equipment"] == [t.id for t in site.equipment.values() if t.link == link["id"]]
    assert said["spool"]["disk_failing_since"] == 9
    assert said["history"] == {"behind_s": 2.5, "parked": 0, "parked_reasons": []}


def test_what_was_put_aside_is_listed_newest_first_and_bounded(site, spool):
    mqtt = session(site)
    for number in range(60):
        mqtt.quarantine.put(f"t/{number}", b"\xff" * 1000, "not_utf8", number)
    mqtt.quarantine.put("t/30", b"\xff", "not_utf8", 99)
    said = asked(LinkAnswers(site=site, pollers=[], mqtt=mqtt, spool=spool, now=Now))
    quarantine = said["quarantine"]
    assert quarantine["count"] == 61
    assert len(quarantine["entries"]) == 50
    first, second = quarantine["entries"][:2]
    assert (first["topic"], first["count"], first["at"]) == ("t/30", 2, 99)
    assert (second["topic"], second["sample"]) == ("t/59", "\ufffd" * 200)


def test_the_spools_figures_and_what_the_history_refused(site, spool, tmp_path):
    spool.append(1, b"x")
    spool.append(2, b"y")
    spool.sync()
    spool.release("rules", 2)
    parking = Parking(tmp_path / "parked")
    for number in range(25):
        parking.put("a", f"reason {number}")
    parking.put("b", "reason 7")
    said = asked(
        LinkAnswers(site=site, pollers=[], mqtt=None, spool=spool, now=Now, parking=parking)
    )
    assert said["links"] == []
    assert said["quarantine"] == {"count": 0, "entries": []}
    assert said["spool"]["head"] == 2
    assert said["spool"]["backlog"] == {"history": 2, "rules": 0}
    assert said["spool"]["bytes"] > 0
    assert said["history"]["parked"] == 26
    reasons = said["history"]["parked_reasons"]
    assert reasons[0] == {"reason": "reason 7", "count": 2}
    assert len(reasons) == 20

"""A link as a piece of equipment: what is said of it, and its one alarm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import FAULT, NOON, frame, rulebook
from duty_room import site as site_of_messages

from gateway.model.equipment import ModbusLink, Site
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from rules.alarms.conditions import Conditions
from rules.alarms.links import LinkWatch, frame_of, link_equipment


def site() -> Site:
    """One that is polled."""
    return replace(site_of_messages(), links={"lan": ModbusLink(id="lan", timeout=1)})


def at(second: float) -> Instant:
    mono = round(second * SECOND)
    return Instant(wall=NOON + mono, mono=mono, boot="one")


def record(second: float, body: Frame | GatewayEvent) -> Record:
    envelope = Envelope(site="s", gateway="g", epoch="e", seq=1, at=at(second))
    return Record(envelope=envelope, body=body)


def event(kind: GatewayEventKind, link: str = "lan") -> GatewayEvent:
    return GatewayEvent(kind=kind, subject=link)


def test_a_link_that_is_polled_says_whether_it_is_there_and_heard() -> None:
    (link,) = link_equipment(site())
    assert (link.id, link.equipment_class, link.area) == ("link.lan", "link", "b1")
    assert [point.id for point in link.points] == ["link.lan.up", "link.lan.heard"]


def test_a_link_is_where_what_the_site_names_first_is() -> None:
    first, *_ = site().equipment.values()
    things = {"z": replace(first, area="pumps"), "a": replace(first, area="garage")}
    (link,) = link_equipment(replace(site(), equipment=things))
    assert link.area == "pumps"


def seldom_polled() -> Site:
    things = {name: replace(one, poll=60 * SECOND) for name, one in site().equipment.items()}
    return replace(site(), equipment=things)


@pytest.mark.parametrize("quiet", [seldom_polled(), site_of_messages()], ids=["slow", "broker"])
def test_silence_says_nothing_of_a_link_that_is_seldom_polled_or_never(quiet: Site) -> None:
    """Lamps behind a broker are silent for minutes, or without power: the broker is there."""
    (link,) = link_equipment(quiet)
    assert [point.id for point in link.points] == ["link.lan.up"]
    said = LinkWatch(quiet).take(record(0, frame({"pump-1.fault": 0.0})))
    assert said is not None
    assert said.points == ("link.lan.up",)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (GatewayEventKind.LINK_DOWN, 0.0),
        (GatewayEventKind.LINK_UP, 1.0),
        (GatewayEventKind.STARTED, None),
        (GatewayEventKind.CLOCK_STEP, None),
        (GatewayEventKind.SHED, None),
    ],
)
def test_what_the_gateway_says_of_a_link(kind: GatewayEventKind, said: float | None) -> None:
    found = frame_of(event(kind))
    assert (None if found is None else found.value.tolist()) == (None if said is None else [said])


def test_usable_readings_say_every_ten_seconds_that_the_link_is_there() -> None:
    watch = LinkWatch(site())
    heard = [
        second
        for second in range(25)
        if watch.take(record(second, frame({"pump-1.fault": 0.0}))) is not None
    ]
    assert heard == [0, 10, 20]


def test_bad_readings_say_nothing_of_it() -> None:
    watch = LinkWatch(site())
    assert watch.take(record(0, frame({}, {"pump-1.fault": "timeout"}))) is None
    assert watch.take(record(1, frame({"elsewhere.fault": 1.0}))) is None
    assert watch.take(record(2, frame({"pump-1.fault": 1.0}))) is not None


def test_the_frames_of_a_link_are_those_of_its_point() -> None:
    told = frame_of(event(GatewayEventKind.LINK_DOWN))
    heard = LinkWatch(site()).take(record(0, frame({"pump-1.fault": 0.0})))
    assert told is not None
    assert heard is not None
    (link,) = link_equipment(site())
    conditions = Conditions(rulebook(FAULT), [link])
    assert conditions.step(told, at(0)) == [], "no rule, and no error"
    assert conditions.step(heard, at(1)) == []
    assert heard.points == tuple(point.id for point in link.points)

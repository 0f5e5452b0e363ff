"""The newest reading of every point, as a screen shows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gateway.latest import Latest, Received
from gateway.model.equipment import Equipment, MqttLink, Site
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record
from gateway.model.frame import Frame
from gateway.model.moment import HOUR, SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading

NAME = Text(zh="", en="")
START = Instant(wall=1_000 * SECOND, mono=50 * SECOND, boot="b")


@pytest.fixture
def site() -> Site:
    points = tuple(
        Point(
            id=f"lamp.{key}",
            equipment="lamp",
            key=key,
            name=NAME,
            kind=PointKind.NUMBER,
            stale_after=3 * SECOND,
        )
        for key in ("power", "state", "never")
    )
    lamp = Equipment(
        id="lamp",
        name=NAME,
        equipment_class="lamp",
        profile="p",
        model=NAME,
        vendor="v",
        area="a",
        link="l",
        unit=None,
        poll=SECOND,
        points=points,
    )
    return Site(
        id="s",
        name=NAME,
        gateway="g",
        timezone="Asia/Shanghai",
        links={"l": MqttLink(id="l")},
        areas={},
        equipment={"lamp": lamp},
        broker=None,
        scenario=None,
        fingerprint="f",
        file="site.yaml",
    )


def record(
    at: Instant,
    rows: dict[str, float],
    *,
    quality: Quality = Quality.GOOD,
    text: dict[int, str] | None = None,
    reason: dict[int, str] | None = None,
) -> Record:
    frame = Frame(
        points=tuple(rows),
        value=np.array(list(rows.values())),
        quality=np.full(len(rows), quality, dtype=np.uint8),
        source_time=np.full(len(rows), at.wall - 7, dtype=np.int64),
        text=text or {},
        reason=reason or {},
    )
    return Record(envelope=Envelope(site="s", gateway="g", epoch="e", seq=1, at=at), body=frame)


def take(latest: Latest, made: Record, heard: Instant | None = None) -> None:
    """Heard at the instant at which the gateway received it, unless said otherwise."""
    latest.take(made, heard or made.envelope.at)


def quality(latest: Latest, now: Instant, point: str = "lamp.power") -> Quality:
    return latest.at(now)[point].reading.quality


def test_the_newest_record_wins_and_unknown_points_are_passed_over(site: Site) -> None:
    latest = Latest(site)
    assert latest.at(START) == {}
    take(latest, record(START, {"lamp.power": 4.5, "gone.point": 1}))
    take(latest, record(START.plus(SECOND), {"lamp.power": 5.5}))
    found = latest.at(START.plus(SECOND))
    assert set(found) == {"lamp.power"}
    expected = Reading(
        value=5.5,
        text=None,
        quality=Quality.GOOD,
        reason=None,
        received=START.wall + SECOND,
        source_time=START.wall + SECOND - 7,
    )
    assert found["lamp.power"].reading == expected
    assert found["lamp.power"].last_good == expected
    at = START.plus(SECOND)
    assert latest.received == Received(wall=at.wall, mono=at.mono, boot=at.boot, heard=at)


def test_a_snapshot_stays_as_it_was_and_says_what_the_table_said(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 4.5, "lamp.state": 1}, text={1: "on"}))
    now = START.plus(SECOND)
    said, seen = latest.at(now), latest.snapshot(now)
    assert dict(seen) == said
    assert len(seen) == 2
    assert seen.get("lamp.never") is None
    assert seen.get("gone.point") is None
    later = now.plus(SECOND)
    rows = {"lamp.power": math.nan, "lamp.state": 0, "lamp.never": 1}
    take(latest, record(later, rows, quality=Quality.BAD, reason={0: "away"}))
    assert dict(seen) == said


def test_words_are_taken_and_go_again_beside_rows_that_have_none(site: Site) -> None:
    latest = Latest(site)
    rows = {"lamp.power": 4.5, "lamp.state": 1.0, "lamp.never": 2.0}

    def words(**given: dict[int, str]) -> list[tuple[str | None, str | None]]:
        take(latest, record(START, rows, **given))
        found = latest.at(START)
        return [(found[p].reading.text, found[p].reading.reason) for p in rows]

    assert words() == [(None, None)] * 3
    assert words(text={1: "on"}) == [(None, None), ("on", None), (None, None)]
    assert words(reason={2: "why"}) == [(None, None), (None, None), (None, "why")]
    assert latest.at(START)["lamp.state"].last_good == latest.at(START)["lamp.state"].reading
    assert words() == [(None, None)] * 3


def test_a_bad_reading_shows_its_reason_beside_the_last_good_value(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 4.5}))
    later = START.plus(SECOND)
    take(
        latest,
        record(later, {"lamp.power": math.nan}, quality=Quality.BAD, reason={0: "device offline"}),
    )
    current = latest.at(later.plus(HOUR))["lamp.power"]
    assert (current.reading.value, current.reading.quality) == (None, Quality.BAD)
    assert current.reading.reason == "device offline"
    assert current.last_good is not None
    assert (current.last_good.value, current.last_good.received) == (4.5, START.wall)
    take(latest, record(later, {"lamp.power": 6}))
    assert latest.at(later)["lamp.power"].reading.reason is None


def test_what_was_good_goes_stale_with_age_and_uncertain_is_no_last_good(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 4.5}))
    assert latest.at(START.plus(3 * SECOND))["lamp.power"].reading.quality is Quality.GOOD
    stale = latest.at(START.plus(3 * SECOND + 1))["lamp.power"].reading
    assert (stale.quality, stale.value) == (Quality.STALE, 4.5)
    assert stale.reason == "too_old"
    take(latest, record(START, {"lamp.state": 900}, quality=Quality.UNCERTAIN, reason={0: "out"}))
    doubtful = latest.at(START)["lamp.state"]
    assert (doubtful.reading.quality, doubtful.reading.reason) == (Quality.UNCERTAIN, "out")
    assert doubtful.last_good is None


def test_a_step_of_the_wall_clock_makes_nothing_stale(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 4.5}))
    stepped = Instant(wall=START.wall + HOUR, mono=START.mono + SECOND, boot="b")
    assert latest.at(stepped)["lamp.power"].reading.quality is Quality.GOOD
    elsewhere = Instant(wall=START.wall + HOUR, mono=START.mono + SECOND, boot="other")
    assert latest.at(elsewhere)["lamp.power"].reading.quality is Quality.STALE
    # A reading received after a step back is the newest all the same.
    back = Instant(wall=START.wall - HOUR, mono=START.mono + SECOND, boot="b")
    take(latest, record(back, {"lamp.power": 7}))
    assert latest.at(back)["lamp.power"].reading.value == 7


def test_texts_are_kept_and_replaced(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.state": math.nan}, text={0: "on"}))
    take(latest, record(START, {"lamp.power": 1}))
    current = latest.at(START)["lamp.state"]
    assert (current.reading.text, current.reading.value) == ("on", None)
    take(latest, record(START, {"lamp.state": math.nan}, quality=Quality.BAD, reason={0: "gone"}))
    current = latest.at(START)["lamp.state"]
    assert current.reading.text is None
    assert current.last_good is not None
    assert current.last_good.text == "on"


def test_changed_tells_new_readings_and_new_staleness_once(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 1, "lamp.state": 2}))
    first, mark = latest.changed(None, START)
    assert set(first) == {"lamp.power", "lamp.state"}
    none, mark = latest.changed(mark, START.plus(SECOND))
    assert none == {}
    take(latest, record(START.plus(2 * SECOND), {"lamp.power": 3}))
    some, mark = latest.changed(mark, START.plus(2 * SECOND))
    assert set(some) == {"lamp.power"}
    stale, mark = latest.changed(mark, START.plus(4 * SECOND))
    assert {point: c.reading.quality for point, c in stale.items()} == {"lamp.state": Quality.STALE}
    assert latest.changed(mark, START.plus(4 * SECOND))[0] == {}


def test_what_was_only_known_before_is_stale_until_it_is_heard(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 1}))
    old = Reading(
        value=9.0,
        text=None,
        quality=Quality.GOOD,
        reason=None,
        received=START.wall - SECOND,
        source_time=START.wall - SECOND,
    )
    latest.prime({"lamp.power": old, "lamp.state": old, "gone.point": old})
    found = latest.at(START)
    assert found["lamp.power"].reading.value == 1
    # As young as it may be, by the wall clock: nobody knows what the device said since.
    assert found["lamp.state"].reading.value == 9
    assert found["lamp.state"].reading.quality is Quality.STALE
    assert found["lamp.state"].reading.reason == "not_heard"
    assert found["lamp.state"].last_good == old
    # The clock of a machine that was just started may be anywhere.
    back = Instant(wall=START.wall - HOUR, mono=0, boot="b")
    assert quality(latest, back, "lamp.state") is Quality.STALE
    take(latest, record(START, {"lamp.state": 2}))
    assert quality(latest, START, "lamp.state") is Quality.GOOD


def test_what_was_received_in_the_future_is_not_fresh(site: Site) -> None:
    latest = Latest(site)
    ours = Instant(wall=START.wall - 600 * SECOND, mono=9 * SECOND, boot="ours")
    take(latest, record(START, {"lamp.power": 4.5}), ours)
    for later in (0, 1, 599, 602):
        now = ours.plus(later * SECOND)
        assert quality(latest, now) is Quality.STALE, later
    assert latest.at(ours)["lamp.power"].reading.reason == "clocks_differ"
    assert latest.received is not None
    assert latest.received.age(ours.plus(SECOND)) is None
    # So little apart are the clocks of two machines that are kept right.
    near = Instant(wall=START.wall - 2 * SECOND, mono=9 * SECOND, boot="ours")
    take(latest, record(START, {"lamp.power": 4.5}), near)
    assert quality(latest, near) is Quality.GOOD


def test_our_own_clock_tells_an_age_that_the_wall_clock_denies(site: Site) -> None:
    latest = Latest(site)
    ours = Instant(wall=START.wall, mono=9 * SECOND, boot="ours")
    take(latest, record(START, {"lamp.power": 4.5}), ours)
    assert quality(latest, ours.plus(3 * SECOND)) is Quality.GOOD
    stepped = Instant(wall=START.wall + SECOND, mono=ours.mono + HOUR, boot="ours")
    assert quality(latest, stepped) is Quality.STALE
    assert latest.received is not None
    assert latest.received.age(stepped) == HOUR


def test_after_a_miss_everything_is_stale_until_heard_again(site: Site) -> None:
    latest = Latest(site)
    take(latest, record(START, {"lamp.power": 1, "lamp.state": 2}))
    _, mark = latest.changed(None, START)
    latest.doubt()
    missed, mark = latest.changed(mark, START)
    assert {p: c.reading.quality for p, c in missed.items()} == {
        "lamp.power": Quality.STALE,
        "lamp.state": Quality.STALE,
    }
    take(latest, record(START, {"lamp.power": 1}))
    assert quality(latest, START) is Quality.GOOD
    assert quality(latest, START, "lamp.state") is Quality.STALE


def test_gateway_events_are_no_readings(site: Site) -> None:
    latest = Latest(site)
    envelope = Envelope(site="s", gateway="g", epoch="e", seq=1, at=START)
    event = GatewayEvent(kind=GatewayEventKind.STARTED, subject="g")
    take(latest, Record(envelope=envelope, body=event))
    assert latest.at(START) == {}
    assert latest.received is not None
    assert latest.received.age(START.plus(7)) == 7

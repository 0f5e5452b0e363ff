"""The site, equipment with judged readings, and the past of a point."""

from __future__ import annotations

from datetime import datetime

import pytest
from api_room import HOT, Room
from starlette.testclient import TestClient

from api.views.equipment import is_heard
from gateway.model.moment import SECOND, Instant


def reading(client: TestClient, point: str = HOT) -> dict:
    thing = client.get(f"/api/v1/equipment/{point.partition('.')[0]}").json()
    return next(p for p in thing["points"] if p["id"] == point)["reading"]


def test_the_site(client: TestClient, room: Room) -> None:
    site = client.get("/api/v1/site").json()
    assert site["id"] == "brocade-garden"
    assert site["name"] == {"zh": "锦绣花园", "en": "Brocade Garden"}
    assert [area["id"] for area in site["areas"]] == list(room.site.areas)
    assert site["areas"][0] == {
        "id": "b1-pump-room",
        "name": {"zh": "B1 泵房", "en": "B1 pump room"},
    }
    assert site["simulated"] is True
    assert site["gateway"] == {"id": "gw-1", "last_received": None, "ok": False}
    room.receive({HOT: 40.0})
    site = client.get("/api/v1/site").json()
    assert site["gateway"]["ok"] is True
    assert site["gateway"]["last_received"] == site["now"]
    assert site["now"].endswith("+08:00")
    room.clock.advance(600)
    assert client.get("/api/v1/site").json()["gateway"]["ok"] is False


def test_what_feeds_a_thing_and_what_it_is_read_through(client: TestClient) -> None:
    items = client.get("/api/v1/equipment", params={"limit": 200}).json()["items"]
    things = {thing["id"]: thing for thing in items}
    detector, meter, lift = things["smoke-101"], things["meter-1"], things["lift-2"]
    assert (detector["behind"], detector["supplied_by"]) == ("fire-panel", None)
    assert (lift["behind"], lift["supplied_by"], lift["supplies"]) == (None, "meter-1", [])
    assert meter["supplies"] == [i for i in things if things[i]["supplied_by"] == "meter-1"]
    assert "lift-2" in meter["supplies"]
    assert (things["sump-1"]["class"], things["sump-1"]["vendor"]) == ("sump", "")


def test_a_point_never_heard_of_has_no_value_and_says_so(client: TestClient) -> None:
    assert reading(client) == {
        "value": None,
        "text": None,
        "quality": "bad",
        "reason": "never_heard",
        "received_at": None,
        "source_at": None,
        "last_good": None,
        "stale_after_s": 3.0,
    }


def test_a_value_is_good_until_it_is_too_old_and_then_never_shown_as_live(
    client: TestClient, room: Room
) -> None:
    room.receive({HOT: 41.5})
    now = reading(client)
    assert (now["value"], now["quality"], now["reason"]) == (41.5, "good", None)
    room.clock.advance(3)
    assert reading(client)["quality"] == "good"
    room.clock.advance(0.001)
    old = reading(client)
    assert old["quality"] == "stale"
    assert old["reason"]
    assert old["value"] == 41.5
    assert old["received_at"] == now["received_at"]
    assert old["last_good"] == {
        "value": 41.5,
        "text": None,
        "received_at": now["received_at"],
    }


def test_a_step_of_the_wall_clock_makes_nothing_stale(client: TestClient, room: Room) -> None:
    room.receive({HOT: 41.5})
    room.clock.step_wall(3600)
    assert reading(client)["quality"] == "good"


def test_a_failed_read_is_null_with_its_reason_and_the_last_good_value(
    client: TestClient, room: Room
) -> None:
    room.receive({HOT: 41.5})
    good_at = reading(client)["received_at"]
    room.clock.advance(1)
    room.receive({HOT: None}, reason="no reply within 1 s")
    bad = reading(client)
    assert (bad["value"], bad["quality"]) == (None, "bad")
    assert bad["reason"] == "no reply within 1 s"
    assert bad["last_good"] == {"value": 41.5, "text": None, "received_at": good_at}


def test_what_the_history_remembers_is_shown_as_old(room: Room, client: TestClient) -> None:
    room.receive({HOT: 41.5})
    room.clock.advance(3600)
    room.latest.__init__(room.site)
    room.latest.prime(room.history.latest([HOT]))
    assert (reading(client)["value"], reading(client)["quality"]) == (41.5, "stale")


def test_a_gateway_whose_clock_is_ahead_is_not_called_well(room: Room, client: TestClient) -> None:
    record = room.record({HOT: 41.5})
    behind = Instant(wall=room.clock.now().wall - 600 * SECOND, mono=7, boot="elsewhere")
    room.latest.take(record, behind)
    for later in (0, 599, 601):
        now = behind.plus(later * SECOND)
        assert not is_heard(room.site, now, room.latest.received), later
    ours = Instant(wall=room.clock.now().wall, mono=7, boot="elsewhere")
    room.latest.take(record, ours)
    assert is_heard(room.site, ours, room.latest.received)
    # The wall clock was stepped back by as much as the gateway has been silent.
    silent = Instant(wall=ours.wall, mono=ours.mono + 600 * SECOND, boot="elsewhere")
    assert not is_heard(room.site, silent, room.latest.received)


def test_equipment_in_the_order_of_the_site_with_limits(client: TestClient, room: Room) -> None:
    page = client.get("/api/v1/equipment").json()
    assert [thing["id"] for thing in page["items"]] == list(room.site.equipment)
    assert page["next"] is None
    pump = next(thing for thing in page["items"] if thing["id"] == "pump-2")
    assert pump["class"] == "pump"
    assert pump["area"] == "b1-pump-room"
    assert pump["quality"] == "bad"
    assert (pump["worst_priority"], pump["open_alarms"]) == (None, 0)
    hot = next(point for point in pump["points"] if point["id"] == HOT)
    (limit,) = hot["limits"]
    assert limit == {
        "rule": "motor-temperature-high",
        "name": {"zh": "电机温度高", "en": "Motor temperature high"},
        "above": 75.0,
        "below": None,
        "priority": "major",
    }
    running = next(point for point in pump["points"] if point["key"] == "running")
    assert running["kind"] == "flag"
    assert set(running["states"]) == {"0", "1"}
    assert running["limits"] == []


def test_equipment_knows_its_open_alarms(client: TestClient, room: Room) -> None:
    room.raise_alarm("pump-2")
    pump = client.get("/api/v1/equipment/pump-2").json()
    assert (pump["worst_priority"], pump["open_alarms"]) == ("major", 1)
    assert client.get("/api/v1/equipment/pump-1").json()["open_alarms"] == 0


def test_equipment_in_pages(client: TestClient, room: Room) -> None:
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/equipment", params=query).json()
        assert len(page["items"]) <= 2
        seen += [thing["id"] for thing in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == list(room.site.equipment)


def test_equipment_that_is_not_there(client: TestClient) -> None:
    answer = client.get("/api/v1/equipment/pump-9")
    assert answer.status_code == 404
    assert "pump-9" in answer.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "WzEsMl0", "e30", "ÿ", "W1wiYVwiXQ"])
@pytest.mark.parametrize("path", ["equipment", "alarms", "orders"])
def test_a_cursor_that_was_made_up(client: TestClient, path: str, cursor: str) -> None:
    answer = client.get(f"/api/v1/{path}", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def history(client: TestClient, point: str = HOT, **query: object):
    return client.get(f"/api/v1/points/{point}/readings", params=query)


def test_the_past_in_buckets_where_a_gap_stays_a_gap(client: TestClient, room: Room) -> None:
    start = room.clock.now().wall
    for value in (10.0, 30.0):
        room.receive({HOT: value})
        room.clock.advance(1)
    room.receive({HOT: None})
    room.clock.advance(8)
    room.receive({HOT: 50.0})
    zone = room.site.zone
    first, last = (
        datetime.fromtimestamp(wall / 1e6, zone).isoformat() for wall in (start, start + 12_000_000)
    )
    answer = history(client, start=first, end=last, buckets=3).json()
    assert answer["point"] == HOT
    assert answer["bucket_s"] == 4.0
    one, two, three = answer["buckets"]
    assert (one["min"], one["mean"], one["max"], one["last"]) == (10.0, 20.0, 30.0, 30.0)
    assert (one["count"], one["quality"]) == (2, "bad")
    assert (two["min"], two["mean"], two["max"], two["last"]) == (None,) * 4
    assert (two["count"], two["quality"]) == (0, "bad")
    assert (three["last"], three["count"], three["quality"]) == (50.0, 1, "good")
    assert one["start"] == answer["start"]


def test_before_the_first_reading_ever_nothing_is_known(client: TestClient, room: Room) -> None:
    """Found on the wall: the day before the installation was drawn as if all had been well."""
    room.receive({HOT: 40.0})
    seen = room.clock.now().wall
    room.clock.advance(60)
    (gap,) = history(client, buckets=60).json()["gaps"]
    assert gap["reason"] == "never_heard"
    begins, ends = (datetime.fromisoformat(gap[key]).timestamp() * 1e6 for key in ("start", "end"))
    assert ends - begins > 58 * 60e6
    assert abs(ends - seen) <= 60e6
    room.clock.advance(3600)
    assert history(client, buckets=60).json()["gaps"] == []
    (whole,) = client.get("/api/v1/points/pump-3.running/readings").json()["gaps"]
    assert whole["reason"] == "never_heard"


def test_the_day_of_all_equipment_is_told_at_once(client: TestClient, room: Room) -> None:
    """The strip of the last day once asked for each piece of equipment by itself."""
    things = room.site.equipment
    first = {name: things[name].points[0].id for name in ("pump-2", "pump-3")}
    room.receive({first["pump-2"]: 1.0})
    heard = room.clock.now()
    room.clock.advance(3600)
    told = client.get("/api/v1/silences").json()
    gaps = {one["equipment"]: one["gaps"] for one in told["items"]}
    assert set(gaps) == {thing.id for thing in things.values() if thing.points}
    (never,) = gaps["pump-3"]
    assert (never["start"], never["end"]) == (told["start"], told["end"])
    (before,) = gaps["pump-2"]
    assert before["reason"] == "never_heard"
    assert datetime.fromisoformat(before["end"]).timestamp() * 1e6 == heard.wall
    none = dict.fromkeys(("start", "end"), told["end"])
    assert client.get("/api/v1/silences", params=none).status_code == 422


def test_the_last_hour_in_300_buckets_if_not_told(client: TestClient, room: Room) -> None:
    answer = history(client).json()
    assert len(answer["buckets"]) == 300
    assert answer["bucket_s"] == 12.0
    assert answer["end"] == client.get("/api/v1/site").json()["now"]


def test_a_time_without_an_offset_is_the_sites(client: TestClient) -> None:
    answer = history(client, start="2026-11-21T08:00:00", end="2026-11-21T09:00:00").json()
    assert answer["start"] == "2026-11-21T08:00:00.000+08:00"
    same = history(client, start="2026-11-21T00:00:00Z", end="2026-11-21T09:00:00+08:00").json()
    assert same["start"] == answer["start"]


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-11-21T09:00:00Z", "end": "2026-11-21T09:00:00Z"},
        {"start": "2026-11-21T09:00:01Z", "end": "2026-11-21T09:00:00Z"},
        {"start": "2099-01-01T00:00:00Z"},
        {"start": "0001-01-01T00:00:00+14:00"},
        {"end": "9999-12-31T23:59:59-14:00"},
        {"start": "yesterday"},
        {"buckets": 0},
        {"buckets": 2001},
        {"buckets": "many"},
    ],
)
def test_a_stretch_that_makes_no_sense(client: TestClient, query: dict[str, object]) -> None:
    answer = history(client, **query)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["where"].startswith("query.")


def test_a_point_that_is_not_there(client: TestClient) -> None:
    assert history(client, "pump-2.nothing").status_code == 404


def test_health_tells_which_part_is_ill(visitor: TestClient, room: Room) -> None:
    answer = visitor.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "ledger": "ok",
        "history": "ok",
        "gateway": "nothing received yet",
        "rules": "nothing committed yet",
    }
    room.receive({HOT: 40.0})
    answer = visitor.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    room.clock.advance(100)
    assert "silent for 100 s" in visitor.get("/healthz").json()["checks"]["gateway"]
    with room.ledger.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE change RENAME TO gone")
    assert "does not answer" in visitor.get("/healthz").json()["checks"]["ledger"]


def test_health_tells_that_the_rules_have_not_committed_for_long(
    visitor: TestClient, room: Room
) -> None:
    """The gateway is heard, the ledger answers, and yet no alarm would become a row."""
    room.receive({HOT: 40.0})
    for said in ("ok", "last commit 31 s ago"):
        room.latest.take(room.record({HOT: 40.0}), room.clock.now())
        answer = visitor.get("/healthz")
        assert answer.status_code == (200 if said == "ok" else 503)
        assert answer.json()["checks"] == {
            "ledger": "ok",
            "history": "ok",
            "gateway": "ok",
            "rules": said,
        }
        room.clock.advance(31)
    room.worker.commit(room.clock.now())
    room.clock.advance(30)
    assert visitor.get("/healthz").json()["checks"]["rules"] == "ok"


def test_metrics_count_operations_not_addresses(client: TestClient) -> None:
    client.get("/api/v1/equipment/pump-1")
    client.get("/api/v1/equipment/pump-2")
    client.request("BREW", "/coffee")
    said = client.get("/metrics").text
    assert 'operation="equipment",status="200"' in said
    assert "pump-1" not in said
    assert "BREW" not in said

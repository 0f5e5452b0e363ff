"""Screens on a wall, by the API: what they see, and that they see nothing else."""

from __future__ import annotations

import pytest
from api_room import HOT, Room, Served, log_in
from listening import listening, readings
from starlette.testclient import TestClient

from api import live
from rules.people import kiosks
from rules.people.accounts import Visit
from rules.people.roles import PROGRAM


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READINGS_EVERY", "HEARTBEAT_EVERY", "SESSIONS_EVERY"):
        monkeypatch.setattr(live, name, getattr(live, name) / 10)


WATER, LOBBY = "b1-pump-room", "gate-lobby"


def screen(room: Room, *areas: str) -> tuple[str, dict[str, str]]:
    """The id of a screen that is open, and the headers of its requests."""
    now, ledger, site = room.clock.now(), room.ledger, room.site
    name = f"{'-'.join(areas) or 'all'}"
    key, made = kiosks.make(ledger, site, name=name, areas=areas, actor=PROGRAM, now=now)
    token = kiosks.enter(ledger, site.id, key, Visit(address="10.0.0.9"), now)
    return made.id, {"Cookie": f"dutyroom_screen={token}"}


def test_a_link_makes_a_screen_of_a_browser_until_it_is_revoked(
    client: TestClient, room: Room
) -> None:
    made = client.post("/api/v1/kiosks", json={"name": "东墙", "areas": [WATER]}).json()
    assert made["link_ends_at"] is not None
    client.cookies.clear()
    assert client.get("/api/v1/kiosk").status_code == 401
    opened = client.post("/api/v1/kiosk", json={"key": made["key"]})
    assert opened.status_code == 204
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/api/v1/kiosk").json() == {"name": "东墙", "areas": [WATER]}
    again = client.post("/api/v1/kiosk", json={"key": made["key"]})
    assert again.json()["type"] == "urn:dutyroom:problem:link-over"
    assert client.get("/api/v1/alarms").status_code == 200
    kept = dict(client.cookies)
    client.cookies.clear()
    log_in(client)
    (shown,) = client.get("/api/v1/kiosks").json()["items"]
    assert (shown["last_seen_at"] is None, shown["address"]) == (False, "testclient")
    assert client.delete(f"/api/v1/kiosks/{made['id']}").status_code == 204
    client.cookies.clear()
    client.cookies.update(kept)
    assert client.get("/api/v1/alarms").status_code == 401


def test_a_screen_of_one_area_sees_nothing_of_another_and_nothing_private(
    client: TestClient, room: Room
) -> None:
    alarm = room.raise_alarm()
    asked = {
        "area": WATER,
        "category": "water_supply",
        "description": "住户说下午在家",
        "name": "刘女士",
        "phone": "139 0000 0000",
        "place": "3-1-502",
    }
    made = client.post("/api/v1/requests", json=asked)
    assert made.status_code == 201, made.text
    client.cookies.clear()
    _, near = screen(room, WATER)
    _, far = screen(room, LOBBY)

    def got(path: str, headers: dict[str, str]) -> list[dict[str, object]]:
        return client.get(f"/api/v1/{path}", headers=headers).json()["items"]

    assert [one["id"] for one in got("alarms", near)] == [alarm]
    assert len(got("orders", near)) == 2
    assert "139 0000 0000" not in client.get("/api/v1/orders", headers=near).text
    assert "住户" not in client.get("/api/v1/orders", headers=near).text
    for path in ("alarms", "orders", "rounds"):
        assert got(path, far) == [], path
    assert {one["area"] for one in got("equipment", far)} == {LOBBY}
    assert client.get(f"/api/v1/points/{HOT}/readings", headers=near).status_code == 200
    assert client.get(f"/api/v1/points/{HOT}/readings", headers=far).status_code == 404
    areas = client.get("/api/v1/site", headers=far).json()["areas"]
    assert [one["id"] for one in areas] == [LOBBY]
    people = got("people", near)
    assert {(one["phone"], one["has_pin"], *one["skills"]) for one in people} == {(None, False)}


def test_the_stream_of_a_screen_tells_of_its_areas_and_ends_when_it_is_revoked(
    served: Served, room: Room
) -> None:
    first = room.raise_alarm("pump-1")
    _, near = screen(room, WATER)
    id_, far = screen(room, LOBBY)
    with served.client() as client:
        client.cookies.clear()
        client.headers.update(far)
        with listening(client) as stream:
            every = stream.next()
            begun = stream.next()
            assert begun.data["alarms"] == []
            assert begun.data["orders"] == []
            assert {room.site.equipment[point.split(".")[0]].area for point in readings(every)} == {
                LOBBY
            }
            room.raise_alarm("pump-2")
            heard = [stream.next().event for _ in range(4)]
            assert not {"alarm", "order"} & set(heard), heard
            kiosks.revoke(room.ledger, room.site.id, id_, actor=PROGRAM, now=room.clock.now())
            while stream.next() is not None:
                pass
        client.headers.update(near)
        with listening(client) as stream:
            assert first in [one["id"] for one in stream.until("snapshot").data["alarms"]]

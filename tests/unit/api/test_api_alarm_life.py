"""Shelving, resetting, equipment out of service, and the load figures, over HTTP."""

from __future__ import annotations

from api_room import Room
from starlette.testclient import TestClient

from rules.ledger.rows import ChangeKind

SHELVE = {"minutes": 240, "reason": "传感器待更换"}


def listed(client: TestClient, query: str = "") -> list[str]:
    return [alarm["id"] for alarm in client.get(f"/api/v1/alarms{query}").json()["items"]]


def test_what_lies_on_the_shelf_is_not_among_those_that_call(
    client: TestClient, room: Room
) -> None:
    made = room.raise_alarm()
    answer = client.post(f"/api/v1/alarms/{made}/shelve", json=SHELVE)
    assert answer.status_code == 200
    alarm = answer.json()
    assert (alarm["state"], alarm["present"]) == ("shelved", True)
    assert (alarm["shelf"]["by"], alarm["shelf"]["reason"]) == ("admin", "传感器待更换")
    assert listed(client) == []
    assert listed(client, "?state=shelved") == [made]
    assert listed(client, "?state=shelved&state=closed&equipment=pump-1") == []
    assert listed(client, "?state=all&area=b1-pump-room") == [made]
    (pump,) = (
        one for one in client.get("/api/v1/equipment").json()["items"] if one["id"] == "pump-2"
    )
    assert (pump["open_alarms"], pump["worst_priority"]) == (0, None)
    taken = client.post(f"/api/v1/alarms/{made}/unshelve", json={"note": "换好了"}).json()
    assert (taken["state"], taken["shelf"], taken["note"]) == ("acknowledged", None, None)
    assert listed(client) == [made]


def test_a_shelf_is_listed_while_its_alarm_is_over_and_can_be_emptied(
    client: TestClient, room: Room
) -> None:
    """It was on no page: what came up again within the week called nobody, and nobody knew."""
    made = room.raise_alarm()
    client.post(f"/api/v1/alarms/{made}/shelve", json=SHELVE)
    (there,) = client.get("/api/v1/shelves").json()["items"]
    assert (there["rule"], there["alarm"]["id"], there["present"]) == (
        "motor-temperature-high",
        made,
        True,
    )
    assert (there["by"], there["reason"], there["until"] > there["since"]) == (
        "admin",
        "传感器待更换",
        True,
    )
    room.clear_alarm()
    assert client.get(f"/api/v1/alarms/{made}").json()["state"] == "closed"
    (over,) = client.get("/api/v1/shelves").json()["items"]
    assert over == {**there, "present": False}
    assert client.post(f"/api/v1/alarms/{made}/unshelve").status_code == 200
    assert client.get("/api/v1/shelves").json() == {"items": []}


def test_other_pages_hear_at_once_of_what_is_put_aside(client: TestClient, room: Room) -> None:
    """They asked once a minute; with its alarm over, a change of a shelf is no alarm's change."""
    made = room.raise_alarm()
    client.post(f"/api/v1/alarms/{made}/shelve", json=SHELVE)
    client.post("/api/v1/equipment/pump-1/out-of-service", json={"reason": "大修", "hours": 1})
    client.post(f"/api/v1/alarms/{made}/unshelve")
    room.clock.advance(3600)
    room.hold({}, 1)
    with room.ledger.read(room.site.id) as view:
        told = [one.subject for one in view.changes_after(0, 99) if one.kind is ChangeKind.ASIDE]
    on_shelf = "motor-temperature-high pump-2"
    assert told == [on_shelf, "pump-1", on_shelf, "pump-1"]


def test_a_relapse_and_an_acknowledgement_are_told_with_their_times(
    client: TestClient, room: Room
) -> None:
    made = room.raise_alarm()
    room.clear_alarm()
    room.hold({"pump-2.motor_temperature": 80.0}, 12)
    alarm = client.get(f"/api/v1/alarms/{made}").json()
    assert alarm["count"] == 2
    assert alarm["last_raised_at"] > alarm["raised_at"]
    assert alarm["acknowledged_until"] is None
    assert (alarm["explains"], alarm["explained"], alarm["first_out"]) == (0, [], False)
    seen = client.post(f"/api/v1/alarms/{made}/acknowledge").json()
    assert seen["acknowledged_until"] > seen["acknowledged_at"]


def test_what_cannot_be_is_refused(client: TestClient, room: Room) -> None:
    made = room.raise_alarm()
    assert client.post(f"/api/v1/alarms/{made}/reset").status_code == 409
    assert client.post(f"/api/v1/alarms/{made}/unshelve").status_code == 409
    assert client.post("/api/v1/alarms/x/shelve", json=SHELVE).status_code == 404
    for body in ({"minutes": 0, "reason": "x"}, {"minutes": 9, "reason": " "}, {"minutes": 9}):
        assert client.post(f"/api/v1/alarms/{made}/shelve", json=body).status_code == 422
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = client.post(f"/api/v1/alarms/{made}/shelve", json=SHELVE, headers=key)
        assert answer.status_code == 200, "the same key again does nothing"


def test_equipment_is_taken_out_of_service_and_brought_back(client: TestClient, room: Room) -> None:
    made = room.raise_alarm()
    path = "/api/v1/equipment/pump-2/out-of-service"
    answer = client.post(path, json={"reason": "水泵大修", "hours": 48})
    (one,) = answer.json()["items"]
    assert (one["equipment"], one["by"], one["reason"]) == ("pump-2", "admin", "水泵大修")
    assert one["until"] > one["since"]
    assert client.get("/api/v1/out-of-service").json()["items"] == [one]
    assert client.get(f"/api/v1/alarms/{made}").json()["state"] == "out_of_service"
    assert client.post(path, json={"reason": "水泵大修"}).status_code == 409
    back = client.post("/api/v1/equipment/pump-2/in-service")
    assert back.json() == {"items": []}
    assert listed(client) == [made]
    assert client.post("/api/v1/equipment/pump-2/in-service").status_code == 409
    assert client.post("/api/v1/equipment/x/in-service").status_code == 404


def test_the_load_is_told(client: TestClient, room: Room) -> None:
    room.raise_alarm()
    room.clock.advance(60)
    figures = client.get("/api/v1/alarms/figures?days=1").json()
    assert (figures["alarms"], figures["per_day"], figures["busiest_10_min"]) == (1, 1.0, 1)
    assert figures["by_priority"]["major"] == 1
    assert figures["top"][0]["equipment"] == "pump-2"
    assert client.get("/api/v1/alarms/figures?days=32").status_code == 422

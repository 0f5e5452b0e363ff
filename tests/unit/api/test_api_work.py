"""Alarms and orders: seeing them, acknowledging, accepting, completing."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from api_room import Room
from staff import hire
from starlette.testclient import TestClient

from rules.ledger.store import open_ledger
from rules.people.roles import Role


def test_an_alarm_with_all_that_is_known_of_it(client: TestClient, room: Room) -> None:
    made = room.raise_alarm()
    (alarm,) = client.get("/api/v1/alarms").json()["items"]
    assert alarm["id"] == made
    assert alarm["rule"] == "motor-temperature-high"
    assert alarm["name"] == {"zh": "电机温度高", "en": "Motor temperature high"}
    assert alarm["equipment"] == "pump-2"
    assert alarm["area"] == "b1-pump-room"
    assert alarm["point"] == "pump-2.motor_temperature"
    assert (alarm["priority"], alarm["state"], alarm["present"]) == (
        "major",
        "unacknowledged",
        True,
    )
    assert (alarm["value"], alarm["limit"], alarm["unit"]) == (80.0, 75.0, "℃")
    assert alarm["guidance"]["zh"]
    assert len(alarm["guidance"]["zh"]) == len(alarm["guidance"]["en"])
    assert alarm["order"]["number"] == 1
    assert (alarm["current"]["value"], alarm["current"]["quality"]) == (80.0, "good")
    assert alarm["events"] is None
    one = client.get(f"/api/v1/alarms/{made}").json()
    assert [(e["event"], e["from_state"], e["to_state"], e["by"]) for e in one["events"]] == [
        ("raise", "normal", "unacknowledged", None)
    ]


def test_silence_is_no_all_clear(client: TestClient, room: Room) -> None:
    made = room.raise_alarm()
    room.clock.advance(600)
    alarm = client.get(f"/api/v1/alarms/{made}").json()
    assert alarm["present"] is True
    assert (alarm["current"]["value"], alarm["current"]["quality"]) == (80.0, "stale")


def test_an_acknowledgement_is_in_the_ledger_before_it_is_confirmed(
    client: TestClient, room: Room, tmp_path: Path
) -> None:
    made = room.raise_alarm()
    room.clock.advance(5)
    answer = client.post(f"/api/v1/alarms/{made}/acknowledge", json={"note": "在看"})
    assert answer.status_code == 200
    other = open_ledger(tmp_path / "ledger.db")
    with other.read(room.site.id) as view:
        kept = view.alarm(made)
    other.close()
    assert kept is not None
    assert (kept.state, kept.acknowledged_by, kept.note) == ("acknowledged", "admin", "在看")
    alarm = answer.json()
    assert (alarm["state"], alarm["acknowledged_by"]) == ("acknowledged", "admin")
    assert (alarm["note"], alarm["present"]) == ("在看", True)
    assert alarm["acknowledged_at"] == client.get("/api/v1/site").json()["now"]


def test_an_alarm_is_acknowledged_without_a_note_too(client: TestClient, room: Room) -> None:
    answer = client.post(f"/api/v1/alarms/{room.raise_alarm()}/acknowledge")
    assert (answer.status_code, answer.json()["note"]) == (200, None)


def test_acknowledging_twice_is_a_conflict_unless_it_is_the_same_request(
    client: TestClient, room: Room
) -> None:
    path = f"/api/v1/alarms/{room.raise_alarm()}/acknowledge"
    key = {"Idempotency-Key": "8f14"}
    first = client.post(path, headers=key)
    again = client.post(path, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    conflict = client.post(path)
    assert conflict.status_code == 409
    assert conflict.headers["content-type"] == "application/problem+json"
    assert "acknowledged" in conflict.json()["detail"]
    other = client.post(f"/api/v1/alarms/{room.raise_alarm('pump-1')}/acknowledge", headers=key)
    assert other.status_code == 409


def test_of_many_identical_claims_one_has_an_effect(client: TestClient, room: Room) -> None:
    path = f"/api/v1/alarms/{room.raise_alarm()}/acknowledge"
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: client.post(path).status_code, range(16)))
    assert sorted(answers) == [200] + [409] * 15


def test_what_is_not_there_cannot_be_acted_on(client: TestClient) -> None:
    for path in ("alarms/x/acknowledge", "orders/x/accept", "orders/x/complete"):
        answer = client.post(f"/api/v1/{path}", json={"note": "x"})
        assert answer.status_code == 404, path
        assert "x" in answer.json()["detail"]
    for path in ("alarms/x", "orders/x"):
        assert client.get(f"/api/v1/{path}").status_code == 404


def ids(client: TestClient, path: str, **query: object) -> list[str]:
    answer = client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return of_pumps(item["id"] for item in answer.json()["items"])


def of_pumps(ids: Iterable[str]) -> list[str]:
    """Only pumps speak in this room, so links and other devices are silent after a while."""
    return [one for one in ids if one.startswith("pump-")]


def test_alarms_by_state(client: TestClient, room: Room) -> None:
    first = room.raise_alarm("pump-1")
    client.post(f"/api/v1/alarms/{first}/acknowledge")
    room.clear_alarm("pump-1")
    second = room.raise_alarm("pump-2")
    room.clear_alarm("pump-2")
    third = room.raise_alarm("pump-3")
    assert ids(client, "alarms") == [third, second]
    assert ids(client, "alarms", state="all") == [third, second, first]
    assert ids(client, "alarms", state="closed") == [first]
    assert ids(client, "alarms", state="returned_unacknowledged") == [second]
    assert client.get("/api/v1/alarms", params={"state": "gone"}).status_code == 422


def in_pages(client: TestClient, path: str, **query: object) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = client.get(f"/api/v1/{path}", params={**query, **more}).json()
        assert len(page["items"]) <= query["limit"]
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return of_pumps(seen)


def test_pages_hold_everything_once_though_alarms_share_their_moment(
    client: TestClient, room: Room
) -> None:
    hot = {f"pump-{n}.motor_temperature": 80.0 for n in (1, 2, 3)}
    room.hold(hot, 12)
    everything = ids(client, "alarms", state="all")
    assert len(everything) == 3
    for limit in (1, 2, 3):
        assert in_pages(client, "alarms", state="all", limit=limit) == everything
    assert in_pages(client, "orders", limit=2) == ids(client, "orders")


@pytest.mark.parametrize("limit", [0, 201, "x"])
def test_pages_have_bounds(client: TestClient, limit: object) -> None:
    for path in ("alarms", "orders"):
        assert client.get(f"/api/v1/{path}", params={"limit": limit}).status_code == 422


def test_an_order_with_its_clock(client: TestClient, room: Room) -> None:
    alarm = room.raise_alarm()
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["number"] == 1
    assert (order["category"], order["priority"], order["state"]) == (
        "water_supply",
        "major",
        "open",
    )
    assert order["category_name"]["zh"]
    assert order["alarms"] == [alarm]
    assert order["equipment"] == "pump-2"
    assert order["cause_key"] == "motor-overheat"
    names = [clock["name"] for clock in order["clocks"]]
    assert names == ["respond", "arrive", "complete"]
    assert order["clock"] == order["clocks"][0], "the one that ends next"

    def complete() -> Any:
        return client.get(f"/api/v1/orders/{order['id']}").json()["clocks"][2]

    clock = complete()
    assert (clock["limit_s"], clock["state"]) == (7200.0, "running")
    assert 7190 <= clock["remaining_s"] <= 7200
    assert clock["explain"]["zh"].startswith("完工限时 2 小时")
    room.clock.advance(3600)
    later = complete()
    assert clock["remaining_s"] - later["remaining_s"] == 3600
    assert later["due_at"] == clock["due_at"]
    room.clock.advance(3601)
    over = complete()
    assert over["state"] == "breached"
    assert over["remaining_s"] < 0


def test_the_clock_does_not_follow_a_step_of_the_wall_clock(client: TestClient, room: Room) -> None:
    room.raise_alarm()
    (before,) = client.get("/api/v1/orders").json()["items"]
    room.clock.step_wall(6 * 3600)
    (after,) = client.get("/api/v1/orders").json()["items"]
    assert after["clock"]["remaining_s"] == before["clock"]["remaining_s"]
    assert after["clock"]["state"] == "running"


def test_an_order_from_taking_it_to_completing_it(client: TestClient, room: Room) -> None:
    room.raise_alarm()
    (order,) = ids(client, "orders")
    path = f"/api/v1/orders/{order}"
    assert client.post(f"{path}/complete", json={"note": "早"}).status_code == 409
    taken = client.post(f"{path}/accept")
    assert taken.status_code == 200
    assert (taken.json()["state"], taken.json()["accepted_by"]) == ("accepted", "admin")
    assert client.post(f"{path}/accept").status_code == 409
    assert client.post(f"{path}/complete", json={}).status_code == 422
    room.clock.advance(60)
    key = {"Idempotency-Key": "done-1"}
    done = client.post(f"{path}/complete", json={"note": "换了轴承"}, headers=key)
    assert done.status_code == 200
    assert (done.json()["state"], done.json()["note"]) == ("completed", "换了轴承")
    assert done.json()["clock"]["state"] == "stopped"
    room.clock.advance(60)
    again = client.post(f"{path}/complete", json={"note": "换了轴承"}, headers=key)
    assert again.json() == done.json()
    steps = [e["event"] for e in client.get(path).json()["events"]]
    # That nobody is on duty who could take it is noted too.
    assert [step for step in steps if step != "remind"] == ["create", "accept", "complete"]
    assert ids(client, "orders", state="completed") == [order]
    assert ids(client, "orders", state="open") == []


def test_an_order_through_all_its_steps(client: TestClient, room: Room) -> None:
    room.raise_alarm()
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    (order,) = ids(client, "orders")
    path = f"/api/v1/orders/{order}"

    def step(name: str, **body: object) -> Any:
        room.clock.advance(60)
        answer = client.post(f"{path}/{name}", json=body or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert step("assign", username="li", note="带备件")["assigned_name"] == "某li"
    assert step("decline", reason="不在班")["state"] == "open"
    assert step("accept")["clocks"][0]["state"] == "stopped"
    assert step("arrive")["clocks"][1]["state"] == "stopped"
    assert step("start")["state"] == "in_progress"
    paused = step("suspend", why="parts", note="等机械密封")["clock"]
    assert (paused["name"], paused["state"]) == ("complete", "paused")
    assert [one["why"] for one in paused["pauses"]] == ["parts"]
    room.clock.advance(3600)
    after = step("resume")["clock"]
    assert (after["state"], after["remaining_s"]) == ("running", paused["remaining_s"])
    codes = client.get("/api/v1/order-codes").json()
    assert codes["causes"]["wear"]["zh"] and codes["categories"]["water_supply"]["zh"]
    wrong = client.post(f"{path}/complete", json={"note": "x", "cause_code": "nothing-such"})
    assert wrong.status_code == 422
    done = step(
        "complete",
        note="换机械密封",
        cause_code="wear",
        remedy_code="replaced",
        materials=[{"name": "机械密封", "quantity": 1, "unit": "套", "price": 80}],
        labour_minutes=45,
    )
    assert (done["cause_code"], done["materials"][0]["name"]) == ("wear", "机械密封")
    assert step("verify", passed=False, note="仍渗漏")["state"] == "in_progress"
    step("complete", note="重装")
    over = step("verify", passed=True, note="现场复核正常")
    assert (over["state"], over["verified_by"]) == ("closed", "admin")
    assert client.post(f"{path}/void", json={"reason": "x"}).status_code == 409
    assert ids(client, "orders") == []
    assert ids(client, "orders", state=["closed", "void"]) == [order]
    assert ids(client, "orders", state="all", source="alarm") == [order]
    assert ids(client, "orders", state="all", assigned_to="li") == []


def test_an_alarm_outlives_the_equipment_it_is_about(client: TestClient, room: Room) -> None:
    made = room.raise_alarm()
    points = room.site.points
    gone = points.pop("pump-2.motor_temperature")
    try:
        alarm = client.get(f"/api/v1/alarms/{made}").json()
        assert alarm["name"]["zh"] == "电机温度高"
        assert alarm["current"]["quality"] in ("good", "bad")
    finally:
        points["pump-2.motor_temperature"] = gone

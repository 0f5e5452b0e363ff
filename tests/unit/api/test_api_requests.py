"""What people ask for: at the desk, and by the code at a place without a log-in."""

from __future__ import annotations

import pytest
from api_room import Room
from starlette.testclient import TestClient

ORIGIN = {"Origin": "http://testserver"}
WISH = {"name": "李先生", "phone": "139", "category": "lift", "description": "电梯异响"}


@pytest.fixture
def code(client: TestClient) -> str:
    return client.put("/api/v1/places/garage", headers=ORIGIN).json()["code"]


def test_whoever_scans_the_code_asks_without_a_log_in_and_the_desk_sees_it(
    client: TestClient, visitor: TestClient, code: str
) -> None:
    place = visitor.get(f"/api/v1/public/places/{code}").json()
    assert place["area_name"]["zh"] == "地下车库"
    assert place["categories"]["lift"]["zh"] == "电梯"
    path = f"/api/v1/public/places/{code}/requests"
    answer = visitor.post(path, json=WISH, headers=ORIGIN)
    assert answer.status_code == 201
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["number"] == answer.json()["number"]
    assert (order["source"], order["area"], order["priority"]) == ("request", "garage", "minor")
    assert order["requester"] == {"name": "李先生", "phone": "139", "place": "地下车库"}


def test_who_asks_very_often_has_to_wait_wherever_he_asks(
    visitor: TestClient, client: TestClient, code: str, room: Room
) -> None:
    path = f"/api/v1/public/places/{code}/requests"
    while (answer := visitor.post(path, json=WISH, headers=ORIGIN)).status_code == 201:
        pass
    assert answer.status_code == 429
    taken = len(client.get("/api/v1/orders").json()["items"])
    assert taken in (5, 6)
    elsewhere = client.put("/api/v1/places/garden", headers=ORIGIN).json()["code"]
    refused = visitor.post(f"/api/v1/public/places/{elsewhere}/requests", json=WISH, headers=ORIGIN)
    assert refused.status_code == 429
    room.clock.advance(int(refused.headers["Retry-After"]))
    assert visitor.post(path, json=WISH, headers=ORIGIN).status_code == 201


def test_who_sends_again_because_no_answer_came_asks_once(
    visitor: TestClient, client: TestClient, code: str
) -> None:
    path, headers = f"/api/v1/public/places/{code}/requests", {**ORIGIN, "Idempotency-Key": "k"}
    numbers = {visitor.post(path, json=WISH, headers=headers).json()["number"] for _ in range(3)}
    assert len(numbers) == 1
    assert len(client.get("/api/v1/orders").json()["items"]) == 1


def test_a_renewal_that_is_sent_twice_renews_once(client: TestClient, code: str) -> None:
    path, headers = "/api/v1/places/garage?renew=true", {**ORIGIN, "Idempotency-Key": "k"}
    codes = {client.put(path, headers=headers).json()["code"] for _ in range(2)}
    assert len(codes) == 1
    assert codes != {code}


def test_a_code_that_was_renewed_or_never_was_is_none(
    visitor: TestClient, client: TestClient, code: str
) -> None:
    client.put("/api/v1/places/garage?renew=true", headers=ORIGIN)
    for gone in (code, "A" * 16):
        assert visitor.get(f"/api/v1/public/places/{gone}").status_code == 404
        path = f"/api/v1/public/places/{gone}/requests"
        assert visitor.post(path, json=WISH, headers=ORIGIN).status_code == 404


def test_the_code_is_drawn_to_be_printed(client: TestClient, code: str) -> None:
    answer = client.get(f"/api/v1/places/{code}.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.startswith("<svg")
    places = {one["area"]: one for one in client.get("/api/v1/places").json()["items"]}
    assert places["garage"]["url"] == f"http://testserver/r/{code}"
    assert places["garden"]["code"] is None


def test_a_call_at_the_desk_is_promised_a_time(client: TestClient, room: Room) -> None:
    body = {
        "name": "王女士",
        "place": "1 号楼 801",
        "area": "tower-1",
        "category": "water_supply",
        "description": "漏水",
        "promised_until": "2099-01-01T18:00:00+08:00",
    }
    answer = client.post("/api/v1/requests", json=body, headers=ORIGIN)
    assert answer.status_code == 201
    order = answer.json()
    assert order["promise"]["until"] == "2099-01-01T18:00:00.000+08:00"
    path = f"/api/v1/orders/{order['id']}/promise"
    later = {"until": "2099-01-02T18:00:00+08:00", "reason": "等配件"}
    assert client.post(path, json=later, headers=ORIGIN).json()["promise"]["postponed"] is True
    latest = {"until": "2099-01-03T18:00:00+08:00", "reason": "还是没到"}
    assert client.post(path, json=latest, headers=ORIGIN).status_code == 409


def test_a_time_without_an_offset_is_no_promise(client: TestClient) -> None:
    body = {"name": "a", "place": "b", "category": "lift", "description": "c"}
    wrong = {**body, "promised_until": "2099-01-01T18:00:00"}
    assert client.post("/api/v1/requests", json=wrong, headers=ORIGIN).status_code == 422


def test_an_order_by_hand_and_who_could_take_it(client: TestClient) -> None:
    body = {"category": "lighting", "title": "换灯管", "area": "garage"}
    order = client.post("/api/v1/orders", json=body, headers=ORIGIN).json()
    assert (order["source"], order["created_by"]) == ("person", "admin")
    offered = client.get(f"/api/v1/orders/{order['id']}/candidates")
    assert offered.status_code == 200
    assert client.get("/api/v1/orders/no.such/candidates").status_code == 404

"""Log-in, log-out, who is believed for how long, and who may ask at all."""

from __future__ import annotations

import pytest
from api_room import PASSWORD, Room, log_in
from sqlalchemy import text
from starlette.testclient import TestClient

from gateway.model.moment import DAY, HOUR, SECOND

GOOD = {"username": "admin", "password": PASSWORD}


def test_log_in_gives_the_user_and_a_cookie_that_scripts_cannot_read(visitor: TestClient) -> None:
    answer = visitor.post("/api/v1/login", json=GOOD)
    assert answer.status_code == 200
    told = answer.json()
    assert told["user"] == {"username": "admin", "display_name": "管理员", "role": "admin"}
    assert told["role_name"] == {"zh": "管理员", "en": "Administrator"}
    assert "people.edit" in told["permissions"]
    assert "round.countersign" not in told["permissions"]
    assert (told["areas"], told["has_pin"]) == ([], False)
    assert told["session"]["ends_at"] > told["session"]["created_at"]
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("dutyroom_session=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie.replace("samesite", "")
    assert visitor.get("/api/v1/me").json() == answer.json()


def test_behind_https_the_cookie_belongs_to_the_host_alone(room: Room) -> None:
    with TestClient(room.app(secure=True), base_url="https://duty.example") as client:
        answer = client.post("/api/v1/login", json=GOOD)
        assert answer.headers["set-cookie"].startswith("__Host-dutyroom_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/api/v1/me").status_code == 200
        assert "max-age" in client.get("/healthz").headers["strict-transport-security"]


@pytest.mark.parametrize("username", ["admin", "nobody"])
def test_a_wrong_password_and_an_unknown_user_are_told_the_same(
    visitor: TestClient, username: str
) -> None:
    answer = visitor.post("/api/v1/login", json={"username": username, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "User name or password is wrong."
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/me",
        "/site",
        "/equipment",
        "/equipment/pump-1",
        "/points/pump-1.current/readings",
        "/alarms",
        "/alarms/x",
        "/orders",
        "/orders/x",
        "/stream",
    ],
)
def test_nothing_is_read_without_a_session(visitor: TestClient, path: str) -> None:
    for cookie in (None, "made up"):
        if cookie:
            visitor.cookies.set("dutyroom_session", cookie)
        answer = visitor.get(f"/api/v1{path}")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/logout", "/alarms/x/acknowledge", "/orders/x/accept", "/orders/x/complete"]
)
def test_nothing_is_written_without_a_session(visitor: TestClient, path: str) -> None:
    assert visitor.post(f"/api/v1{path}", json={"note": "x"}).status_code == 401


def test_log_out_ends_the_session_not_only_the_cookie(client: TestClient) -> None:
    token = client.cookies["dutyroom_session"]
    assert client.post("/api/v1/logout").status_code == 204
    client.cookies.set("dutyroom_session", token)
    assert client.get("/api/v1/me").status_code == 401


def test_logging_in_again_ends_the_session_before(client: TestClient) -> None:
    earlier = client.cookies["dutyroom_session"]
    log_in(client)
    assert client.cookies["dutyroom_session"] != earlier
    client.cookies.clear()
    client.cookies.set("dutyroom_session", earlier)
    assert client.get("/api/v1/me").status_code == 401


def test_a_session_ends_when_nobody_uses_it_and_at_last_anyway(
    client: TestClient, room: Room
) -> None:
    room.clock.advance(11 * HOUR / SECOND)
    assert client.get("/api/v1/me").status_code == 200
    room.clock.advance(13 * HOUR / SECOND)
    assert client.get("/api/v1/me").status_code == 401
    log_in(client)
    for _ in range(int(7 * DAY / (6 * HOUR)) - 1):
        room.clock.advance(6 * HOUR / SECOND)
        assert client.get("/api/v1/me").status_code == 200
    room.clock.advance(6 * HOUR / SECOND)
    assert client.get("/api/v1/me").status_code == 401


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_can_neither_write_nor_listen(
    client: TestClient, room: Room, headers: dict[str, str]
) -> None:
    alarm = room.raise_alarm()
    for method, path in (
        ("POST", "/api/v1/login"),
        ("POST", "/api/v1/logout"),
        ("POST", f"/api/v1/alarms/{alarm}/acknowledge"),
        ("GET", "/api/v1/stream"),
    ):
        answer = client.request(method, path, headers=headers, json=GOOD)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "urn:dutyroom:problem:forbidden"
    assert client.get(f"/api/v1/alarms/{alarm}").json()["state"] == "unacknowledged"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}],
)
def test_our_own_page_may_write(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/logout", headers=headers).status_code == 204


def test_who_was_verified_is_believed_for_a_while_when_the_ledger_fails(
    client: TestClient, room: Room
) -> None:
    assert client.get("/api/v1/me").status_code == 200
    with room.ledger.writing() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO gone"))
    room.clock.advance(14 * 60)
    assert client.get("/api/v1/me").status_code == 200
    room.clock.advance(2 * 60)
    answer = client.get("/api/v1/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    client.cookies.set("dutyroom_session", "made up")
    assert client.get("/api/v1/me").status_code == 503

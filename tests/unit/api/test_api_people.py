"""People, sessions, tokens and the audit over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from api_room import PASSWORD, Room, Served
from sqlalchemy import text
from staff import cookie, hire, session
from starlette.testclient import TestClient

from rules.people.roles import Role

ZHOU = {
    "username": "zhou",
    "display_name": "周明",
    "role": "officer",
    "areas": ["b1-pump-room"],
    "skills": ["消防"],
    "certificates": [{"name": "消防设施操作员", "number": "7", "expires_on": "2025-12-01"}],
    "phone": "138",
    "mention": "@周明",
    "password": "long enough",
}
SHOWN = {
    **{name: value for name, value in ZHOU.items() if name != "password"},
    "certificates": [{**ZHOU["certificates"][0], "state": "expiring"}],  # type: ignore[index]
    "contractor": False,
    "can_log_in": True,
    "has_pin": False,
    "active": True,
}


def audited(client: TestClient) -> list[tuple[str, str]]:
    items = client.get("/api/v1/audit", params={"limit": 200}).json()["items"]
    return [(row["action"], row["subject"]) for row in items]


def another(room: Room, client: TestClient, username: str, password: str) -> TestClient:
    """Somebody else at the same application."""
    other = TestClient(client.app, client=("10.0.0.20", 5))
    answer = other.post("/api/v1/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return other


def test_somebody_is_added_shown_changed_and_leaves(client: TestClient, room: Room) -> None:
    added = client.post("/api/v1/people", json=ZHOU)
    assert (added.status_code, added.json()) == (201, SHOWN)
    assert client.get("/api/v1/people/zhou").json() == SHOWN
    assert [one["username"] for one in client.get("/api/v1/people").json()["items"]] == [
        "admin",
        "zhou",
    ]
    zhou = another(room, client, "zhou", "long enough")
    changed = client.patch(
        "/api/v1/people/zhou", json={"role": "foreman", "areas": [], "phone": None}
    ).json()
    assert changed == {**SHOWN, "role": "foreman", "areas": [], "phone": None}
    assert zhou.get("/api/v1/me").json()["role_name"]["en"] == "Foreman"
    assert client.patch("/api/v1/people/zhou", json={"active": False}).json()["active"] is False
    assert zhou.get("/api/v1/me").status_code == 401
    left = client.get("/api/v1/people", params={"active": "false"}).json()["items"]
    assert [one["username"] for one in left] == ["zhou"]
    assert ("person.add", "zhou") in audited(client)


def test_what_is_private_is_told_to_who_may_see_it_and_to_oneself(
    client: TestClient, room: Room
) -> None:
    client.post("/api/v1/people", json={**ZHOU, "role": "technician"})
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    hire(room.ledger, room.site, "qian", Role.FOREMAN, room.clock.now())

    def seen_by(username: str) -> dict[str, Any]:
        headers = cookie(session(room.ledger, room.site.id, username, room.clock.now()))
        client.cookies.clear()
        found: dict[str, Any] = client.get("/api/v1/people/zhou", headers=headers).json()
        return found

    assert (seen_by("qian")["phone"], seen_by("zhou")["phone"]) == ("138", "138")
    private = seen_by("li")
    assert (private["phone"], private["mention"], private["certificates"]) == (None, None, [])
    assert (private["display_name"], private["skills"]) == ("周明", ["消防"])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"areas": ["nowhere"]}, "body.areas"),
        ({"contractor": True, "can_log_in": True}, "body.can_log_in"),
        ({"username": "Zhou"}, "body.username"),
        ({"username": "token:x"}, "body.username"),
        ({"password": "short"}, "body.password"),
        ({"role": "king"}, "body.role"),
        ({"display_name": "  "}, "body.display_name"),
        ({"surprise": 1}, "body.surprise"),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, change: dict[str, Any], where: str) -> None:
    answer = client.post("/api/v1/people", json={**ZHOU, **change})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [where]
    assert client.get("/api/v1/people/zhou").status_code == 404


def test_a_contractor_needs_no_more_than_a_name(client: TestClient) -> None:
    firm = {"username": "lift-co", "display_name": "维保", "role": "technician"}
    added = client.post("/api/v1/people", json={**firm, "contractor": True}).json()
    assert (added["contractor"], added["can_log_in"]) == (True, False)
    password = {"password": "long enough"}
    assert client.post("/api/v1/people/lift-co/password", json=password).status_code == 409


def test_twice_the_same_and_the_last_admin_are_conflicts(client: TestClient) -> None:
    assert client.post("/api/v1/people", json=ZHOU).status_code == 201
    assert client.post("/api/v1/people", json=ZHOU).status_code == 409
    for change in ({"active": False}, {"role": "officer"}, {"can_log_in": False}):
        answer = client.patch("/api/v1/people/admin", json=change)
        assert answer.status_code == 409
        assert answer.json()["detail"] == "This is the last admin of the site."


def test_the_same_key_again_adds_nobody(client: TestClient) -> None:
    for _ in range(2):
        answer = client.post("/api/v1/people", json=ZHOU, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201
    assert audited(client).count(("person.add", "zhou")) == 1


def test_a_new_password_ends_the_sessions(client: TestClient, room: Room) -> None:
    client.post("/api/v1/people", json=ZHOU)
    zhou = another(room, client, "zhou", "long enough")
    given = client.post("/api/v1/people/zhou/password", json={"password": "another one"})
    assert given.status_code == 204
    assert zhou.get("/api/v1/me").status_code == 401
    another(room, client, "zhou", "another one")


def test_ones_own_password_and_pin(client: TestClient, room: Room) -> None:
    elsewhere = another(room, client, "admin", PASSWORD)
    wrong = client.post("/api/v1/me/password", json={"old": "wrong", "new": "battery staple"})
    assert wrong.json()["type"] == "urn:dutyroom:problem:wrong-password"
    wrong = client.put("/api/v1/me/pin", json={"password": "wrong", "pin": "4711"})
    assert wrong.json()["type"] == "urn:dutyroom:problem:wrong-password"
    for pin in ("123", "123456789", "12a4", "１２３４", "1234", "0000"):
        body = {"password": PASSWORD, "pin": pin}
        assert client.put("/api/v1/me/pin", json=body).status_code == 422
    body = {"password": PASSWORD, "pin": "4711"}
    assert client.put("/api/v1/me/pin", json=body).status_code == 204
    assert client.get("/api/v1/me").json()["has_pin"] is True
    assert client.delete("/api/v1/me/pin").status_code == 204
    assert client.get("/api/v1/me").json()["has_pin"] is False
    changed = client.post("/api/v1/me/password", json={"old": PASSWORD, "new": "battery staple"})
    assert changed.status_code == 204
    assert client.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401
    another(room, client, "admin", "battery staple")


def test_the_password_asked_for_again_cannot_be_guessed(client: TestClient) -> None:
    body = {"old": "wrong", "new": "battery staple"}
    answers = [client.post("/api/v1/me/password", json=body).status_code for _ in range(8)]
    assert answers == [403] * 5 + [429] * 3


def test_sessions_are_listed_and_ended(client: TestClient, room: Room) -> None:
    client.post("/api/v1/people", json=ZHOU)
    zhou = another(room, client, "zhou", "long enough")
    (own,) = zhou.get("/api/v1/sessions").json()["items"]
    assert own["current"] is True
    assert (own["username"], own["address"]) == ("zhou", "10.0.0.20")
    assert own["agent"] == "testclient"
    assert own["created_at"] <= own["last_seen_at"] < own["ends_at"]
    assert zhou.cookies["dutyroom_session"] not in str(own)
    assert zhou.get("/api/v1/sessions", params={"username": "*"}).status_code == 403
    everybody = client.get("/api/v1/sessions", params={"username": "*"}).json()["items"]
    assert sorted(one["username"] for one in everybody) == ["admin", "zhou"]
    (admins,) = client.get("/api/v1/sessions").json()["items"]
    assert zhou.delete(f"/api/v1/sessions/{admins['id']}").status_code == 403
    assert client.delete(f"/api/v1/sessions/{own['id']}").status_code == 204
    assert zhou.get("/api/v1/me").status_code == 401
    assert client.delete(f"/api/v1/sessions/{own['id']}").status_code == 404
    for _ in range(3):
        another(room, client, "zhou", "long enough")
    ended = client.post("/api/v1/people/zhou/sessions/revoke").json()
    assert ended == {"sessions": 3}


def test_a_session_that_was_ended_is_not_believed_when_the_ledger_fails(
    client: TestClient, room: Room
) -> None:
    client.post("/api/v1/people", json=ZHOU)
    zhou = another(room, client, "zhou", "long enough")
    assert zhou.get("/api/v1/me").status_code == 200
    client.post("/api/v1/people/zhou/sessions/revoke")
    with room.ledger.writing() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO gone"))
    assert client.get("/api/v1/me").status_code == 200
    assert zhou.get("/api/v1/me").status_code == 503


def test_ones_own_new_password_ends_what_was_believed_without_the_ledger(
    client: TestClient, room: Room
) -> None:
    elsewhere = another(room, client, "admin", PASSWORD)
    changed = client.post("/api/v1/me/password", json={"old": PASSWORD, "new": "battery staple"})
    assert changed.status_code == 204
    assert client.get("/api/v1/me").status_code == 200
    with room.ledger.writing() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO gone"))
    assert client.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 503


def test_an_admin_of_some_areas_and_a_machine_are_told_that_they_edit_no_people(
    client: TestClient, room: Room
) -> None:
    now = room.clock.now()
    hire(room.ledger, room.site, "near", Role.ADMIN, now, areas=("garage",))
    wanted = {"name": "machine", "role": "admin", "expires_on": None}
    token = client.post("/api/v1/tokens", json=wanted).json()["token"]
    client.cookies.clear()
    for headers in (
        cookie(session(room.ledger, room.site.id, "near", now)),
        {"Authorization": f"Bearer {token}"},
    ):
        permissions = client.get("/api/v1/me", headers=headers).json()["permissions"]
        assert "people.edit" not in permissions
        assert "roster.edit" in permissions
        assert client.post("/api/v1/people", json=ZHOU, headers=headers).status_code == 403


def test_a_machine_works_with_its_token_until_it_is_revoked_or_expired(
    client: TestClient, room: Room
) -> None:
    alarm = room.raise_alarm()
    wanted = {"name": "display", "role": "officer", "areas": [], "expires_on": "2025-11-30"}
    issued = client.post("/api/v1/tokens", json=wanted)
    assert issued.status_code == 201
    token = issued.json()["token"]
    assert token.startswith("drt_")
    (listed,) = client.get("/api/v1/tokens").json()["items"]
    assert "token" not in listed
    assert (listed["name"], listed["expired"], listed["last_used_at"]) == ("display", False, None)
    machine = TestClient(client.app, headers={"Authorization": f"Bearer {token}"})
    me = machine.get("/api/v1/me").json()
    assert (me["user"]["username"], me["session"]) == ("token:display", None)
    foreign = {"Origin": "https://somewhere.example"}
    done = machine.post(f"/api/v1/alarms/{alarm}/acknowledge", headers=foreign)
    assert done.json()["acknowledged_by"] == "token:display"
    assert client.get("/api/v1/tokens").json()["items"][0]["last_used_at"] is not None
    machine.headers |= {"Signing-User": "admin", "Signing-Pin": "1234"}
    assert machine.post("/api/v1/orders/x/accept").status_code == 403
    room.clock.advance(10 * 24 * 3600)
    assert machine.get("/api/v1/me").status_code == 401
    client.post("/api/v1/login", json={"username": "admin", "password": PASSWORD})
    assert client.get("/api/v1/tokens").json()["items"][0]["expired"] is True
    assert client.delete(f"/api/v1/tokens/{listed['id']}").status_code == 204
    assert client.get("/api/v1/tokens").json()["items"] == []


def test_a_token_is_no_cookie_and_a_cookie_no_token(client: TestClient, room: Room) -> None:
    wanted = {"name": "display", "role": "officer", "expires_on": None}
    token = client.post("/api/v1/tokens", json=wanted).json()["token"]
    own = client.cookies["dutyroom_session"]
    client.cookies.clear()
    assert client.get("/api/v1/me", headers=cookie(token)).status_code == 401
    bearer = {"Authorization": f"Bearer {own}"}
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    both = {**cookie(own), "Authorization": "Bearer drt_made-up"}
    assert client.post("/api/v1/logout", headers=both).status_code == 401


def test_a_machine_that_was_verified_is_believed_for_a_while_when_the_ledger_fails(
    client: TestClient, room: Room
) -> None:
    wanted = {"name": "display", "role": "officer", "expires_on": None}
    token = client.post("/api/v1/tokens", json=wanted).json()["token"]
    machine = TestClient(client.app, headers={"Authorization": f"Bearer {token}"})
    assert machine.get("/api/v1/me").status_code == 200
    with room.ledger.writing() as connection:
        connection.execute(text("ALTER TABLE machine_token RENAME TO gone"))
    room.clock.advance(14 * 60)
    assert machine.get("/api/v1/me").status_code == 200
    room.clock.advance(2 * 60)
    assert machine.get("/api/v1/me").status_code == 503


def test_the_audit_is_paged_narrowed_and_whole(client: TestClient, room: Room) -> None:
    alarm = room.raise_alarm()
    client.post(f"/api/v1/alarms/{alarm}/acknowledge", json={"note": "看"})
    client.post(f"/api/v1/orders/{alarm}.order/accept")
    whole = client.get("/api/v1/audit").json()["items"]
    assert [row["action"] for row in whole[:2]] == ["order.accept", "alarm.acknowledge"]
    assert (whole[0]["by"], whole[0]["by_name"], whole[0]["via"]) == ("admin", "管理员", "session")
    first = client.get("/api/v1/audit", params={"limit": 1}).json()
    rest = client.get("/api/v1/audit", params={"cursor": first["next"]}).json()
    assert first["items"] + rest["items"] == whole
    assert rest["next"] is None
    (one,) = client.get("/api/v1/audit", params={"subject": alarm}).json()["items"]
    assert one["detail"] == {"note": "看"}
    assert client.get("/api/v1/audit", params={"by": "nobody"}).json()["items"] == []
    verdict = client.get("/api/v1/audit/verify").json()
    assert (verdict["ok"], verdict["rows"], verdict["first_bad"]) == (True, len(whole), None)
    with room.ledger.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_only_grows_update"))
        connection.execute(text("UPDATE audit SET \"by\" = 'x' WHERE number = 2"))
    verdict = client.get("/api/v1/audit/verify").json()
    assert (verdict["ok"], verdict["first_bad"]) == (False, {"number": 2})
    assert verdict["why"] == "row 2 is not as it was written"


def test_the_roles_are_told_with_their_permissions(client: TestClient) -> None:
    found = {one["role"]: one for one in client.get("/api/v1/roles").json()["items"]}
    assert set(found) == set(Role)
    assert found["foreman"]["name"] == {"zh": "领班", "en": "Foreman"}
    assert found["technician"]["permissions"] == [
        "device.command",
        "order.accept",
        "order.complete",
        "order.create",
        "round.enter",
        "shift.work",
        "test.confirm",
        "view",
    ]


def test_of_fifty_sessions_that_claim_an_order_at_once_one_gets_it(served: Served) -> None:
    """Experiment 58, over HTTP: one 200, and 409 for the others."""
    room = served.room
    order = f"{room.raise_alarm()}.order"
    now, headers = room.clock.now(), []
    for number in range(50):
        hire(room.ledger, room.site, f"u{number}", Role.TECHNICIAN, now)
        headers.append(cookie(session(room.ledger, room.site.id, f"u{number}", now)))

    def claim(mine: dict[str, str]) -> int:
        answer = httpx2.post(f"{served.url}/api/v1/orders/{order}/accept", headers=mine, timeout=60)
        return answer.status_code

    with ThreadPoolExecutor(50) as pool:
        answers = sorted(pool.map(claim, headers))
    assert answers == [200] + [409] * 49
    with room.ledger.read(room.site.id) as view:
        events = [event.event for event in view.order_events(order)]
    # Nobody is on duty here, so somebody higher heard of it as well.
    assert events == ["create", "remind", "accept"]

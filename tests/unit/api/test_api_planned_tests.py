"""Planned tests over HTTP: plan, see what is held, confirm, end; and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_room import Room
from staff import cookie, hire, session
from starlette.testclient import TestClient

from gateway.model.moment import SECOND
from rules.ledger.view import View
from rules.people.roles import Role

TESTS = "/api/v1/planned-tests"
DETECTOR, FIRE = "pump-2", "motor-temperature-high"


def plan(room: Room, **other: object) -> dict[str, object]:
    now = datetime.fromtimestamp(room.clock.now().wall / SECOND, tz=UTC)
    return {
        "name": "季度测试",
        "area": room.site.equipment[DETECTOR].area,
        "tester": "ma",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=2)).isoformat(),
        "equipment": [{"equipment": DETECTOR, "rules": [FIRE]}],
        **other,
    }


@pytest.fixture
def people(room: Room) -> dict[str, dict[str, str]]:
    """The headers of the manager, the tester and a colleague."""
    roles = {"zhang": Role.ENGINEERING_MANAGER, "ma": Role.TECHNICIAN, "li": Role.TECHNICIAN}
    now = room.clock.now()
    for name, role in roles.items():
        hire(room.ledger, room.site, name, role, now)
    return {name: cookie(session(room.ledger, room.site.id, name, now)) for name in roles}


@pytest.fixture
def running(visitor: TestClient, room: Room, people: dict[str, dict[str, str]]) -> str:
    answer = visitor.post(TESTS, json=plan(room), headers=people["zhang"])
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "planned"
    room.hold({f"{DETECTOR}.motor_temperature": 40.0}, 2)
    return str(answer.json()["id"])


def test_a_test_from_its_plan_to_its_end(
    visitor: TestClient, room: Room, people: dict[str, dict[str, str]], running: str
) -> None:
    made = room.raise_alarm(DETECTOR)
    alarm = visitor.get(f"/api/v1/alarms/{made}", headers=people["li"]).json()
    assert (alarm["state"], alarm["present"], alarm["order"]) == ("unacknowledged", True, None)
    assert alarm["planned_test"] == running
    assert alarm["held_until"] is not None
    one = f"{TESTS}/{running}"
    body = {"equipment": DETECTOR}
    assert visitor.post(f"{one}/confirm", json=body, headers=people["li"]).status_code == 403
    confirmed = visitor.post(f"{one}/confirm", json=body, headers=people["ma"])
    assert confirmed.status_code == 200, confirmed.text
    (thing,) = confirmed.json()["equipment"]
    assert (thing["held_until"], thing["confirmed_by"]) == (None, "ma")
    again = visitor.post(f"{one}/confirm", json=body, headers=people["ma"])
    assert (again.status_code, again.json()["type"][-8:]) == (409, "conflict")
    alarm = visitor.get(f"/api/v1/alarms/{made}", headers=people["li"]).json()
    assert (alarm["held_until"], alarm["confirmed_by"]) == (None, "ma")
    room.clear_alarm(DETECTOR)
    done = visitor.post(f"{one}/end", json={"note": "完毕"}, headers=people["ma"]).json()
    assert (done["state"], done["expected"], done["came"]) == ("passed", 1, 1)
    whole = visitor.get(one, headers=people["li"]).json()
    assert [step["event"] for step in whole["events"]] == [
        "plan",
        "start",
        "tick",
        "confirm",
        "pass",
    ]
    assert whole["tester_name"] == "某ma"
    with room.ledger.read(room.site.id) as view:
        assert _orders(view) == []


def test_tests_are_listed_by_state_and_by_pages(
    visitor: TestClient, room: Room, people: dict[str, dict[str, str]], running: str
) -> None:
    headers = people["zhang"]
    later = plan(room)
    for key in ("starts_at", "ends_at"):
        at = datetime.fromisoformat(str(later[key])) + timedelta(hours=3)
        later[key] = at.isoformat()
    once = {**headers, "Idempotency-Key": "k"}
    second = visitor.post(TESTS, json=later, headers=once).json()["id"]
    assert visitor.post(TESTS, json=later, headers=once).json()["id"] == second

    def ids(query: str) -> list[str]:
        return [one["id"] for one in visitor.get(TESTS + query, headers=headers).json()["items"]]

    assert ids("") == [second, running]
    assert ids("?state=running") == [running]
    page = visitor.get(f"{TESTS}?limit=1", headers=headers).json()
    assert ids(f"?limit=1&cursor={page['next']}") == [running]
    answer = visitor.post(
        f"{TESTS}/{second}/cancel", json={"reason": "改期"}, headers=people["zhang"]
    )
    assert answer.json()["state"] == "cancelled"
    answer = visitor.post(f"{TESTS}/{second}/end", headers=people["zhang"])
    assert answer.status_code == 409


def test_what_cannot_be_is_refused(
    visitor: TestClient, room: Room, people: dict[str, dict[str, str]]
) -> None:
    wrong: list[tuple[str, dict[str, Any], int]] = [
        ("zhang", {"tester": "nobody"}, 422),
        ("zhang", {"area": "nowhere"}, 422),
        ("zhang", {"equipment": [{"equipment": DETECTOR, "rules": ["nothing"]}]}, 422),
        ("zhang", {"equipment": []}, 422),
        ("zhang", {"name": " "}, 422),
        ("zhang", {"ends_at": "2026-11-22T10:00:00"}, 422),
        ("ma", {}, 403),
    ]
    for who, given, status in wrong:
        answer = visitor.post(TESTS, json=plan(room, **given), headers=people[who])
        assert answer.status_code == status, (given, answer.text)
    assert visitor.get(f"{TESTS}/nothing", headers=people["ma"]).status_code == 404
    assert visitor.post(f"{TESTS}/nothing/end", headers=people["ma"]).status_code == 404


def _orders(view: View) -> list[str]:
    return [order.id for order in view.orders()]

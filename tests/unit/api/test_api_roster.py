"""The roster and the calendar over HTTP, on the people of the demonstration."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from api_room import PASSWORD, Room
from starlette.testclient import TestClient

from gateway.clock import ManualClock
from gateway.model.moment import SECOND
from rules.people import people_file
from rules.people.accounts import ADMIN
from rules.people.roles import Actor, Role
from rules.shifts import roster_file

PEOPLE = Path(__file__).parents[3] / "deploy" / "demo" / "people.yaml"
BOSS = Actor(username=ADMIN, role=Role.ADMIN)
TODAY = "2026-11-21"


@pytest.fixture
def staffed(room: Room) -> Room:
    """The demonstration's people on Saturday 2026-11-21, ten in the morning."""
    ten = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
    room.clock = ManualClock(round(ten.timestamp()) * SECOND)
    now = room.clock.now()
    content = people_file.read(PEOPLE, room.site).content
    people_file.bring_in(room.ledger, room.site, content, actor=BOSS, now=now, password_of=ADMIN)
    roster_file.bring_in(room.ledger, room.site, PEOPLE, actor=BOSS, now=now)
    return room


def logged_in(client: TestClient, username: str) -> TestClient:
    answer = client.post("/api/v1/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def usernames(shift: dict) -> list[str]:
    return [member["username"] for member in shift["crew"]]


@pytest.fixture
def client(staffed: Room) -> TestClient:
    with TestClient(staffed.app()) as found:
        yield logged_in(found, "qian")


def test_before_anybody_has_set_it_up_nobody_is_on_duty(room: Room) -> None:
    with TestClient(room.app()) as client:
        logged_in(client, ADMIN)
        duty = client.get("/api/v1/duty").json()
        assert (duty["shift"], duty["next"], duty["outgoing"]) == (None, None, None)
        assert client.get("/api/v1/teams").json() == {"items": []}
        assert client.get("/api/v1/shifts").json() == {"items": [], "rotation": None}
        asked = {"from": TODAY, "to": TODAY}
        assert client.get("/api/v1/roster", params=asked).json() == {"items": []}


def test_who_is_on_duty_and_who_comes_next(client: TestClient) -> None:
    duty = client.get("/api/v1/duty").json()
    assert duty["at"] == "2026-11-21T10:00:00.000+08:00"
    shift, coming = duty["shift"], duty["next"]
    # 2026-11-21 is day 19 after the anchor: the second day of the pattern of three.
    assert (shift["id"], shift["team"]["id"], usernames(shift)) == ("day", "c", ["sun", "he"])
    assert (shift["from"], shift["to"]) == (
        "2026-11-21T08:00:00.000+08:00",
        "2026-11-21T20:00:00.000+08:00",
    )
    assert (coming["id"], coming["date"], usernames(coming)) == ("night", TODAY, ["zhou", "li"])
    assert shift["crew"][0] == {
        "username": "sun",
        "display_name": "孙海",
        "role": "technician",
        "skills": ["电梯"],
        "instead_of": None,
    }


def test_the_roster_of_some_days_and_what_is_wrong_with_it(client: TestClient) -> None:
    asked = {"from": TODAY, "to": "2026-11-23"}
    items = client.get("/api/v1/roster", params=asked).json()["items"]
    assert [(item["date"][8:], item["id"], item["team"]["id"]) for item in items] == [
        ("21", "day", "c"),
        ("21", "night", "a"),
        ("22", "day", "b"),
        ("22", "night", "c"),
        ("23", "day", "a"),
        ("23", "night", "b"),
    ]
    assert [problem["kind"] for problem in items[2]["problems"]] == ["certificate_expired"]
    assert items[2]["problems"][0]["username"] == "zhao"


def test_who_may_not_see_people_sees_no_skills_and_no_certificates(
    client: TestClient, staffed: Room
) -> None:
    with TestClient(staffed.app()) as other:
        logged_in(other, "li")
        asked = {"from": "2026-11-22", "to": "2026-11-22"}
        day = other.get("/api/v1/roster", params=asked).json()["items"][0]
    assert usernames(day) == ["wu", "zhao"]
    assert day["problems"] == []
    assert [member["skills"] for member in day["crew"]] == [[], []]


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY, "2026-11-20"), (TODAY, "2027-11-21"), ("1999-12-31", TODAY), (TODAY, "soon")],
)
def test_days_that_cannot_be_asked_for(client: TestClient, first: str, last: str) -> None:
    answer = client.get("/api/v1/roster", params={"from": first, "to": last})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_leave_and_somebody_who_stands_in(client: TestClient) -> None:
    body = {
        "username": "sun",
        "from": TODAY,
        "to": "2026-11-25",
        "kind": "sick",
        "reason": "病假",
    }
    made = client.post("/api/v1/roster/leaves", json=body)
    assert made.status_code == 201
    assert made.json() == {
        **body,
        "id": made.json()["id"],
        "by": "qian",
        "at": "2026-11-21T10:00:00.000+08:00",
    }
    shift = client.get("/api/v1/duty").json()["shift"]
    assert usernames(shift) == ["he"]
    assert [problem["kind"] for problem in shift["problems"]] == ["below_minimum", "on_leave"]
    assert client.post("/api/v1/roster/leaves", json=body).status_code == 409
    stand_in = {"date": TODAY, "shift": "day", "instead_of": "sun", "username": "li"}
    made = client.post("/api/v1/roster/overrides", json={**stand_in, "reason": "顶班"})
    assert made.status_code == 201
    shift = client.get("/api/v1/duty").json()["shift"]
    assert [(m["username"], m["instead_of"]) for m in shift["crew"]] == [
        ("he", None),
        ("li", "sun"),
    ]
    assert shift["problems"] == []
    asked = {"from": TODAY, "to": TODAY}
    assert client.get("/api/v1/roster", params=asked).json()["items"][0]["is_override"] is True
    (kept,) = client.get("/api/v1/roster/overrides", params=asked).json()["items"]
    assert kept == made.json()
    (on_leave,) = client.get("/api/v1/roster/leaves", params=asked).json()["items"]
    assert client.delete(f"/api/v1/roster/overrides/{kept['id']}").status_code == 204
    assert client.delete(f"/api/v1/roster/overrides/{kept['id']}").status_code == 404
    assert client.delete(f"/api/v1/roster/leaves/{on_leave['id']}").status_code == 204
    assert usernames(client.get("/api/v1/duty").json()["shift"]) == ["sun", "he"]


def test_why_somebody_is_on_leave_is_told_to_who_edits_the_roster_and_to_them(
    client: TestClient, staffed: Room
) -> None:
    days = {"from": TODAY, "to": TODAY}
    sick = {**days, "username": "sun", "kind": "sick", "reason": "病假"}
    assert client.post("/api/v1/roster/leaves", json=sick).status_code == 201

    def seen() -> tuple[str | None, str | None]:
        (one,) = client.get("/api/v1/roster/leaves", params=days).json()["items"]
        assert one["username"] == "sun"
        return one["kind"], one["reason"]

    assert seen() == ("sick", "病假")
    logged_in(client, "sun")
    assert seen() == ("sick", "病假")
    logged_in(client, "li")
    assert seen() == (None, None)


def test_a_request_that_comes_twice_is_answered_twice(client: TestClient) -> None:
    body = {"date": TODAY, "shift": "day", "username": "li", "reason": "加强"}
    head = {"Idempotency-Key": "k1"}
    first, second = (
        client.post("/api/v1/roster/overrides", json=body, headers=head) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert client.post("/api/v1/roster/overrides", json=body).status_code == 409


def test_a_team_over_http(client: TestClient) -> None:
    body = {
        "name": {"zh": "机动组", "en": "Reserve"},
        "areas": ["garage"],
        "members": ["li"],
        "leader": "qian",
    }
    made = client.put("/api/v1/teams/reserve", json=body)
    assert made.json() == {"id": "reserve", **body}
    assert client.put("/api/v1/teams/reserve", json=body).json() == made.json()
    items = client.get("/api/v1/teams").json()["items"]
    assert [team["id"] for team in items] == ["a", "b", "c", "reserve"]
    refused = client.put("/api/v1/teams/reserve", json={**body, "members": ["nobody"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["where"] == "body.members.0"
    assert client.delete("/api/v1/teams/reserve").status_code == 204
    assert client.delete("/api/v1/teams/reserve").status_code == 404
    assert client.delete("/api/v1/teams/a").status_code == 409


def test_shifts_and_their_rotation_over_http(client: TestClient) -> None:
    found = client.get("/api/v1/shifts").json()
    assert [(s["id"], s["starts"], s["ends"], s["team"]) for s in found["items"]] == [
        ("day", "08:00", "20:00", "c"),
        ("night", "20:00", "08:00", "a"),
    ]
    assert found["rotation"]["teams"] == ["a", "b", "c"]
    assert (found["rotation"]["anchor"], found["rotation"]["days"]) == ("2026-11-02", 3)
    body = {
        "items": [
            {"id": "whole", "name": {"zh": "全天", "en": "Whole day"}, "starts": "09:00"}
            | {"ends": "09:00", "minimum": 1}
        ],
        "rotation": {"anchor": TODAY, "pattern": [{"whole": "b"}]},
    }
    changed = client.put("/api/v1/shifts", json=body).json()
    assert [(s["id"], s["team"]) for s in changed["items"]] == [("whole", "b")]
    assert usernames(client.get("/api/v1/duty").json()["shift"]) == ["wu", "zhao"]
    for wrong, where in (
        ({"rotation": {"anchor": TODAY, "pattern": [{"whole": "z"}]}}, "pattern.0.whole"),
        ({"rotation": {"anchor": TODAY, "pattern": []}}, "pattern"),
        ({"items": [{**body["items"][0], "starts": "24:00"}]}, "starts"),
    ):
        refused = client.put("/api/v1/shifts", json={**body, **wrong})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["where"].endswith(where)


def test_the_calendar_of_a_year(client: TestClient) -> None:
    found = client.get("/api/v1/calendar").json()
    assert (found["year"], found["provisional"], len(found["items"])) == (2026, False, 365)
    assert found["working_hours"] == {"starts": "08:00", "ends": "17:30"}
    made_up = [day["date"] for day in found["items"] if day["kind"] == "make_up_working"]
    assert made_up == [
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ]
    later = client.get("/api/v1/calendar", params={"year": 2027}).json()
    assert later["provisional"] is True
    assert {day["source"] for day in later["items"]} == {"provisional"}
    assert client.get("/api/v1/calendar", params={"year": 1900}).status_code == 422


def test_a_day_and_the_hours_are_the_managers(client: TestClient, staffed: Room) -> None:
    day = {"kind": "working", "name": {"zh": "加班", "en": "Extra"}, "reason": "通知"}
    assert client.put("/api/v1/calendar/2026-11-22", json=day).status_code == 403
    hours = {"starts": "09:00", "ends": "18:00"}
    assert client.put("/api/v1/working-hours", json=hours).status_code == 403
    with TestClient(staffed.app()) as manager:
        logged_in(manager, "chen")
        made = manager.put("/api/v1/calendar/2026-11-22", json=day)
        assert made.json() == {
            "date": "2026-11-22",
            "kind": "working",
            "name": day["name"],
            "source": "site",
        }
        assert manager.put("/api/v1/working-hours", json=hours).json() == hours
        assert manager.get("/api/v1/calendar").json()["working_hours"] == hours
        backwards = {"starts": "18:00", "ends": "09:00"}
        assert manager.put("/api/v1/working-hours", json=backwards).status_code == 422
        assert manager.delete("/api/v1/calendar/2026-11-22").status_code == 204
        assert manager.delete("/api/v1/calendar/2026-11-22").status_code == 404


def test_a_technician_changes_nothing_of_the_roster(staffed: Room) -> None:
    body = {"date": TODAY, "shift": "day", "username": "li", "reason": "x"}
    with TestClient(staffed.app()) as client:
        logged_in(client, "li")
        assert client.post("/api/v1/roster/overrides", json=body).status_code == 403
        assert (
            client.put("/api/v1/teams/a", json={"name": {"zh": "x", "en": "x"}}).status_code == 403
        )
        assert client.delete("/api/v1/teams/a").status_code == 403


def test_a_minor_order_says_that_it_runs_in_working_time(client: TestClient, staffed: Room) -> None:
    staffed.worker.load()
    staffed.hold({"lamp-1.power": 0.0, "lamp-1.output": 1.0}, 12)
    assert client.get("/api/v1/orders").json()["items"] == []
    (alarm,) = client.get("/api/v1/alarms").json()["items"]
    # Raised on a Saturday.
    assert alarm["order_at"] == "2026-11-23T08:00:00.000+08:00"
    staffed.clock.advance(46 * 3600)
    staffed.worker.commit(staffed.clock.now())
    logged_in(client, "li")
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["priority"] == "minor"
    # A working day from Monday, 12 s after its beginning.
    (complete,) = [clock for clock in order["clocks"] if clock["name"] == "complete"]
    assert complete["due_at"] == "2026-11-24T08:00:12.000+08:00"
    assert complete["explain"]["zh"].startswith("完工限时 1 个工作日")

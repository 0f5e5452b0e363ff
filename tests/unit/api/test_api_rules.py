"""The rulebook, limits of the site's own, and replays, over HTTP."""

from __future__ import annotations

from api_room import Room
from starlette.testclient import TestClient

from gateway.model.moment import DAY, SECOND
from rules.ledger import jobs
from rules.ledger.jobs import JobKind, JobState

RULE = "motor-temperature-high"
PLACE = f"/api/v1/rules/{RULE}/overrides/pump-2"


def test_every_rule_says_what_it_watches_where_it_comes_from_and_how_it_is_tried(
    client: TestClient,
) -> None:
    items = client.get("/api/v1/rules").json()["items"]
    (rule,) = (item for item in items if item["id"] == RULE)
    assert (rule["class"], rule["priority"], rule["limit"], rule["unit"]) == (
        "pump",
        "major",
        75.0,
        "℃",
    )
    assert rule["condition"] == {"zh": "电机温度高于 75 ℃", "en": "Motor temperature above 75 ℃"}
    assert (rule["delay_s"], rule["clear_after_s"]) == (10.0, 20.0)
    assert (rule["file"], rule["of"]) == ("alarms/pump.yaml", "shipped")
    assert rule["adjustable"]
    assert all(item["tests"] >= 1 for item in items), "every shipped rule has a test"
    assert all(item["condition"]["zh"] and item["condition"]["en"] for item in items)


def test_the_rules_of_one_class(client: TestClient) -> None:
    items = client.get("/api/v1/rules?class=lift").json()["items"]
    assert {item["class"] for item in items} == {"lift"}
    assert client.get("/api/v1/rules?class=nothing").json()["items"] == []


def test_whom_a_rule_compares_is_shown(client: TestClient) -> None:
    details = client.get("/api/v1/rules/motor-hotter-than-twin").json()
    twins = {one["id"]: one["twin"]["en"] for one in details["judged_on"]}
    assert twins == {
        "pump-1": "Domestic pump 2",
        "pump-2": "Domestic pump 1",
        "pump-3": "Domestic pump 1",
    }
    assert (details["equipment"], details["without_twin"]) == (3, [])
    assert details["condition"]["zh"] == (
        "电机温度减对照设备的电机温度高于 25 K，且运行为“运行”，且对照设备的运行为“运行”"
    )
    plain = client.get(f"/api/v1/rules/{RULE}").json()
    assert [one["twin"] for one in plain["judged_on"]] == [None] * 3
    assert plain["without_twin"] == []


def test_a_limit_for_one_pump_is_shown_and_taken_back(client: TestClient, room: Room) -> None:
    answer = client.put(PLACE, json={"limit": 90, "delay_s": 30, "reason": "class F"})
    assert answer.status_code == 200, answer.text
    details = client.get(f"/api/v1/rules/{RULE}").json()
    assert details["overrides"] == 1
    judged = {one["id"]: one for one in details["judged_on"]}
    pump = judged["pump-2"]
    assert (pump["limit"], pump["delay_s"]) == (90.0, 30.0)
    assert (pump["override"]["reason"], pump["override"]["in_force"]) == ("class F", True)
    others = [one for one in judged.values() if one["id"] != "pump-2"]
    assert all((one["limit"], one["override"]) == (75.0, None) for one in others)
    assert client.delete(PLACE).status_code == 204
    assert client.get(f"/api/v1/rules/{RULE}").json()["overrides"] == 0
    assert client.delete(PLACE).status_code == 404


def test_the_equipment_shows_the_limit_that_is_in_force_for_it(client: TestClient) -> None:
    client.put(PLACE, json={"limit": 90, "reason": "class F"})
    shown = {}
    for thing in ("pump-1", "pump-2"):
        points = client.get(f"/api/v1/equipment/{thing}").json()["points"]
        (point,) = (one for one in points if one["key"] == "motor_temperature")
        shown[thing] = [limit["above"] for limit in point["limits"] if limit["rule"] == RULE]
    assert shown == {"pump-1": [75.0], "pump-2": [90.0]}


def test_it_is_judged_by_the_limit_that_was_set(client: TestClient, room: Room) -> None:
    client.put(PLACE, json={"limit": 90, "reason": "class F"})
    room.worker.commit(room.clock.now())
    room.hold({"pump-2.motor_temperature": 80.0}, 15)
    assert room.alarm_ids() == set()
    room.hold({"pump-2.motor_temperature": 95.0}, 15)
    assert len(room.alarm_ids()) == 1


def test_what_can_never_be_is_refused_with_the_field(client: TestClient) -> None:
    answer = client.put(PLACE, json={"limit": 100_000, "reason": "never"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["where"] == "body.limit"
    assert "is never passed" in error["message"]
    nothing = client.put(PLACE, json={"reason": "nothing"})
    assert nothing.status_code == 422
    lift = client.put(
        f"/api/v1/rules/{RULE}/overrides/lift-1", json={"limit": 80, "reason": "no pump"}
    )
    assert lift.status_code == 409
    assert client.put(PLACE, json={"limit": 80, "reason": "  "}).status_code == 422
    assert client.get("/api/v1/rules/no-such-rule").status_code == 404


def test_a_replay_where_nothing_runs_them_is_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/replays", json={"rule": RULE, "limit": 80, "days": 3})
    assert answer.status_code == 409
    assert client.get("/api/v1/replays").json() == {"items": []}


def begun(room: Room) -> str:
    now = room.clock.now()
    params = {
        "from": now.wall - DAY,
        "to": now.wall,
        "rule": RULE,
        "equipment": None,
        "limit": 80.0,
        "delay": None,
    }
    with room.ledger.write(room.site.id) as entry:
        jobs.begin(entry, "replay-1", JobKind.REPLAY, params, by="admin", now=now)
    return "replay-1"


def test_a_replay_tells_how_far_it_is_and_is_cancelled(client: TestClient, room: Room) -> None:
    name = begun(room)
    with room.ledger.write(room.site.id) as entry:
        assert jobs.tell(entry, name, 0.4, room.clock.now())
    (told,) = client.get("/api/v1/replays").json()["items"]
    assert (told["state"], told["progress"], told["cancelling"]) == ("running", 0.4, False)
    assert (told["trial"]["rule"], told["trial"]["limit"]) == (RULE, 80.0)
    answer = client.post(f"/api/v1/replays/{name}/cancel")
    assert (answer.status_code, answer.json()["cancelling"]) == (200, True)
    with room.ledger.write(room.site.id) as entry:
        assert not jobs.tell(entry, name, 0.5, room.clock.now()), "it is not wanted any more"
        jobs.finish(entry, name, JobState.CANCELLED, room.clock.now())
    assert client.get(f"/api/v1/replays/{name}").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/replays/{name}/cancel").status_code == 409
    assert client.post("/api/v1/replays/none/cancel").status_code == 404


def test_a_replay_whose_process_is_gone_is_interrupted(client: TestClient, room: Room) -> None:
    name = begun(room)
    room.clock.advance(jobs.SILENT / SECOND + 1)
    assert client.get(f"/api/v1/replays/{name}").json()["state"] == "interrupted"
    with room.ledger.write(room.site.id) as entry:
        jobs.give_up(entry, room.clock.now())
        assert not jobs.is_any_running(entry, JobKind.REPLAY)
        assert not jobs.tell(entry, name, 0.9, room.clock.now())

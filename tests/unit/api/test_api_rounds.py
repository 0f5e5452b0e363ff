"""Rounds over HTTP: what is due, one round, filling it in, signing and countersigning it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from api_room import Room
from inspections import at, current, currents
from photographs import PNG
from staff import cookie, hire, session
from starlette.testclient import TestClient

from api.reports.typeset import in_words
from api.routes import shift_log
from gateway.latest import Current
from gateway.model.moment import SECOND
from gateway.model.quality import Quality
from rules.inspections.upkeep import Upkeep
from rules.people.roles import Role

PUMP_ROOM = "daily-pump-room.b1-pump-room.2025-11-22"
PATROL = "weekly-equipment-patrol.2025-W47"
ROUNDS = "/api/v1/rounds"
GOOD: dict[str, float | Current] = {
    "booster-1.tank_level": 60.0,
    "pump-1.running": 1.0,
    "pump-room-climate.temperature": 20.0,
    "power-room-climate.temperature": 20.0,
    "power-room-climate.humidity": 50.0,
    "meter-1.voltage_l1": 230.0,
    "meter-1.voltage_l2": 230.0,
    "meter-1.voltage_l3": 230.0,
}


class Desk:
    """The room, its rounds kept by hand, and its people."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._upkeep = Upkeep(site=room.site, rulebook=room.rulebook, ledger=room.ledger)
        self._told = room.clock.now().wall

    def tick(self, when: str, said: dict[str, float | Current] | None = None) -> None:
        self.room.clock.advance((at(when) - self.room.clock.now().wall) / SECOND)
        now = self.room.clock.now()
        self._upkeep.plan(now)
        readings = currents(now, self.room.site, {**GOOD, **(said or {})})
        self._upkeep.keep(now, readings, told=self._told)
        self._told = now.wall


@pytest.fixture
def desk(room: Room) -> Desk:
    """Saturday 2025-11-22, 07:00: the rounds of the day are planned, those of the week over."""
    made = Desk(room)
    made.tick("2025-11-22 07:00")
    for username, role in (
        ("li", Role.TECHNICIAN),
        ("chen", Role.ENGINEERING_MANAGER),
        ("zhou", Role.OFFICER),
    ):
        hire(room.ledger, room.site, username, role, room.clock.now())
    return made


class Person:
    """Somebody at the page, with a session that has just begun."""

    def __init__(self, client: TestClient, room: Room, username: str) -> None:
        self._client = client
        self._room = room
        self._username = username

    def _headers(self) -> dict[str, str]:
        now = self._room.clock.now()
        return cookie(session(self._room.ledger, self._room.site.id, self._username, now))

    def get(self, path: str, **query: Any) -> Any:
        answer = self._client.get(path, headers=self._headers(), params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def printed(self, round_id: str) -> bytes:
        answer = self._client.get(f"{ROUNDS}/{round_id}/record.pdf", headers=self._headers())
        assert answer.headers["content-type"] == "application/pdf", answer.text
        return answer.content

    def post(self, path: str, body: Any = None, expected: int = 200) -> Any:
        answer = self._client.post(path, headers=self._headers(), json=body)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def upload(self, path: str, data: bytes, expected: int) -> Any:
        answer = self._client.post(path, headers=self._headers(), content=data)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def enter(self, round_id: str, key: str, value: Any, expected: int = 200, **more: Any) -> Any:
        body = {"entry": str(uuid.uuid4()), "value": value, **more}
        return self.post(f"{ROUNDS}/{round_id}/items/{key}", body, expected)

    def answer_all(self, round_id: str) -> None:
        """As if all were in order."""
        for row in self.get(f"{ROUNDS}/{round_id}")["rows"]:
            if row["state"] in ("waiting", "handed_over"):
                first = row["choices"][0]["key"] if row["choices"] else ""
                answers = {"tick": True, "number": row["low"] or 1, "choice": first, "text": "无"}
                self.enter(round_id, row["key"], answers[row["answer"]])


@pytest.fixture
def li(visitor: TestClient, desk: Desk) -> Person:
    return Person(visitor, desk.room, "li")


@pytest.fixture
def chen(visitor: TestClient, desk: Desk) -> Person:
    return Person(visitor, desk.room, "chen")


def ids(page: Any) -> list[str]:
    return [one["id"] for one in page["items"]]


def test_what_opens_today_and_what_is_open(li: Person, desk: Desk) -> None:
    today = li.get(ROUNDS)
    assert len(ids(today)) == 10, "the daily ones"
    assert {one["state"] for one in today["items"]} == {"planned"}
    assert {one["items"]["waiting"] - one["items"]["total"] for one in today["items"]} == {0}
    desk.tick("2025-11-22 08:00")
    desk.tick("2025-11-23 07:00")
    found = li.get(ROUNDS)
    assert [one["state"] for one in found["items"]] == ["late"] * 10 + ["planned"] * 10
    due = [one["due_at"] for one in found["items"]]
    assert due == sorted(due), "what is due first is at the top"
    assert found["next"] is None
    desk.tick("2025-11-23 08:00")
    assert {one["state"] for one in li.get(ROUNDS)["items"]} == {"due"}, "missed ones are over"


def test_rounds_of_days_levels_and_states(li: Person, desk: Desk) -> None:
    desk.tick("2025-11-24 08:00")
    monday = {"from": "2025-11-24", "to": "2025-11-24"}
    assert len(ids(li.get(ROUNDS, **monday, level="daily"))) == 10
    assert ids(li.get(ROUNDS, **monday, level="weekly")) == [PATROL]
    week = li.get(ROUNDS, **{"from": "2025-11-24", "to": "2025-11-30"}, level="weekly")
    assert [one.split(".")[0] for one in ids(week)] == [
        "weekly-fire",
        "weekly-pump-room",
        "weekly-equipment-patrol",
        "weekly-power-room",
        "weekly-lift",
        "weekly-lift",
        "weekly-night-lighting",
    ]
    weekend = {"from": "2025-11-22", "to": "2025-11-23"}
    assert ids(li.get(ROUNDS, **weekend, state="due")) == []
    missed = ids(li.get(ROUNDS, **weekend, state="missed"))
    assert len(missed) == 20
    first = li.get(ROUNDS, **weekend, limit=10)
    second = li.get(ROUNDS, **weekend, limit=10, cursor=first["next"])
    assert ids(first) + ids(second) == missed
    assert second["next"] is None


def test_one_round_says_what_proved_each_line(li: Person, desk: Desk) -> None:
    room = desk.room
    hot = {"pump-2.motor_temperature": 81.5}
    desk.tick("2025-11-22 08:00", hot)
    found = li.get(f"{ROUNDS}/{PUMP_ROOM}")
    assert found["form"] == {"zh": "泵房日检记录表", "en": "Pump room daily record"}
    assert found["area"]["name"]["zh"] == "B1 泵房"
    assert (found["state"], found["role"], found["countersign_role"]) == ("due", "technician", None)
    rows = {row["key"]: row for row in found["rows"]}
    running = rows["running-pumps"]
    assert (running["kind"], running["state"]) == ("automatic", "passed")
    assert (running["reading"]["value"], running["reading"]["text"]["zh"]) == (1.0, "生活水泵 1")
    failed = rows["motor-temperature.pump-2"]
    assert failed["reading"]["value"] == 81.5
    assert failed["reading"]["quality"] == "good"
    assert failed["reading"]["age"] == 1.0
    assert failed["reading"]["received_at"] == "2025-11-22T07:59:59.000+08:00"
    assert failed["reading"]["source_time"] == "2025-11-22T07:59:57.000+08:00"
    assert (failed["high"], failed["unit"], failed["point"]) == (
        75.0,
        "℃",
        "pump-2.motor_temperature",
    )
    assert failed["finding"]["severity"] == "serious"
    order = li.get(f"/api/v1/orders/{failed['finding']['order']['id']}")
    assert order["finding"] == {
        "id": f"{PUMP_ROOM}.motor-temperature.pump-2",
        "round": PUMP_ROOM,
        "item": "motor-temperature.pump-2",
    }
    assert (order["alarms"], order["cause_key"]) == ([], "motor-overheat")
    assert order["title"]["zh"] == "生活水泵 2 电机温度"
    tick = rows["noise-vibration-smell.pump-1"]
    assert (tick["kind"], tick["answer"], tick["state"]) == ("manual", "tick", "waiting")
    assert "S1 4.2.1" in tick["source"]["zh"]
    assert found["items"]["failed"] == 1
    assert found["items"]["total"] == len(rows)
    assert [finding["item"] for finding in found["findings"]] == ["motor-temperature.pump-2"]
    assert [step["event"] for step in found["events"]] == ["plan", "open"]
    assert found["statement"]["zh"] == "记录真实、齐全、简洁。"
    assert room.site.id not in found["id"]


def test_a_line_that_telemetry_cannot_answer_says_why(li: Person, desk: Desk) -> None:
    stale = current(40.0, desk.room.clock.now(), Quality.STALE)
    for when in ("2025-11-22 08:00", "2025-11-22 09:00"):
        desk.tick(when, {"pump-1.motor_temperature": stale})
    key = "motor-temperature.pump-1"
    (row,) = [r for r in li.get(f"{ROUNDS}/{PUMP_ROOM}")["rows"] if r["key"] == key]
    assert (row["state"], row["reading"]) == ("handed_over", None)
    assert row["why"] == {"zh": "读数已过期", "en": "the reading is stale"}
    done = li.enter(PUMP_ROOM, key, 44.5, note="点温枪", taken_at="2025-11-22T07:59:00+08:00")
    (row,) = [r for r in done["rows"] if r["key"] == key]
    assert row["state"] == "passed"
    entry = row["entry"]
    assert (entry["value"], entry["by"], entry["by_name"], entry["via"]) == (
        44.5,
        "li",
        "某li",
        "session",
    )
    assert entry["taken_at"] == "2025-11-22T07:59:00.000+08:00"
    assert entry["received_at"] == "2025-11-22T09:00:00.000+08:00"


def test_the_same_entry_again_changes_nothing(li: Person, desk: Desk) -> None:
    desk.tick("2025-11-22 08:00")
    entry = str(uuid.uuid4())
    first = li.enter(PUMP_ROOM, "cleanliness", True, entry=entry)
    assert li.enter(PUMP_ROOM, "cleanliness", True, entry=entry) == first
    problem = li.enter(PUMP_ROOM, "tools", True, 409, entry=entry)
    assert "was used for" in problem["detail"]


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("cleanliness", {"value": "yes"}, 422),
        ("cleanliness", {"value": 1}, 422),
        ("weather", {"value": "hail"}, 422),
        ("cleanliness", {"value": True, "entry": "1"}, 422),
        ("cleanliness", {"value": True, "taken_at": "2025-11-22T08:00:00"}, 422),
        ("cleanliness", {"value": True, "taken_at": "0001-01-01T00:00:00Z"}, 422),
        ("cleanliness", {"value": True, "more": 1}, 422),
        ("cleanliness", {"value": None}, 422),
        ("faults", {"value": "x" * 2001}, 422),
        ("running-pumps", {"value": 1}, 409),
        ("no-such-item", {"value": True}, 404),
    ],
)
def test_what_is_no_answer_is_refused(
    li: Person, desk: Desk, key: str, body: dict[str, Any], status: int
) -> None:
    desk.tick("2025-11-22 08:00")
    body = {"entry": str(uuid.uuid4()), **body}
    li.post(f"{ROUNDS}/{PUMP_ROOM}/items/{key}", body, status)
    assert li.get(f"{ROUNDS}/{PUMP_ROOM}")["started_at"] is None


def test_a_weekly_round_from_due_to_countersigned(li: Person, chen: Person, desk: Desk) -> None:
    """2025-W47 is reviewed on Monday 2025-11-24; its daily rounds were not all done."""
    desk.tick("2025-11-22 08:00")
    li.answer_all(PUMP_ROOM)
    li.post(f"{ROUNDS}/{PUMP_ROOM}/finish", {"note": "无异常"})
    assert li.get(f"{ROUNDS}/{PUMP_ROOM}")["done_note"] == "无异常"
    desk.tick("2025-11-23 08:00")
    desk.tick("2025-11-24 08:00")
    found = li.get(f"{ROUNDS}/{PATROL}")
    assert (found["state"], found["area"]) == ("due", None)
    assert found["form"]["zh"] == "设备巡视检查记录表"
    contained = {one["id"]: one["state"] for one in found["contains"]}
    # The ledger is new since Saturday morning: 10 daily rounds on that day, 10 on Sunday.
    assert len(contained) == 20
    assert contained.pop(PUMP_ROOM) == "done"
    assert set(contained.values()) == {"missed"}
    completion = next(row for row in found["rows"] if row["key"] == "daily-completion")
    assert (completion["state"], completion["reading"]["value"]) == ("failed", 5.0)
    assert completion["reading"]["text"]["zh"] == "应检 20 次，已检 1 次"
    chen.post(f"{ROUNDS}/{PATROL}/countersign", expected=409)
    li.post(f"{ROUNDS}/{PATROL}/finish", expected=409)
    li.answer_all(PATROL)
    done = li.post(f"{ROUNDS}/{PATROL}/finish")
    assert (done["state"], done["done_by"], done["done_by_name"]) == ("done", "li", "某li")
    assert [finding["severity"] for finding in done["findings"]] == ["minor"]
    assert PATROL in ids(chen.get(ROUNDS)), "it waits for the manager"
    li.post(f"{ROUNDS}/{PATROL}/countersign", expected=403)
    sampled = [row["key"] for row in done["rows"] if row["sampled"]]
    assert len(sampled) >= 3
    problem = chen.post(f"{ROUNDS}/{PATROL}/countersign", expected=409)
    assert all(key in problem["detail"] for key in sampled)
    for key in sampled:
        checked = chen.post(f"{ROUNDS}/{PATROL}/items/{key}/spot-check", {"agrees": True})
    (row, *_) = [row for row in checked["rows"] if row["key"] == sampled[0]]
    assert (row["spot_check"]["agrees"], row["spot_check"]["by"]) == (True, "chen")
    after = chen.post(f"{ROUNDS}/{PATROL}/countersign", {"note": "已抽查"})
    assert (after["state"], after["countersigned_by"]) == ("countersigned", "chen")
    assert (after["countersigned_by_name"], after["countersign_note"]) == ("某chen", "已抽查")
    assert [step["event"] for step in after["events"]][-2:] == ["finish", "countersign"]
    chen.post(f"{ROUNDS}/{PATROL}/countersign", expected=409)


def test_findings_and_coverage_are_listed(li: Person, desk: Desk) -> None:
    desk.tick("2025-11-22 08:00", {"pump-2.motor_temperature": 81.5})
    (finding,) = li.get("/api/v1/findings", open=True, severity="serious")["items"]
    assert (finding["round"], finding["equipment"]) == (PUMP_ROOM, "pump-2")
    assert (finding["order_state"], finding["area"]["id"]) == ("open", "b1-pump-room")
    assert li.get("/api/v1/findings", open=False)["items"] == []
    found = li.get("/api/v1/coverage", area="b1-pump-room")
    assert {"daily", "weekly"} <= set(found["levels"])
    rows = {row["equipment"]: row for row in found["items"]}
    daily = next(cell for cell in rows["pump-2"]["cells"] if cell["level"] == "daily")
    assert (daily["state"], daily["by"], daily["days"], daily["failed"]) == ("fresh", None, 0, 1)
    assert daily["round"] == PUMP_ROOM
    weekly = [cell for cell in rows["pump-2"]["cells"] if cell["level"] == "weekly"]
    assert {cell["state"] for cell in weekly} <= {"new"}, "its rounds are new: nothing is overdue"
    assert not {row["area"]["id"] for row in found["items"]} - {"b1-pump-room"}
    assert li.get("/api/v1/coverage", area="garage", days=1)["items"], "nobody has looked yet"


def test_a_photograph_of_a_line_is_seen_with_it(li: Person, desk: Desk) -> None:
    desk.tick("2025-11-22 08:00")
    path = f"{ROUNDS}/{PUMP_ROOM}/items/cleanliness/photos"
    made = li.upload(path, PNG, 201)
    li.upload(path, b"no picture", 422)
    (row,) = [r for r in li.get(f"{ROUNDS}/{PUMP_ROOM}")["rows"] if r["key"] == "cleanliness"]
    assert [one["id"] for one in row["photos"]] == [made["id"]]


def test_its_form_is_printed_with_who_walked_and_what_proves_each_line(
    li: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tick("2025-11-22 08:00", {"pump-2.motor_temperature": 81.5})
    li.upload(f"{ROUNDS}/{PUMP_ROOM}/items/cleanliness/photos", PNG, 201)
    assert li.printed(PUMP_ROOM).startswith(b"%PDF-")
    # A text that is centred is not part of the HTML.
    monkeypatch.setattr(
        shift_log,
        "typeset",
        lambda template, data: (data["draft"] + in_words(template, data)).encode(),
    )
    assert "待检，尚未签字" in li.printed(PUMP_ROOM).decode()
    li.enter(PUMP_ROOM, "cleanliness", False, note='#read("/etc/passwd")')
    li.answer_all(PUMP_ROOM)
    li.post(f"{ROUNDS}/{PUMP_ROOM}/finish", {"note": "二号泵已报修"})
    said = li.printed(PUMP_ROOM).decode()
    for words in (
        "泵房日检记录表",
        "某li",
        "81.5 ℃",
        "高于 75",
        "遥测 2025-11-22",
        "二号泵已报修",
    ):
        assert words in said, words
    assert ("照片 1 张" in said, "尚未签字" in said, "root:" in said) == (True, False, False)
    assert "#read(" in said, "shown as it was written"


def test_who_signed_a_round_does_not_countersign_it(chen: Person, desk: Desk) -> None:
    desk.tick("2025-11-24 08:00")
    chen.answer_all(PATROL)
    chen.post(f"{ROUNDS}/{PATROL}/finish")
    problem = chen.post(f"{ROUNDS}/{PATROL}/countersign", expected=409)
    assert problem["detail"] == "Who signed a round does not countersign it."


def test_what_is_not_there(li: Person) -> None:
    for path in ("finish", "countersign", "items/x"):
        body = {"entry": str(uuid.uuid4()), "value": True} if path == "items/x" else None
        li.post(f"{ROUNDS}/no.such/{path}", body, 403 if path == "countersign" else 404)


def test_a_day_at_the_end_of_time_is_no_error(li: Person) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        li.get(ROUNDS, **{"from": day, "to": day})

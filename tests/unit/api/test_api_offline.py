"""The offline protocol over HTTP: fetched once, sent twice, a conflict decided."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from api_room import Room
from inspections import at, currents
from photographs import PNG, photograph
from staff import cookie, hire, session
from starlette.testclient import TestClient

from gateway.model.moment import SECOND
from rules.actions import attachments
from rules.drawn_anew import drawn_anew
from rules.inspections.upkeep import Upkeep
from rules.people.roles import Role

OFFLINE = "/api/v1/offline"
PUMP_ROOM = "daily-pump-room.b1-pump-room.2025-11-22"
JPEG = photograph() + bytes(300_000)


class Person:
    """Somebody with a phone, whose clock is ten minutes ahead, and a session."""

    def __init__(self, client: TestClient, room: Room, username: str, role: Role) -> None:
        self._client = client
        self.username = username
        hire(room.ledger, room.site, username, role, room.clock.now())
        self._headers = cookie(session(room.ledger, room.site.id, username, room.clock.now()))
        self._room = room

    def ask(self, method: str, path: str, expected: int = 200, **more: Any) -> Any:
        headers = {**self._headers, **more.pop("headers", {})}
        answer = self._client.request(method, f"{OFFLINE}/{path}", headers=headers, **more)
        assert answer.status_code == expected, answer.text
        return answer

    def phone_time(self, minutes_ago: float = 0) -> str:
        ours = datetime.fromtimestamp(self._room.clock.now().wall / SECOND).astimezone()
        return (ours + timedelta(minutes=10 - minutes_ago)).isoformat()

    def entry(self, kind: str, version: str, body: Any, subject: str = PUMP_ROOM) -> Any:
        return {
            "id": str(uuid.uuid4()),
            "kind": kind,
            "subject": subject,
            "version": version,
            "entered_at": self.phone_time(30),
            "body": body,
        }

    def batch(self, *entries: Any, person: str | None = None) -> Any:
        return {
            "device": "phone-1",
            "person": person or self.username,
            "sent_at": self.phone_time(),
            "entries": list(entries),
        }

    def send(self, *entries: Any) -> Any:
        content = json.dumps(self.batch(*entries))
        json_ = {"Content-Type": "application/json"}
        return self.ask("POST", "entries", content=content, headers=json_).json()

    def photo(self, entry: str, version: str, expected: int = 200, **more: str) -> Any:
        query = {
            "of": "round_item",
            "subject": PUMP_ROOM,
            "version": version,
            "device": "phone-1",
            "person": self.username,
            "entered_at": self.phone_time(30),
            "sent_at": self.phone_time(),
            **more,
        }
        path = f"photos/{entry}"
        return self.ask("PUT", path, expected, params=query, content=JPEG).json()


@pytest.fixture
def due(room: Room) -> Room:
    """Saturday 2025-11-22, 09:00: the rounds of the day are open since an hour."""
    upkeep = Upkeep(site=room.site, rulebook=room.rulebook, ledger=room.ledger)
    for hour in ("07", "09"):
        room.clock.advance((at(f"2025-11-22 {hour}:00") - room.clock.now().wall) / SECOND)
        now = room.clock.now()
        upkeep.plan(now)
        upkeep.keep(now, currents(now, room.site), told=now.wall)
    return room


def test_fetched_sent_twice_and_decided(due: Room, visitor: TestClient) -> None:
    li = Person(visitor, due, "li", Role.TECHNICIAN)
    wang = Person(visitor, due, "wang", Role.TECHNICIAN)
    zhou = Person(visitor, due, "zhou", Role.FOREMAN)
    fetched = li.ask("GET", "today")
    tag = fetched.headers["ETag"]
    today = fetched.json()
    assert today["person"]["username"] == "li"
    assert today["made_at"].startswith("2025-11-22T09:00:00")
    rounds = {one["id"]: one for one in today["rounds"]}
    pumps = rounds[PUMP_ROOM]
    assert {one["role"] for one in rounds.values()} == {"technician"}
    seen = pumps["version"]
    due.clock.advance(2400)
    assert li.ask("GET", "today", 304, headers={"If-None-Match": f'W/{tag}, "x"'}).content == b""
    ticks = [
        one["key"]
        for one in pumps["lines"]
        if one["answer"] == "tick" and not one["by_telemetry"] and not one["evidence"]
    ]
    first, second = ticks[:2]

    entered = li.entry("round_item", seen, {"item": first, "value": True})
    nonsense = li.entry("round_item", seen, {"item": first, "value": None, "x": "\ud83d"})
    told = li.send(entered, nonsense)
    assert told["clock_offset_s"] == -600
    assert [one["outcome"] for one in told["results"]] == ["applied", "refused"]
    assert told["results"][0]["notes"] == ["clock_off"]
    assert told["results"][0]["corrected_at"].startswith("2025-11-22T09:10:00")
    assert "value" in told["results"][1]["detail"]
    again = li.send(entered, nonsense)["results"]
    assert [(one["outcome"], one["first"]) for one in again] == [
        ("known", "applied"),
        ("known", "refused"),
    ]
    assert li.ask("GET", "today", headers={"If-None-Match": tag}).headers["ETag"] != tag

    wang.send(wang.entry("round_item", seen, {"item": second, "value": False}))
    both = li.entry("round_item", seen, {"item": second, "value": True, "note": "干燥"})
    (result,) = li.send(both)["results"]
    assert (result["outcome"], result["reason"]) == ("conflict", "two_answers")
    assert result["conflict"]["theirs"]["by_name"] == "某wang"
    page = zhou.ask("GET", "conflicts").json()
    (listed,) = page["items"]
    assert page["waiting"] == 1
    assert listed == {**result["conflict"], "may_decide": True}
    assert listed["body"]["note"] == "干燥"
    assert listed["subject_name"]["zh"]
    assert listed["equipment_name"] == next(
        one["equipment"] and one["equipment"]["name"]
        for one in pumps["lines"]
        if one["key"] == second
    )
    page = zhou._client.get(f"/api/v1/rounds/{PUMP_ROOM}", headers=zhou._headers).json()
    row = next(one for one in page["rows"] if one["key"] == second)
    assert [one["id"] for one in row["offline"]] == [listed["id"]]
    decision = {"keep": "mine", "reason": "复看是干的"}
    wang.ask("POST", f"conflicts/{both['id']}/resolve", 404, json=decision)
    li.ask("POST", f"conflicts/{both['id']}/resolve", 403, json=decision)
    decided = zhou.ask("POST", f"conflicts/{both['id']}/resolve", json=decision).json()
    assert decided["decision"]["by"] == "zhou"
    assert zhou.ask("GET", "conflicts").json()["items"] == []
    assert len(zhou.ask("GET", "conflicts?state=all&outcome=all").json()["items"]) == 2
    assert li.send(both)["results"][0]["conflict"]["decision"]["keep"] == "mine"


def test_a_photograph_comes_once_and_is_kept_where_its_round_is_over(
    due: Room, visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    li = Person(visitor, due, "li", Role.TECHNICIAN)
    zhou = Person(visitor, due, "zhou", Role.FOREMAN)
    (pumps,) = [one for one in li.ask("GET", "today").json()["rounds"] if one["id"] == PUMP_ROOM]
    item = pumps["lines"][0]["key"]
    first, late = str(uuid.uuid4()), str(uuid.uuid4())
    assert li.photo(first, pumps["version"], item=item)["outcome"] == "applied"
    assert li.photo(first, pumps["version"], item=item)["outcome"] == "known"
    # What was sent counts, and not what a program makes of it.
    with monkeypatch.context() as newer:
        newer.setattr(attachments, "drawn_anew", lambda data, kind: PNG)
        assert li.photo(first, pumps["version"], item=item)["outcome"] == "known"
    li.photo(first, pumps["version"], 422)
    # Of more than 256 KB it was refused as too large, on the page too.
    on_page = f"/api/v1/rounds/{PUMP_ROOM}/items/{item}/photos"
    assert visitor.post(on_page, headers=li._headers, content=JPEG).status_code == 201
    due.clock.advance(3 * 24 * 3600)
    li = Person(visitor, due, "li2", Role.TECHNICIAN)
    zhou = Person(visitor, due, "zhou2", Role.FOREMAN)
    told = li.photo(late, pumps["version"], item=item)
    assert (told["outcome"], told["reason"]) == ("conflict", "not_open")
    shown = zhou.ask("GET", f"photos/{late}")
    assert shown.content == drawn_anew(JPEG, "image/jpeg")
    assert shown.headers["content-type"] == "image/jpeg"
    zhou.ask("GET", f"photos/{first}", 404)


def test_nothing_is_sent_as_somebody_else(due: Room, visitor: TestClient) -> None:
    li = Person(visitor, due, "li", Role.TECHNICIAN)
    entry = li.entry("round_item", "0", {"item": "x", "value": True})
    refused = li.ask("POST", "entries", 409, json=li.batch(entry, person="wang")).json()
    assert refused["type"] == "urn:dutyroom:problem:other-person"
    assert li.ask("GET", "conflicts?outcome=all").json()["items"] == []
    li.photo(str(uuid.uuid4()), "0", 409, item="x", person="wang")
    li.ask("POST", "entries", 422, json=li.batch(*[entry] * 51))

"""The demonstration's panel over HTTP: who may, what came of it, and no trace at a real site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_room import Room, log_in
from played import RememberedDemo
from starlette.testclient import TestClient

from rules.ledger import audit

ORIGIN = {"Origin": "http://testserver"}
PANEL = "/api/v1/demo/faults"
HOT = {"kind": "dry-run", "subject": "pump-2", "lasts": 120}


@pytest.fixture
def demo(room: Room) -> RememberedDemo:
    room.demo = RememberedDemo()
    return room.demo


@pytest.fixture
def player(demo: RememberedDemo, room: Room) -> Iterator[TestClient]:
    with TestClient(room.app(), headers=ORIGIN) as client:
        log_in(client)
        yield client


def audited(room: Room) -> list[str]:
    with room.ledger.read(room.site.id) as view:
        return [row.action for row in audit.newest(view, limit=50)]


def fault(client: TestClient) -> dict[str, Any]:
    (one,) = client.get(PANEL).json()["faults"]
    return dict(one)


def test_the_alarm_and_the_order_that_came_of_a_fault_are_told_with_it(
    player: TestClient, room: Room
) -> None:
    before = room.raise_alarm()
    room.clear_alarm()
    began = player.post(PANEL, json=HOT)
    assert began.status_code == 201, began.text
    assert fault(player)["alarms"] == [], "what was there before is not of it"
    room.hold({"pump-2.motor_temperature": 80.0}, 12)
    (alarm,) = fault(player)["alarms"]
    assert (alarm["id"], alarm["equipment"], alarm["priority"]) == (before, "pump-2", "major")
    assert alarm["order"]["number"] == 1
    ended = player.post(f"{PANEL}/{fault(player)['id']}/end")
    assert ended.json()["faults"][0]["left"] == 0
    assert player.post(f"{PANEL}/{fault(player)['id']}/end").status_code == 409
    assert [one for one in audited(room) if one.startswith("demo.")] == ["demo.end", "demo.begin"]


def test_the_same_request_again_is_the_same_fault_and_another_waits(
    player: TestClient, demo: RememberedDemo, room: Room
) -> None:
    key = {"Idempotency-Key": "k"}
    assert [player.post(PANEL, json=HOT, headers=key).status_code for _ in range(2)] == [201, 201]
    assert len(demo.known) == 1
    assert audited(room).count("demo.begin") == 1
    again = player.post(PANEL, json=HOT)
    assert again.status_code == 409 and again.json()["type"].endswith("under-way")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**HOT, "subject": "smoke-101"}, 422),
        ({**HOT, "kind": "earthquake"}, 422),
        ({**HOT, "subject": "../pump-2"}, 422),
        ({**HOT, "lasts": 86_400}, 422),
    ],
)
def test_what_is_not_offered_is_refused(
    player: TestClient, demo: RememberedDemo, body: dict[str, Any], status: int
) -> None:
    assert player.post(PANEL, json=body).status_code == status
    assert demo.known == []


def test_while_nobody_plays_it_is_said_and_nothing_is_noted(
    player: TestClient, demo: RememberedDemo, room: Room
) -> None:
    demo.away = True
    assert player.get(PANEL).json()["players"] == "away"
    assert player.post(PANEL, json=HOT).status_code == 503
    assert "demo.begin" not in audited(room)


def test_at_a_real_site_there_is_nothing_whoever_asks(visitor: TestClient) -> None:
    for asked in ("nobody", "the admin"):
        if asked == "the admin":
            log_in(visitor)
            assert visitor.get("/api/v1/site").json()["demo_faults"] is False
        assert visitor.get(PANEL).status_code == 404
        assert visitor.post(PANEL, json=HOT, headers=ORIGIN).status_code == 404
        assert visitor.post(f"{PANEL}/x/end", headers=ORIGIN).status_code == 404

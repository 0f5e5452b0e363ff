"""Maintenance plans over HTTP: what is due, the year, and what people do with it."""

from __future__ import annotations

import pytest
from api_room import Room
from staff import cookie, hire, session
from starlette.testclient import TestClient

from gateway.latest import Current
from gateway.model.moment import DAY, SECOND
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.people.roles import Role
from rules.plans.upkeep import Upkeep

PLANS = "/api/v1/plans"
LIFT = "lift-half-monthly.lift-1.2026-01-16"


@pytest.fixture
def people(room: Room) -> dict[str, dict[str, str]]:
    """To 2026-01-13 18:00 in Shanghai; the headers of the manager, the foreman, a technician."""
    roles = {"zhang": Role.ENGINEERING_MANAGER, "wang": Role.FOREMAN, "ma": Role.TECHNICIAN}
    keep(room, {"pump-1": 100})
    room.clock.advance(53 * DAY / SECOND)
    keep(room, {"pump-1": 600})
    now = room.clock.now()
    for name, role in roles.items():
        hire(room.ledger, room.site, name, role, now)
    return {name: cookie(session(room.ledger, room.site.id, name, now)) for name in roles}


def keep(room: Room, hours: dict[str, float]) -> None:
    """What the service does."""
    upkeep = Upkeep(site=room.site, rulebook=room.rulebook, ledger=room.ledger)
    now = room.clock.now()
    upkeep.plan(now)
    said = {
        f"{name}.run_hours": Current(
            reading=Reading(
                value=value,
                text=None,
                quality=Quality.GOOD,
                reason=None,
                received=now.wall,
                source_time=now.wall,
            ),
            last_good=None,
        )
        for name, value in hours.items()
    }
    upkeep.count(now, said)
    upkeep.keep(now, told=now.wall)


def test_what_is_due_with_its_order_its_steps_and_its_counters(
    visitor: TestClient, room: Room, people: dict[str, dict[str, str]]
) -> None:
    visitor.headers.update(people["ma"])
    found = {one["id"]: one for one in visitor.get(PLANS).json()["items"]}
    lifts = found["lift-half-monthly"]
    assert (lifts["every"], lifts["allowed_days"]) == ("15 days", 3)
    assert [(one["id"], one["next"]["state"]) for one in lifts["subjects"]] == [
        ("lift-1", "due"),
        ("lift-2", "due"),
    ]
    pump = found["pump-lubrication"]["subjects"][0]
    (counter,) = pump["next"]["counters"]
    assert (counter["grown"], counter["every"], counter["stand"]) == (500, 2000, "stale")
    due = visitor.get(f"{PLANS}/due").json()["items"]
    assert [one["id"] for one in due][:2] == [LIFT, LIFT.replace("lift-1", "lift-2")]
    assert {one["state"] for one in due} == {"due", "planned"}
    mine = visitor.get(f"{PLANS}/due", params={"equipment": "pump-1"}).json()["items"]
    assert mine == [], "a year ahead"
    whole = visitor.get(f"{PLANS}/due/{LIFT}").json()
    assert len(whole["steps"]) == 6
    assert [one["event"] for one in whole["events"]] == ["plan", "open"]
    of_order = visitor.get(f"{PLANS}/due", params={"order": whole["order"]}).json()["items"]
    assert [one["id"] for one in of_order] == [LIFT]
    assert visitor.get(f"/api/v1/orders/{whole['order']}").json()["source"] == "plan"
    assert visitor.get(f"{PLANS}/lift-half-monthly").json()["past"] == []
    assert visitor.get(f"{PLANS}/nothing").status_code == 404
    assert visitor.get(f"{PLANS}/due/nothing").status_code == 404
    paged, cursor = [], None
    while cursor is not None or not paged:
        page = visitor.get(
            f"{PLANS}/due", params={"limit": 2, "cursor": cursor or ""} if cursor else {"limit": 2}
        ).json()
        paged += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert paged == [one["id"] for one in due]


def test_the_year_counts_what_was_and_what_is_to_come(
    visitor: TestClient, people: dict[str, dict[str, str]]
) -> None:
    visitor.headers.update(people["ma"])
    rows = visitor.get(f"{PLANS}/year", params={"year": 2026}).json()["rows"]
    lifts = next(one for one in rows if one["plan"] == "lift-half-monthly")
    january = lifts["months"][0]
    # 16 and 31 January, of two lifts.
    assert (january["month"], january["due"], january["planned"]) == (1, 2, 2)
    assert sum(one["planned"] + one["due"] for one in lifts["months"]) == 48


def test_postponing_takes_the_foreman_once_and_then_the_manager(
    visitor: TestClient, people: dict[str, dict[str, str]]
) -> None:
    due = visitor.get(f"{PLANS}/due", headers=people["ma"]).json()["items"]
    assert due
    body = {"to": "2026-01-18", "reason": "备件未到"}
    refused = visitor.post(f"{PLANS}/due/{LIFT}/postpone", json=body, headers=people["wang"])
    assert refused.status_code == 422, "the law's interval is not put off"
    drill = "tank-cleaning.b1-pump-room.2026-04-15"
    assert visitor.get(f"{PLANS}/due/{drill}", headers=people["ma"]).status_code == 404
    recorded = visitor.post(f"{PLANS}/due/{LIFT}/record-done", json={}, headers=people["ma"])
    assert (recorded.status_code, recorded.json()["type"][-8:]) == (409, "conflict")
    reason = {"reason": "拆除"}
    assert (
        visitor.post(f"{PLANS}/due/{LIFT}/void", json=reason, headers=people["wang"]).status_code
        == 403
    )
    gone = visitor.post(f"{PLANS}/due/{LIFT}/void", json=reason, headers=people["zhang"])
    assert (gone.status_code, gone.json()["state"], gone.json()["void_by"]) == (
        200,
        "void",
        "zhang",
    )
    order = visitor.get(f"/api/v1/orders/{gone.json()['order']}", headers=people["ma"]).json()
    assert order["state"] == "void"
    later = LIFT.replace("01-16", "01-31")
    visitor.headers.update(people["ma"])
    body = {"note": "厂家", "labour_minutes": 90}
    refused = visitor.post(f"{PLANS}/due/{later}/record-done", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "body.unticked_why")
    for step in range(1, 6):
        found = visitor.post(f"{PLANS}/due/{later}/steps/{step}", json={"done": True}).json()
    assert [one["done_by"] for one in found["steps"]] == [*("ma",) * 5, None]
    assert visitor.post(f"{PLANS}/due/{later}/steps/7", json={"done": True}).status_code == 404
    body["unticked_why"] = "底坑有积水"
    done = visitor.post(f"{PLANS}/due/{later}/record-done", json=body).json()
    assert (done["state"], done["done_by"], done["done_note"]) == ("done", "ma", "厂家")
    assert (done["labour_minutes"], done["unticked_why"]) == (90, "底坑有积水")
    over = visitor.post(f"{PLANS}/due/{later}/steps/6", json={"done": True})
    assert over.status_code == 409

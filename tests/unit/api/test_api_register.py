"""The equipment register over HTTP."""

from __future__ import annotations

import re
from typing import Any

import pytest
from api_room import Room
from photographs import JPEG
from staff import cookie, hire, session
from starlette.testclient import TestClient

from api import register_importing, register_workbook
from rules.drawn_anew import drawn_anew
from rules.people.roles import Role
from rules.register.sheets import EQUIPMENT_SHEET

ORIGIN = {"Origin": "http://testserver"}
BOX: dict[str, Any] = {
    "version": 0,
    "attributes": {
        "name_zh": "灭火器箱 <1>",
        "area": "garage",
        "equipment_class": "extinguisher",
        "warranty_until": "2025-12-01",
        "serial": "",
    },
    "dates": [{"kind": "extinguisher_service", "next_due": "2025-11-01"}],
    "parts": [{"name": "灭火器", "quantity": 1, "minimum": 2}],
}


def put(client: TestClient, equipment: str, body: dict[str, Any]) -> Any:
    return client.put(f"/api/v1/register/{equipment}", json=body, headers=ORIGIN)


@pytest.fixture
def box(client: TestClient) -> dict[str, Any]:
    answer = put(client, "box-1", BOX)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_register_lists_what_the_gateway_reaches_and_what_it_does_not(
    client: TestClient, room: Room, box: dict[str, Any]
) -> None:
    page = client.get("/api/v1/register?limit=500").json()
    assert page["total"] == len(room.site.equipment) + 1
    assert (box["reached"], box["attributes"]["serial"], box["low_parts"]) == (False, None, 1)
    # The clock of the room stands on 2025-11-21.
    assert [(one["kind"], one["stage"], one["days"]) for one in box["dues"]] == [
        ("extinguisher_service", "passed", -20),
        ("warranty", "near", 10),
    ]
    for query in ("due=passed", "due=near", "low_parts=true", "class=extinguisher", "q=灭火"):
        found = client.get(f"/api/v1/register?{query}").json()
        assert [one["equipment"] for one in found["items"]] == ["box-1"], query
    first = client.get("/api/v1/register?area=garage&limit=1").json()
    second = client.get(f"/api/v1/register?area=garage&limit=500&cursor={first['next']}").json()
    names = [one["equipment"] for one in (*first["items"], *second["items"])]
    assert len(set(names)) == len(names) == first["total"]
    assert "box-1" in names
    assert "extinguisher" in client.get("/api/v1/register-book").json()["classes"]


def test_a_record_is_changed_from_the_version_that_was_seen(
    client: TestClient, box: dict[str, Any]
) -> None:
    assert put(client, "box-1", BOX).status_code == 409
    refused = put(client, "box-2", {**BOX, "attributes": {"area": "garage"}})
    assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "body.name_zh")
    assert client.get("/api/v1/register/box-2").status_code == 404
    changed = put(client, "box-1", {**BOX, "version": 1, "parts": []})
    assert changed.json()["version"] == 2
    past = client.get("/api/v1/register/box-1/past").json()
    assert [one["version"] for one in past["changes"]] == [2, 1]
    assert [one["field"] for one in past["changes"][0]["fields"]] == ["parts.灭火器"]
    assert past["findings"] == past["service"] == []


def test_what_counts_no_hours_has_run_none_that_anybody_knows(client: TestClient) -> None:
    assert client.get("/api/v1/register/pump-2/run-hours").json() == {"items": []}
    assert client.get("/api/v1/register/nothing/run-hours").status_code == 404


def test_out_of_service_is_on_its_time_line(client: TestClient) -> None:
    where = "/api/v1/equipment/pump-2"
    assert client.post(
        f"{where}/out-of-service", json={"reason": "大修"}, headers=ORIGIN
    ).is_success
    assert client.post(f"{where}/in-service", json={}, headers=ORIGIN).is_success
    past = client.get("/api/v1/register/pump-2/past").json()
    assert [(one["out"], one["reason"]) for one in past["service"]] == [
        (False, None),
        (True, "大修"),
    ]


def test_papers_of_equipment_are_kept_like_those_of_orders(
    client: TestClient, room: Room, box: dict[str, Any]
) -> None:
    where = "/api/v1/register/box-1/attachments"
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    technician = cookie(session(room.ledger, room.site.id, "li", room.clock.now()))
    kept = client.post(where, content=JPEG, headers={**ORIGIN, **technician}).json()
    assert kept["by"] == "li", "who stands before it with a camera"
    assert client.get(f"/api/v1/attachments/{kept['id']}").content == drawn_anew(JPEG, "image/jpeg")
    room.clock.advance(1)
    assert client.post(f"{where}?kind=document", content=b"%PDF-1.7", headers=ORIGIN).is_success
    assert client.post(where, content=b"MZ", headers=ORIGIN).status_code == 422
    assert client.post(f"{where}?kind=signature", content=JPEG, headers=ORIGIN).status_code == 422
    gone = "/api/v1/register/box-9/attachments"
    assert client.post(gone, content=JPEG, headers=ORIGIN).status_code == 404
    strike = f"/api/v1/attachments/{kept['id']}/strike"
    reason = {"reason": "别的箱"}
    assert client.post(strike, json=reason, headers={**ORIGIN, **technician}).status_code == 403
    assert client.post(strike, json=reason, headers=ORIGIN).is_success
    listed = client.get("/api/v1/register/box-1").json()["attachments"]
    assert [(one["kind"], one["struck_why"]) for one in listed] == [
        ("photo", "别的箱"),
        ("document", None),
    ]


def test_a_workbook_goes_out_and_comes_back_whole_or_not_at_all(
    client: TestClient, room: Room, box: dict[str, Any]
) -> None:
    client.app.state.jobs = AtOnce(room)  # type: ignore[attr-defined]
    answer = client.get("/api/v1/register.xlsx?area=garage")
    sheets = register_workbook.cells(answer.content)
    head, *rows = sheets[EQUIPMENT_SHEET]
    column = {str(title).split()[-1]: at for at, title in enumerate(head)}
    row = next(one for one in rows if one[column["equipment"]] == "box-1")
    row[column["model"]] = "MFZ/ABC4"

    def send(query: str = "") -> Any:
        data = register_workbook.workbook(sheets, [])
        begun = client.post(f"/api/v1/register-imports{query}", content=data, headers=ORIGIN)
        assert begun.status_code == 201, begun.text
        return ended(begun)["result"]

    def ended(begun: Any) -> dict[str, Any]:
        job = client.get(f"/api/v1/register-imports/{begun.json()['id']}").json()
        assert isinstance(job, dict)
        return job

    would = send("?dry_run=true")
    assert would["errors"] == []
    assert (would["done"], would["changed"], would["unchanged"]) == (False, 1, len(rows) - 1)
    assert would["changes"][0]["fields"] == [
        {"field": "model", "before": None, "after": "MFZ/ABC4"}
    ]
    row[column["purchased_on"]] = "昨天"
    wrong = send("?dry_run=true")["errors"]
    refused = send()
    number = rows.index(row) + 2
    assert [one["where"] for one in wrong] == [f"台账!I{number}"]
    assert (refused["done"], refused["errors"][0]["where"]) == (False, f"台账!I{number}")
    assert client.get("/api/v1/register/box-1").json()["version"] == 1
    row[column["purchased_on"]] = "2024/5/1"
    assert send()["done"]
    record = client.get("/api/v1/register/box-1").json()
    assert (record["version"], record["attributes"]["purchased_on"]) == (2, "2024-05-01")
    assert record["dates"] == box["dates"]
    assert send()["errors"], "its versions are of yesterday"
    nothing = ended(client.post("/api/v1/register-imports", content=b"PK", headers=ORIGIN))
    assert (nothing["state"], nothing["detail"]) == ("failed", "is no XLSX workbook")
    client.app.state.jobs = None  # type: ignore[attr-defined]
    there = client.post("/api/v1/register-imports", content=b"PK", headers=ORIGIN)
    assert there.status_code == 409, "nothing here runs long jobs"


class AtOnce:
    """Does a job where it is begun."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def start(self, name: str, do: str, given: bytes) -> None:
        room = self._room
        assert do == "register-job"
        register_importing.do(
            name,
            given,
            site=room.site,
            rulebook=room.rulebook,
            ledger=room.ledger,
            clock=room.clock,
        )
        room.clock.advance(1)


def test_labels_lead_to_the_page_of_each_equipment(client: TestClient, box: dict[str, Any]) -> None:
    page = client.get("/api/v1/register-labels?equipment=box-1&equipment=pump-1").text
    assert page.count("<svg") == 2
    assert "灭火器箱 &lt;1&gt;" in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="', page), "one file, that needs nothing else"
    assert client.get("/api/v1/register-labels?area=garage").is_success

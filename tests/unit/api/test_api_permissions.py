"""Experiment 59: every route × every role, nobody, a machine, and somebody of another site.

Requests are made from the description (the example of each document is a valid one), what must
come of them from the one table in ``route_permissions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from api_room import Room
from played import RememberedDemo
from route_permissions import NEEDS, SCREENS, Who
from staff import cookie, hire, session
from starlette.testclient import TestClient

from api.app import described_app
from rules.ledger import audit
from rules.people import kiosks, tokens
from rules.people.accounts import Visit
from rules.people.roles import PROGRAM, Actor, Permission, Role, Via

DESCRIPTION = described_app().openapi()
ENDLESS = "GET /api/v1/stream"
PLACES = {"username": "no-such-person", "date": "2026-11-23", "step": "1"}
QUERIES = {
    "GET /api/v1/roster": "?from=2026-11-21&to=2026-11-22",
    "GET /api/v1/roster/overrides": "?from=2026-11-21&to=2026-11-22",
    "GET /api/v1/roster/leaves": "?from=2026-11-21&to=2026-11-22",
    "GET /api/v1/calendar": "?year=2026",
}


@pytest.fixture
def room(room: Room) -> Room:
    """With every route there is: a demonstration's too."""
    room.demo = RememberedDemo()
    return room


@dataclass(frozen=True)
class Operation:
    """One route, and a valid request for it."""

    name: str
    method: str
    address: str
    body: Any


def operations() -> list[Operation]:
    return [
        Operation(
            name := f"{method.upper()} {path}",
            method.upper(),
            _address(path, operation) + QUERIES.get(name, ""),
            _body(operation),
        )
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
    ]


def _address(path: str, operation: Mapping[str, Any]) -> str:
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        path = path.replace(f"{{{name}}}", PLACES.get(name, "no-such-thing"))
    return path


def _body(operation: Mapping[str, Any]) -> Any:
    if "application/json" not in operation.get("requestBody", {}).get("content", {}):
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    reference = schema.get("$ref") or schema["anyOf"][0]["$ref"]
    return DESCRIPTION["components"]["schemas"][reference.rsplit("/", 1)[1]]["example"]


OPERATIONS = operations()


def ask(client: TestClient, operation: Operation, headers: Mapping[str, str]) -> Any:
    client.cookies.clear()
    return client.request(
        operation.method, operation.address, json=operation.body, headers=dict(headers)
    )


def is_denied(answer: Any) -> bool:
    """For want of a permission; a wrong password in the body is another 403."""
    return bool(
        answer.status_code == 403 and answer.json()["type"] == "urn:dutyroom:problem:forbidden"
    )


def may(role: Role, operation: Operation, *, machine: bool = False) -> bool:
    needs = NEEDS[operation.name]
    if not isinstance(needs, Who):
        via = Via.TOKEN if machine else Via.SESSION
        actor = Actor(username="x", role=role, via=via)
        return any(actor.may(one) for one in ((needs,) if isinstance(needs, Permission) else needs))
    return needs is Who.ANYBODY or (needs is Who.PERSON and not machine)


def test_every_route_is_in_the_table_and_nothing_else() -> None:
    assert {operation.name for operation in OPERATIONS} == set(NEEDS)


def test_the_table_says_the_same_as_the_description_about_who_may_come_without_log_in() -> None:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            is_open = NEEDS[f"{method.upper()} {path}"] is Who.ANYBODY
            assert is_open is not bool(operation.get("security")), (method, path)


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    visitor: TestClient, room: Room, role: Role
) -> None:
    hire(room.ledger, room.site, f"the-{role}", role, room.clock.now())
    wrong = []
    for operation in OPERATIONS:
        if operation.name == ENDLESS:
            continue
        # Of very many refusals in a minute not all are written.
        room.clock.advance(3)
        headers = cookie(session(room.ledger, room.site.id, f"the-{role}", room.clock.now()))
        answer = ask(visitor, operation, headers)
        if is_denied(answer) is may(role, operation):
            wrong.append((operation.name, answer.status_code, answer.text))
        if may(role, operation) and operation.name != "POST /api/v1/login":
            assert answer.status_code != 401, operation.name
    assert wrong == []
    with room.ledger.read(room.site.id) as view:
        written = {
            row.subject
            for row in audit.newest(view, limit=1000, by=f"the-{role}")
            if row.action == "denied"
        }
    denied = {
        one.name.replace("/api/v1", "")
        for one in OPERATIONS
        if not may(role, one) and NEEDS[one.name] is not Who.SCREEN
    }
    assert written == denied, "every one that was denied is in the audit"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.TECHNICIAN])
def test_a_machine_may_do_what_its_role_may_but_is_nobody_and_edits_no_people(
    visitor: TestClient, room: Room, role: Role
) -> None:
    token, _ = tokens.issue(
        room.ledger,
        room.site,
        name="machine",
        role=role,
        areas=(),
        expires_on=None,
        actor=PROGRAM,
        now=room.clock.now(),
    )
    headers = {"Authorization": f"Bearer {token}"}
    for operation in OPERATIONS:
        if operation.name in (ENDLESS, "POST /api/v1/login"):
            continue
        answer = ask(visitor, operation, headers)
        assert is_denied(answer) is not may(role, operation, machine=True), operation.name
        assert answer.status_code != 401, operation.name


def test_a_screen_may_ask_for_what_it_shows_and_for_nothing_else(
    visitor: TestClient, room: Room
) -> None:
    ledger, site, now = room.ledger, room.site, room.clock.now()
    key, _ = kiosks.make(ledger, site, name="east", areas=(), actor=PROGRAM, now=now)
    token = kiosks.enter(ledger, site.id, key, Visit(), now)
    headers = {"Cookie": f"dutyroom_screen={token}"}
    for operation in OPERATIONS:
        if operation.name == ENDLESS or NEEDS[operation.name] is Who.ANYBODY:
            continue
        answer = ask(visitor, operation, headers)
        assert is_denied(answer) is (operation.name not in SCREENS), operation.name
        assert answer.status_code != 401, operation.name
    person = session(ledger, site.id, "admin", now)
    both = {"Cookie": f"dutyroom_screen={token}; dutyroom_session={person}"}
    assert visitor.get("/api/v1/me", headers=both).status_code == 200, "a person comes first"
    with ledger.read(site.id) as view:
        rows = audit.newest(view, limit=1000, by="kiosk:east")
    assert ("denied", "GET /me") in {(row.action, row.subject) for row in rows}


def test_nobody_gets_anywhere_without_a_session(visitor: TestClient, room: Room) -> None:
    for operation in OPERATIONS:
        for headers in ({}, cookie("drs_made-up"), {"Authorization": "Bearer drt_made-up"}):
            if NEEDS[operation.name] is not Who.ANYBODY:
                assert ask(visitor, operation, headers).status_code == 401, operation.name


def test_somebody_of_another_site_is_nobody_here(visitor: TestClient, room: Room) -> None:
    there = replace(room.site, id="river-bank")
    now = room.clock.now()
    hire(room.ledger, there, "ma", Role.ADMIN, now, password="long enough")
    token, _ = tokens.issue(
        room.ledger,
        there,
        name="machine",
        role=Role.ADMIN,
        areas=(),
        expires_on=None,
        actor=PROGRAM,
        now=now,
    )
    theirs = cookie(session(room.ledger, there.id, "ma", now))
    for operation in OPERATIONS:
        if NEEDS[operation.name] is Who.ANYBODY:
            continue
        for headers in (theirs, {"Authorization": f"Bearer {token}"}):
            assert ask(visitor, operation, headers).status_code == 401, operation.name
    visitor.cookies.clear()
    answer = visitor.post("/api/v1/login", json={"username": "ma", "password": "long enough"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    with room.ledger.read(room.site.id) as view:
        (row,) = audit.newest(view, limit=1)
    assert (row.action, row.by, row.subject) == ("denied", "ma", "log in")


def test_who_has_areas_acts_in_those_only(visitor: TestClient, room: Room) -> None:
    alarm = room.raise_alarm()
    order = f"{alarm}.order"
    now = room.clock.now()
    hire(room.ledger, room.site, "near", Role.FOREMAN, now, areas=("b1-pump-room",))
    hire(room.ledger, room.site, "far", Role.FOREMAN, now, areas=("gate-lobby",))

    def headers(name: str) -> dict[str, str]:
        return cookie(session(room.ledger, room.site.id, name, room.clock.now()))

    for path in (f"alarms/{alarm}/acknowledge", f"orders/{order}/accept"):
        refused = visitor.post(f"/api/v1/{path}", headers=headers("far"))
        assert refused.status_code == 403
        assert "in the area b1-pump-room" in refused.json()["detail"]
        assert visitor.post(f"/api/v1/{path}", headers=headers("near")).status_code == 200
    assert visitor.get(f"/api/v1/orders/{order}", headers=headers("far")).status_code == 200
    with room.ledger.read(room.site.id) as view:
        rows = audit.newest(view, limit=10, by="far")
    assert {row.detail["area"] for row in rows} == {"b1-pump-room"}


def test_a_flood_of_denials_is_written_at_a_bounded_rate(visitor: TestClient, room: Room) -> None:
    """And how many were left out is told by the next one."""
    hire(room.ledger, room.site, "zhou", Role.OFFICER, room.clock.now())
    headers = cookie(session(room.ledger, room.site.id, "zhou", room.clock.now()))

    def rows() -> list[audit.AuditRow]:
        with room.ledger.read(room.site.id) as view:
            found = audit.newest(view, limit=1000, by="zhou")
        return [row for row in found if row.action == "denied"]

    for number in range(200):
        path = f"/api/v1/orders/order-{number}/accept"
        assert visitor.post(path, headers=headers).status_code == 403
    assert len(rows()) == 1
    room.clock.advance(61)
    visitor.post("/api/v1/orders/x/accept", headers=headers)
    newest, first = rows()
    assert "left_out" not in first.detail
    assert newest.detail["left_out"] == 199

"""Links, profiles, probes and commands over HTTP, with a gateway of the test's on the bus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from answering_gateway import Gateway
from api_room import Room
from starlette.testclient import TestClient

from api.views import devices as views
from gateway.bus.questions import QuestionRefusedError
from gateway.model.equipment import AllowedCommand
from gateway.profile.document import PointDocument
from rules.commands import actions
from rules.ledger import audit
from rules.people.roles import Actor, Role


@pytest.fixture
def room(room: Room) -> Room:
    """The demonstration site, with one command allowed."""
    allowed = AllowedCommand(
        equipment="garden-lights", point="output", low=0, high=1, roles=("admin", "technician")
    )
    room.site = replace(room.site, commands=(allowed,))
    return room


@pytest.fixture
def gateway(room: Room) -> Gateway:
    gateway = Gateway()
    gateway.answer_in(room)
    return gateway


def propose(client: TestClient, value: float = 1, point: str = "output") -> Any:
    body = {"point": point, "value": value}
    return client.post("/api/v1/equipment/garden-lights/commands", json=body)


def audited(room: Room) -> list[str]:
    with room.ledger.read(room.site.id) as view:
        return [row.action for row in audit.newest(view, limit=20)]


def test_links_are_told_with_their_units_and_what_waits(
    client: TestClient, gateway: Gateway
) -> None:
    links = client.get("/api/v1/links").json()
    modbus, mqtt = links["items"]
    assert modbus["units"][0]["silent"] and modbus["dead_addresses"][0]["address"] == 40
    assert "pump-2" in modbus["equipment"], "from the site file, not only what the gateway says"
    assert [mqtt[key] for key in ("connected", "requests", "heard", "lost")] == [False, None, 12, 1]
    assert links["quarantine"]["entries"][0]["at"].startswith("2025-11-21T18:00:00")
    assert links["spool"]["disk_failing_since"] is not None


def test_a_silent_gateway_is_said_so(client: TestClient, monkeypatch: Any) -> None:
    monkeypatch.setattr("api.routes.links._LINKS_WITHIN_S", 0.05)
    answer = client.get("/api/v1/links")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("gateway-silent")


def test_profiles_name_each_place_as_the_manual_does(client: TestClient) -> None:
    profiles = {one["id"]: one for one in client.get("/api/v1/profiles").json()["items"]}
    assert profiles["grundfos-ciu-pump"]["equipment"] == ["pump-1", "pump-2", "pump-3"]
    one = client.get("/api/v1/profiles/grundfos-ciu-pump").json()
    assert one["parameters"][0]["name"] == "pump"
    places = {point["key"]: point["place"] for point in one["point_list"]}
    assert places["running"] == "holding 401 uint16 bit 1" or "401" in places["running"]
    assert client.get("/api/v1/profiles/nothing").status_code == 404


def test_an_administrator_probes_through_the_gateway(
    client: TestClient, gateway: Gateway, room: Room
) -> None:
    body = {"unit": 2, "profile": "eastron-sdm630", "parameters": {}}
    answer = client.post("/api/v1/links/pump-room/probe", json=body)
    assert answer.json()["points"][0]["hint"]["en"] == "the order may be CDAB"
    assert "device.probe" in audited(room)
    assert client.post("/api/v1/links/nowhere/probe", json=body).status_code == 404
    refused = client.post("/api/v1/links/pump-room/probe", json={**body, "unit": 99})
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:dutyroom:problem:unknown-unit",
    )


def test_a_command_is_sent_by_its_confirmation_once(
    client: TestClient, gateway: Gateway, room: Room
) -> None:
    room.receive({"garden-lights.output": 0.0})
    proposed = propose(client)
    assert proposed.status_code == 201, proposed.text
    command = proposed.json()
    assert (command["state"], command["before"], command["value"]) == ("proposed", 0.0, 1.0)
    assert gateway.written == [], "a proposal tells the device nothing"
    url = f"/api/v1/commands/{command['id']}/confirm"
    key = {"Idempotency-Key": "k1"}
    assert client.post(url, headers=key).json()["state"] == "done"
    assert client.post(url, headers=key).json()["read_back"] == 1.0
    assert client.post(url).status_code == 409
    (written,) = gateway.written
    assert (written["equipment"], written["point"], written["value"]) == (
        "garden-lights",
        "output",
        1.0,
    )
    assert {"device.command", "device.command.done"} <= set(audited(room))


def test_what_is_not_on_the_list_is_refused_and_audited(
    client: TestClient, gateway: Gateway, room: Room
) -> None:
    """Experiment 65: a write off the allowlist."""
    assert propose(client, value=2).status_code == 403
    assert propose(client, point="feedback").status_code == 403
    body = {"point": "entrapment", "value": 0}
    assert client.post("/api/v1/equipment/lift-1/commands", json=body).status_code == 403
    assert "denied" in audited(room)
    assert gateway.written == []


def test_a_proposal_says_nothing_after_a_minute(
    client: TestClient, gateway: Gateway, room: Room
) -> None:
    command = propose(client).json()
    room.clock.advance(61)
    answer = client.post(f"/api/v1/commands/{command['id']}/confirm")
    assert answer.status_code == 409
    assert gateway.written == []


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("not_allowed", "refused"),
        ("too_late", "refused"),
        ("not_confirmed", "unknown"),
        ("device_refused", "unknown"),
        ("a_code_of_tomorrow", "unknown"),
    ],
)
def test_what_the_gateway_refused_is_told_from_what_nobody_knows(
    client: TestClient, gateway: Gateway, code: str, state: str
) -> None:
    gateway.refusal = QuestionRefusedError(code, "so it is")
    command = propose(client).json()
    ended = client.post(f"/api/v1/commands/{command['id']}/confirm").json()
    assert (ended["state"], ended["why"]) == (state, code)
    assert client.get("/api/v1/commands").json()["items"][0]["state"] == state


def test_a_gateway_that_dies_meanwhile_leaves_the_outcome_unknown(
    client: TestClient, room: Room, monkeypatch: Any
) -> None:
    monkeypatch.setattr("api.routes.commands._WITHIN_S", 0.05)
    command = propose(client).json()
    ended = client.post(f"/api/v1/commands/{command['id']}/confirm").json()
    assert (ended["state"], ended["why"]) == ("unknown", "gateway_silent")


def test_a_command_that_an_api_left_behind_is_shown_as_unknown(
    client: TestClient, gateway: Gateway, room: Room
) -> None:
    command = propose(client).json()
    actor = Actor(username=command["by"], role=Role.ADMIN)
    actions.confirm(room.ledger, room.site, command["id"], actor=actor, now=room.clock.now())
    assert client.get("/api/v1/commands").json()["items"][0]["state"] == "sent"
    room.clock.advance(76)
    for _ in range(2):
        (shown,) = client.get("/api/v1/commands").json()["items"]
        assert (shown["state"], shown["why"]) == ("unknown", "api_gone")
    assert audited(room).count("device.command.unknown") == 1


def test_a_place_says_how_a_swapped_register_and_a_text_lie() -> None:
    """The order of a single register whose bytes are swapped was not shown."""
    said = {"function": "holding", "register": 7, "type": "uint16", "order": "BADC"}
    text = {"function": "holding", "register": 9, "type": "ascii", "length": 4}
    names = {"key": "x", "name": {"zh": "名", "en": "Name"}, "source": "page 1"}
    for place, shown in (
        (said, "holding 7 uint16 BADC"),
        (said | {"order": "ABCD"}, "holding 7 uint16"),
        (text, "holding 9 ascii[4] ABCD"),
    ):
        kind = "text" if "length" in place else "number"
        point = PointDocument.model_validate({**names, "kind": kind, "modbus": place})
        assert views._place(point) == shown


def test_who_may_command_sees_what(client: TestClient) -> None:
    allowed = client.get("/api/v1/equipment/garden-lights/commands").json()["items"]
    assert [one["point"] for one in allowed] == ["garden-lights.output"]
    assert set(allowed[0]["states"]) == {"0", "1"}
    assert client.get("/api/v1/equipment/lift-1/commands").json()["items"] == []

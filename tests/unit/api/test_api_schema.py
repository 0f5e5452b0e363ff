"""Experiment 57: every operation of the description, with requests made from it, whoever asks.

The answer is one that the description names, in the form that it gives, and never a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from api_room import Room, log_in
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import validator_for
from starlette.testclient import TestClient

from api.app import described_app
from rules.people.roles import Role

EXAMPLES = 4
"""Requests an operation and asker; `make bench` is for more."""
LIVE = "/api/v1/stream"
"""Does not end by itself; tests of its own look at it."""
REAL = {
    "equipment_id": "pump-2",
    "point_id": "pump-2.motor_temperature",
    "username": "li",
    "date": "2026-10-01",
}
"""What stands in for a made-up part of the path every other time."""

DESCRIPTION = described_app().openapi()
OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()
]
ASKERS = ["nobody", *Role]


@pytest.fixture
def token(room: Room, request: pytest.FixtureRequest) -> str | None:
    """The token of a machine with the role that the test asks for."""
    room.raise_alarm()
    role = request.getfixturevalue("asker")
    if role == "nobody":
        return None
    with TestClient(room.app()) as admin:
        log_in(admin)
        made = admin.post(
            "/api/v1/tokens",
            json={"name": f"of-{role}", "role": role, "areas": [], "expires_on": None},
        )
        assert made.status_code == 201, made.text
        return str(made.json()["token"])


@pytest.fixture
def visitor(room: Room, token: str | None) -> Iterator[TestClient]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with TestClient(room.app(), headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("asker", ASKERS)
def test_no_request_made_from_the_description_fails(
    asker: str, room: Room, visitor: TestClient
) -> None:
    (alarm,) = room.alarm_ids()
    real = {**REAL, "alarm_id": alarm, "order_id": f"{alarm}.order"}
    answers = Counter(
        answer
        for operation in OPERATIONS
        if operation.path != LIVE
        for answer in _ask(operation, visitor, real)
    )
    print(f"{asker}: {answers.total()} requests, {dict(sorted(answers.items()))}")
    assert answers.total() >= len(OPERATIONS)
    assert answers[401 if asker == "nobody" else 200]


def _ask(operation: Any, visitor: TestClient, real: Mapping[str, str]) -> list[int]:
    """Ask for one operation with several generated requests; the codes that came back."""
    answers: list[int] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if len(answers) % 2:
            parts = case.path_parameters or {}
            case.path_parameters = {name: real.get(name, value) for name, value in parts.items()}
            for signing in ("Signing-User", "Signing-Pin"):
                (case.headers or {}).pop(signing, None)
        sent = case.as_transport_kwargs(base_url="http://testserver")
        # Who is asking is ours to say.
        del sent["cookies"]
        sent["headers"].pop("Authorization", None)
        answer = visitor.request(**sent)
        # The example of the log-in is the one that works in the tests.
        visitor.cookies.clear()
        answers.append(answer.status_code)
        told = f"{sent['method']} {sent['url']} {sent.get('json')}: {answer.status_code}"
        _conforms(operation, answer, f"{told} {answer.text[:500]}")

    ask()
    return answers


def _conforms(operation: Any, answer: Any, told: str) -> None:
    described = DESCRIPTION["paths"][operation.path][operation.method]["responses"]
    assert answer.status_code < 500, told
    assert str(answer.status_code) in described, f"not described: {told}"
    content = described[str(answer.status_code)].get("content", {})
    if not answer.content or not content:
        return
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in content, told
    if kind.endswith("json"):
        schema = {**content[kind]["schema"], "components": DESCRIPTION["components"]}
        assert validator_for(schema).is_valid(answer.json()), told

"""Experiment 57: every operation of the description, with requests made from it, whoever asks.

The answer is one that the description names, in the form that it gives, and never a failure.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
import schemathesis
from answering_gateway import Gateway
from api_room import Room, log_in
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import validator_for
from starlette.testclient import TestClient

from api import register_workbook
from api.app import described_app
from rules.people.roles import Role

EXAMPLES = 2
"""Requests an operation and asker; `make bench` is for more."""
schemathesis.serializer.alias(register_workbook.MEDIA_TYPE, "application/octet-stream")
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
ASKERS = ["nobody", *Role] if os.environ.get("DUTYROOM_TEST_FUZZ") else ["nobody", Role.ADMIN]
"""In the soak every role; who may what is another test's."""

pytestmark = pytest.mark.one_worker


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
    Gateway().answer_in(room)
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
    for case, parts in _requests(operation):
        if len(answers) % 2:
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
    return answers


@cache
def _requests(operation: Any) -> Sequence[tuple[Any, Mapping[str, Any]]]:
    """(request, made-up parts of its path); the same for every asker, for that making them takes
    longer than answering them."""
    made: list[tuple[Any, Mapping[str, Any]]] = []

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
        made.append((case, case.path_parameters or {}))

    ask()
    return made


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
        validator = _validator(operation.path, operation.method, str(answer.status_code), kind)
        assert validator.is_valid(answer.json()), told


@cache
def _validator(path: str, method: str, status: str, kind: str) -> Any:
    described = DESCRIPTION["paths"][path][method]["responses"][status]["content"][kind]
    return validator_for({**described["schema"], "components": DESCRIPTION["components"]})

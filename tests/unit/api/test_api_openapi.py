"""The description of the API, which the page's client is made from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.one_worker


@pytest.fixture(scope="module")
def description() -> dict:
    made = subprocess.run(
        [sys.executable, "-m", "api.openapi"], cwd=ROOT, capture_output=True, check=True
    )
    return json.loads(made.stdout)


def operations(description: dict) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_pages_copy_is_of_this_version(description: dict) -> None:
    kept = json.loads((ROOT / "api" / "web" / "openapi.json").read_text(encoding="utf-8"))
    told = "run python -m api.openapi > api/web/openapi.json"
    for part in ("paths", "components"):
        assert kept[part] == description[part], told


def test_every_error_is_described_as_a_problem(description: dict) -> None:
    for path, method, operation in operations(description):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and path != "/healthz":
                (kind,) = answer["content"]
                assert kind == "application/problem+json", (path, method, status)
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_every_reference_leads_somewhere(description: dict) -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(references, node))
        if not isinstance(node, dict):
            return set()
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))

    schemas = description["components"]["schemas"]
    names = {
        reference.removeprefix("#/components/schemas/") for reference in references(description)
    }
    assert names <= set(schemas)
    assert {"Problem", "SnapshotMessage", "HeartbeatMessage", "Alarm", "WorkOrder"} <= names


def test_every_operation_says_what_it_does_and_needs_a_session(description: dict) -> None:
    open_to_all = {
        "/api/v1/login",
        "/api/v1/public/places/{code}",
        "/api/v1/public/places/{code}/requests",
        "/healthz",
        "/metrics",
    }
    for path, method, operation in operations(description):
        assert operation.get("description") or operation.get("summary"), (path, method)
        is_open = path in open_to_all or path.startswith("/api/v1/public/links/")
        # A screen comes with its key alone.
        is_open = is_open or (path, method) == ("/api/v1/kiosk", "post")
        assert bool(operation.get("security")) is not is_open, (path, method)
        if not is_open:
            assert "401" in operation["responses"], (path, method)
        if method == "post":
            assert "403" in operation["responses"], (path, method)

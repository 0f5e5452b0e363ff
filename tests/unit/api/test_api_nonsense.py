"""Whatever is sent, the answer is a document or a problem, and never a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any
from urllib.parse import quote

from api_room import Room
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from starlette.testclient import TestClient

from api import models
from api.models.base import Document
from api.views import paging

ANY_TEXT = st.text(max_size=40) | st.sampled_from(
    ["\0", "../..", "\ud800", "%00", "9" * 400, "<script>", "'; DROP TABLE alarm; --", "\u202e"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
JSON = {"content-type": "application/json"}
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_answer(answer) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@MANY
@given(text=ANY_TEXT)
def test_in_the_address(client: TestClient, text: str) -> None:
    for path in ("equipment/{}", "alarms/{}", "orders/{}", "points/{}/readings", "{}"):
        is_answer(client.get(f"/api/v1/{path.format(encoded(text))}"))
    for path in ("alarms/{}/acknowledge", "orders/{}/accept"):
        is_answer(client.post(f"/api/v1/{path.format(encoded(text))}"))


@MANY
@given(text=ANY_TEXT)
def test_in_the_query(client: TestClient, text: str) -> None:
    for path, name in (
        ("alarms", "state"),
        ("alarms", "limit"),
        ("alarms", "cursor"),
        ("orders", "cursor"),
        ("points/pump-1.current/readings", "start"),
        ("points/pump-1.current/readings", "buckets"),
    ):
        is_answer(client.get(f"/api/v1/{path}?{name}={encoded(text)}"))


@MANY
@given(place=st.lists(st.integers() | ANY_TEXT.filter(str.isprintable), max_size=3))
def test_in_a_cursor(client: TestClient, place: list[int | str]) -> None:
    try:
        cursor = paging.cursor(*place)
    except TypeError:  # no JSON for integers beyond 64 bits
        return
    for path in ("alarms", "orders", "equipment"):
        is_answer(client.get(f"/api/v1/{path}", params={"cursor": cursor}))


@MANY
@given(body=ANY_JSON)
def test_in_the_body(client: TestClient, room: Room, body: object) -> None:
    for path in ("login", "alarms/x/acknowledge", "orders/x/complete"):
        for sent in (body, {"note": body}, {"username": body, "password": body}):
            is_answer(client.post(f"/api/v1/{path}", content=json.dumps(sent), headers=JSON))


def test_a_note_with_characters_that_cannot_be_kept(client: TestClient, room: Room) -> None:
    path = f"/api/v1/alarms/{room.raise_alarm()}/acknowledge"
    for note in ("a\0b", "\ud800", "x" * 2001, "\u202eabc"):
        answer = client.post(path, content=json.dumps({"note": note}), headers=JSON)
        assert answer.status_code == 422
    assert client.post(path, json={"note": "👷<script>"}).status_code == 200


def test_blanks_are_no_reason_and_no_title() -> None:
    """A shelf's reason of three blanks came out as none at all."""
    for module in iter_modules(models.__path__):
        import_module(f"api.models.{module.name}")
    seen = set()
    for model in _models(Document):
        for name, field in model.model_fields.items():
            kind: Any = field.annotation
            if field.metadata:
                kind = Annotated[(kind, *field.metadata)]
            said = TypeAdapter(kind).json_schema()
            if said.get("type") != "string" or not said.get("minLength"):
                continue
            seen.add((model.__name__, name))
            for blank in ("   ", "\u3000"):
                try:
                    assert TypeAdapter(kind).validate_python(blank), (model.__name__, name)
                except ValidationError:
                    continue
    assert {("ShelveRequest", "reason"), ("OrderNew", "title")} <= seen, seen


def _models(kind: type[Document]) -> Iterator[type[Document]]:
    for one in kind.__subclasses__():
        yield one
        yield from _models(one)

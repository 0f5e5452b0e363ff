"""Every error is a problem, none tells how the inside looks, and every answer is guarded."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from api_room import Room
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from api.edge import BODY_LIMIT
from api.tls.door import PlainDoor


def problem(answer, status: int, name: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:dutyroom:problem:{name}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["instance"] == answer.request.url.path
    return told


def test_an_address_that_is_not_there(client: TestClient) -> None:
    for path in ("/api/v1/nothing", "/nothing", "/api/v1/alarms/a/b/c", "/api/v1/alarms/"):
        problem(client.get(path), 404, "not-found")


def test_a_method_that_is_not_there(client: TestClient) -> None:
    answer = client.delete("/api/v1/alarms")
    problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


def test_every_complaint_about_a_request_and_none_of_its_secrets(visitor: TestClient) -> None:
    answer = visitor.post(
        "/api/v1/login", json={"username": "", "password": "hunter2" * 100, "pin": 1}
    )
    told = problem(answer, 422, "not-valid")
    assert {error["where"] for error in told["errors"]} == {
        "body.username",
        "body.password",
        "body.pin",
    }
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[1]", b'{"username": NaN}', b'{"\\ud800": 1}']
)
def test_a_body_that_is_no_document(visitor: TestClient, body: bytes) -> None:
    answer = visitor.post(
        "/api/v1/login", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_long_is_not_read(visitor: TestClient) -> None:
    declared = visitor.post("/api/v1/login", content=b"x" * (BODY_LIMIT + 1))
    problem(declared, 413, "too-large")
    pieces = (b"x" * 1000 for _ in range(BODY_LIMIT // 1000 + 1))
    problem(visitor.post("/api/v1/login", content=pieces), 413, "too-large")


@pytest.fixture
def broken(room: Room) -> FastAPI:
    app = room.app()

    @app.get("/broken")
    def fails() -> None:
        raise RuntimeError("the secret of /etc/passwd")

    return app


def test_a_failure_of_ours_is_logged_and_tells_nothing(
    broken: FastAPI, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(broken) as client, caplog.at_level(logging.DEBUG):
        answer = client.get("/broken")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    out, err = capsys.readouterr()
    assert "the secret" in out + err + caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_ledger_that_does_not_answer(client: TestClient, room: Room) -> None:
    with room.ledger.writing() as connection:
        connection.execute(text("ALTER TABLE alarm RENAME TO gone"))
    for path in ("/api/v1/alarms?state=all", "/api/v1/alarms/x", "/api/v1/equipment"):
        answer = client.get(path)
        told = problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "SELECT" not in told["detail"]
    problem(client.post("/api/v1/alarms/x/acknowledge"), 503, "unavailable")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the build leaves it."""
    static = tmp_path / "static"
    for name, content in {
        "index.html": "<!doctype html><title>page</title>",
        "assets/index-a1b2.js": "1;" * 2000,
        "docs/docs.html": "<!doctype html><title>docs</title>",
        "docs/swagger-ui-bundle.js": "2",
    }.items():
        path = static / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return static


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


KINDS = (
    *("/api/v1/me", "/healthz", "/nothing", "/docs", "/metrics", "/request", "/c/x", "/trust"),
    *("/", "/alarms", "/docs/swagger-ui-bundle.js", "/assets/index-a1b2.js", "/openapi.json"),
    *("/api/v1/rounds/x/record.pdf", "/api/v1/register.xlsx", "/api/v1/public/links/x"),
)


def test_every_answer_is_guarded(room: Room, built: Path) -> None:
    application = room.app(static=built)
    for app in (application, PlainDoor(application, tls_port=8443)):
        with TestClient(app, headers=BROWSER, follow_redirects=False) as client:
            answers = {path: client.get(path).headers for path in KINDS}
        for path, headers in answers.items():
            said = headers["content-security-policy"].split("; ")
            policy = dict(one.split(" ", 1) for one in said)
            assert policy.pop("script-src") == "'self'", path
            assert policy.pop("style-src") == "'self' 'unsafe-inline'", path
            assert policy["frame-ancestors"] == policy["object-src"] == "'none'", path
            assert not [one for one in policy.values() if "unsafe" in one or "*" in one], path
            assert headers["x-content-type-options"] == "nosniff", path


def test_answers_with_data_are_not_kept_by_browsers(client: TestClient) -> None:
    assert client.get("/api/v1/site").headers["cache-control"] == "no-store"


def test_the_page_answers_for_its_own_addresses(room: Room, built: Path) -> None:
    with TestClient(room.app(static=built)) as client:
        for path in ("/", "/alarms", "/equipment/pump-2"):
            answer = client.get(path, headers=BROWSER)
            assert "<title>page" in answer.text, path
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-cache"
        script = client.get("/assets/index-a1b2.js")
        assert "immutable" in script.headers["cache-control"]
        assert script.headers["content-type"].startswith("text/javascript")
        assert script.headers["content-encoding"] == "gzip"
        assert int(script.headers["content-length"]) < 100 < len(script.text) == 4000
        plain = client.get("/assets/index-a1b2.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert "content-encoding" not in client.get("/api/v1/site").headers


def test_the_page_does_not_answer_for_the_api_or_for_lost_files(room: Room, built: Path) -> None:
    with TestClient(room.app(static=built)) as client:
        for path in ("/api/v1/nothing", "/assets/old-c3d4.js", "/docs/nothing"):
            problem(client.get(path, headers=BROWSER), 404, "not-found")
        problem(client.get("/alarms", headers={"Accept": "application/json"}), 404, "not-found")
        problem(client.post("/alarms", headers=BROWSER), 404, "not-found")
        problem(client.get("/%2e%2e/%2e%2e/etc/passwd"), 404, "not-found")


def test_the_description_is_shown_from_our_own_files(room: Room, built: Path) -> None:
    with TestClient(room.app(static=built)) as client:
        for path in ("/docs", "/docs/"):
            assert "<title>docs" in client.get(path, headers=BROWSER).text
        assert client.get("/docs/swagger-ui-bundle.js").text == "2"
        assert client.get("/openapi.json").json()["openapi"].startswith("3.")


def test_a_page_that_is_not_built_says_so(visitor: TestClient) -> None:
    told = problem(visitor.get("/docs", headers=BROWSER), 404, "not-found")
    assert "make web" in told["detail"]
    problem(visitor.get("/", headers=BROWSER), 404, "not-found")

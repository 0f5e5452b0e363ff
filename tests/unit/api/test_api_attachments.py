"""Photographs and signatures of an order, over HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from api_room import Room
from photographs import JPEG, PNG
from staff import cookie, hire, session
from starlette.testclient import TestClient

from rules.actions import attachments as actions
from rules.attached_files import AttachedFiles
from rules.drawn_anew import drawn_anew
from rules.ledger import audit
from rules.people.roles import Role

ORIGIN = {"Origin": "http://testserver"}
KEPT = drawn_anew(JPEG, "image/jpeg")


@pytest.fixture
def order(client: TestClient) -> str:
    body = {"category": "lighting", "title": "换灯管", "area": "garage"}
    return client.post("/api/v1/orders", json=body, headers=ORIGIN).json()["id"]


def attach(client: TestClient, order: str, data: bytes = JPEG, query: str = "", **more: str) -> Any:
    headers = {**ORIGIN, "Content-Type": "image/jpeg", **more}
    return client.post(f"/api/v1/orders/{order}/attachments{query}", content=data, headers=headers)


def attached(client: TestClient, order: str) -> list[dict[str, Any]]:
    return client.get(f"/api/v1/orders/{order}").json()["attachments"]


def test_a_photograph_is_kept_and_served_as_nothing_but_one(
    client: TestClient, order: str, room: Room
) -> None:
    answer = attach(client, order, query="?caption=灯管")
    assert answer.status_code == 201, answer.text
    (one,) = attached(client, order)
    assert one == answer.json()
    assert (one["kind"], one["media_type"], one["size"]) == ("photo", "image/jpeg", len(KEPT))
    assert (one["caption"], one["by"]) == ("灯管", "admin")
    served = client.get(f"/api/v1/attachments/{one['id']}")
    assert served.content == KEPT
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert served.headers["content-disposition"].startswith("inline; filename=")
    with room.ledger.read(room.site.id) as view:
        row = audit.newest(view, limit=1)[0]
    assert (row.action, row.subject, row.by) == ("order.attach", order, "admin")
    sent = hashlib.sha256(JPEG).hexdigest()
    assert row.detail["sent_sha256"] == sent, "whoever has the original can show that it is the one"
    listed = client.get("/api/v1/orders").json()["items"][0]
    assert listed["attachments"] is None, "a list of orders stays light"


@pytest.mark.parametrize(
    ("data", "query"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"<html><script>alert(1)</script>", ""),
        (b"", ""),
        (b"%PDF-1.7", ""),
        (JPEG, "?kind=signature&signed_by=王女士"),
        (PNG, "?kind=signature"),
        (JPEG, "?signed_by=王女士"),
        (JPEG, "?kind=video"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_calls_itself(
    client: TestClient, order: str, data: bytes, query: str
) -> None:
    assert attach(client, order, data, query).status_code == 422
    assert attached(client, order) == []


def test_the_same_key_again_adds_it_once(client: TestClient, order: str) -> None:
    key = {"Idempotency-Key": "k"}
    ids = {attach(client, order, **key).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(attached(client, order)) == 1


def test_a_large_file_and_a_thirty_first_are_refused(
    client: TestClient, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = JPEG + b"\0" * actions.MOST_BYTES
    assert attach(client, order, large).status_code == 413
    assert attach(client, order, large[: actions.MOST_BYTES]).status_code == 201
    monkeypatch.setattr(actions, "MOST", 1)
    refused = attach(client, order)
    assert refused.status_code == 409
    assert "at most" in refused.json()["detail"]
    other = client.post("/api/v1/orders", content=b"{" + b" " * 300_000, headers=ORIGIN)
    assert other.status_code == 413, "everything else stays small"


def test_a_signature_says_whose_it_is(client: TestClient, order: str) -> None:
    answer = attach(client, order, PNG, "?kind=signature&signed_by=王女士")
    assert answer.status_code == 201, answer.text
    assert [(one["kind"], one["signed_by"]) for one in attached(client, order)] == [
        ("signature", "王女士")
    ]


def test_an_order_that_is_over_takes_none(client: TestClient, order: str) -> None:
    void = client.post(f"/api/v1/orders/{order}/void", json={"reason": "重复"}, headers=ORIGIN)
    assert void.status_code == 200
    assert attach(client, order).status_code == 409
    assert attach(client, "no.such").status_code == 404


def test_what_was_struck_out_stays_marked_and_is_seen_by_few(
    client: TestClient, order: str, room: Room
) -> None:
    one = attach(client, order).json()["id"]
    path = f"/api/v1/attachments/{one}/strike"
    struck = client.post(path, json={"reason": "拍到住户"}, headers=ORIGIN)
    assert struck.status_code == 200
    assert client.post(path, json={"reason": "again"}, headers=ORIGIN).status_code == 409
    (row,) = attached(client, order)
    assert (row["struck_by"], row["struck_why"]) == ("admin", "拍到住户")
    assert client.get(f"/api/v1/attachments/{one}").status_code == 200
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    client.cookies.clear()
    theirs = cookie(session(room.ledger, room.site.id, "li", room.clock.now()))
    assert client.get(f"/api/v1/attachments/{one}", headers=theirs).status_code == 403
    assert client.delete(f"/api/v1/attachments/{one}", headers=theirs).status_code == 405


def test_who_works_elsewhere_neither_sees_nor_adds(
    client: TestClient, order: str, room: Room
) -> None:
    one = attach(client, order).json()["id"]
    hire(room.ledger, room.site, "far", Role.FOREMAN, room.clock.now(), areas=("gate-lobby",))
    client.cookies.clear()
    theirs = cookie(session(room.ledger, room.site.id, "far", room.clock.now()))
    for answer in (
        client.get(f"/api/v1/attachments/{one}", headers=theirs),
        attach(client, order, **theirs),
        client.post(f"/api/v1/attachments/{one}/strike", json={"reason": "x"}, headers=theirs),
    ):
        assert answer.status_code == 403
        assert "in the area garage" in answer.json()["detail"]


def test_a_full_disk_and_a_lost_file_are_said_in_plain_words(
    client: TestClient, order: str, room: Room
) -> None:
    one = attach(client, order).json()["id"]
    (file,) = (path for path in room.attached.root.rglob("*") if path.is_file())
    file.write_bytes(b"half")
    lost = client.get(f"/api/v1/attachments/{one}")
    assert lost.status_code == 500
    assert "backup" in lost.json()["detail"]
    room.attached = AttachedFiles(room.attached.root, reserve=1 << 60)
    with TestClient(room.app(), cookies=client.cookies) as there:
        refused = attach(there, order, JPEG + b"\0")
    assert refused.status_code == 507
    assert refused.json()["type"] == "urn:dutyroom:problem:no-room"
    assert len(attached(client, order)) == 1, "no row without its file"

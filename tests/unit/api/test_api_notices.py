"""What was sent, how the channels are doing, and trying one, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from api_room import PASSWORD, Room
from staff import cookie, hire, session
from starlette.testclient import TestClient

from gateway.model.channels import Channel, ChannelKind, Quiet
from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.ledger import outbox
from rules.ledger.outbox import Sender
from rules.notify import posting
from rules.notify.notice import Notice, NoticeKind
from rules.people.roles import Role
from rules.rule import Priority

GROUP = Channel(
    id="group",
    kind=ChannelKind.WECOM,
    address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cret",
    secret="s3cret",
    priorities=frozenset({"critical", "major"}),
    quiet=Quiet(start=22 * 60, end=7 * 60),
    digest_after=12,
)
HOOK = Channel(
    id="hook",
    kind=ChannelKind.WEBHOOK,
    address="https://hooks.example.org/s3cret",
    priorities=frozenset({"critical", "major", "minor", "info"}),
)


@pytest.fixture(scope="session")
def site(site: Site) -> Site:
    return replace(site, channels=(GROUP, HOOK))


def post(room: Room, number: int, **more: Any) -> None:
    notice = Notice(
        id=f"order_assigned.{number}",
        kind=NoticeKind.ORDER_ASSIGNED,
        at=room.clock.now().wall,
        subject=f"order-{number}",
        title=Text(zh=f"工单 {number}", en=f"Order {number}"),
        priority=Priority.MAJOR,
        **more,
    )
    with room.ledger.write(room.site.id) as entry:
        posting.post(entry, room.site, notice, room.clock.now())


def send(room: Room, channel: str) -> None:
    """The next message goes, and is taken."""
    now = room.clock.now()
    sender = Sender(
        site=room.site.id, channel=channel, claimant="x", now=now, until=now.plus(10_000_000)
    )
    claimed = outbox.claim(room.ledger, sender)
    assert claimed is not None
    outbox.mark_sent(room.ledger, room.site.id, claimed, room.clock.now())


def listed(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/notices", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_what_was_sent_is_visible_and_no_secret_with_it(client: TestClient, room: Room) -> None:
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    post(room, 1, to=("li",))
    send(room, "hook")
    hook, group = sorted(listed(client), key=lambda one: one["channel"], reverse=True)
    assert (hook["channel"], hook["state"], hook["attempts"]) == ("hook", "sent", 1)
    assert hook["to"] == [{"username": "li", "display_name": "某li"}]
    assert (hook["title"]["zh"], hook["subject"]) == ("工单 1", "order-1")
    assert (group["state"], group["sent_at"]) == ("waiting", None)
    channels = client.get("/api/v1/channels")
    by_id = {one["id"]: one for one in channels.json()["items"]}
    assert by_id["group"]["host"] == "qyapi.weixin.qq.com"
    assert by_id["group"]["quiet"] == {"start": "22:00", "end": "07:00"}
    assert (by_id["group"]["waiting"], by_id["hook"]["waiting"]) == (1, 0)
    assert by_id["hook"]["last_sent"] == hook["sent_at"]
    assert "s3cret" not in channels.text


def test_pages_and_filters(client: TestClient, room: Room) -> None:
    for number in range(5):
        post(room, number)
        room.clock.advance(1)
    send(room, "group")
    assert len(listed(client)) == 10
    assert len(listed(client, channel="group")) == 5
    assert [one["id"] for one in listed(client, state="sent")] == ["order_assigned.0"]
    assert len(listed(client, state=["sent", "waiting"])) == 10
    found: list[tuple[str, str]] = []
    cursor = None
    while True:
        place = {} if cursor is None else {"cursor": cursor}
        page = client.get("/api/v1/notices", params={"limit": 3, **place}).json()
        found += [(one["id"], one["channel"]) for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 10
    assert client.get("/api/v1/notices", params={"cursor": "zzz"}).status_code == 400
    assert client.get("/api/v1/notices", params={"state": "lost"}).status_code == 422


def test_a_channel_is_tried_once_a_minute(client: TestClient, room: Room) -> None:
    path, key = "/api/v1/channels/hook/test", {"Idempotency-Key": "k1"}
    first = client.post(path, headers=key)
    assert (first.status_code, first.json()["kind"]) == (200, "channel_test")
    assert first.json()["to"] == [{"username": "admin", "display_name": "管理员"}]
    again = client.post(path, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert client.post(path, headers={"Idempotency-Key": "k2"}).status_code == 409
    assert [(one["channel"], one["kind"]) for one in listed(client)] == [("hook", "channel_test")]
    room.clock.advance(60)
    assert client.post(path, headers={"Idempotency-Key": "k3"}).status_code == 200
    assert client.post("/api/v1/channels/none/test").status_code == 404
    audit = client.get("/api/v1/audit").json()["items"]
    assert [one["subject"] for one in audit if one["action"] == "channel.test"] == ["hook"] * 2


@pytest.mark.parametrize(
    ("role", "may", "may_try"),
    [
        (Role.OFFICER, True, True),
        (Role.PROJECT_MANAGER, True, False),
        (Role.TECHNICIAN, False, False),
    ],
)
def test_who_sees_what_was_sent_and_who_may_send_a_test(
    visitor: TestClient, room: Room, role: Role, may: bool, may_try: bool
) -> None:
    now = room.clock.now()
    hire(room.ledger, room.site, "one", role, now, password=PASSWORD)
    headers = cookie(session(room.ledger, room.site.id, "one", now))
    for method, path, allowed in (
        ("GET", "/api/v1/notices", may),
        ("GET", "/api/v1/channels", may),
        ("POST", "/api/v1/channels/hook/test", may_try),
    ):
        answer = visitor.request(method, path, headers=headers)
        assert answer.status_code == (200 if allowed else 403)

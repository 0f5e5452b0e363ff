"""A contractor's own link to one order, over HTTP: all that it is good for, and nothing else."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from api_room import Room
from photographs import JPEG, PNG
from sqlalchemy import select
from staff import hire
from starlette.testclient import TestClient

from rules.drawn_anew import drawn_anew
from rules.ledger import audit
from rules.ledger.tables import metadata
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, Role

ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def order(client: TestClient, room: Room) -> str:
    """Of a pump that runs hot, with a contractor in reach and a technician."""
    now = room.clock.now()
    for name in ("otis-wu", "other-firm"):
        firm = Person(
            username=name,
            display_name=f"某{name}",
            role=Role.TECHNICIAN,
            contractor=True,
            can_log_in=False,
            phone="13900000007",
        )
        people.add(room.ledger, room.site, firm, actor=PROGRAM, now=now)
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, now)
    return f"{room.raise_alarm()}.order"


def assign(client: TestClient, order: str, to: str = "otis-wu", **more: str) -> dict[str, Any]:
    path = f"/api/v1/orders/{order}/assign"
    answer = client.post(path, json={"username": to}, headers={**ORIGIN, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def token_of(link: dict[str, Any]) -> str:
    address, _, token = link["url"].rpartition("/c/")
    assert address == "http://testserver"
    assert len(token) == 32
    return token


def use(client: TestClient, token: str, step: str = "", body: Any = None, **more: str) -> Any:
    path = f"/api/v1/public/links/{token}" + (f"/{step}" if step else "")
    if not step:
        return client.get(path)
    return client.post(path, json=body, headers={**ORIGIN, **more})


def photograph(client: TestClient, token: str) -> Any:
    path = f"/api/v1/public/links/{token}/attachments"
    return client.post(path, content=JPEG, headers=ORIGIN)


def test_a_contractor_does_the_whole_order_by_the_link_and_the_audit_names_them(
    client: TestClient, order: str, room: Room
) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    client.cookies.clear()
    seen = use(client, token).json()
    assert (seen["state"], seen["you"]) == ("assigned", "某otis-wu")
    assert seen["area_name"] == {"zh": "B1 泵房", "en": "B1 pump room"}
    assert seen["guidance"]["zh"], "what the alarm says to do first"
    assert use(client, token, "start").status_code == 409, "not accepted yet"
    for step, state in (("accept", "accepted"), ("arrive", "on_site"), ("start", "in_progress")):
        assert use(client, token, step).json()["state"] == state
    waits = use(client, token, "suspend", {"why": "parts", "note": "等轴承"}).json()
    assert (waits["state"], waits["suspended_why"]) == ("suspended", "parts")
    assert use(client, token, "resume").json()["state"] == "in_progress"
    one = photograph(client, token)
    assert one.status_code == 201
    picture = client.get(f"/api/v1/public/links/{token}/attachments/{one.json()['id']}")
    assert picture.content == drawn_anew(JPEG, "image/jpeg")
    work = {"note": "更换轴承", "cause_code": "wear", "remedy_code": "replaced"}
    wrong = use(client, token, "complete", {**work, "cause_code": "magic"})
    assert wrong.status_code == 422
    done = use(client, token, "complete", work, **{"Idempotency-Key": "k"})
    assert done.json()["state"] == "completed"
    assert use(client, token, "complete", work, **{"Idempotency-Key": "k"}).status_code == 200
    with room.ledger.read(room.site.id) as view:
        rows = audit.newest(view, limit=100, by="otis-wu")
        (kept,) = view.orders()
    assert kept.completed_by == "otis-wu"
    assert {row.via for row in rows} == {"link"}
    assert {row.subject for row in rows} == {order}
    assert [row.action for row in reversed(rows)] == [
        f"order.{step}"
        for step in ("accept", "arrive", "start", "suspend", "resume", "attach", "complete")
    ]


def test_the_link_is_said_once_and_its_token_is_nowhere_in_the_ledger(
    client: TestClient, order: str, room: Room
) -> None:
    first = assign(client, order, **{"Idempotency-Key": "k"})["contractor_link"]
    again = assign(client, order, **{"Idempotency-Key": "k"})["contractor_link"]
    assert again == first, "the answer that did not come, once more"
    later = client.get(f"/api/v1/orders/{order}").json()["contractor_link"]
    assert later == {**first, "url": None}
    assert client.get("/api/v1/orders").json()["items"][0]["contractor_link"] is None
    with room.ledger.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert token_of(first) not in str(tuple(row)), table.name


def test_it_says_nothing_about_who_asked_for_the_order(client: TestClient, order: str) -> None:
    wish = {
        "name": "王女士",
        "phone": "13911112222",
        "place": "1 号楼 801",
        "area": "tower-1",
        "category": "water_supply",
        "description": "漏水",
        "cost": 120,
    }
    asked = client.post("/api/v1/requests", json=wish, headers=ORIGIN).json()["id"]
    signed = client.post(
        f"/api/v1/orders/{asked}/attachments?kind=signature&signed_by=王女士",
        content=PNG,
        headers=ORIGIN,
    ).json()["id"]
    token = token_of(assign(client, asked)["contractor_link"])
    client.cookies.clear()
    seen = use(client, token)
    assert seen.json()["place"] == "1 号楼 801"
    assert not {"王女士", "13911112222"} & set(_words(seen.json()))
    path = f"/api/v1/public/links/{token}/attachments/{signed}"
    assert client.get(path).status_code == 404, "nobody's signature is theirs"


def _words(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [word for one in node.values() for word in _words(one)]
    if isinstance(node, list):
        return [word for one in node for word in _words(one)]
    return [str(node)]


def test_a_link_of_one_order_touches_no_other(client: TestClient, order: str) -> None:
    body = {"category": "lighting", "title": "换灯管", "area": "garage"}
    other = client.post("/api/v1/orders", json=body, headers=ORIGIN).json()["id"]
    theirs = token_of(assign(client, other)["contractor_link"])
    one = photograph(client, theirs).json()["id"]
    token = token_of(assign(client, order)["contractor_link"])
    client.cookies.clear()
    assert client.get(f"/api/v1/public/links/{token}/attachments/{one}").status_code == 404
    use(client, token, "accept")
    assert use(client, theirs).json()["state"] == "assigned"
    for header in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"dutyroom_session={token}"}):
        assert client.get(f"/api/v1/orders/{other}", headers=header).status_code == 401


def test_every_link_that_is_not_good_is_one_that_never_was(
    client: TestClient, order: str, room: Room
) -> None:
    """After a hand-over, a renewal, a revocation, the end of its time and the end of the order."""
    logged_in = dict(client.cookies)
    unknown = use(client, "A" * 32).json()

    def is_gone(token: str) -> bool:
        client.cookies.clear()
        answers = [
            use(client, token),
            use(client, token, "accept"),
            use(client, token, "complete", {"note": "x"}),
            photograph(client, token),
        ]
        client.cookies.update(logged_in)
        alike = {**unknown, "instance": f"/api/v1/public/links/{token}"}
        assert [one.status_code for one in answers] == [404] * 4
        return bool(answers[0].json() == alike)

    handed_over = token_of(assign(client, order)["contractor_link"])
    second = token_of(assign(client, order, "other-firm")["contractor_link"])
    assert is_gone(handed_over)
    assert assign(client, order, "li")["contractor_link"] is None, "li logs in"
    assert is_gone(second)
    assert is_gone(handed_over)

    old = token_of(assign(client, order)["contractor_link"])
    assert is_gone(handed_over), "the order is theirs again, the link is another one"
    path = f"/api/v1/orders/{order}/contractor-link"
    renewed = client.post(path, headers=ORIGIN)
    assert renewed.status_code == 201
    assert is_gone(old)
    token = token_of(renewed.json())
    assert use(client, token).status_code == 200
    assert client.delete(path, headers=ORIGIN).status_code == 204
    assert client.delete(path, headers=ORIGIN).status_code == 404
    assert is_gone(token)

    room.clock.advance(3700)  # who has tried so many would have to wait
    token = token_of(client.post(path, headers=ORIGIN).json())
    reason = {"reason": "联系不上"}
    client.post(f"/api/v1/orders/{order}/decline", json=reason, headers=ORIGIN)
    assert is_gone(token), "nobody has the order"
    assert client.post(path, headers=ORIGIN).status_code == 409

    token = token_of(assign(client, order)["contractor_link"])
    client.post(f"/api/v1/orders/{order}/void", json=reason, headers=ORIGIN)
    assert is_gone(token), "the order is over"


def test_a_link_ends_with_its_days(client: TestClient, order: str, room: Room) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    days = room.rulebook.order_book.contractor_link / 86_400_000_000
    assert days == 14
    room.clock.advance(days * 86_400 - 60)
    assert use(client, token).status_code == 200
    room.clock.advance(61)
    assert use(client, token).status_code == 404


def test_who_was_let_go_comes_in_no_more(client: TestClient, order: str) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    gone = client.patch("/api/v1/people/otis-wu", json={"active": False}, headers=ORIGIN)
    assert gone.status_code == 200
    assert use(client, token).status_code == 404


def test_another_sites_page_sends_nobody_here(client: TestClient, order: str) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    refused = use(client, token, "accept", Origin="http://evil.test")
    assert refused.status_code == 403
    assert use(client, token).json()["state"] == "assigned"


def test_who_tries_many_tokens_has_to_wait_and_keeps_no_good_link_waiting(
    client: TestClient, order: str, room: Room
) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    codes = [use(client, f"{number:032}").status_code for number in range(40)]
    assert codes[:30] == [404] * 30
    assert codes[-1] == 429
    assert use(client, token).status_code == 200
    assert use(client, token, "accept").status_code == 200
    room.clock.advance(61)
    assert use(client, "B" * 32).status_code == 404


def test_no_log_has_a_token(
    client: TestClient,
    order: str,
    room: Room,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The path of a request that cannot be answered is written; a token is part of it."""
    token = token_of(assign(client, order)["contractor_link"])

    def away(*_: object, **__: object) -> None:
        raise TimeoutError("the ledger hangs")

    monkeypatch.setattr(type(room.ledger), "read", away)
    assert use(client, token).status_code == 503
    told = capsys.readouterr().out
    assert "/public/links/…" in told
    assert token not in told


def test_the_answer_is_kept_by_nobody(client: TestClient, order: str) -> None:
    token = token_of(assign(client, order)["contractor_link"])
    answer = use(client, token)
    assert answer.headers["cache-control"] == "no-store"
    assert orjson.loads(answer.content)["number"] == 1

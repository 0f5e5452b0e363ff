"""The log of a shift and its handover over HTTP: from the sheet to two signatures and two PDFs."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from api_room import Room
from staff import cookie, hire, session
from starlette.testclient import TestClient

from api.reports import shifts as reports
from api.reports.typeset import in_words
from gateway.model.moment import HOUR, MINUTE, SECOND
from gateway.model.point import Text
from rules.handover import keeping
from rules.people import accounts
from rules.people.roles import PROGRAM, Actor, Role
from rules.shifts import actions as roster
from rules.shifts.duty import Team
from rules.shifts.local_time import instant_at
from rules.shifts.rotation import Shift

TODAY = date(2025, 11, 21)
DAY = "2025-11-21.day"
LOG, HANDOVERS = "/api/v1/shift-log", "/api/v1/handovers"
EVIL = '#read("/etc/passwd") *x* $y$'


class Desk:
    """The room with two crews of one: li has the day, wu the night; chen is the manager."""

    def __init__(self, room: Room, client: TestClient) -> None:
        self.room, self.client = room, client
        now, name = room.clock.now(), Text(zh="班", en="Shift")
        for username, role, password in (
            ("li", Role.TECHNICIAN, None),
            ("wu", Role.OFFICER, "long enough"),
            ("chen", Role.ENGINEERING_MANAGER, None),
        ):
            hire(room.ledger, room.site, username, role, now, password=password)
        wu = Actor(username="wu", role=Role.OFFICER)
        accounts.set_pin(
            room.ledger, room.site.id, actor=wu, password="long enough", pin="2468", now=now
        )
        for team, member in (("a", "li"), ("b", "wu")):
            one = Team(id=team, name=name, members=(member,))
            roster.put_team(room.ledger, room.site, one, actor=PROGRAM, now=now)
        shifts = (
            Shift(id="day", name=Text(zh="白班", en="Day"), starts=480, ends=1200),
            Shift(id="night", name=Text(zh="夜班", en="Night"), starts=1200, ends=480),
        )
        roster.put_shifts(
            room.ledger,
            room.site,
            shifts=shifts,
            anchor=TODAY,
            pattern=({"day": "a", "night": "b"},),
            actor=PROGRAM,
            now=now,
        )
        self.go_to(19, 0)

    def go_to(self, hour: int, minute: int) -> None:
        zone = self.room.site.zone
        at = instant_at(TODAY, 0, zone) + hour * HOUR + minute * MINUTE
        self.room.clock.advance((at - self.room.clock.now().wall) / SECOND)
        now = self.room.clock.now()
        currents = self.room.latest.snapshot(now)
        keeping.keep(self.room.ledger, self.room.site, self.room.rulebook, currents, now)

    def headers(self, username: str) -> dict[str, str]:
        now = self.room.clock.now()
        return cookie(session(self.room.ledger, self.room.site.id, username, now))

    def get(self, path: str) -> Any:
        answer = self.client.get(path, headers=self.headers("li"))
        assert answer.status_code == 200, answer.text
        return answer

    def post(self, by: str, path: str, body: Any = None, expected: int = 200, **more: str) -> Any:
        answer = self.client.post(path, json=body, headers={**self.headers(by), **more})
        assert answer.status_code == expected, answer.text
        return answer.json()

    def answer(self, by: str, kind: str, subject: str, value: int = 1, **more: str) -> Any:
        body = {"id": str(uuid.uuid4()), "kind": kind, "subject": subject, "value": value, **more}
        return self.post(by, f"{HANDOVERS}/{DAY}/answers", {"answers": [body]})


@pytest.fixture
def desk(room: Room, visitor: TestClient) -> Desk:
    return Desk(room, visitor)


def test_a_shift_is_written_down_and_handed_over_with_two_signatures(desk: Desk) -> None:
    assert desk.get(f"{HANDOVERS}/current").json() == {
        "handover": None,
        "prepares_at": "2025-11-21T19:40:00.000+08:00",
    }
    log = desk.get(f"{LOG}/current").json()["log"]
    assert (log["id"], log["crew"], log["handover"]) == (
        DAY,
        [{"username": "li", "name": "某li"}],
        None,
    )
    entry = {"id": str(uuid.uuid4()), "text": EVIL}
    written = desk.post("li", f"{LOG}/{DAY}/entries", entry, 201)
    assert [one["text"] for one in written["entries"]] == [EVIL]
    desk.go_to(19, 46)
    found = desk.get(f"{HANDOVERS}/current").json()["handover"]
    assert (found["state"], found["overdue"]) == ("preparing", False)
    assert "S1 4.1.8.2" in [one["clauses"][0] for one in found["blocks"]]
    signed_in = {"Signing-User": "wu", "Signing-Pin": "2468"}
    found = desk.post("li", f"{HANDOVERS}/{DAY}/arrivals", None, **signed_in)
    assert found["arrivals"][0]["late_minutes"] == 1
    refused = desk.post("li", f"{HANDOVERS}/{DAY}/give", None, 409)
    assert "S1 7.6" in refused["detail"]
    for question in found["questions"]:
        by = "li" if question["asked"] == "outgoing" else "wu"
        desk.answer(by, "question", question["key"])
    for item in found["rooms"][0]["items"]:
        desk.answer("wu", "count", item["about"], item["quantity"])
    # Nothing was heard of the demonstration's units.
    for block in found["blocks"]:
        if block["answered_by"] == "explain":
            found = desk.answer("li", "explain", block["about"], note="调试中")
    assert found["blocks"] == []
    desk.post("li", f"{HANDOVERS}/{DAY}/give")
    done = desk.post("li", f"{HANDOVERS}/{DAY}/take", None, **signed_in)
    assert (done["state"], done["signed_by"]) == ("signed", ["某li", "某wu"])
    assert [(one["by_pin"], one["intact"]) for one in done["signatures"]] == [
        (False, True),
        (True, True),
    ]
    # What was answered is read from what was signed.
    assert {one["value"] for one in done["questions"]} == {True}
    assert [one["counted"] for one in done["rooms"][0]["items"]] == [1, 1, 1, 1]
    assert {one["note"] for one in done["explanations"]} == {"调试中"}
    assert desk.get(HANDOVERS).json()["items"][0]["signed_by"] == ["某li", "某wu"]
    assert desk.get(LOG).json()["items"][0]["handover"] == "signed"
    for path in (f"{LOG}/{DAY}/record.pdf", f"{HANDOVERS}/{DAY}/record.pdf"):
        printed = desk.get(path)
        assert printed.headers["content-type"] == "application/pdf"
        assert printed.content.startswith(b"%PDF-")
        assert b"NotoSansSC" in printed.content, "the font goes along"


def test_the_manager_overrides_with_a_reason(desk: Desk) -> None:
    desk.go_to(19, 46)
    desk.post("wu", f"{HANDOVERS}/{DAY}/arrivals")
    over = f"{HANDOVERS}/{DAY}/override"
    found = desk.get(f"{HANDOVERS}/{DAY}").json()
    ids = [one["id"] for one in found["blocks"]]
    refused = desk.post("li", over, {"reason": "x", "blocks": ids}, 403)
    assert refused["type"].endswith("forbidden")
    found = desk.post("chen", over, {"reason": "经理在场，口头确认", "blocks": ids})
    assert {one["overridden"] for one in found["blocks"]} == {True}
    (passed,) = found["overrides"]
    assert (passed["reason"], len(passed["blocks"])) == ("经理在场，口头确认", len(ids))
    assert desk.post("li", f"{HANDOVERS}/{DAY}/give")["state"] == "given"


def test_of_a_handover_that_nobody_signed_no_sheet_is_made_up_later(desk: Desk) -> None:
    desk.go_to(19, 46)
    assert desk.get(f"{HANDOVERS}/{DAY}").json()["sheet"] != []
    desk.go_to(32, 0)
    found = desk.get(f"{HANDOVERS}/{DAY}").json()
    assert (found["state"], found["sheet"], found["blocks"]) == ("lapsed", [], [])
    assert [one["kind"] for one in found["notices"]] == []
    assert desk.get(f"{HANDOVERS}/{DAY}/record.pdf").content.startswith(b"%PDF-")


def test_what_is_printed_is_words_and_never_markup() -> None:
    data = {
        "footer": EVIL,
        "facts": [["项目", EVIL], ["班次", "白班"]],
        "entries": [["12:00", EVIL, "周明"]],
        "lines": [],
    }
    # Long words may be broken anywhere: it is marked where.
    html = in_words(reports.LOG, data).replace("\N{ZERO WIDTH SPACE}", "")
    assert html.count("#read(&quot;/etc/passwd&quot;) *x* $y$".replace("&quot;", '"')) == 2
    assert "工程值班记录" in html
    assert "root:" not in html

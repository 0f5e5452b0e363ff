"""Experiment 60: who guesses has to wait, and keeps nobody out of the duty room."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager

import anyio
import httpx2
import pytest
from api_room import PASSWORD, Room, Served
from fastapi import FastAPI
from staff import cookie, hire, session
from starlette.testclient import TestClient

from api.guesses import Guesses
from api.problems import ProblemException
from rules.ledger import audit
from rules.people import accounts, people
from rules.people.roles import PROGRAM, Role

DUTY_ROOM = "10.0.0.17"
ELSEWHERE = "203.0.113.9"


@pytest.fixture
def app(room: Room) -> FastAPI:
    hire(room.ledger, room.site, "zhou", Role.OFFICER, room.clock.now(), password=PASSWORD)
    return room.app()


@contextmanager
def at(app: FastAPI, address: str) -> Iterator[TestClient]:
    """A client at ``address``. Only the first one runs the application's live stream."""
    yield TestClient(app, client=(address, 50_000))


def log_in(client: TestClient, password: str = PASSWORD, username: str = "zhou") -> int:
    body = {"username": username, "password": password}
    answer = client.post("/api/v1/login", json=body)
    if answer.status_code == 429:
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["type"] == "urn:dutyroom:problem:too-many-requests"
    return answer.status_code


def test_a_thousand_guesses_are_throttled_and_the_duty_officer_elsewhere_logs_in(
    app: FastAPI, room: Room
) -> None:
    with at(app, ELSEWHERE) as guesser, at(app, DUTY_ROOM) as officer:
        answers = Counter(log_in(guesser, f"guess {number}") for number in range(1000))
        assert answers == {401: 5, 429: 995}
        assert log_in(guesser) == 429, "not even the right one, there"
        assert log_in(officer) == 200, "also where nobody has ever logged in before"


def test_guesses_from_many_addresses_do_not_keep_it_out_where_it_has_logged_in(
    app: FastAPI, room: Room
) -> None:
    with at(app, DUTY_ROOM) as officer:
        assert log_in(officer) == 200
        answers: Counter[int] = Counter()
        for number in range(60):
            with at(app, f"203.0.113.{number}") as guesser:
                answers[log_in(guesser, "guess")] += 1
        assert answers == {401: 20, 429: 40}
        with at(app, "198.51.100.1") as stranger:
            assert log_in(stranger) == 429, "the account is being guessed at from everywhere"
        assert log_in(officer) == 200


def test_one_address_that_guesses_at_many_accounts_waits_too(app: FastAPI, room: Room) -> None:
    with at(app, ELSEWHERE) as guesser:
        answers = Counter(log_in(guesser, "guess", f"user-{number}") for number in range(60))
    assert answers == {401: 50, 429: 10}


def test_it_is_over_when_the_wait_is_and_a_right_one_forgets_all(app: FastAPI, room: Room) -> None:
    with at(app, DUTY_ROOM) as officer:
        for _ in range(8):
            log_in(officer, "mistyped")
        assert log_in(officer) == 429
        room.clock.advance(2)
        assert log_in(officer) == 200
        assert [log_in(officer, "mistyped") for _ in range(5)] == [401] * 5


def test_refused_log_ins_are_in_the_audit_at_a_bounded_rate(app: FastAPI, room: Room) -> None:
    for number in range(32):
        hire(room.ledger, room.site, f"user-{number}", Role.OFFICER, room.clock.now())
    with at(app, ELSEWHERE) as guesser:
        for number in range(32):
            log_in(guesser, "guess", f"user-{number}")
    with room.ledger.read(room.site.id) as view:
        rows = [r for r in audit.newest(view, limit=100) if r.action == "session.refuse"]
        assert audit.verify(view).ok
    assert len(rows) == 30
    assert (rows[0].by, rows[0].detail["address"]) == ("-", ELSEWHERE)
    assert rows[-1].subject == "user-0"


def test_a_password_typed_as_the_name_is_not_in_the_audit(app: FastAPI, room: Room) -> None:
    with at(app, DUTY_ROOM) as client:
        assert log_in(client, "x", PASSWORD) == 401
    with room.ledger.read(room.site.id) as view:
        (row,) = audit.newest(view, limit=1)
    assert (row.action, row.subject) == ("session.refuse", "-")
    assert PASSWORD not in str(row)


@pytest.mark.usefixtures("slow_passwords")
def test_a_known_officer_does_not_stand_in_the_line_of_guesses(served: Served) -> None:
    """From many addresses (as a proxy tells them) at many accounts: nothing slows it down but
    Argon2 itself, of which only two run at once."""
    with served.client():
        pass  # from here the admin has logged in before

    def guess(number: int) -> int:
        return guesser.post(
            "/api/v1/login",
            json={"username": f"user-{number}", "password": "guess"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code

    # One client for all: each by itself would be busy with certificates for longer than Argon2.
    everybody = httpx2.Limits(max_connections=30)
    with (
        httpx2.Client(base_url=served.url, timeout=120, limits=everybody) as guesser,
        ThreadPoolExecutor(30) as pool,
    ):
        flood = [pool.submit(guess, number) for number in range(30)]
        # The line is there.
        wait(flood, return_when=FIRST_COMPLETED)
        with served.client() as officer:
            assert officer.get("/api/v1/me").status_code == 200
            still_in_line = sum(not one.done() for one in flood)
        assert {one.result() for one in flood} == {401}
    assert still_in_line > 10, "who stood in it would have been the last"


def test_the_line_of_guesses_is_bounded(room: Room) -> None:
    guesses, gate = Guesses(room.clock), threading.Event()
    answers: Counter[str] = Counter()

    async def guess(number: int) -> None:
        try:
            await guesses.log_in(f"user-{number}", f"{number}", False, gate.wait, OSError)
            answers["checked"] += 1
        except ProblemException as refused:
            assert refused.status_code == 429
            answers["sent away"] += 1
            if answers["sent away"] == 10:
                gate.set()

    async def flood() -> None:
        async with anyio.create_task_group() as guessers:
            for number in range(110):
                guessers.start_soon(guess, number)

    anyio.run(flood)
    assert answers == {"checked": 100, "sent away": 10}


def test_a_pin_signs_for_another_one_and_the_audit_says_so(app: FastAPI, room: Room) -> None:
    alarm = room.raise_alarm()
    people.give_pin(room.ledger, room.site.id, "zhou", "4711", actor=PROGRAM, now=room.clock.now())
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    headers = cookie(session(room.ledger, room.site.id, "li", room.clock.now()))
    path = f"/api/v1/alarms/{alarm}/acknowledge"
    with at(app, DUTY_ROOM) as client:
        assert client.post(path, headers=headers).status_code == 403, "li may not"
        signed = {**headers, "Signing-User": "zhou", "Signing-Pin": "4711"}
        done = client.post(path, headers=signed)
        assert done.json()["acknowledged_by"] == "zhou"
        order = f"/api/v1/orders/{alarm}.order/accept"
        refused = client.post(order, headers=signed)
        assert refused.status_code == 403, "zhou may not, though li may"
        assert client.post(order, headers=headers).json()["accepted_by"] == "li"
    with room.ledger.read(room.site.id) as view:
        newest = audit.newest(view, limit=20)
    rows = {(row.action, row.by): row.via for row in newest}
    (signing,) = [row for row in newest if row.action == "alarm.acknowledge"]
    assert signing.detail["at_session_of"] == "li"
    assert rows["alarm.acknowledge", "zhou"] == "pin"
    assert rows["denied", "zhou"] == "pin"
    assert rows["order.accept", "li"] == "session"


def test_a_pin_cannot_be_guessed(app: FastAPI, room: Room) -> None:
    people.give_pin(room.ledger, room.site.id, "zhou", "4711", actor=PROGRAM, now=room.clock.now())
    hire(room.ledger, room.site, "li", Role.TECHNICIAN, room.clock.now())
    hire(room.ledger, room.site, "wu", Role.OFFICER, room.clock.now())

    def sign(client: TestClient, by: str, user: str, pin: str) -> httpx2.Response:
        headers = cookie(session(room.ledger, room.site.id, by, room.clock.now()))
        headers |= {"Signing-User": user, "Signing-Pin": pin}
        return client.post("/api/v1/alarms/x/acknowledge", headers=headers)

    with at(app, DUTY_ROOM) as client:
        wrong = sign(client, "li", "zhou", "0000")
        assert wrong.status_code == 403
        assert wrong.json()["type"] == "urn:dutyroom:problem:wrong-pin"
        for user, pin in (("nobody", "4711"), ("NOT a name", "4711"), ("zhou", "")):
            told = sign(client, "li", user, pin).json()
            assert (told["type"], told["detail"]) == (wrong.json()["type"], wrong.json()["detail"])
        answers = Counter(sign(client, "li", "zhou", f"{n:04}").status_code for n in range(200))
        assert answers == {403: 4, 429: 196}
        assert sign(client, "li", "zhou", "4711").status_code == 429
        assert sign(client, "wu", "zhou", "4711").status_code == 404, "right, and no such alarm"
    with room.ledger.read(room.site.id) as view:
        assert ("pin.refuse", "li", "zhou") in {
            (row.action, row.by, row.subject) for row in audit.newest(view, limit=20)
        }


@pytest.mark.parametrize("spread", ["targets", "guessers"])
def test_pins_cannot_be_guessed_by_many_or_at_many(room: Room, spread: str) -> None:
    guesses = Guesses(room.clock)
    answers: Counter[str] = Counter()

    def wrong() -> None:
        raise accounts.WrongPinError

    async def run() -> None:
        for number in range(30):
            one, many = "x", f"user-{number}"
            who, of = (one, many) if spread == "targets" else (many, one)
            try:
                await guesses.pin(who, of, wrong, accounts.WrongPinError)
            except accounts.WrongPinError:
                answers["checked"] += 1
            except ProblemException as refused:
                answers[str(refused.status_code)] += 1
        await guesses.pin("somebody", "else", lambda: None, accounts.WrongPinError)

    anyio.run(run)
    assert answers == {"checked": 10, "429": 20}


def test_a_ledger_that_fails_counts_as_no_guess(room: Room) -> None:
    guesses = Guesses(room.clock)

    def broken() -> None:
        raise OSError("disk full")

    async def run() -> None:
        for _ in range(20):
            with pytest.raises(OSError, match="disk full"):
                await guesses.log_in("zhou", ELSEWHERE, False, broken, accounts.LogInRefusedError)

        def wrong() -> None:
            raise accounts.LogInRefusedError

        for _ in range(5):
            with pytest.raises(accounts.LogInRefusedError):
                await guesses.log_in("zhou", ELSEWHERE, False, wrong, accounts.LogInRefusedError)
        with pytest.raises(ProblemException):
            await guesses.log_in("zhou", ELSEWHERE, False, wrong, accounts.LogInRefusedError)

    anyio.run(run)

"""Which of several rules workers leads: the claim on a server, and what a worker makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from postgres import PostgresServer
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.clock import SystemClock
from rules import standby
from rules.ledger.store import Ledger, open_ledger
from rules.standby import Leadership, PostgresClaim, claim_of


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[Ledger]:
    """A ledger on PostgreSQL."""
    url = postgres_server.new_database()
    ledger = open_ledger(url)
    yield ledger
    ledger.close()
    postgres_server.drop_database(url)


@pytest.fixture
def claims(server: Ledger) -> Iterator[Callable[[str], PostgresClaim]]:
    made: list[PostgresClaim] = []

    def make(site: str) -> PostgresClaim:
        made.append(PostgresClaim(server, site))
        return made[-1]

    yield make
    for claim in made:
        claim.release()


def end_sessions(server: Ledger) -> None:
    """Every session of a claim ends, as when its machine is switched off."""
    with server.writing() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'dutyroom rules claim'"
                " AND datname = current_database()"
            )
        ).all()
    assert ended


def test_a_ledger_in_a_file_needs_no_claim(tmp_path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    assert claim_of(ledger, "a") is None
    ledger.close()


def test_one_leads_until_it_lets_go(
    claims: Callable[[str], PostgresClaim], until: Callable[..., Awaitable[None]]
) -> None:
    one, two = claims("a"), claims("a")
    assert one.take()
    assert one.take(), "asked again it is still ours"
    assert not two.take()
    assert claims("b").take(), "another site is another claim"
    one.release()
    # The server hears of an ended session a moment later.
    asyncio.run(until(two.take))
    assert not one.take()


def test_a_lost_session_is_noticed_and_claimed_again(
    server: Ledger, claims: Callable[[str], PostgresClaim]
) -> None:
    one = claims("a")
    assert one.take()
    end_sessions(server)
    with pytest.raises(OperationalError):
        one.take()
    assert one.take()


def test_who_lost_it_stands_by_where_another_was_quicker(
    server: Ledger, claims: Callable[[str], PostgresClaim]
) -> None:
    one, two = claims("a"), claims("a")
    assert one.take()
    end_sessions(server)
    assert two.take()
    with pytest.raises(OperationalError):
        one.take()
    assert not one.take()


def test_who_is_frozen_loses_it_to_whoever_stands_by(
    claims: Callable[[str], PostgresClaim],
    until: Callable[..., Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standby, "FROZEN_AFTER", "300ms")
    one, two = claims("a"), claims("a")
    assert one.take()
    assert not two.take()
    # Who stands by asks on, and so it is not idle; ``one`` says nothing any more.
    asyncio.run(until(two.take))
    with pytest.raises(OperationalError):
        one.take()
    assert not one.take()


class Played:
    """A claim that answers as it is told: True, False, or None for no answer."""

    def __init__(self, *answers: bool | None) -> None:
        self.answers = list(answers)
        self.released = 0

    def reach(self) -> None:
        if self.answers[0] is None:
            self.answers.pop(0)
            raise OperationalError("SELECT", {}, Exception("away"))

    def take(self) -> bool:
        self.reach()
        return bool(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHECK_S", "_WAIT_S", "_COURTESY_S"):
        monkeypatch.setattr(standby, name, getattr(standby, name) / 20)


def test_standing_by_until_the_other_is_gone(quick: None) -> None:
    async def check() -> None:
        leadership = Leadership(Played(False, False, True), SystemClock())
        assert not leadership.is_sure()
        assert await leadership.wait(asyncio.Event())
        assert leadership.is_sure()

    asyncio.run(asyncio.wait_for(check(), 5))


def test_after_an_outage_who_led_comes_first(quick: None) -> None:
    async def check() -> None:
        begun = time.monotonic()
        leadership = Leadership(Played(None, None, True), SystemClock())
        assert await leadership.wait(asyncio.Event())
        assert time.monotonic() - begun >= standby._COURTESY_S

    asyncio.run(asyncio.wait_for(check(), 5))


def test_it_leads_on_through_an_outage_and_is_not_sure_meanwhile(quick: None) -> None:
    async def check() -> None:
        claim = Played(True, None, None, True)
        leadership, stop, over = Leadership(claim, SystemClock()), asyncio.Event(), asyncio.Event()
        assert await leadership.wait(stop)
        keeping = asyncio.create_task(leadership.keep(stop, over))
        while leadership.is_sure():  # noqa: ASYNC110  # the claim is asked in another thread
            await asyncio.sleep(0.001)
        assert not over.is_set()
        while not leadership.is_sure():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert not over.is_set()
        stop.set()
        await keeping
        assert over.is_set()

    asyncio.run(asyncio.wait_for(check(), 5))


def test_it_ends_where_another_leads(quick: None) -> None:
    async def check() -> None:
        leadership, over = Leadership(Played(True, None, False), SystemClock()), asyncio.Event()
        assert await leadership.wait(asyncio.Event())
        await leadership.keep(asyncio.Event(), over)
        assert over.is_set()
        assert not leadership.is_sure()

    asyncio.run(asyncio.wait_for(check(), 5))


def test_who_is_told_to_end_while_standing_by_ends(quick: None) -> None:
    async def check() -> None:
        stop = asyncio.Event()
        waiting = asyncio.create_task(Leadership(Played(False), SystemClock()).wait(stop))
        await asyncio.sleep(0.05)
        stop.set()
        assert not await waiting

    asyncio.run(asyncio.wait_for(check(), 5))

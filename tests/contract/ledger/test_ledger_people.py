"""Users and sessions."""

from __future__ import annotations

import pytest
from duty_room import NOON
from sqlalchemy import select

from gateway.clock import ManualClock
from rules.ledger import tables
from rules.ledger.store import Ledger
from rules.people import accounts
from rules.people.accounts import LogInRefusedError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def test_of_the_first_admin_only_hashes_are_kept(ledger: Ledger, clock: ManualClock) -> None:
    made = "made-for-the-admin"
    assert not accounts.has_admin(ledger)
    accounts.ensure_admin(ledger, made, clock.now())
    assert accounts.has_admin(ledger)
    token, user = accounts.log_in(ledger, "admin", made, clock.now())
    assert (user.username, user.role) == ("admin", "admin")
    session = accounts.session_of(ledger, token, clock.now())
    assert session is not None
    assert session.user == user
    with ledger.reading() as connection:
        stored = str([list(row) for row in connection.execute(select(tables.people.user))])
        stored += str([list(row) for row in connection.execute(select(tables.people.session))])
    assert "$argon2id$" in stored
    assert made not in stored
    assert token not in stored


def test_a_password_given_is_in_force_and_another_one_ends_the_sessions(
    ledger: Ledger, clock: ManualClock
) -> None:
    accounts.ensure_admin(ledger, "first", clock.now())
    token, _ = accounts.log_in(ledger, "admin", "first", clock.now())
    accounts.ensure_admin(ledger, "first", clock.now())
    assert accounts.session_of(ledger, token, clock.now()) is not None
    accounts.ensure_admin(ledger, "second", clock.now())
    assert accounts.session_of(ledger, token, clock.now()) is None
    with pytest.raises(LogInRefusedError):
        accounts.log_in(ledger, "admin", "first", clock.now())
    accounts.log_in(ledger, "admin", "second", clock.now())


@pytest.mark.parametrize("name", ["admin", "nobody", ""])
def test_a_wrong_password_is_refused(ledger: Ledger, clock: ManualClock, name: str) -> None:
    accounts.ensure_admin(ledger, "right", clock.now())
    with pytest.raises(LogInRefusedError):
        accounts.log_in(ledger, name, "wrong", clock.now())


def test_a_session_ends_when_idle_when_old_and_at_log_out(
    ledger: Ledger, clock: ManualClock
) -> None:
    accounts.ensure_admin(ledger, "right", clock.now())
    token, _ = accounts.log_in(ledger, "admin", "right", clock.now())
    for _ in range(14):
        clock.advance(11 * 3600)
        assert accounts.session_of(ledger, token, clock.now()) is not None, "in use"
    clock.advance(11 * 3600)
    clock.advance(3 * 3600)
    assert accounts.session_of(ledger, token, clock.now()) is None, "a week old"
    token, _ = accounts.log_in(ledger, "admin", "right", clock.now())
    clock.advance(12 * 3600 - 1)
    session = accounts.session_of(ledger, token, clock.now())
    assert session is not None
    assert session.ends_at == clock.now().wall + accounts.IDLE
    clock.advance(12 * 3600)
    assert accounts.session_of(ledger, token, clock.now()) is None, "idle"
    token, _ = accounts.log_in(ledger, "admin", "right", clock.now())
    accounts.log_out(ledger, token)
    assert accounts.session_of(ledger, token, clock.now()) is None
    assert accounts.session_of(ledger, "made up", clock.now()) is None

"""Logging in, sessions, PINs, and the tokens of machines."""

from __future__ import annotations

from datetime import date

import pytest
import two_people
from duty_room import NOON, SITE, site
from sqlalchemy import select
from two_people import ADMIN, COMMAND, OFFICER, THERE, deeds, is_on, log_in

from gateway.clock import ManualClock
from rules.ledger import tables
from rules.ledger.store import Ledger
from rules.people import accounts, people, sessions, tokens
from rules.people.accounts import LogInRefusedError, NotAMemberError, WrongPinError
from rules.people.passwords import matches
from rules.people.people import Person
from rules.people.roles import Actor, ForbiddenError, Role, Via
from rules.refusals import ConflictError, NotFoundError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def staffed(ledger: Ledger, clock: ManualClock) -> Ledger:
    """The admin, and Zhou with a password."""
    two_people.bring_in(ledger, clock)
    return ledger


def test_of_the_first_admin_only_hashes_are_kept(ledger: Ledger, clock: ManualClock) -> None:
    made = "made-for-the-admin"
    assert not accounts.has_admin(ledger)
    accounts.ensure_admin(ledger, SITE, clock.now(), made)
    assert accounts.has_admin(ledger)
    token, user = accounts.log_in(ledger, SITE, "admin", made, clock.now())
    assert (user.username, user.role) == ("admin", Role.ADMIN)
    session = sessions.session_of(ledger, SITE, token, clock.now())
    assert session is not None
    assert session.user == user
    with ledger.reading() as connection:
        stored = str([list(row) for row in connection.execute(select(tables.people.user))])
        stored += str([list(row) for row in connection.execute(select(tables.people.session))])
    assert "$argon2id$" in stored
    assert made not in stored
    assert token not in stored


def test_a_password_given_at_the_start_never_replaces_one(
    ledger: Ledger, clock: ManualClock
) -> None:
    accounts.ensure_admin(ledger, SITE, clock.now(), "first")
    token, _ = accounts.log_in(ledger, SITE, "admin", "first", clock.now())
    accounts.ensure_admin(ledger, SITE, clock.now(), "first")
    accounts.ensure_admin(ledger, SITE, clock.now())
    accounts.ensure_admin(ledger, SITE, clock.now(), "second")
    assert is_on(ledger, token, clock)
    people.set_password(ledger, SITE, "admin", "changed", actor=COMMAND, now=clock.now())
    accounts.ensure_admin(ledger, SITE, clock.now(), "first")
    for other in ("first", "second"):
        with pytest.raises(LogInRefusedError):
            accounts.log_in(ledger, SITE, "admin", other, clock.now())
    accounts.log_in(ledger, SITE, "admin", "changed", clock.now())


def test_a_password_given_is_for_an_admin_who_has_none(ledger: Ledger, clock: ManualClock) -> None:
    admin = Person(username="admin", display_name="A", role=Role.ADMIN)
    people.add(ledger, site(), admin, actor=COMMAND, now=clock.now())
    assert not accounts.has_admin(ledger)
    accounts.ensure_admin(ledger, SITE, clock.now(), "first")
    assert accounts.has_admin(ledger)
    accounts.log_in(ledger, SITE, "admin", "first", clock.now())


def test_a_password_changed_while_the_old_one_is_checked_lets_nobody_in(
    staffed: Ledger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(password: str, stored: str | None) -> bool:
        right = matches(password, stored)
        people.set_password(staffed, SITE, "zhou", "new and long", actor=ADMIN, now=clock.now())
        return right

    monkeypatch.setattr(accounts, "matches", slowly)
    with pytest.raises(LogInRefusedError):
        accounts.log_in(staffed, SITE, "zhou", "long enough", clock.now())
    monkeypatch.undo()
    assert sessions.living(staffed, SITE, actor=ADMIN, now=clock.now()) == []
    accounts.log_in(staffed, SITE, "zhou", "new and long", clock.now())


def test_a_refused_log_in_names_an_account_only_if_there_is_one(
    staffed: Ledger, clock: ManualClock
) -> None:
    for name, account in (("zhou", "zhou"), ("correct horse", None)):
        with pytest.raises(LogInRefusedError) as refused:
            accounts.log_in(staffed, SITE, name, "wrong", clock.now())
        assert refused.value.account == account


def test_there_is_no_first_admin_without_a_password(ledger: Ledger, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="needs a password"):
        accounts.ensure_admin(ledger, SITE, clock.now())
    assert not accounts.has_admin(ledger)


@pytest.mark.parametrize("name", ["admin", "nobody", ""])
def test_a_wrong_password_is_refused(ledger: Ledger, clock: ManualClock, name: str) -> None:
    accounts.ensure_admin(ledger, SITE, clock.now(), "right")
    with pytest.raises(LogInRefusedError):
        accounts.log_in(ledger, SITE, name, "wrong", clock.now())


def test_a_session_ends_when_idle_when_old_and_at_log_out(
    ledger: Ledger, clock: ManualClock
) -> None:
    accounts.ensure_admin(ledger, SITE, clock.now(), "right")
    token = log_in(ledger, clock, "admin")
    for _ in range(14):
        clock.advance(11 * 3600)
        assert is_on(ledger, token, clock), "in use"
    clock.advance(11 * 3600)
    clock.advance(3 * 3600)
    assert not is_on(ledger, token, clock), "a week old"
    token = log_in(ledger, clock, "admin")
    clock.advance(12 * 3600 - 1)
    session = sessions.session_of(ledger, SITE, token, clock.now())
    assert session is not None
    assert session.ends_at == clock.now().wall + sessions.IDLE
    clock.advance(12 * 3600)
    assert not is_on(ledger, token, clock), "idle"
    token = log_in(ledger, clock, "admin")
    sessions.log_out(ledger, SITE, token, clock.now())
    assert not is_on(ledger, token, clock)
    assert not is_on(ledger, "made up", clock)
    assert deeds(ledger)[-1][:2] == ("admin", "session.end")


def test_a_session_is_good_at_its_own_site_only(staffed: Ledger, clock: ManualClock) -> None:
    token = log_in(staffed, clock)
    assert sessions.session_of(staffed, THERE.id, token, clock.now()) is None
    assert is_on(staffed, token, clock)
    with pytest.raises(NotAMemberError):
        accounts.log_in(staffed, THERE.id, "zhou", "long enough", clock.now())


def test_sessions_are_listed_and_ended_one_by_one(staffed: Ledger, clock: ManualClock) -> None:
    first = log_in(staffed, clock, address="10.0.0.1")
    clock.advance(1)
    second = log_in(staffed, clock, address="10.0.0.2")
    mine = sessions.living(staffed, SITE, actor=OFFICER, now=clock.now(), username="zhou")
    assert [(one.address, one.agent) for one in mine] == [
        ("10.0.0.2", "test"),
        ("10.0.0.1", "test"),
    ]
    assert not any(one.id in token for one in mine for token in (first, second))
    sessions.revoke(staffed, SITE, mine[1].id, actor=OFFICER, now=clock.now())
    assert (is_on(staffed, first, clock), is_on(staffed, second, clock)) == (False, True)
    with pytest.raises(NotFoundError):
        sessions.revoke(staffed, SITE, mine[1].id, actor=ADMIN, now=clock.now())
    people.end_sessions(staffed, SITE, "zhou", actor=ADMIN, now=clock.now())
    assert not is_on(staffed, second, clock)


def test_the_sessions_of_others_are_for_the_admin(staffed: Ledger, clock: ManualClock) -> None:
    log_in(staffed, clock, "admin")
    now = clock.now()
    for whose in ("admin", None):
        with pytest.raises(ForbiddenError):
            sessions.living(staffed, SITE, actor=OFFICER, now=now, username=whose)
    (admins,) = sessions.living(staffed, SITE, actor=ADMIN, now=now)
    with pytest.raises(ForbiddenError):
        sessions.revoke(staffed, SITE, admins.id, actor=OFFICER, now=now)
    with pytest.raises(ForbiddenError):
        people.end_sessions(staffed, SITE, "admin", actor=OFFICER, now=now)
    clock.advance(13 * 3600)
    assert sessions.living(staffed, SITE, actor=ADMIN, now=clock.now()) == []


def test_one_changes_ones_own_password_and_other_sessions_end(
    staffed: Ledger, clock: ManualClock
) -> None:
    here, elsewhere = log_in(staffed, clock), log_in(staffed, clock)

    def change(old: str) -> None:
        accounts.change_password(
            staffed,
            SITE,
            actor=OFFICER,
            old=old,
            new="another one",
            now=clock.now(),
            token=here,
        )

    with pytest.raises(LogInRefusedError):
        change("wrong")
    change("long enough")
    assert (is_on(staffed, here, clock), is_on(staffed, elsewhere, clock)) == (True, False)
    accounts.log_in(staffed, SITE, "zhou", "another one", clock.now())


def test_a_pin_signs_as_its_person(staffed: Ledger, clock: ManualClock) -> None:
    with pytest.raises(WrongPinError):
        accounts.signer(staffed, SITE, "zhou", "4711")
    with pytest.raises(LogInRefusedError):
        accounts.set_pin(
            staffed, SITE, actor=OFFICER, password="wrong", pin="4711", now=clock.now()
        )
    accounts.set_pin(
        staffed, SITE, actor=OFFICER, password="long enough", pin="4711", now=clock.now()
    )
    signer = accounts.signer(staffed, SITE, "zhou", "4711", at_session_of="li")
    assert signer == Actor(
        username="zhou",
        role=Role.OFFICER,
        areas=frozenset({"b1"}),
        via=Via.PIN,
        at_session_of="li",
    )
    for name, pin, where in (
        ("zhou", "4712", SITE),
        ("admin", "4711", SITE),
        ("nobody", "4711", SITE),
        ("zhou", "4711", THERE.id),
    ):
        with pytest.raises(WrongPinError):
            accounts.signer(staffed, where, name, pin)
    with staffed.read(SITE) as view:
        found = people.find(view, "zhou")
    assert found is not None
    assert found.has_pin
    accounts.remove_pin(staffed, SITE, actor=OFFICER, now=clock.now())
    with pytest.raises(WrongPinError):
        accounts.signer(staffed, SITE, "zhou", "4711")


def test_where_somebody_has_logged_in_is_remembered_for_a_few_addresses(
    staffed: Ledger, clock: ManualClock
) -> None:
    log_in(staffed, clock, address="10.0.0.1")
    assert accounts.knows_address(staffed, SITE, "zhou", "10.0.0.1")
    assert not accounts.knows_address(staffed, SITE, "zhou", "10.0.0.2")
    assert not accounts.knows_address(staffed, SITE, "admin", "10.0.0.1")
    assert not accounts.knows_address(staffed, THERE.id, "zhou", "10.0.0.1")
    with staffed.write(SITE) as entry:
        for number in range(30):
            now = clock.advance(1)
            accounts._remember_address(entry, "zhou", f"10.1.0.{number}", now)
    assert not accounts.knows_address(staffed, SITE, "zhou", "10.0.0.1")
    assert accounts.knows_address(staffed, SITE, "zhou", "10.1.0.29")


def test_a_machine_has_a_token_of_which_only_the_hash_is_kept(
    staffed: Ledger, clock: ManualClock
) -> None:
    today = date(2026, 11, 21)

    def issue(name: str, expires_on: date | None) -> tuple[str, tokens.MachineToken]:
        return tokens.issue(
            staffed,
            site(),
            name=name,
            role=Role.TECHNICIAN,
            areas=("b1",),
            expires_on=expires_on,
            actor=ADMIN,
            now=clock.now(),
        )

    def actor_of(token: str, day: date = today, where: str = SITE) -> Actor | None:
        found = tokens.token_of(staffed, where, token, now=clock.now(), today=day)
        return None if found is None else found.actor

    token, made = issue("display", today)
    with staffed.reading() as connection:
        rows = connection.execute(select(tables.people.machine_token)).all()
    assert token not in str([list(row) for row in rows])
    assert actor_of(token) == Actor(
        username="token:display",
        role=Role.TECHNICIAN,
        areas=frozenset({"b1"}),
        via=Via.TOKEN,
    )
    assert actor_of(token, date(2026, 11, 22)) is None, "its last day was yesterday"
    assert actor_of(token, where=THERE.id) is None
    assert actor_of("drt_made-up") is None
    with staffed.read(SITE) as view:
        (shown,) = tokens.issued(view, actor=ADMIN)
        with pytest.raises(ForbiddenError):
            tokens.issued(view, actor=OFFICER)
    assert shown.last_used_at == clock.now().wall
    with pytest.raises(ConflictError):
        issue("display", None)
    for_ever, _ = issue("for-ever", None)
    assert actor_of(for_ever, date(2100, 1, 1)) is not None
    with pytest.raises(ForbiddenError):
        tokens.revoke(staffed, SITE, made.id, actor=OFFICER, now=clock.now())
    tokens.revoke(staffed, SITE, made.id, actor=ADMIN, now=clock.now())
    assert actor_of(token) is None
    with pytest.raises(NotFoundError):
        tokens.revoke(staffed, SITE, made.id, actor=ADMIN, now=clock.now())
    issue("display", None)
    assert ("admin", "token.revoke", "display") in deeds(staffed)

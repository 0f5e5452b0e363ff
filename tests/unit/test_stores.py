"""Opening what is kept, and the user admin."""

from __future__ import annotations

import pytest
from duty_room import site

from api.data_directory import DataDirectory
from api.settings import ADMIN_PASSWORD, CannotStartError
from api.stores import ledger_of, see_to_admin, spool_of
from gateway.clock import ManualClock
from rules.people import accounts

CLOCK = ManualClock(1_795_233_600_000_000)
SITE = site()


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv(ADMIN_PASSWORD, raising=False)
    return DataDirectory.open(tmp_path / "data")


@pytest.fixture
def ledger(data):
    ledger = ledger_of(data)
    yield ledger
    ledger.close()


def can_log_in(ledger, password):
    try:
        accounts.log_in(ledger, SITE.id, "admin", password, CLOCK.now())
    except accounts.LogInRefusedError:
        return False
    return True


def test_a_ledger_that_others_made_first_locks_nobody_out(data, ledger):
    """The rules may have made the file; whether there is an admin is what counts."""
    see_to_admin(ledger, data, SITE, CLOCK)
    made = data.made_password()
    assert made is not None
    assert can_log_in(ledger, made)


def test_killed_before_it_was_shown_the_same_password_is_shown_next(data, ledger):
    see_to_admin(ledger, data, SITE, CLOCK)
    made = data.made_password()
    see_to_admin(ledger, data, SITE, CLOCK)
    assert data.made_password() == made


def test_shown_once_it_stays_as_it_is(data, ledger):
    see_to_admin(ledger, data, SITE, CLOCK)
    made = data.made_password()
    data.forget_made_password()
    see_to_admin(ledger, data, SITE, CLOCK)
    assert data.made_password() is None
    assert can_log_in(ledger, made)


def test_the_environments_password_is_the_first_ones_only(data, ledger, monkeypatch):
    monkeypatch.setenv(ADMIN_PASSWORD, "given")
    see_to_admin(ledger, data, SITE, CLOCK)
    assert can_log_in(ledger, "given")
    assert data.made_password() is None
    for later in ("another", ""):
        monkeypatch.setenv(ADMIN_PASSWORD, later)
        see_to_admin(ledger, data, SITE, CLOCK)
        assert can_log_in(ledger, "given")
        assert data.made_password() is None


def test_a_made_password_that_is_in_force_is_shown_though_the_environment_gives_one(
    data, ledger, monkeypatch
):
    see_to_admin(ledger, data, SITE, CLOCK)
    made = data.made_password()
    monkeypatch.setenv(ADMIN_PASSWORD, "given")
    see_to_admin(ledger, data, SITE, CLOCK)
    assert data.made_password() == made
    assert can_log_in(ledger, made)


def test_a_made_password_replaces_none_and_is_then_not_shown(data, ledger, monkeypatch):
    """Two machines on one ledger at once: the other one was first."""
    accounts.ensure_admin(ledger, SITE.id, CLOCK.now(), "of the other one")
    monkeypatch.setattr(accounts, "has_admin", lambda _: False)
    see_to_admin(ledger, data, SITE, CLOCK)
    assert can_log_in(ledger, "of the other one")
    assert data.made_password() is None


@pytest.mark.parametrize("wrong", ["x" * 257, "\udcff\udcfe"])
def test_a_password_that_nobody_could_log_in_with_is_refused(wrong, data, ledger, monkeypatch):
    monkeypatch.setenv(ADMIN_PASSWORD, wrong)
    with pytest.raises(CannotStartError, match=ADMIN_PASSWORD):
        see_to_admin(ledger, data, SITE, CLOCK)


def test_a_ledger_that_is_none_is_one_clear_line(data):
    data.ledger.write_bytes(b"this is no database" * 100)
    with pytest.raises(CannotStartError, match="bring back a backup"):
        ledger_of(data)


def test_a_ledger_that_is_a_directory_is_one_clear_line(data):
    data.ledger.mkdir()
    with pytest.raises(CannotStartError, match="bring back a backup"):
        ledger_of(data)


def test_a_spool_that_is_a_file_is_one_clear_line(data):
    data.spool.touch()
    with pytest.raises(CannotStartError, match="move it away"):
        spool_of(data)

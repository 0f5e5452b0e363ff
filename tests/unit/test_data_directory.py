"""The data directory: who may use it, and its secrets."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from api import data_directory
from api.data_directory import DataDirectory
from api.settings import CannotStartError


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory.open(tmp_path / "data")


def test_secrets_are_for_their_owner_only(data: DataDirectory) -> None:
    path = data.keep_secret("thing", "hidden")
    assert path.read_text() == "hidden"
    assert path.stat().st_mode & 0o777 == 0o600
    assert data.run.stat().st_mode & 0o777 == 0o700


def test_one_up_at_a_time(data: DataDirectory) -> None:
    data.claim()
    with pytest.raises(CannotStartError, match="another dutyroom is running"):
        DataDirectory.open(data.root).claim()


def test_a_new_up_waits_for_what_is_left_of_a_killed_one(data: DataDirectory) -> None:
    # Only the children's lock is held: their parent is dead.
    left = data_directory._open(data.run / "children.lock")
    assert data_directory._lock(left)
    threading.Timer(0.3, os.close, [left]).start()
    began = time.monotonic()
    data.claim()
    assert 0.2 < time.monotonic() - began < 5


def test_a_new_up_does_not_wait_for_ever(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_directory, "_LEFTOVERS", 0.2)
    left = data_directory._open(data.run / "children.lock")
    assert data_directory._lock(left)
    with pytest.raises(CannotStartError, match="processes of an earlier run"):
        data.claim()
    os.close(left)


def test_a_service_runs_once_on_a_directory(data: DataDirectory) -> None:
    data.claim_service("rules")
    DataDirectory.open(data.root).claim_service("gateway")
    with pytest.raises(CannotStartError, match="another dutyroom rules is running"):
        DataDirectory.open(data.root).claim_service("rules")


def test_the_broker_keeps_its_address_and_password(data: DataDirectory) -> None:
    assert data.own_broker() is None
    made = data.renew_broker()
    assert made.host == "127.0.0.1"
    assert len(made.password) >= 32
    assert data.own_broker() == made
    assert DataDirectory.open(data.root).renew_broker() == made


def test_the_broker_moves_away_from_a_taken_port_and_keeps_its_password(
    data: DataDirectory,
) -> None:
    made = data.renew_broker()
    with socket.create_server(("127.0.0.1", made.port)):
        moved = data.renew_broker()
    assert moved.port != made.port
    assert moved.password == made.password
    assert data.own_broker() == moved


def test_a_running_broker_is_not_moved(data: DataDirectory) -> None:
    made = data.renew_broker()
    data.claim_service("broker")
    with pytest.raises(CannotStartError, match="another dutyroom broker"):
        data.renew_broker()
    assert data.own_broker() == made


def test_a_made_password_is_kept_until_it_was_shown(data: DataDirectory) -> None:
    made = data.make_password()
    assert made
    # Killed before it was shown: the next start shows the very same.
    assert DataDirectory.open(data.root).make_password() == made
    assert data.made_password() == made
    data.forget_made_password()
    assert data.made_password() is None


@pytest.mark.parametrize("text", ["x", "{}", "[1]", '{"host": 1}'])
def test_a_broken_note_of_the_broker_is_made_anew(data: DataDirectory, text: str) -> None:
    data.keep_secret("broker.json", text)
    assert data.own_broker() is None
    assert data.renew_broker() == data.own_broker()


def test_the_directory_is_for_its_owner_only(data: DataDirectory) -> None:
    assert data.root.stat().st_mode & 0o777 == 0o700

"""How the environment names servers, and what is said of a wrong word."""

from __future__ import annotations

import pytest

from api import servers
from api.settings import ADMIN_PASSWORD, ADMIN_PASSWORD_FILE, CannotStartError, given_password

SECRET = "not-for-any-log"


@pytest.fixture
def say(monkeypatch):
    for name in dir(servers):
        if isinstance(value := getattr(servers, name), str) and value.startswith("DUTYROOM_"):
            monkeypatch.delenv(value, raising=False)
    return monkeypatch.setenv


def test_without_a_word_all_is_in_the_data_directory(say):
    assert servers.ledger_server() is None
    assert servers.history_server() is None
    say(servers.LEDGER, "")
    say(servers.INFLUX_URL, "")
    assert servers.ledger_server() is None
    assert servers.history_server() is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_ledger_server_with_its_password_apart(scheme, say, tmp_path):
    say(servers.LEDGER, f"{scheme}://dutyroom@db:5433/duty?sslmode=verify-full")
    (tmp_path / "password").write_text(f"{SECRET}\n")
    say(servers.LEDGER_PASSWORD_FILE, str(tmp_path / "password"))
    url = servers.ledger_server()
    assert url.render_as_string(hide_password=False) == (
        f"postgresql+psycopg://dutyroom:{SECRET}@db:5433/duty?sslmode=verify-full"
    )
    assert SECRET not in str(url)


@pytest.mark.parametrize(
    "wrong",
    [
        f"dutyroom:{SECRET}@db/duty",
        f"mysql://dutyroom:{SECRET}@db/duty",
        f"postgresql+nothing://dutyroom:{SECRET}@db/duty",
        f"postgresql://dutyroom:{SECRET}@db",
        f"postgresql://dutyroom:{SECRET}@db:many/duty",
        f"sqlite:////{SECRET}",
    ],
)
def test_no_ledger_address_and_no_password_is_repeated(wrong, say):
    say(servers.LEDGER, wrong)
    with pytest.raises(CannotStartError, match="DUTYROOM_LEDGER is no address") as raised:
        servers.ledger_server()
    assert SECRET not in str(raised.value)


def test_a_history_server(say):
    say(servers.INFLUX_URL, "https://influx:8086/")
    say(servers.INFLUX_TOKEN, SECRET)
    address = servers.history_server()
    assert (address.url, address.bucket, address.org) == ("https://influx:8086", "dutyroom", "")
    assert (address.token, address.database, address.policy) == (SECRET, "dutyroom", "")
    assert SECRET not in repr(address)
    say(servers.INFLUX_BUCKET, "duty/month")
    say(servers.INFLUX_ORG, "house")
    address = servers.history_server()
    assert (address.database, address.policy, address.org) == ("duty", "month", "house")


@pytest.mark.parametrize(
    "wrong", ["influx:8086", "influxdb://influx:8086", f"http://u:{SECRET}@influx:8086", "http://"]
)
def test_no_history_address(wrong, say):
    say(servers.INFLUX_URL, wrong)
    with pytest.raises(CannotStartError, match="DUTYROOM_INFLUX_URL is no address") as raised:
        servers.history_server()
    assert SECRET not in str(raised.value)


def test_certificates_that_are_not_there(say, tmp_path):
    say(servers.INFLUX_URL, "https://influx:8086")
    say(servers.INFLUX_CA, str(tmp_path / "none"))
    with pytest.raises(CannotStartError, match="DUTYROOM_INFLUX_CA: there is no file"):
        servers.history_server()


def test_a_secret_is_given_once(say, tmp_path):
    file = tmp_path / "password"
    file.write_text("right horse\r\n")
    say(ADMIN_PASSWORD_FILE, str(file))
    say(ADMIN_PASSWORD, "")
    assert given_password() == "right horse"
    say(ADMIN_PASSWORD, SECRET)
    with pytest.raises(CannotStartError, match="leave one out") as raised:
        given_password()
    assert SECRET not in str(raised.value)
    say(ADMIN_PASSWORD, "")
    file.write_bytes(b"\xff")
    with pytest.raises(CannotStartError, match="is no UTF-8 text"):
        given_password()
    file.unlink()
    with pytest.raises(CannotStartError, match="No such file"):
        given_password()

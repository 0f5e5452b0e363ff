"""``dutyroom user …`` and ``dutyroom audit …``."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from api import cli
from api.data_directory import DataDirectory
from api.demo_people import see_to_people
from api.settings import demo_site
from api.stores import ledger_of, see_to_admin
from gateway.clock import SystemClock
from gateway.site.files import load
from rules.ledger.store import Ledger, open_ledger
from rules.people import accounts

Run = Callable[..., tuple[int, str, str]]
SITE = "brocade-garden"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """``dutyroom`` on a data directory of its own: exit code, output, errors."""
    for name in [name for name in os.environ if name.startswith("DUTYROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUTYROOM_DATA", str(tmp_path / "data"))

    def dutyroom(*arguments: str | Path, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dutyroom", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return dutyroom


@pytest.fixture
def ledger(run: Run, tmp_path: Path):
    """The ledger behind the commands."""
    opened = open_ledger(tmp_path / "data" / "ledger.db")
    yield opened
    opened.close()


def add_zhou(run: Run) -> None:
    code, said, errors = run(
        "user", "add", "zhou", "--name", "周明", "--role", "officer", "--area", "b1-pump-room"
    )
    assert (code, said, errors) == (0, "zhou is added\n", "")


def listed(run: Run) -> dict[str, dict]:
    code, said, _ = run("user", "list", "--json")
    assert code == 0
    return {one["username"]: one for one in json.loads(said)}


def test_somebody_is_added_changed_and_leaves(run: Run, ledger: Ledger) -> None:
    add_zhou(run)
    assert run("user", "list")[1] == "zhou  周明  officer  b1-pump-room\n"
    assert (
        run("user", "set", "zhou", "--role", "foreman", "--area", "all", "--phone", "138")[0] == 0
    )
    found = listed(run)["zhou"]
    assert (found["role"], found["areas"], found["phone"]) == ("foreman", [], "138")
    run("user", "set", "zhou", "--skill", "电工", "--skill", "给排水", "--phone", "")
    found = listed(run)["zhou"]
    assert (found["skills"], found["phone"], found["role"]) == (["电工", "给排水"], None, "foreman")
    assert run("user", "deactivate", "zhou")[0] == 0
    assert "left" in run("user", "list")[1]


def test_a_password_and_a_pin_come_from_standard_input(run: Run, ledger: Ledger) -> None:
    add_zhou(run)
    now = SystemClock().now()
    assert run("user", "password", "zhou", typed="long enough\n")[0] == 0
    accounts.log_in(ledger, SITE, "zhou", "long enough", now)
    code, _, errors = run("user", "password", "zhou", typed="short\n")
    assert code == 2
    assert "8 to 256 characters" in errors
    assert run("user", "pin", "zhou", typed="4711\n")[0] == 0
    assert accounts.signer(ledger, SITE, "zhou", "4711").username == "zhou"
    assert run("user", "pin", "zhou", typed="word\n")[0] == 2
    assert run("user", "pin", "zhou", "--remove")[0] == 0
    with pytest.raises(accounts.WrongPinError):
        accounts.signer(ledger, SITE, "zhou", "4711")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("set", "nobody", "--area", "all"), "there is nobody called nobody"),
        (("set", "zhou", "--area", "nowhere"), "the site has no area nowhere"),
        (("add", "zhou", "--name", "x", "--role", "officer"), "there is a zhou already"),
        (("set", "zhou", "--role", "king"), "'king' is none of officer"),
        (("add", "Zhou", "--name", "x", "--role", "officer"), "lower-case letters"),
        (("import", "nowhere.yaml"), "there is no such file"),
    ],
)
def test_what_cannot_be_is_said_and_not_done(
    run: Run, ledger: Ledger, arguments: tuple[str, ...], told: str
) -> None:
    add_zhou(run)
    before = listed(run)
    code, said, errors = run("user", *arguments)
    assert (code, said) == (2, "")
    assert told in errors.replace("\n", " ")
    assert "Traceback" not in errors
    assert listed(run) == before


def test_a_file_is_brought_in_whole(run: Run, ledger: Ledger) -> None:
    people = demo_site().with_name("people.yaml")
    code, said, _ = run("user", "import", people)
    assert code == 0
    assert "lift-co" in said
    assert listed(run)["lift-co"]["contractor"] is True
    assert json.loads(run("user", "import", people, "--json")[1])["added"] == []
    assert "contractor" in run("user", "list")[1]


def test_the_audit_is_listed_and_verified(run: Run, ledger: Ledger) -> None:
    """Experiment 64, on the command line: edited and deleted rows."""
    add_zhou(run)
    run("user", "set", "zhou", "--role", "foreman")
    run("user", "deactivate", "zhou")
    code, said, _ = run("audit", "verify")
    assert code == 0
    assert said.startswith("3 rows, each as it was written; head ")
    lines = run("audit", "list")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert "role=officer → foreman" in lines[1]
    assert "(command)" in lines[1]
    (one,) = run("audit", "list", "--limit", "1", "--json")[1].splitlines()
    assert json.loads(one)["action"] == "person.change"
    with ledger.writing() as connection:
        for deed in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER audit_only_grows_{deed}"))
        connection.execute(text("DELETE FROM audit WHERE number = 3"))
    code, said, _ = run("audit", "verify")
    assert (code, said) == (1, "first bad row: 3 (row 3 is not there, and none behind it)\n")
    with ledger.writing() as connection:
        connection.execute(text("UPDATE audit SET subject = 'li' WHERE number = 2"))
    code, said, _ = run("audit", "verify", "--json")
    assert code == 1
    assert json.loads(said)["first_bad"] == 2


def test_a_name_cannot_command_the_terminal(run: Run, ledger: Ledger) -> None:
    name = "\x1b[2J\u202e周"
    run("user", "add", "li", "--name", name, "--role", "officer")
    said = run("user", "list")[1]
    assert "\x1b" not in said
    assert "\\u001b[2J\\u202e周" in said


def test_the_people_of_a_demonstration_come_in_once(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUTYROOM_ADMIN_PASSWORD", "a password")
    site, clock = load(demo_site()), SystemClock()
    data = DataDirectory.open(tmp_path / "data")
    ledger = ledger_of(data)
    try:
        see_to_admin(ledger, data, site, clock)
        see_to_people(ledger, site, clock)
        said = capsys.readouterr().out
        assert said.startswith("dutyroom: demo people, each with the password of admin: zhou, ")
        assert len(said.splitlines()) == 1
        accounts.log_in(ledger, SITE, "zhou", "a password", clock.now())
        run("user", "deactivate", "zhou")
        see_to_people(ledger, site, clock)
        assert capsys.readouterr().out == ""
        with pytest.raises(accounts.NotAMemberError):
            accounts.log_in(ledger, SITE, "zhou", "a password", clock.now())
    finally:
        ledger.close()


def test_a_real_site_gets_nobody_by_itself(run: Run, tmp_path: Path) -> None:
    text_of = demo_site().read_text(encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(text_of.replace("simulation: {scenario: first-run}\n", ""), encoding="utf-8")
    (tmp_path / "people.yaml").write_text(
        demo_site().with_name("people.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert load(path).scenario is None
    ledger = open_ledger(tmp_path / "ledger.db")
    see_to_people(ledger, load(path), SystemClock())
    ledger.close()
    assert listed(run) == {}


def test_check_names_a_mistake_among_the_people_of_a_demonstration(
    run: Run, tmp_path: Path
) -> None:
    for name in ("site.yaml", "people.yaml"):
        text_of = demo_site().with_name(name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text_of.replace("role: foreman", "role: forman"), "utf-8")
    code, said, _ = run("check", tmp_path / "site.yaml")
    assert code == 2
    assert "people.yaml:" in said
    assert ".role: " in said

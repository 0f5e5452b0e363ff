"""``dutyroom roster`` and ``dutyroom calendar`` on an empty data directory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api import cli
from gateway.clock import ManualClock
from gateway.files.documents import ConfigurationError
from gateway.model.moment import SECOND

PEOPLE = Path(__file__).parents[2] / "deploy" / "demo" / "people.yaml"
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``dutyroom`` with arguments, at ten on 2026-11-21 in Shanghai."""
    for name in [name for name in os.environ if name.startswith("DUTYROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUTYROOM_DATA", str(tmp_path / "data"))
    clock = ManualClock(1_795_226_400 * SECOND)
    monkeypatch.setattr("gateway.clock.SystemClock", lambda: clock)
    return lambda *arguments: CliRunner().invoke(cli.app, [*map(str, arguments)])


@pytest.fixture
def staffed(run: Run) -> Run:
    done = run("user", "import", PEOPLE)
    assert done.exit_code == 0, done.output
    return run


def test_without_a_rotation_nobody_is_on_duty(run: Run) -> None:
    done = run("roster", "on-duty")
    assert (done.exit_code, done.stdout) == (1, "no shift is held now\n")
    assert json.loads(run("roster", "on-duty", "--json").stdout) == {"shift": None}
    assert "dutyroom roster import FILE" in run("roster", "show").stdout


def test_the_people_of_a_file_bring_their_roster(staffed: Run) -> None:
    done = staffed("roster", "on-duty")
    assert done.exit_code == 0
    assert done.stdout == (
        "2026-11-21 08:00 to 2026-11-21 20:00  白班 Day  丙班  孙海 (sun), 何军 (he)\n"
    )
    shift = json.loads(staffed("roster", "on-duty", "--json").stdout)["shift"]
    assert (shift["from"], shift["team"]["id"]) == ("2026-11-21T08:00:00.000+08:00", "c")


def test_the_roster_of_some_days(staffed: Run) -> None:
    lines = staffed("roster", "show", "--from", "2026-11-22", "--days", "2").stdout.splitlines()
    assert len(lines) == 4
    assert "高压电工作业证" in lines[0]
    items = json.loads(staffed("roster", "show", "--json").stdout)["items"]
    assert [item["date"] for item in items] == sorted(item["date"] for item in items)
    assert len(items) == 14


def test_a_roster_is_put_in_the_place_of_the_old_one(staffed: Run, tmp_path: Path) -> None:
    text = PEOPLE.read_text(encoding="utf-8").replace("{day: a, night: b}", "{day: b, night: a}")
    (tmp_path / "people.yaml").write_text(text, encoding="utf-8")
    done = staffed("roster", "import", tmp_path / "people.yaml", "--json")
    assert json.loads(done.stdout) == {
        "teams": ["a", "b", "c"],
        "shifts": ["day", "night"],
        "days": 3,
    }


def test_people_that_are_not_there_yet_are_one_clear_line(run: Run) -> None:
    done = run("roster", "import", PEOPLE)
    assert done.exit_code != 0
    assert "teams" in str(done.exception) or "members" in str(done.exception)
    assert "among the people of the site" in str(done.exception)


def test_a_mistake_in_the_file_is_told_with_its_line(staffed: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(PEOPLE.read_text(encoding="utf-8").replace("leader: qian", "leader: qain", 1))
    done = staffed("roster", "import", path)
    assert isinstance(done.exception, ConfigurationError)
    assert "teams.a.leader: there is no 'qain'" in str(done.exception)


def test_the_calendar_of_a_year(run: Run) -> None:
    lines = run("calendar", "show", "2026").stdout.splitlines()
    assert lines[0] == "2026: working hours 08:00 to 17:30"
    assert sum("make_up_working" in line for line in lines) == 6
    assert len(lines) == 1 + 39, "the days that are not what their weekday says"
    later = run("calendar", "show", "2027").stdout
    assert "provisional: make-up working days are not known" in later
    assert "make_up_working" not in later
    found = json.loads(run("calendar", "show", "2027", "--json").stdout)
    assert (found["provisional"], len(found["items"])) == (True, 365)

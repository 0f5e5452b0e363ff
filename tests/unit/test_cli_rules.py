"""``check`` tries the rules; ``rules overrides`` and ``replay`` tell people and programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from api import cli
from api.settings import demo_site
from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Site
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.site import files as site_file
from rules.actions.limits import set_limit
from rules.book_folders import SHIPPED
from rules.ledger.store import open_ledger
from rules.people.roles import PROGRAM
from rules.rulebook import load_rulebook

NOON = 1_795_233_600 * SECOND
"""2026-11-21T12:00 in Shanghai."""
RULE = "motor-temperature-high"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``dutyroom`` with arguments, in this process: exit code, output, errors."""
    for name in [name for name in os.environ if name.startswith("DUTYROOM_")]:
        monkeypatch.delenv(name)

    def dutyroom(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dutyroom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return dutyroom


@pytest.fixture
def own_site(tmp_path: Path) -> Path:
    """The demo site with a folder of rules of its own beside it."""
    path = tmp_path / "site.yaml"
    text = demo_site().read_text(encoding="utf-8")
    head = "timezone: Asia/Shanghai}"
    assert head in text
    path.write_text(text.replace(head, head[:-1] + ", rulebook_folder: book}"), encoding="utf-8")
    for folder in ("alarms", "tests"):
        (tmp_path / "book" / folder).mkdir(parents=True)
    return path


def changed_pumps(folder: Path, old: str, new: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = (SHIPPED / "alarms" / "pump.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "pump.yaml").write_text(text.replace(old, new), encoding="utf-8")


def test_check_counts_what_it_has_looked_at(run: Run) -> None:
    code, said, _ = run("check", "--json")
    told = json.loads(said)
    assert (code, told["ok"], told["warnings"]) == (0, True, [])
    assert told["rules"] > 70 and told["rule_tests"] >= told["rules"]
    assert told["profiles"] > 30 and told["points"] > 100 and told["regimes"] > 10
    _, said, _ = run("check")
    assert f"{told['rule_tests']} rule tests" in said


def test_a_rule_that_does_not_do_what_its_test_says_is_told(run: Run, own_site: Path) -> None:
    folder = own_site.parent / "book"
    changed_pumps(folder / "alarms", "above: 75", "above: 85")
    (folder / "tests" / "pump-own.yaml").write_text(
        "class: pump\n"
        "tests:\n"
        "  - id: hot\n"
        "    series: {motor_temperature: 40x2 80}\n"
        f"    expect: [{{at: 5m, rule: {RULE}, state: raised}}]\n",
        encoding="utf-8",
    )
    code, said, _ = run("check", own_site)
    assert code == 2
    first, verdict = said.splitlines()
    assert first == (
        f"{folder}/tests/pump-own.yaml:5: tests.hot.expect.0: at 5m {RULE} is none, not raised;"
        " mend the rule or the test: it never changes"
    )
    assert verdict == "1 to mend"


def test_a_rule_of_the_sites_own_without_a_test_is_said_and_is_no_mistake(
    run: Run, own_site: Path
) -> None:
    changed_pumps(own_site.parent / "book" / "alarms", "above: 75", "above: 85")
    code, said, _ = run("check", own_site, "--json")
    told = json.loads(said)
    assert (code, told["ok"]) == (0, True)
    assert f"rules.{RULE}: has no test" in told["warnings"]


def test_what_a_rule_leaves_out_for_want_of_a_twin_is_said(run: Run, own_site: Path) -> None:
    text = own_site.read_text(encoding="utf-8")
    first, third = "    twin: pump-2\n", "    twin: pump-1\n"
    assert (text.count(first), text.count(third)) == (1, 2)
    own_site.write_text(text.replace(first, ""), encoding="utf-8")
    code, said, _ = run("check", own_site, "--json")
    told = "rules.motor-hotter-than-twin: not judged on pump-1, without a twin"
    assert (code, json.loads(said)["warnings"]) == (0, [told])
    own_site.write_text(text.replace(first, "").replace(third, ""), encoding="utf-8")
    _, said, _ = run("check", own_site, "--json")
    assert json.loads(said)["warnings"] == [], "a site without twins does not want the rule"


def demo() -> Site:
    return site_file.load(demo_site())


def test_limits_of_the_sites_own_are_told_as_a_file(run: Run, tmp_path: Path) -> None:
    data, site = tmp_path / "data", demo()
    data.mkdir()
    _, said, _ = run("rules", "overrides", "--data", data)
    assert said.strip() == "the site has set no limit of its own"
    ledger = open_ledger(data / "ledger.db")
    set_limit(
        ledger,
        site,
        load_rulebook(site),
        RULE,
        "pump-2",
        limit=90.0,
        delay=None,
        reason="class F",
        actor=PROGRAM,
        now=Instant(wall=NOON, mono=0, boot="b"),
    )
    ledger.close()
    _, said, _ = run("rules", "overrides", "--data", data, "--json")
    [one] = json.loads(said)["items"]
    assert (one["rule"], one["equipment"], one["limit"], one["in_force"]) == (
        RULE,
        "pump-2",
        90.0,
        True,
    )
    _, said, _ = run("rules", "overrides", "--data", data)
    assert said.strip() == f"{RULE}  pump-2  limit 90  dutyroom: class F"


def fill(path: Path, site: Site) -> None:
    """A hot hour of one pump, by the minute."""
    history = EmbeddedHistory(path)
    records = []
    for minute in range(180):
        wall = NOON + minute * 60 * SECOND
        value = 80.0 if 60 <= minute < 120 else 50.0
        frame = Frame(
            points=("pump-2.motor_temperature",),
            value=np.array([value]),
            quality=np.zeros(1, np.uint8),
            source_time=np.array([wall]),
        )
        at = Instant(wall=wall, mono=wall, boot="b")
        envelope = Envelope(site=site.id, gateway=site.gateway, epoch="e", seq=minute + 1, at=at)
        records.append(Record(envelope=envelope, body=frame))
    history.write(records, Cursor("e", len(records)))
    history.close()


def test_a_replay_tells_what_changed_rules_would_have_raised(run: Run, tmp_path: Path) -> None:
    data, site = tmp_path / "data", demo()
    data.mkdir()
    fill(data / "history.db", site)
    changed_pumps(tmp_path / "new" / "alarms", "above: 75", "above: 78")
    asked = ("--data", data, "--rules", tmp_path / "new", "--from", "2026-11-21T12:00")
    code, said, _ = run("replay", *asked, "--to", "2026-11-21T15:00", "--json")
    told = json.loads(said)
    assert code == 0
    [rule] = told["rules"]
    assert (rule["rule"], rule["before"], rule["after"], rule["new"]) == (RULE, 0, 1, 1)
    assert rule["new_alarms"][0]["raised_at"] == "2026-11-21T13:00:10.000+08:00"
    assert rule["new_alarms"][0]["cleared_at"] == "2026-11-21T14:00:20.000+08:00"
    assert told["readings"] == 180
    _, said, _ = run("replay", *asked, "--to", "2026-11-21T15:00")
    assert f"{RULE}: 0 raised, 1 would have been (0 removed, 0 of them had an order; 1 new)" in said


def test_rules_that_are_the_same_are_not_tried(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "same").mkdir()
    code, said, _ = run("replay", "--data", data, "--rules", tmp_path / "same")
    assert code == 0
    assert "no rule differs from those in force" in said


def test_a_replay_of_what_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, told = run("replay", "--data", tmp_path, "--rules", tmp_path / "none")
    assert (code, told.strip()) == (2, f"dutyroom: there is no folder {tmp_path / 'none'}")

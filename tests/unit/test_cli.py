"""The command line: what it prints, what it refuses, and how."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from api import cli, distributed, embedded
from api.data_directory import DataDirectory
from api.settings import CannotStartError, Settings, demo_site
from gateway.bus.memory import MemoryBus
from gateway.history.embedded import EmbeddedHistory

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``dutyroom`` with arguments, in this process: exit code, output, errors."""
    for name in [name for name in os.environ if name.startswith("DUTYROOM_")]:
        monkeypatch.delenv(name)
    # It would keep the captured stream for the tests that come after.
    monkeypatch.setattr("api.logs.to_stderr", lambda: None)

    def dutyroom(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dutyroom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return dutyroom


@pytest.fixture
def wrong_site(tmp_path: Path) -> Path:
    """The demo site with two mistakes, in lines of their own."""
    text = demo_site().read_text(encoding="utf-8")
    text = text.replace("profile: grundfos-ciu-booster", "profile: grundfos-ciu-boster")
    text = text.replace("area: gate-lobby", "area: gate-loby")
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_version_is_printed_without_the_heavy_imports() -> None:
    code = (
        "import sys; sys.argv = ['dutyroom', 'version']\n"
        "from api import cli\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'numpy', 'fastapi', 'sqlalchemy', 'amqtt', 'pymodbus', 'gateway', 'rules'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    version, heavy = done.stdout.splitlines()
    assert version
    assert heavy == "[]"


def test_every_setting_is_in_the_help(run: Run) -> None:
    code, said, _ = run("up", "--help")
    assert code == 0
    for name in ("SITE", "DATA", "HOST", "PORT", "HTTPS", "ADMIN_PASSWORD"):
        assert f"DUTYROOM_{name}" in said


@pytest.mark.parametrize("wired", ["up", "api", "embedded"])
@pytest.mark.parametrize(("said", "meant"), [("true", True), ("false", False), ("", False)])
def test_https_reaches_what_serves_the_page(
    run: Run, monkeypatch: pytest.MonkeyPatch, wired: str, said: str, meant: bool
) -> None:
    """No setting did, so the cookie was never secure."""
    monkeypatch.setenv("DUTYROOM_HTTPS", said)
    got: list[Settings] = []

    async def instead(settings: Settings) -> None:
        got.append(settings)

    for place in ("api.up.run", "api.distributed.run_api", "api.embedded.run"):
        monkeypatch.setattr(place, instead)
    monkeypatch.setattr(cli, "_serve", asyncio.run)
    code, _, errors = run(wired)
    assert (code, errors) == (0, "")
    assert [settings.https for settings in got] == [meant]


def test_https_is_true_or_false(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUTYROOM_HTTPS", "perhaps")
    code, _, errors = run("api")
    assert code == 2
    assert "DUTYROOM_HTTPS" in errors


@pytest.mark.parametrize("serves", [embedded.run, distributed.run_api])
def test_https_is_handed_to_the_service(
    serves: Callable[[Settings], Coroutine[None, None, None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each wiring serves the page with the cookie that the setting asks for."""
    got: list[bool] = []

    class EnoughError(Exception):
        """It was asked to serve."""

    async def instead(*, secure: bool = False, **_: object) -> None:
        got.append(secure)
        raise EnoughError

    async def nothing(*_: object, **__: object) -> None:
        """Does as little as it can."""

    async def started(_bus: object) -> MemoryBus:
        return MemoryBus()

    monkeypatch.setattr("api.service.run", instead)
    monkeypatch.setattr("rules.service.run", nothing)
    monkeypatch.setattr("gateway.service.Gateway.run", nothing)
    monkeypatch.setattr("api.distributed._started", started)
    monkeypatch.setattr("api.lifeline.stop_on_signals", asyncio.Event)
    data = DataDirectory.open(tmp_path / "data")
    data.renew_broker()
    EmbeddedHistory(data.history).close()
    settings = Settings(site=demo_site(), data=data.root, https=True)
    with pytest.raises((EnoughError, ExceptionGroup)):
        asyncio.run(serves(settings))
    assert got == [True]


def test_every_command_says_what_it_is_for(run: Run) -> None:
    code, said, _ = run("--help")
    assert code == 0
    for name in ("up", "gateway", "rules", "api", "simulate", "broker", "check", "version"):
        assert f"\n  {name} " in said


def test_the_demo_site_has_nothing_wrong(run: Run) -> None:
    code, said, _ = run("check")
    assert code == 0
    assert "nothing wrong" in said


def test_check_names_every_mistake_with_its_line(run: Run, wrong_site: Path) -> None:
    lines = wrong_site.read_text(encoding="utf-8").splitlines()
    profile = next(n for n, line in enumerate(lines, 1) if "grundfos-ciu-boster" in line)
    area = next(n for n, line in enumerate(lines, 1) if "area: gate-loby" in line)
    code, said, _ = run("check", wrong_site)
    assert code == 2
    assert f"{wrong_site}:{profile}: equipment.booster-1.profile: " in said
    assert "did you mean 'grundfos-ciu-booster'?" in said
    assert f"{wrong_site}:{area}: equipment.lamp-1.area: " in said
    assert "did you mean 'gate-lobby'?" in said


def test_check_tells_programs_the_same(run: Run, wrong_site: Path) -> None:
    code, said, _ = run("check", wrong_site, "--json")
    report = json.loads(said)
    assert code == 2
    assert report["ok"] is False
    assert [problem["name"] for problem in report["problems"]] == [
        "equipment.booster-1.profile",
        "equipment.lamp-1.area",
    ]
    assert run("check", "--json")[0] == 0


def test_a_line_too_slow_for_its_interval_is_said_and_is_no_mistake(
    run: Run, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    text = demo_site().read_text(encoding="utf-8")
    fast = "protocol: modbus-tcp, host: 127.0.0.1, port: 15020, timeout: 1s}"
    slow = "protocol: modbus-rtu, device: /dev/ttyS0, baud: 1200}"
    assert fast in text
    site.write_text(text.replace(fast, slow), encoding="utf-8")
    code, said, _ = run("check", site)
    assert code == 0
    warning, verdict = said.splitlines()
    assert warning.startswith("links.pump-room: cannot keep its intervals: ")
    assert "s of each second (1200 baud 8N1, assumed 10 ms for the device to answer)" in warning
    assert "nothing wrong" in verdict
    code, said, _ = run("check", site, "--json")
    told = json.loads(said)
    assert (told["ok"], told["problems"], told["warnings"]) == (True, [], [warning])


def test_a_scenario_that_does_not_exist_is_a_mistake_too(run: Run, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    text = demo_site().read_text(encoding="utf-8").replace("first-run", "last-run")
    site.write_text(text, encoding="utf-8")
    code, said, _ = run("check", site)
    assert code == 2
    assert "there is no scenario 'last-run'" in said


def test_a_wrong_site_does_not_hide_its_rulebook_and_scenario(
    run: Run, wrong_site: Path, tmp_path: Path
) -> None:
    alarms = tmp_path / "book" / "alarms"
    alarms.mkdir(parents=True)
    shipped = (ROOT / "rules" / "book" / "alarms" / "pump.yaml").read_text(encoding="utf-8")
    (alarms / "pump.yaml").write_text(
        shipped.replace("priority: major", "priority: mayor"), encoding="utf-8"
    )
    text = wrong_site.read_text(encoding="utf-8").replace("first-run", "last-run")
    text = text.replace("timezone:", "rulebook_folder: book, timezone:")
    wrong_site.write_text(text, encoding="utf-8")
    code, said, _ = run("check", wrong_site)
    assert code == 2
    assert "there is no scenario 'last-run'" in said
    assert "rules.motor-temperature-high.priority" in said
    assert f"{shipped.count('priority: major') + 3} to mend" in said


def test_up_refuses_a_wrong_site_before_it_starts_anything(
    run: Run, wrong_site: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    code, _, errors = run("up", "--site", wrong_site, "--data", data)
    assert code == 2
    assert len(errors.splitlines()) == 2
    assert "Traceback" not in errors
    assert not data.exists()


def test_a_taken_port_is_one_line(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, errors = run("up", "--port", str(port), "--data", tmp_path / "data")
    assert code == 2
    assert errors.startswith(f"dutyroom: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert len(errors.splitlines()) == 1


def test_a_data_directory_that_cannot_be_written_is_one_line(
    run: Run, tmp_path: Path, free_port: int
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    code, _, errors = run("up", "--port", str(free_port), "--data", in_the_way / "data")
    assert code == 2
    assert errors.startswith(f"dutyroom: the data directory {in_the_way}/data cannot be written")
    assert len(errors.splitlines()) == 1


def test_a_second_up_on_the_same_directory_is_one_line(
    run: Run, tmp_path: Path, free_port: int
) -> None:
    DataDirectory.open(tmp_path).claim()
    code, _, errors = run("up", "--port", str(free_port), "--data", tmp_path)
    assert code == 2
    assert errors.startswith(f"dutyroom: another dutyroom is running on {tmp_path}")
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("command", ["gateway", "rules", "api", "simulate"])
def test_a_service_alone_says_that_it_needs_a_broker(
    run: Run, tmp_path: Path, command: str
) -> None:
    code, _, errors = run(command, "--data", tmp_path / "data")
    assert code == 2
    assert "there is no broker" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("text", ["pump-room", "pump-room=15020", "=h:1", "pump-room=h:x"])
def test_a_link_address_has_one_form(run: Run, tmp_path: Path, text: str) -> None:
    code, _, errors = run("simulate", "--data", tmp_path / "data", "--link", text)
    assert code == 2
    assert "ID=HOST:PORT" in errors


def test_a_link_that_the_site_does_not_have_is_one_line(run: Run, tmp_path: Path) -> None:
    code, _, errors = run("simulate", "--data", tmp_path / "data", "--link", "x=127.0.0.1:1")
    assert code == 2
    assert errors == "dutyroom: --link x: the site has no Modbus link 'x'\n"


def test_refusals_come_out_of_a_group_but_a_fault_among_them_does_not() -> None:
    refused = CannotStartError("taken")
    fault = ValueError("a fault of ours")
    assert cli._refusals(ExceptionGroup("services", [refused])) == ["taken"]
    assert cli._refusals(ExceptionGroup("services", [refused, fault])) is None

"""What is shipped for systemd and Compose names only what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from brokers import DURABLE
from ruamel.yaml import YAML
from typer.main import get_command

from api.cli import app

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVICES = ("gateway", "rules", "api", "watchdog")


def commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def compose() -> Mapping[str, Any]:
    return YAML(typ="safe").load((DEPLOY / "compose/compose.yaml").read_text())


def ours(compose: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, service in compose["services"].items():
        if service["image"] == "dutyroom":
            yield name, service


def settings() -> set[str]:
    example = (DEPLOY / "dutyroom.env.example").read_text()
    return set(re.findall(r"^#?(DUTYROOM_[A-Z_]+)=", example, re.M))


def read(unit: Path) -> dict[str, list[str]]:
    """``Section.Key`` → its values, in their order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


@pytest.mark.parametrize(
    "file",
    [*UNITS, *(DEPLOY / "compose").glob("[!.]*")],
    ids=lambda path: path.name,
)
def test_every_setting_it_names_exists(file: Path) -> None:
    if file.is_file():
        named = set(re.findall(r"\bDUTYROOM_[A-Z_]+\b", file.read_text()))
        assert {name for name in named if not name.endswith("_")} <= settings()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is_and_tells_when_it_fails(unit: Path) -> None:
    said = read(unit)
    for line in said["Service.ExecStart"]:
        if "dutyroom" in line.split()[0]:
            assert line.split()[1] in commands()
    if unit.name not in ("dutyroom-failed@.service", "dutyroom-watchdog.service"):
        assert said["Unit.OnFailure"] == ["dutyroom-failed@%n.service"]
    if unit.name != "dutyroom-failed@.service":
        assert said["Service.Restart"] == ["always"]
        assert said["Service.NoNewPrivileges"] == ["yes"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_hangs_is_killed(service: str) -> None:
    said = read(DEPLOY / f"systemd/dutyroom-{service}.service")
    assert said["Service.ExecStart"] == [f"/opt/dutyroom/bin/dutyroom {service}"]
    assert said["Service.Type"] == ["notify"]
    assert int(said["Service.WatchdogSec"][0]) <= 60


def test_the_compose_file_runs_commands_that_exist(compose: Mapping[str, Any]) -> None:
    run = {name: service["command"][0] for name, service in ours(compose)}
    assert set(run.values()) <= commands()
    assert set(SERVICES) <= set(run.values())


def test_the_compose_file_is_whole(compose: Mapping[str, Any]) -> None:
    names = compose["services"].keys()
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", ())) <= names, name
        assert set(service.get("secrets", ())) <= compose["secrets"].keys(), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in compose["volumes"], f"{name}: {volume}"
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "nothing is open to the network by itself"
    for name, service in ours(compose):
        secrets = {
            value.rpartition("/")[2]
            for key, value in service["environment"].items()
            if key.endswith("_FILE") and name == "api"
        }
        assert secrets <= set(service.get("secrets", ())), name


def test_each_service_keeps_its_things_to_itself(compose: Mapping[str, Any]) -> None:
    kept = [
        volume.split(":")[0]
        for _, service in ours(compose)
        for volume in service.get("volumes", ())
        if volume.endswith(":/var/lib/dutyroom")
    ]
    assert len(kept) == len(set(kept))


def test_the_broker_keeps_what_it_has_acknowledged() -> None:
    lines = (DEPLOY / "compose/mosquitto.conf").read_text().splitlines()
    assert set(DURABLE) <= set(lines)
    assert "allow_anonymous false" in lines

"""Small sites for tests, made from the demonstration site: what is shipped is what is tested."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

from product import ROOT
from ruamel.yaml import YAML

SCENARIO = """
    name: {zh: 反复过热, en: Hot again and again}
    ambient: 24
    motor_time: 1s
    water: {demand: 1.35, swing: 0.25, period: 2m}
    faults: []
    watch:
      - {equipment: pump-2, point: motor_temperature, above: 75}
"""


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_FIRST_PORT, _PORTS = 20_000 + 1_500 * _WORKER, 1_500
_ports = itertools.count(random.SystemRandom().randrange(_PORTS))


def free_port() -> int:
    """A port that nobody listens on, and that nobody else is given.

    The kernel's own choice (port 0) is given again once its socket is closed: to the next link of
    the same site, or to a connection that goes out. These ports lie below those that it chooses
    from, each worker has its own, and they come in turn.
    """
    for number in itertools.islice(_ports, _PORTS):
        port = _FIRST_PORT + number % _PORTS
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no port of {_FIRST_PORT}–{_FIRST_PORT + _PORTS - 1} is free")


def demo_site(
    folder: Path,
    *,
    webhooks: Sequence[str] = (),
    hot: Sequence[tuple[float, float]] | None = None,
    burnt_out: Sequence[tuple[float, float]] = (),
    burning: Sequence[tuple[float, float]] = (),
    quick_rule: bool = False,
    rule_delay: int | None = None,
    broker: Mapping[str, object] | None = None,
    profiles: Mapping[str, str] | None = None,
) -> Path:
    """A copy of the demonstration site on ports of its own.

    ``hot``: (begin, length) in s of the times in which pump 2 overheats, instead of the shipped
    scenario; ``burnt_out``: the same of the lamp, ``burning``: of a fire in the lobby.
    ``quick_rule``: the pump's rule with delays of 2 s, so that a test sees many.
    ``rule_delay``: the pump's rule with a delay of so many s before the alarm.
    ``broker``: what the site file says of its own broker.
    ``profiles``: id → text of the site's own profiles.
    """
    yaml = YAML()
    document = yaml.load((ROOT / "deploy/demo/site.yaml").read_text(encoding="utf-8"))
    for link in document["links"]:
        if link["protocol"] == "modbus-tcp":
            link["port"] = free_port()
    document["notices"]["webhooks"] = list(webhooks)
    document["notices"]["allow"] = ["127.0.0.1"]
    folder.mkdir(parents=True, exist_ok=True)
    if hot is not None:
        scenario = yaml.load(dedent(SCENARIO))
        scenario["faults"] = [
            {
                "at": f"{begin:g}s",
                "lasts": f"{length:g}s",
                "equipment": "pump-2",
                "kind": "overheating",
                "rise": 58,
            }
            for begin, length in hot
        ]
        scenario["faults"] += [
            {
                "at": f"{begin:g}s",
                "lasts": f"{length:g}s",
                "equipment": "lamp-1",
                "kind": "burnt-out",
            }
            for begin, length in burnt_out
        ]
        scenario["faults"] += [
            {
                "at": f"{begin:g}s",
                "lasts": f"{length:g}s",
                "equipment": "smoke-101",
                "kind": "detector-fire",
            }
            for begin, length in burning
        ]
        with (folder / "hot.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(scenario, file)
        document["simulation"]["scenario"] = "hot.yaml"
    if quick_rule or rule_delay is not None:
        rules = yaml.load((ROOT / "rules/book/alarms/pump.yaml").read_text(encoding="utf-8"))
        rules["rules"][0]["for"] = f"{rule_delay or 2}s"
        if quick_rule:
            rules["rules"][0]["clear_after"] = "2s"
        (folder / "rulebook/alarms").mkdir(parents=True)
        with (folder / "rulebook/alarms/pump.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(rules, file)
        document["site"]["rulebook_folder"] = "rulebook"
    if profiles is not None:
        (folder / "profiles").mkdir(exist_ok=True)
        for name, text in profiles.items():
            (folder / f"profiles/{name}.yaml").write_text(text, encoding="utf-8")
        document["site"]["profiles_folder"] = "profiles"
    if broker is not None:
        document["broker"] = dict(broker)
    site = folder / "site.yaml"
    with site.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    return site

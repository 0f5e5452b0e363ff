"""Small sites for tests, made from the demonstration site: what is shipped is what is tested."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo_site(
    folder: Path,
    *,
    webhooks: Sequence[str] = (),
    hot: Sequence[tuple[float, float]] | None = None,
    burnt_out: Sequence[tuple[float, float]] = (),
    quick_rule: bool = False,
    rule_delay: int | None = None,
    broker: Mapping[str, object] | None = None,
) -> Path:
    """A copy of the demonstration site on ports of its own.

    ``hot``: (begin, length) in s of the times in which pump 2 overheats, instead of the shipped
    scenario; ``burnt_out``: the same of the lamp.
    ``quick_rule``: the pump's rule with delays of 2 s, so that a test sees many.
    ``rule_delay``: the pump's rule with a delay of so many s before the alarm.
    ``broker``: what the site file says of its own broker.
    """
    yaml = YAML()
    document = yaml.load((ROOT / "deploy/demo/site.yaml").read_text(encoding="utf-8"))
    for link in document["links"]:
        if link["protocol"] == "modbus-tcp":
            link["port"] = free_port()
    document["notices"]["webhooks"] = list(webhooks)
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
    if broker is not None:
        document["broker"] = dict(broker)
    site = folder / "site.yaml"
    with site.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    return site

"""The demonstration site as separate processes on Mosquitto, a mishap every quarter of a minute,
and the oracle at the end.

    MINUTES=10 python -m deploy.soak.run [--seed N] [--only mishaps|tests]

A day of 144 mishaps is 36 minutes. In the first half processes are killed, too; in the second they
live, so that memory and descriptors can be compared. Exit 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from oracle import Evidence, Rule, episodes, examine  # noqa: E402
from processes import Processes, separate_processes  # noqa: E402
from product import Sink, wait_for, webhook_sink  # noqa: E402

from deploy.soak.mishaps import LONGEST, Lines, draw  # noqa: E402

EVERY = 15.0
"""s from one mishap to the next."""
_HOT, _COOL = 45.0, 75.0
"""s of each episode of the hot pump, and s between two: longer than any mishap."""
_SLACK = 25.0
"""s by which the duty room may trail the truth: a mishap, a restart, a poll."""
_GROWTH = 0.05
_MARGIN = 8e6
"""Bytes that a process may grow by besides: short soaks are not long enough for shares alone."""
RULE = Rule(id="motor-temperature-high", point="motor_temperature", delay=3, clear_after=2)


class Watch:
    """Memory and descriptors of every process, sampled."""

    def __init__(self) -> None:
        self.seen: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)

    def look(self, house: Processes) -> None:
        for name, running in house.running.items():
            try:
                process = psutil.Process(running.pid)
                self.seen[name, running.pid].append((process.memory_info().rss, process.num_fds()))
            except psutil.Error:
                continue

    def findings(self) -> list[str]:
        """Of the processes that lived longest: those that have grown since they were warm."""
        found = []
        longest = max(map(len, self.seen.values()), default=0)
        for (name, _), samples in self.seen.items():
            if len(samples) < longest / 3 or len(samples) < 9:
                continue
            third = len(samples) // 3
            warm, late = samples[third : 2 * third], samples[2 * third :]
            memory = [max(rss for rss, _ in part) for part in (warm, late)]
            files = [max(count for _, count in part) for part in (warm, late)]
            print(
                f"  {name}: {memory[0] / 1e6:.0f} → {memory[1] / 1e6:.0f} MB, "
                f"{files[0]} → {files[1]} descriptors"
            )
            if memory[1] > memory[0] * (1 + _GROWTH) + _MARGIN:
                found.append(f"{name} grew from {memory[0] / 1e6:.0f} to {memory[1] / 1e6:.0f} MB")
            if files[1] > files[0] + 10:
                found.append(f"{name}: {files[0]} descriptors became {files[1]}")
        return found


def mishaps(seed: int, minutes: float, mosquitto: str) -> list[str]:
    """Every broken promise."""
    chance = random.Random(seed)
    seconds = 60 * minutes
    times = max(1, int(seconds // (_HOT + _COOL)))
    hot = [(20 + at * (_HOT + _COOL), _HOT) for at in range(times)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dutyroom-soak-")))
        sink = stack.enter_context(webhook_sink())
        house = stack.enter_context(
            separate_processes(folder, mosquitto, hot=hot, quick_rule=True, webhooks=[sink.address])
        )
        lines = _lines(house, seed)
        stack.callback(lines.end)
        for name in ("simulate", "gateway", "rules", "api"):
            house.start(name)
        house.be_ready()
        watch, acknowledged = Watch(), list[str]()
        begun = time.monotonic()
        while (now := time.monotonic() - begun) < seconds:
            one = draw(chance, lines, house, kills=now < seconds / 2)
            print(f"{now:6.0f} s  {one.name}, {one.lasts:.1f} s", flush=True)
            one.begin()
            _pass(one.lasts, house, watch)
            one.end()
            acknowledged += _acknowledge(house)
            _pass(max(EVERY - one.lasts, 1), house, watch)
        _settle(house, sink)
        truth = episodes(house.product.data, RULE.point)
        print(f"{len(truth)} episodes, {len(sink.receipts)} notices, {len(acknowledged)} acks")
        for name in ("gateway", "rules", "api", "simulate"):
            house.end(name)
        evidence = Evidence(receipts=sink.receipts, acknowledged=acknowledged)
        found = examine(house.product.data, [RULE], evidence, site=house.product.site, slack=_SLACK)
        if not truth:
            found.append("nothing happened")
        found += watch.findings()
        if found:
            print(house.logs())
        return found


def _lines(house: Processes, seed: int) -> Lines:
    """Proxies before every link; all but the simulators find them in their site file."""
    yaml = YAML()
    site = house.product.site
    document = yaml.load(site.read_text(encoding="utf-8"))
    links = [link for link in document["links"] if link["protocol"] == "modbus-tcp"]
    lines = Lines({link["id"]: link["port"] for link in links}, seed)
    lines.start()
    for link in links:
        link["port"] = lines.proxies[link["id"]].port
    proxied = site.with_name("proxied.yaml")
    with proxied.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    start = house.start

    def start_proxied(name: str, *arguments: str, **environment: str) -> None:
        if name != "simulate":
            environment = {"DUTYROOM_SITE": str(proxied), **environment}
        start(name, *arguments, **environment)

    house.start = start_proxied  # type: ignore[method-assign]
    return lines


def _pass(seconds: float, house: Processes, watch: Watch) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        watch.look(house)
        time.sleep(min(left, 2))


def _acknowledge(house: Processes) -> list[str]:
    """The newest alarm that waits for it; its id if the answer was 2xx."""
    try:
        house.product.log_in()
        waiting: list[Mapping[str, str]] = [
            alarm for alarm in house.product.alarms() if "unacknowledged" in alarm["state"]
        ]
        if not waiting:
            return []
        name = waiting[0]["id"]
        answer = house.product.session.post(f"/api/v1/alarms/{name}/acknowledge", json={})
    except Exception as error:  # the API may be away: that is the experiment
        print(f"         no acknowledgement: {type(error).__name__}")
        return []
    return [name] if answer.is_success else []


def _settle(house: Processes, sink: Sink) -> None:
    """Until all is well and what has happened so far has reached every store."""
    wait_for("all is well", house.product.answers, 90)
    time.sleep(LONGEST)
    for look in ("before", "after"):
        latest = house.product.get("site")["gateway"]["last_received"]
        wait_for(
            f"a reading {look}",
            lambda latest=latest: house.product.get("site")["gateway"]["last_received"] > latest,
            60,
        )
    time.sleep(5)


def tests() -> int:
    """The fuzz tests, the kills and the ledgers, at the length that the environment says."""
    found = subprocess.run(
        ["grep", "-rl", "DUTYROOM_TEST_FUZZ", "tests", "--include=*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    files = [*found, "tests/faults", "tests/contract/ledger"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-s", "-o", "timeout=20000"]
    return subprocess.run([*command, *files], cwd=ROOT, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=("mishaps", "tests"))
    given = parser.parse_args()
    wrong = 0
    if given.only in (None, "mishaps"):
        minutes = float(os.environ.get("MINUTES", "10"))
        print(f"seed {given.seed}, {minutes:g} min; again with --seed {given.seed}", flush=True)
        found = mishaps(given.seed, minutes, "mosquitto")
        print("\n".join(found) if found else "the oracle is clean")
        wrong += bool(found)
    if given.only in (None, "tests"):
        wrong += bool(tests())
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

"""Tags a second from wire to history, and what the process takes; beside a call a tag."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from deploy.bench import brokers, site, truth
from deploy.bench.figures import Figure, WrongError
from deploy.bench.site import Load

ROOT = Path(__file__).parents[2]
STEPS = (5_000, 10_000, 20_000, 35_000, 50_000)
"""Tags a second that are asked for, one after the other, until they are not kept up."""
_KEPT_UP = 0.99
"""Share of the readings asked for that must have come."""
_POINTS = 20
_UNITS = 50
"""Devices a link."""
LAG = 50.0
"""ms: the 99th percentile that is to be reached."""


def load_of(tags: int) -> Load:
    devices = tags // _POINTS
    return Load(devices=devices, points=_POINTS, links=max(devices // _UNITS, 1))


@contextmanager
def devices(load: Load, seconds: float = 20) -> Iterator[dict[str, float]]:
    """What they say of themselves (:mod:`deploy.bench.devices`) is there when they have ended."""
    told: dict[str, float] = {}
    size = ("--devices", load.devices, "--points", load.points, "--links", load.links)
    arguments = (*size, "--port", load.port, "--seconds", seconds)
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.bench.devices", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise WrongError("the devices of the bench did not start")
            yield told
        finally:
            process.terminate()
            if process.stdout is not None:
                told.update(json.loads(process.stdout.read() or "{}"))


_PLAIN = "a pymodbus call a tag, nothing kept"


class Shape(StrEnum):
    """Who has a process of its own."""

    ALONE = "alone"
    """The gateway, and there is nobody else."""
    TOGETHER = "together"
    """Nobody: gateway and rules are one, as in ``dutyroom up``."""
    APART = "apart"
    """Gateway, Mosquitto and rules."""


_SHAPES = {Shape.APART: "a process each", Shape.TOGETHER: "in one process"}


def gateway(
    load: Load, folder: Path, seconds: float, shape: Shape, *, profile: Path | None = None
) -> dict[str, Any]:
    """What :mod:`deploy.bench.gateway` says of ``load``."""
    file = site.write(folder / "site", load)
    arguments = [str(file), str(folder / "data"), "--seconds", str(seconds)]
    arguments += ["--rules"] if shape is Shape.TOGETHER else []
    arguments += ["--profile", str(profile)] if profile else []
    with ExitStack() as stack:
        if shape is Shape.APART:
            arguments += stack.enter_context(_apart(file, folder))
        theirs = stack.enter_context(devices(load, seconds))
        done = subprocess.run(
            [sys.executable, "-m", "deploy.bench.gateway", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise WrongError(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**told, "devices": theirs}


@contextmanager
def _apart(file: Path, folder: Path) -> Iterator[list[str]]:
    """A broker and the rules on it; what the gateway is to be told of them."""
    path = brokers.program()
    if path is None:
        raise WrongError("mosquitto is not installed")
    log = folder / "rules.log"
    with brokers.mosquitto(path, folder / "broker") as (port, broker):
        rules = subprocess.Popen(
            [
                *(sys.executable, "-m", "deploy.bench.rules", str(file), str(folder / "rules")),
                *("--broker", str(port)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
        )
        with rules:
            assert rules.stdout is not None
            if rules.stdout.readline().strip() != "ready":
                raise WrongError(f"the rules did not start: {log.read_text()[-3000:]}")
            try:
                yield ["--broker", str(port), "--also", str(broker), str(rules.pid)]
            finally:
                rules.terminate()
        if rules.returncode:
            raise WrongError(f"the rules: {log.read_text()[-3000:]}")


def tags(folder: Path, seconds: float, profile: Path | None = None) -> list[Figure]:
    """As many tags a second as are kept up with everything on: a process a service on Mosquitto,
    and all in one."""
    found = []
    for shape, words in _SHAPES.items():
        asked, best, in_time = _most(folder, seconds, shape, profile)
        plain = asyncio.run(calls_a_tag(load_of(asked), seconds / 2))
        checked = f"{best['checked']:,} readings of the history against what the devices said"
        notes = ("cpu", "lag_p50", "lag_p99", "behind", "rules_behind", "load_s")
        found += [
            Figure(
                part="poll",
                what=f"tags, {asked:,} asked, everything on, {words}",
                unit="1/s",
                ours=best["tags"],
                plain=plain["tags"],
                plain_way=_PLAIN,
                target="50,000",
                checked=checked,
                notes={key: best[key] for key in notes},
            ),
            Figure(
                part="poll",
                what=f"processor for 1,000 tags, the same, {words}",
                unit="ms",
                ours=best["cpu_1000"],
                plain=plain["cpu_1000"],
                plain_way=_PLAIN,
                more_is_better=False,
                checked=checked,
            ),
            Figure(
                part="poll",
                what=f"lag of a poll, p99 (within {LAG:g} ms up to {in_time:,}/s), {words}",
                unit="ms",
                ours=best["lag_p99"],
                target=f"{LAG:g}",
                more_is_better=False,
                checked=checked,
            ),
        ]
    return found


def _most(
    folder: Path, seconds: float, shape: Shape, profile: Path | None
) -> tuple[int, dict[str, Any], int]:
    """The most that is kept up of :data:`STEPS`, what was measured there, and the most that is
    also in time."""
    best: dict[str, Any] = {}
    asked = in_time = 0
    for step in STEPS:
        own = profile.with_suffix(f".{shape}.{step}") if profile else None
        told = gateway(load_of(step), folder / f"{shape}-{step}", seconds, shape, profile=own)
        print(f"  {shape}, {step:,} tags/s asked: {_said(told)}", file=sys.stderr, flush=True)
        kept_up = told["tags"] >= _KEPT_UP * step
        if kept_up and told["lag_p99"] <= LAG:
            in_time = step
        if kept_up or not best:
            best, asked = told, step
        if not kept_up:
            break
    return asked, best, in_time


def memory(folder: Path, seconds: float) -> list[Figure]:
    """1,000 devices of 20 points at 1 s, the gateway alone."""
    load = Load(devices=1000, points=_POINTS, links=20)
    told = gateway(load, folder / "memory", seconds, Shape.ALONE)
    print(f"  1,000 devices × 20 points: {_said(told)}", file=sys.stderr, flush=True)
    if told["tags"] < _KEPT_UP * load.tags:
        raise WrongError(f"1,000 devices at 1 s: only {told['tags']:,.0f} tags/s came")
    checked = f"{told['checked']:,} readings of the history against what the devices said"
    return [
        Figure(
            part="gateway",
            what="memory with 1,000 devices × 20 points at 1 s",
            unit="MB",
            ours=told["rss"],
            target="200",
            more_is_better=False,
            checked=checked,
            notes={"with the site loaded": told["rss_site"]},
        ),
        Figure(
            part="gateway",
            what="processor with the same",
            unit="cores",
            ours=told["cpu"],
            more_is_better=False,
            checked=checked,
        ),
    ]


def _said(told: dict[str, Any]) -> str:
    theirs = told["devices"]
    return (
        f"{told['tags']:,.0f}/s, lag p50 {told['lag_p50']:.1f} p99 {told['lag_p99']:.1f} ms, "
        f"{told['cpu']:.2f} cores (the loop {told['cpu_loop']:.2f}), {told['rss']:.0f} MB, "
        f"{told['behind']} records behind (rules {told['rules_behind']}), "
        f"site loaded in {told['load_s']:.1f} s; the devices: a request waited "
        f"p50 {theirs.get('answer_p50', 0):.1f} p99 {theirs.get('answer_p99', 0):.1f} ms at most, "
        f"{theirs.get('cpu', 0):.2f} cores, {theirs.get('queued', 0):.2f} s/s without a core"
    )


async def calls_a_tag(load: Load, seconds: float) -> dict[str, float]:
    """pymodbus as its examples have it: a call a tag, a client a link, all links at once."""
    ends = 0.0

    async def follow(link: int) -> int:
        client = AsyncModbusTcpClient("127.0.0.1", port=load.port + link, retries=0)
        if not await client.connect():
            raise WrongError("the plain client cannot connect")
        done = 0
        try:
            while True:
                for unit in range(1, load.units + 1):
                    for point in range(load.points):
                        reply = await client.read_input_registers(
                            2 * point, count=2, device_id=unit
                        )
                        value = client.convert_from_registers(
                            reply.registers, client.DATATYPE.FLOAT32
                        )
                        if done % 500 == 0:
                            _true(link * load.units + unit - 1, point, float(value))
                        done += 1
                        if time.monotonic() > ends:
                            return done
        finally:
            client.close()

    with devices(load):
        begun, used = time.monotonic(), time.process_time()
        ends = begun + seconds
        counts = await asyncio.gather(*(follow(link) for link in range(load.links)))
        passed, used = time.monotonic() - begun, time.process_time() - used
    return {"tags": sum(counts) / passed, "cpu_1000": 1e6 * used / sum(counts)}


def _true(device: int, point: int, value: float) -> None:
    now = int(time.time())
    said = [
        float(truth.values(np.array([device]), point + 1, second)[0, point])
        for second in (now, now - 1)
    ]
    if min(abs(value - one) for one in said) > 0.006:
        raise WrongError(f"the plain client read {value}, the device said {said}")

"""Lines of line protocol a second; beside influxdb-client's ``Point``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from influxdb_client import Point, WritePrecision

from deploy.bench import site, truth
from deploy.bench.figures import Figure, WrongError
from deploy.bench.site import Load
from gateway.history.lines import Lines
from gateway.model.equipment import Site
from gateway.model.frame import Frame
from gateway.model.moment import SECOND
from gateway.site import files as site_file

_START = 1_795_233_600
_ROUNDS = 60
"""Frames of each device, a second apart."""


def building(folder: Path) -> list[Figure]:
    load = Load(devices=50, points=20, links=1)
    loaded = site_file.load(site.write(folder / "lines", load))
    frames = _frames(loaded, load)
    ours, plain = _ours(loaded, frames), _plain(frames)
    for mine, theirs in zip(ours, plain, strict=True):
        if _fields(mine) != _fields(theirs):
            raise WrongError(f"not the same line:\n{mine}\n{theirs}")
    return [
        Figure(
            part="lines",
            what="lines of line protocol",
            unit="1/s",
            ours=len(ours) / _timed(lambda: _ours(loaded, frames)),
            plain=len(plain) / _timed(lambda: _plain(frames)),
            plain_way="influxdb-client's Point",
            checked=f"{len(ours):,} lines of both ways say the same",
        )
    ]


def _frames(loaded: Site, load: Load) -> list[tuple[int, Frame]]:
    made = []
    devices = np.arange(load.devices)
    for second in range(_START, _START + _ROUNDS):
        values = truth.values(devices, load.points, second)
        for device, thing in enumerate(loaded.equipment.values()):
            at = second * SECOND + device
            frame = Frame(
                points=tuple(point.id for point in thing.points),
                value=np.round(values[device].astype(float), 2),
                quality=np.zeros(load.points, dtype=np.uint8),
                source_time=np.full(load.points, at, dtype=np.int64),
            )
            made.append((at, frame))
    return made


def _ours(loaded: Site, frames: list[tuple[int, Frame]]) -> list[str]:
    return Lines(loaded).of([(frame, at) for at, frame in frames])


def _plain(frames: list[tuple[int, Frame]]) -> list[str]:
    """A ``Point`` a reading, as the client's documentation has it."""
    built = []
    for at, frame in frames:
        for row, name in enumerate(frame.points):
            equipment, _, key = name.partition(".")
            point = (
                Point("meter")
                .tag("equipment", equipment)
                .tag("point", key)
                .tag("site", "bench")
                .field("value", float(frame.value[row]))
                .field("quality", int(frame.quality[row]))
                .field("source_time", int(frame.source_time[row]))
                .time(at, WritePrecision.US)
            )
            built.append(point.to_line_protocol())
    return built


def _fields(line: str) -> tuple[str, dict[str, float], str]:
    start, fields, time = line.split(" ")
    pairs = (field.split("=") for field in fields.split(","))
    return start, {name: float(value.removesuffix("i")) for name, value in pairs}, time


def _timed(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(3):
        begun = perf_counter()
        work()
        spent.append(perf_counter() - begun)
    return median(spent)

"""The real gateway in a process of its own, wired as ``api.embedded`` wires it, and measured.

    python -m deploy.bench.gateway SITE FOLDER --seconds 20 [--rules | --broker PORT --also PID …]
        [--profile FILE]

Poll → decode → spool → bus and embedded history. With ``--rules`` the bus is in this process, and
so is the rules service with its ledger, as in ``dutyroom up``. With ``--broker`` the bus is an MQTT
broker, and whoever else is at work (``--also``) has processes of its own, as ``dutyroom gateway``
and ``dutyroom rules`` have. Says one line of JSON:

tags         readings received in the window, a second
lag_p50/p99  ms from the slot of a poll until its frame is on the bus
cpu          s of processor a second, all threads and processes; cpu_loop: of the event loop's
             thread alone
cpu_1000     ms of processor a 1,000 readings
rss          MB at most in the window; rss_site: before the gateway was built
behind       records that the history still had to take when the window ended; rules_behind:
             that the rules had not committed
load_s       s to load the site file

and raises where the history does not hold what the devices said.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from deploy.bench import brokers, truth
from deploy.bench.figures import WrongError
from deploy.bench.rules import serve
from deploy.bench.site import device_of
from gateway.bus import chunk
from gateway.bus.base import Bus, Handler
from gateway.bus.memory import MemoryBus
from gateway.bus.mqtt import MqttBus
from gateway.clock import SystemClock
from gateway.history.base import History
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Site
from gateway.model.events import decode
from gateway.model.frame import Frame
from gateway.model.moment import SECOND
from gateway.service import Gateway
from gateway.site import files as site_file
from gateway.spool.queue import Spool

_WARM = 20.0
"""s before the window: connections, caches, the first files; the names of all points in the
history, the first conditions and rounds in the ledger."""
_SAMPLED = 300
"""Points whose every reading is held against the truth."""


class Tap:
    """A bus that remembers when what was published, to be looked at when all is over."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.said: list[tuple[int, bytes]] = []
        self.listening = False

    async def start(self) -> None:
        await self._bus.start()

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, once: bool = False
    ) -> None:
        await self._bus.publish(topic, payload, retain=retain, once=once)
        if self.listening and topic.endswith("/events"):
            self.said.append((time.time_ns() // 1000, payload))

    def subscribe(self, topic_filter: str, handler: Handler) -> Callable[[], None]:
        return self._bus.subscribe(topic_filter, handler)

    async def close(self) -> None:
        await self._bus.close()


@dataclass
class Window:
    """What was used between its begin and its end."""

    others: Sequence[psutil.Process] = ()
    """Who is at work besides."""
    process: psutil.Process = field(default_factory=psutil.Process)
    begun: float = 0.0
    cpu: float = 0.0
    loop: float = 0.0
    rss: int = 0

    def begin(self) -> None:
        self.begun, self.cpu, self.loop = time.monotonic(), self._cpu(), time.thread_time()

    def _cpu(self) -> float:
        used = [process.cpu_times() for process in (self.process, *self.others)]
        return sum(times.user + times.system for times in used)

    def look(self) -> None:
        self.rss = max(self.rss, self.process.memory_info().rss)

    def end(self) -> tuple[float, float, float]:
        """(s that passed, s of processor that were used, and of these by this thread)."""
        self.look()
        passed = time.monotonic() - self.begun
        return passed, self._cpu() - self.cpu, time.thread_time() - self.loop


async def measure(
    site: Site,
    folder: Path,
    seconds: float,
    *,
    bus: Tap,
    rules: bool,
    others: Sequence[psutil.Process],
    profile: cProfile.Profile | None,
) -> dict[str, Any]:
    clock, stop = SystemClock(), asyncio.Event()
    window = Window(others)
    window.look()
    before = window.rss
    spool = Spool.open(folder / "spool")
    history = EmbeddedHistory(folder / "history.db")
    gateway = Gateway(site=site, spool=spool, history=history, bus=bus, clock=clock)
    await bus.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.run(stop))
        if rules:
            group.create_task(serve(site, bus, folder, stop))
        await asyncio.sleep(_WARM)
        window.rss, bus.listening = 0, True
        window.begin()
        if profile is not None:
            profile.enable()
        for _ in range(round(seconds)):
            await asyncio.sleep(1)
            window.look()
        if profile is not None:
            profile.disable()
        passed, used, loop = window.end()
        bus.listening = False
        rules_behind = spool.backlog("rules")
        behind = spool.synced - (history.cursor(site.gateway) or ("", 0))[1]
        stop.set()
    try:
        frames = _frames(bus.said)
        received = sum(len(frame.points) for _, _, frame in frames)
        checked = _check(site, history, frames)
    finally:
        await bus.close()
        spool.close()
        history.close()
    lag = _lag(frames, {t.points[0].id: t.poll for t in site.equipment.values()})
    return {
        "tags": received / passed,
        "lag_p50": lag[0],
        "lag_p99": lag[1],
        "cpu": used / passed,
        "cpu_loop": loop / passed,
        "cpu_1000": 1e6 * used / max(received, 1),
        "rss": window.rss / 1e6,
        "rss_site": before / 1e6,
        "behind": behind,
        "rules_behind": rules_behind,
        "checked": checked,
    }


Said = tuple[int, int, Frame]
"""When it was on the bus, when received (µs UTC), and the frame."""


def _frames(said: Sequence[tuple[int, bytes]]) -> list[Said]:
    found = []
    for told, payload in said:
        for _, data in chunk.decode(payload).records:
            record = decode(data)
            if isinstance(record.body, Frame):
                found.append((told, record.envelope.at.wall, record.body))
    return found


def _lag(frames: Sequence[Said], polls: Mapping[str, int]) -> tuple[float, float]:
    """Median and 99th percentile over all polls of a unit, ms. ``polls``: the first point of each
    unit → its interval. The slots of a unit are a grid of its poll interval; where
    it lies is told by the poll that was on the bus soonest."""
    times: defaultdict[str, list[int]] = defaultdict(list)
    for told, _, frame in frames:
        for first in polls.keys() & set(frame.points):
            times[first].append(told)
    late = []
    for first, told in times.items():
        poll = polls[first]
        phase = np.array(told) - told[0]
        beyond = phase - poll * np.round(phase / poll)
        late.append((beyond - beyond.min()) / 1000)
    if not late:
        raise WrongError("nothing came over the bus")
    return tuple(float(x) for x in np.percentile(np.concatenate(late), (50, 99)))  # type: ignore[return-value]


def _check(site: Site, history: History, frames: Sequence[Said]) -> int:
    """Every reading of some points: good, what the device said, and once in the history."""
    chosen = set(random.Random(1).sample(sorted(site.points), min(_SAMPLED, len(site.points))))
    expected: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for _, at, frame in frames:
        if frame.quality.any():
            raise WrongError(f"not good at {at}: {frame.reason}")
        for row, point in enumerate(frame.points):
            if point in chosen:
                expected[point].append((at, float(frame.value[row])))
    checked = 0
    for point, readings in expected.items():
        for at, value in readings:
            _true(point, at, value)
        first, last = readings[0][0], readings[-1][0]
        kept = history.range(point, first, last + 1, len(readings) + 10)
        stored = list(zip(kept.time.tolist(), kept.value.tolist(), strict=True))
        if stored != readings:
            raise WrongError(f"{point}: {len(readings)} readings, and {len(stored)} kept")
        checked += len(readings)
    return checked


def _true(point: str, at: int, value: float) -> None:
    """The device said ``value`` in the second of ``at`` or in the one before."""
    device, key = device_of(point), point.partition(".")[2]
    for second in (at // SECOND, at // SECOND - 1):
        number = truth.keys(200).index(key)
        said = truth.values(np.array([device]), number + 1, second)[0, number]
        if abs(float(said) - value) < 0.006:
            return
    raise WrongError(f"{point} was {value} at {at}, which its device never said")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--broker", type=int)
    parser.add_argument("--also", type=int, nargs="*", default=())
    parser.add_argument("--profile", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    site = site_file.load(given.site)
    load_s = time.monotonic() - begun
    # By the processor time of the loop's own thread: what waits for others is not what is hot.
    profile = cProfile.Profile(time.thread_time) if given.profile else None
    over = (
        MemoryBus() if given.broker is None else MqttBus(brokers.at(given.broker), "bench-gateway")
    )
    told = asyncio.run(
        measure(
            site,
            given.folder,
            given.seconds,
            bus=Tap(over),
            rules=given.rules,
            others=[psutil.Process(number) for number in given.also],
            profile=profile,
        )
    )
    if profile is not None:
        with given.profile.open("w") as file:
            stats = pstats.Stats(profile, stream=file)
            stats.sort_stats("tottime").print_stats(45)
            stats.sort_stats("cumulative").print_stats(45)
    print(json.dumps({**told, "load_s": load_s}))


if __name__ == "__main__":
    main()

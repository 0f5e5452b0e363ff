"""What can happen to a running duty room, and is over after a while."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from fault_proxy import Fault, FaultProxy, Kind
from processes import Processes

LONGEST = 12.0
"""s that a mishap lasts at most: the alarms of the scenario last longer."""
_KINDS = [kind for kind in Kind if kind is not Kind.CRC]


class Lines:
    """A proxy before each link, on a loop in a thread of its own."""

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        """``ports``: link id → port of its simulator."""
        self.proxies = {
            link: FaultProxy("127.0.0.1", port, seed=seed + number)
            for number, (link, port) in enumerate(ports.items())
        }
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()

    def start(self) -> None:
        for proxy in self.proxies.values():
            self._do(proxy.start)

    def inject(self, link: str, fault: Fault | None) -> None:
        proxy = self.proxies[link]
        self._loop.call_soon_threadsafe(lambda: proxy.inject(fault) if fault else proxy.clear())

    def down(self, link: str) -> None:
        self._do(self.proxies[link].stop)

    def up(self, link: str) -> None:
        self._do(self.proxies[link].start)

    def end(self) -> None:
        for proxy in self.proxies.values():
            with suppress(Exception):
                self._do(proxy.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, work: Callable) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)


@dataclass(frozen=True)
class Mishap:
    """What happens now, and what ends it."""

    name: str
    lasts: float
    begin: Callable[[], object]
    end: Callable[[], object]


def draw(chance: random.Random, lines: Lines, house: Processes, *, kills: bool) -> Mishap:
    """The next one. ``kills``: processes of ours may die."""
    ways: Sequence[Callable[[], Mishap]] = [
        lambda: _spoiled(chance, lines),
        lambda: _spoiled(chance, lines),
        lambda: _cut(chance, lines),
        lambda: _broker_killed(chance, house),
        lambda: _paused(chance, house),
        *([lambda: _killed(chance, house)] * 3 if kills else []),
    ]
    return chance.choice(ways)()


def _spoiled(chance: random.Random, lines: Lines) -> Mishap:
    link = chance.choice(sorted(lines.proxies))
    fault = Fault(
        chance.choice(_KINDS),
        seconds=chance.uniform(0.1, 3),
        code=chance.choice((1, 2, 3, 4, 5, 6, 10, 11)),
        share=chance.choice((0.1, 0.5, 1.0)),
    )
    return Mishap(
        name=f"{link}: {fault.kind} for {fault.share:.0%}",
        lasts=chance.uniform(2, LONGEST),
        begin=lambda: lines.inject(link, fault),
        end=lambda: lines.inject(link, None),
    )


def _cut(chance: random.Random, lines: Lines) -> Mishap:
    link = chance.choice(sorted(lines.proxies))
    return Mishap(
        name=f"{link}: nobody there",
        lasts=chance.uniform(2, LONGEST),
        begin=lambda: lines.down(link),
        end=lambda: lines.up(link),
    )


def _broker_killed(chance: random.Random, house: Processes) -> Mishap:
    return Mishap(
        name="the broker killed",
        lasts=chance.uniform(0.5, 6),
        begin=house.broker.kill,
        end=house.broker.start,
    )


def _paused(chance: random.Random, house: Processes) -> Mishap:
    name = chance.choice(("gateway", "rules", "api"))
    process = house.running[name]
    return Mishap(
        name=f"{name} paused",
        lasts=chance.uniform(1, 8),
        begin=lambda: process.send_signal(signal.SIGSTOP),
        end=lambda: process.send_signal(signal.SIGCONT),
    )


def _killed(chance: random.Random, house: Processes) -> Mishap:
    name = chance.choice(("gateway", "rules", "api", "simulate"))
    return Mishap(
        name=f"{name} killed",
        lasts=chance.uniform(0, 3),
        begin=lambda: house.kill(name),
        end=lambda: house.start(name),
    )

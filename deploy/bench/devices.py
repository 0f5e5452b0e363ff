"""The devices of the bench: a bare asyncio Modbus TCP server, for the figures only.

It answers FC04 from :mod:`deploy.bench.truth` and checks little: it is there so that the load
takes as little as possible of the cores that it shares with what is measured. ``dutyroom
simulate`` serves the same site with checks, models and faults, on pymodbus's server, at several
times the cost.

    python -m deploy.bench.devices --devices 1000 --points 20 --links 20

says ``ready`` when it listens, and ends at SIGTERM with one line of JSON about itself, so that
what it is late by is not taken for the gateway's:

answer_p50/p99  ms that a request waited here at most, in the last ``--seconds`` that it was asked
answers         of which these are
cpu             s of processor a second in them
queued          s a second that it was ready to run and had no core
"""

from __future__ import annotations

import argparse
import asyncio
import json
import selectors
import signal
import struct
import time
from array import array
from bisect import bisect_left
from pathlib import Path

import numpy as np

from deploy.bench import truth
from deploy.bench.site import Load

_REQUEST = struct.Struct(">HHHBBHH")
_HEAD = struct.Struct(">HHHBBB")
_EXCEPTION = struct.Struct(">HHHBBB")
_AT_ONCE = 20e-6
"""s within which a look at the connections returns that has not waited."""


class Selector(selectors.DefaultSelector):
    """Knows since when at most that which it has brought has been there."""

    since = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, selectors._EventMask]]:
        begun = time.monotonic()
        found = super().select(timeout)
        woke = time.monotonic()
        # If it had to wait, nothing was there before; else it came while others were answered.
        self.since = woke if woke - begun > _AT_ONCE else self._asked
        self._asked = begun
        return found

    _asked = 0.0


class Log:
    """When each request was answered, and how long it had waited."""

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self._at = array("d")
        self._waited = array("d")
        self._used: list[tuple[float, float, float]] = []
        """Moment, s of processor, s without a core; about once a second."""

    def answered(self) -> None:
        now = time.monotonic()
        self._at.append(now)
        self._waited.append(now - self._selector.since)
        if not self._used or now - self._used[-1][0] > 1:
            self._used.append((now, time.process_time(), _queued()))

    def told(self, seconds: float) -> dict[str, float]:
        if not self._at:
            return {"answers": 0}
        begin = bisect_left(self._at, self._at[-1] - seconds)
        p50, p99 = np.percentile(1000 * np.array(self._waited[begin:]), (50, 99))
        used = [one for one in self._used if one[0] >= self._at[begin]] or self._used[-1:]
        passed = max(used[-1][0] - used[0][0], 1e-9)
        return {
            "answers": len(self._at) - begin,
            "answer_p50": float(p50),
            "answer_p99": float(p99),
            "cpu": (used[-1][1] - used[0][1]) / passed,
            "queued": (used[-1][2] - used[0][2]) / passed,
        }


def _queued() -> float:
    """Seconds that this process was ready and had no core; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


class Line:
    """The units behind one link, and what they say in this second."""

    def __init__(self, load: Load, link: int) -> None:
        first = link * load.units
        self._devices = np.arange(first, min(first + load.units, load.devices))
        self._points = load.points
        self._second = -1
        self._said: list[bytes] = []

    def answer(self, unit: int, address: int, count: int) -> bytes | None:
        second = int(time.time())
        if second != self._second:
            self._second = second
            rows = truth.values(self._devices, self._points, second).astype(">f4")
            self._said = [row.tobytes() for row in rows]
        if not 1 <= unit <= len(self._said) or address + count > 2 * self._points:
            return None
        return self._said[unit - 1][2 * address : 2 * (address + count)]


class Server(asyncio.Protocol):
    """One connection."""

    def __init__(self, line: Line, log: Log) -> None:
        self._line = line
        self._log = log
        self._transport: asyncio.Transport
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._waiting + data
        at = 0
        while len(data) - at >= _REQUEST.size:
            transaction, _, _, unit, function, address, count = _REQUEST.unpack_from(data, at)
            at += _REQUEST.size
            said = self._line.answer(unit, address, count) if function == 4 else None
            if said is None:
                self._transport.write(_EXCEPTION.pack(transaction, 0, 3, unit, function | 128, 2))
            else:
                head = _HEAD.pack(transaction, 0, 3 + len(said), unit, function, len(said))
                self._transport.write(head + said)
            self._log.answered()
        self._waiting = data[at:]


async def serve(load: Load, log: Log, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for ends in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ends, stop.set)
    for link in range(load.links):
        line = Line(load, link)
        await loop.create_server(lambda line=line: Server(line, log), "127.0.0.1", load.port + link)
    print("ready", flush=True)
    await stop.wait()
    print(json.dumps(log.told(seconds)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--links", type=int, default=20)
    parser.add_argument("--port", type=int, default=21000)
    parser.add_argument("--seconds", type=float, default=20)
    given = vars(parser.parse_args())
    seconds, selector = given.pop("seconds"), Selector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(serve(Load(**given), Log(selector), seconds))


if __name__ == "__main__":
    main()

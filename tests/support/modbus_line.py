"""Devices on a two-wire line, and the two ways to it: a converter on TCP, and a pseudo terminal.

The line itself remembers what is on its way: a reply that a device gives late arrives on whatever
way is open by then, as on a real one.
"""

from __future__ import annotations

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.modbus.framing import checksum

Answer = Callable[["Line", "Asked"], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A read as a device on the line hears it."""

    unit: int
    function: int
    address: int
    count: int
    number: int
    """Of all requests on the line, from 0."""

    def reply(self, *values: int) -> bytes:
        """A right one; of ``values``, or of the address of each register."""
        words = values or range(self.address, self.address + self.count)
        body = struct.pack(">BBB", self.unit, self.function, 2 * len(words))
        return framed(body + struct.pack(f">{len(words)}H", *words))


def framed(body: bytes) -> bytes:
    return body + checksum(body)


async def obedient(line: Line, asked: Asked) -> None:
    line.say(asked.reply())


class Line:
    """What is said on it to ``answer``, which speaks by :meth:`say`."""

    def __init__(self, answer: Answer = obedient) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.ways = 0
        """How often somebody came to listen."""
        self.speak: Callable[[bytes], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, request: bytes) -> None:
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        asked = Asked(unit, function, address, count, len(self.requests))
        self.requests.append(request)
        task = asyncio.ensure_future(self.answer(self, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def say(self, data: bytes) -> None:
        """To whoever is on the line; nobody: it is lost."""
        if self.speak is not None:
            self.speak(data)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ways += 1
        self.speak = mine = writer.write
        try:
            while request := await reader.read(300):
                self.hear(request)
        except ConnectionError:
            pass
        finally:
            if self.speak is mine:
                self.speak = None
            writer.close()

    @asynccontextmanager
    async def converter(self) -> AsyncIterator[int]:
        """A converter that passes bytes on between TCP and the line; its port."""
        server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    @asynccontextmanager
    async def terminal(self) -> AsyncIterator[str]:
        """A pseudo terminal; the path to open as a serial device."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        loop = asyncio.get_running_loop()
        self.speak = lambda data: os.write(ours, data) and None

        def ready() -> None:
            try:
                self.hear(os.read(ours, 300))
            except OSError:
                loop.remove_reader(ours)

        loop.add_reader(ours, ready)
        self.unplug = lambda: (loop.remove_reader(ours), os.close(ours))
        try:
            yield os.ttyname(theirs)
        finally:
            self.speak = None
            os.close(theirs)
            if loop.remove_reader(ours):
                os.close(ours)

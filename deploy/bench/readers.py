"""Open pages as the server sees them: so many live streams, each read at once, or never.

    python -m deploy.bench.readers --port 8080 --cookie 'session=…' --count 200 [--slow 1]

says ``ready`` when each has its snapshot, and ends at SIGTERM with one line of JSON:

rounds_least  rounds of readings that the stream that heard fewest has heard
rounds_most   those of the one that heard most
bytes         of all of them
lost          streams that ended
slow_cut      s after which those that never read were cut; null: not yet
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import time
from contextlib import suppress

_ROUND = b"event: readings"
_SNAPSHOT = b"event: snapshot"
_LITTLE = 4096
"""Bytes that the kernel keeps for one that never reads."""


class Reader:
    """One live stream."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        """Kept, for the connection is closed with it."""
        self.rounds = 0
        self.bytes = 0
        self.status = ""
        self.ended = False
        self.opened = asyncio.Event()

    async def read(self, stream: asyncio.StreamReader) -> None:
        left = b""
        while data := await stream.read(1 << 18):
            self.status = self.status or data.partition(b"\r\n")[0].decode()
            self.bytes += len(data)
            heard = left + data
            self.rounds += heard.count(_ROUND)
            if _SNAPSHOT in heard:
                self.opened.set()
            # A name may be cut in two, but is not to be counted twice.
            left = heard[-len(_ROUND) + 1 :]
        self.ended = True
        self.opened.set()


async def _ask(port: int, cookie: str, kept: int | None = None) -> socket.socket:
    connection = socket.socket()
    if kept is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kept)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    request = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
    )
    await loop.sock_sendall(connection, request.encode())
    return connection


async def never_read(port: int, cookie: str) -> float:
    """s until the server has closed the connection of one who never reads."""
    connection = await _ask(port, cookie, _LITTLE)
    began = time.monotonic()
    while True:
        await asyncio.sleep(0.5)
        # Whoever still had a word to say learns that nobody is there; a space is no request.
        try:
            connection.send(b" ")
        except BlockingIOError:
            continue
        except OSError:
            return time.monotonic() - began


async def run(port: int, cookie: str, count: int, slow: int) -> None:
    stop = asyncio.Event()
    for ends in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ends, stop.set)
    readers, tasks = [], []
    for _ in range(count):
        stream, writer = await asyncio.open_connection(sock=await _ask(port, cookie))
        readers.append(reader := Reader(writer))
        tasks.append(asyncio.create_task(reader.read(stream)))
    await asyncio.gather(*(reader.opened.wait() for reader in readers))
    for reader in readers:
        if reader.ended:
            raise SystemExit(f"a stream ended at once: {reader.status}")
    for reader in readers:
        # From here on everybody hears the same.
        reader.rounds = reader.bytes = 0
    print("ready", flush=True)
    cut = [asyncio.create_task(never_read(port, cookie)) for _ in range(slow)]
    await stop.wait()
    rounds = [reader.rounds for reader in readers]
    over = [task.result() for task in cut if task.done()]
    told = {
        "rounds_least": min(rounds),
        "rounds_most": max(rounds),
        "bytes": sum(reader.bytes for reader in readers),
        "lost": sum(reader.ended for reader in readers),
        "slow_cut": max(over) if over and len(over) == len(cut) else None,
    }
    print(json.dumps(told), flush=True)
    for task in (*tasks, *cut):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cookie", required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--slow", type=int, default=0, help="how many never read")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.cookie, given.count, given.slow))


if __name__ == "__main__":
    main()

"""Stands between the gateway and a device, and spoils what comes back. An asyncio TCP proxy.

It knows where a Modbus request and reply begin and end (MBAP, or RTU passed on over TCP), so that
one exchange is one exchange whatever the network does. What is wrong is a :class:`Fault`, set at
any time; what is left to chance follows from the seed.

    async with FaultProxy("127.0.0.1", port) as proxy:
        proxy.inject(Fault(Kind.LATE, seconds=1.5))
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    # Of the way.
    REFUSE = "refuse"
    """Accepts and closes at once."""
    HOLD = "hold"
    """The request arrives; its answer never does."""
    DROP = "drop"
    """The request never reaches the device."""
    RESET = "reset"
    """The connection is reset instead of the reply."""
    CLOSE = "close"
    """The connection is closed right after the reply."""
    LATENCY = "latency"
    """Each reply is ``seconds`` late; in order."""
    LATE = "late"
    """The reply comes ``seconds`` later, and meanwhile others may overtake it."""
    SLICE = "slice"
    """One byte at a time."""
    GLUE = "glue"
    """The reply twice, in one piece."""
    GARBAGE = "garbage"
    """Random bytes instead of the reply."""
    BABBLE = "babble"
    """Random bytes, and then the reply."""
    CUT = "cut"
    """Half of the reply, and nothing more."""
    # Of the device.
    TRANSACTION = "transaction"
    """Another transaction id: one that was not asked."""
    NO_TRANSACTION = "no-transaction"
    """Transaction id 0."""
    UNIT = "unit"
    FUNCTION = "function"
    SHORT = "short"
    """One register too few, with a true count and length."""
    LONG = "long"
    """One register too many, with a true count and length."""
    COUNT = "count"
    """A byte count that is not what follows."""
    CRC = "crc"
    """RTU: a wrong checksum."""
    EXCEPTION = "exception"
    """Exception ``code`` instead of the reply."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with an exchange; ``share`` of them, by the proxy's chance."""

    kind: Kind
    seconds: float = 0.0
    code: int = 4
    share: float = 1.0


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


class FaultProxy:
    """Listens on a port of its own (``port``) for one device at ``host``:``target``.

    ``rtu``: frames are RTU, not MBAP. ``limit``: connections at a time; more are closed at once.
    """

    def __init__(
        self, host: str, target: int, *, rtu: bool = False, limit: int | None = None, seed: int = 1
    ) -> None:
        self._host, self._target = host, target
        self.rtu = rtu
        self.limit = limit
        self._chance = random.Random(seed)
        self._fault: Fault | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.refused = 0
        self.requests = 0
        self.spoiled: Counter[Kind] = Counter()
        """How often each fault truly struck."""

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._open)

    def inject(self, fault: Fault) -> None:
        """From the next exchange on."""
        self._fault = fault

    def clear(self) -> None:
        self._fault = None

    def cut(self) -> None:
        """Reset every connection that stands now."""
        for writer in list(self._open):
            _reset(writer)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; on the same port again after a ``stop``."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more, and every connection ends."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        full = self.limit is not None and self.open >= self.limit
        if full or self._strikes(Kind.REFUSE):
            self.refused += 1
            writer.close()
            self._tasks.discard(task)
            return
        self._open.add(writer)
        try:
            await self._between(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests one way and replies the other, until one of both goes."""
        answers, device = await asyncio.open_connection(self._host, self._target)

        async def ask() -> None:
            while True:
                request = await (_rtu_request(reader) if self.rtu else _mbap(reader))
                self.requests += 1
                if not self._strikes(Kind.DROP):
                    device.write(request)

        async def answer() -> None:
            while True:
                reply = await (_rtu_reply(answers) if self.rtu else _mbap(answers))
                await self._pass_on(reply, writer)

        ways = [asyncio.ensure_future(ask()), asyncio.ensure_future(answer())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            device.close()

    async def _pass_on(self, reply: bytes, writer: asyncio.StreamWriter) -> None:
        fault = self._fault
        if fault is None or fault.kind in (Kind.REFUSE, Kind.DROP) or not self._hit(fault):
            writer.write(reply)
        elif fault.kind in _WAYS:
            await _WAYS[fault.kind](self, fault, reply, writer)
        else:
            writer.write(self.wrong(fault, reply))
        await writer.drain()

    def _strikes(self, kind: Kind) -> bool:
        return self._fault is not None and self._fault.kind is kind and self._hit(self._fault)

    def _hit(self, fault: Fault) -> bool:
        hit = self._chance.random() < fault.share
        self.spoiled[fault.kind] += hit
        return hit

    # -- of the device ----------------------------------------------------------------------------

    def wrong(self, fault: Fault, reply: bytes) -> bytes:
        """``reply`` as a device with ``fault`` would have sent it."""
        transaction = 0 if self.rtu else struct.unpack_from(">H", reply)[0]
        unit, pdu = (reply[0], reply[1:-2]) if self.rtu else (reply[6], reply[7:])
        if fault.kind is Kind.TRANSACTION:
            transaction = (transaction + 1) & 0xFFFF
        elif fault.kind is Kind.NO_TRANSACTION:
            transaction = 0
        elif fault.kind is Kind.UNIT:
            unit = unit % 247 + 1
        elif fault.kind is Kind.EXCEPTION:
            pdu = bytes((pdu[0] | 0x80, fault.code))
        else:
            pdu = _wrong_pdu(fault.kind, pdu)
        if self.rtu:
            body = bytes((unit,)) + pdu
            checksum = crc(body)
            return body + (
                bytes((checksum[0] ^ 0x5A, checksum[1])) if fault.kind is Kind.CRC else checksum
            )
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu

    # -- of the way -------------------------------------------------------------------------------

    async def _hold(self, _fault: Fault, _reply: bytes, _writer: asyncio.StreamWriter) -> None:
        return

    async def _reset(self, _fault: Fault, _reply: bytes, writer: asyncio.StreamWriter) -> None:
        _reset(writer)

    async def _close(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()
        writer.close()

    async def _latency(self, fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(fault.seconds)
        writer.write(reply)

    async def _late(self, fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        async def later() -> None:
            await asyncio.sleep(fault.seconds)
            with suppress(OSError):
                writer.write(reply)

        task = asyncio.ensure_future(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _slice(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in reply:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.001)

    async def _glue(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply + reply)

    async def _garbage(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(self._chance.randbytes(len(reply)))

    async def _babble(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(self._chance.randbytes(self._chance.randint(1, 20)) + reply)

    async def _cut_short(self, _fault: Fault, reply: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply[: len(reply) // 2])


_WAYS: dict[Kind, Callable] = {
    Kind.HOLD: FaultProxy._hold,
    Kind.RESET: FaultProxy._reset,
    Kind.CLOSE: FaultProxy._close,
    Kind.LATENCY: FaultProxy._latency,
    Kind.LATE: FaultProxy._late,
    Kind.SLICE: FaultProxy._slice,
    Kind.GLUE: FaultProxy._glue,
    Kind.GARBAGE: FaultProxy._garbage,
    Kind.BABBLE: FaultProxy._babble,
    Kind.CUT: FaultProxy._cut_short,
}
"""What the network does instead of passing a reply on."""


def _wrong_pdu(kind: Kind, pdu: bytes) -> bytes:
    if pdu[0] & 0x80:
        return pdu
    if kind is Kind.FUNCTION:
        return bytes((7 - pdu[0] if pdu[0] in (3, 4) else pdu[0] ^ 1,)) + pdu[1:]
    size = 2 if pdu[0] in (3, 4) else 1
    if kind is Kind.SHORT:
        return bytes((pdu[0], pdu[1] - size)) + pdu[2:-size]
    if kind is Kind.LONG:
        return bytes((pdu[0], pdu[1] + size)) + pdu[2:] + bytes(size)
    if kind is Kind.COUNT:
        return bytes((pdu[0], (pdu[1] + size) & 0xFF)) + pdu[2:]
    return pdu


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: nothing that was written before arrives for sure."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _mbap(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(6)
    return header + await reader.readexactly(struct.unpack_from(">H", header, 4)[0])


async def _rtu_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(7)
    more = 1 if head[1] not in (15, 16) else 2 + head[6]
    return head + await reader.readexactly(more)


async def _rtu_reply(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(3)
    more = 2 if head[1] & 0x80 else 5 if head[1] in (5, 6, 15, 16) else head[2] + 2
    return head + await reader.readexactly(more)

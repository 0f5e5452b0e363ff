"""Bytes on a wire: a request in its frame, and of what is heard exactly the one expected reply.
Pure.

A device, a gateway or the network between may answer late, for another unit, with another
function code or with too few registers. Nothing but the one expected reply is let through:
a value stored under another register's name would be worse than none.

Sources: MODBUS Messaging on TCP/IP Implementation Guide V1.0b (MBAP); MODBUS over Serial Line
V1.02 (RTU, CRC).
"""

from __future__ import annotations

import struct
from typing import Protocol

from gateway.modbus.pdu import Request, size_of_reply

_MBAP = struct.Struct(">HHHB")
"""Transaction, protocol, length of what follows the length field, unit."""
_CRC_SIZE = 2


class WrongReplyError(Exception):
    """What was heard is not, and cannot become, the expected reply; the text says what differs."""

    def __init__(self, what: str, *, damaged: bool = False) -> None:
        super().__init__(what)
        self.damaged = damaged
        """The checksum says that the line changed it on the way."""


class Exchange(Protocol):
    """A request in its frame, and the judge of what comes back for it."""

    @property
    def sent(self) -> bytes: ...

    def reply(self, heard: bytes) -> bytes | None:
        """The reply's data unit out of everything heard since the request was sent.

        None: it has only begun. Raises :class:`WrongReplyError`, as early as it can be told.
        """


class MbapExchange:
    """With the header of Modbus TCP; the transaction number tells replies apart."""

    __slots__ = ("_head", "_number", "_request", "_size", "_unit", "sent")

    def __init__(self, transaction: int, unit: int, request: Request) -> None:
        self._number, self._unit, self._request = transaction, unit, request
        self.sent = _MBAP.pack(transaction, 0, 1 + len(request.pdu), unit) + request.pdu
        self._head = _MBAP.pack(transaction, 0, 1 + request.size, unit) + request.head
        self._size = _MBAP.size + request.size

    def reply(self, heard: bytes) -> bytes | None:
        # Nearly always: all of it at once, and right.
        if len(heard) == self._size and heard.startswith(self._head):
            return heard[_MBAP.size :]
        if len(heard) < _MBAP.size:
            return None
        transaction, protocol, length, unit = _MBAP.unpack_from(heard)
        for name, given, expected in (
            ("protocol", protocol, 0),
            ("transaction", transaction, self._number),
            ("unit", unit, self._unit),
        ):
            if given != expected:
                raise WrongReplyError(f"{name} {given} ≠ {expected}")
        pdu = heard[_MBAP.size :]
        if not pdu:
            return None
        size = _size(pdu, self._request)
        if length != 1 + size:
            raise WrongReplyError(f"length {length} ≠ {1 + size}")
        return _whole(pdu, size)


class RtuExchange:
    """With unit and checksum; nothing tells a late reply from the next one but unit and length."""

    __slots__ = ("_head", "_request", "_size", "_unit", "sent")

    def __init__(self, unit: int, request: Request) -> None:
        self._unit, self._request = unit, request
        frame = bytes((unit,)) + request.pdu
        self.sent = frame + checksum(frame)
        self._head = bytes((unit,)) + request.head
        self._size = 1 + request.size + _CRC_SIZE

    def reply(self, heard: bytes) -> bytes | None:
        if len(heard) == self._size and heard.startswith(self._head):
            return _sound(heard)
        if not heard:
            return None
        if heard[0] != self._unit:
            raise WrongReplyError(f"unit {heard[0]} ≠ {self._unit}")
        if len(heard) == 1:
            return None
        size = _size(heard[1:], self._request)
        if _whole(heard, 1 + size + _CRC_SIZE) is None:
            return None
        return _sound(heard)


def _size(pdu: bytes, request: Request) -> int:
    try:
        return size_of_reply(pdu, request)
    except ValueError as error:
        raise WrongReplyError(str(error)) from None


def _whole(heard: bytes, size: int) -> bytes | None:
    if len(heard) > size:
        raise WrongReplyError(f"{len(heard) - size} bytes after the reply")
    return heard if len(heard) == size else None


def _sound(frame: bytes) -> bytes:
    """The data unit of a whole RTU frame."""
    expected = checksum(frame[:-_CRC_SIZE])
    if frame[-_CRC_SIZE:] != expected:
        told = f"CRC {frame[-_CRC_SIZE:].hex()} ≠ {expected.hex()}"
        raise WrongReplyError(told, damaged=True)
    return frame[1:-_CRC_SIZE]


def _table() -> tuple[int, ...]:
    """The remainder of each byte by the polynomial 0xA001."""
    found = []
    for byte in range(256):
        left = byte
        for _ in range(8):
            left = (left >> 1) ^ 0xA001 if left & 1 else left >> 1
        found.append(left)
    return tuple(found)


_TABLE = _table()


def checksum(frame: bytes) -> bytes:
    """CRC-16/MODBUS of ``frame`` as it follows on the wire, the low byte first."""
    left, table = 0xFFFF, _TABLE
    for byte in frame:
        left = (left >> 8) ^ table[(left ^ byte) & 0xFF]
    return bytes((left & 0xFF, left >> 8))

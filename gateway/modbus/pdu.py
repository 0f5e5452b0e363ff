"""What is asked of a Modbus device and what it answers, without any wire. Pure.

A protocol data unit is a function code and its data; how it is laid on a wire, :mod:`framing`
says. Source: MODBUS Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gateway.model.profile import Function

MAX_WRITTEN = 123
"""Most registers that one request may write."""

WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}
UNREACHED = frozenset({10, 11})
"""Exceptions by which a gateway says that the unit behind it is silent."""

EXCEPTION_BIT = 0x80
EXCEPTION_SIZE = 2
"""Bytes of the unit of data by which a device refuses."""

_READ = struct.Struct(">BHH")
_WRITE_MANY = struct.Struct(">BHHB")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request, and what is known beforehand of its reply."""

    pdu: bytes
    head: bytes
    """How the reply begins: for a read function code and byte count, for a write all of it."""
    size: int
    """Bytes of the whole reply."""

    @property
    def function(self) -> int:
        return self.pdu[0]


class RefusedError(Exception):
    """The device answered with exception ``code``: it cannot."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {EXCEPTIONS.get(code, '')}".rstrip())
        self.code = code


@lru_cache(maxsize=1 << 14)
def read(function: Function, address: int, count: int) -> Request:
    """Reads ``count`` registers or bits from the PDU address ``address``."""
    carried = (count + 7) // 8 if function.is_bits else 2 * count
    if not 1 <= carried <= 250 or not 0 <= address <= address + count - 1 <= 0xFFFF:
        raise ValueError(f"{function} {address}, {count}: not in one Modbus request")
    return Request(
        pdu=_READ.pack(function.code, address, count),
        head=bytes((function.code, carried)),
        size=2 + carried,
    )


def write(function: Function, address: int, words: Sequence[int]) -> Request:
    """Writes ``words`` from ``address``: one coil (0 or 1), one register, or several.

    Raises :class:`ValueError` for what cannot be written: an input, several coils, no words.
    """
    if not words or not all(0 <= word <= 0xFFFF for word in words):
        raise ValueError(f"{list(words)}: no registers")
    if function is Function.COIL and len(words) == 1 and words[0] in (0, 1):
        return _echoed(_READ.pack(WRITE_COIL, address, 0xFF00 if words[0] else 0))
    if function is not Function.HOLDING or len(words) > MAX_WRITTEN:
        raise ValueError(f"{function} {address}: {len(words)} words cannot be written")
    if len(words) == 1:
        return _echoed(_READ.pack(WRITE_REGISTER, address, words[0]))
    head = _READ.pack(WRITE_REGISTERS, address, len(words))
    body = _WRITE_MANY.pack(WRITE_REGISTERS, address, len(words), 2 * len(words))
    return Request(pdu=body + struct.pack(f">{len(words)}H", *words), head=head, size=_READ.size)


def _echoed(pdu: bytes) -> Request:
    return Request(pdu=pdu, head=pdu, size=len(pdu))


def size_of_reply(heard: bytes, request: Request) -> int:
    """Bytes of the reply that begins with ``heard`` (one byte at least).

    Raises :class:`ValueError`, with what differs, if it is no reply to ``request``.
    """
    if heard[0] == request.function | EXCEPTION_BIT:
        return EXCEPTION_SIZE
    if heard[0] != request.function:
        raise ValueError(f"function {heard[0]} ≠ {request.function}")
    if not request.head.startswith(heard[: len(request.head)]):
        if request.size == len(request.head):
            raise ValueError(f"echo {heard[: request.size].hex()} ≠ {request.head.hex()}")
        raise ValueError(f"bytes {heard[1]} ≠ {request.head[1]}")
    return request.size


def check_taken(reply: bytes) -> None:
    """Raises :class:`RefusedError` if a whole ``reply`` is an exception."""
    if reply[0] & EXCEPTION_BIT:
        raise RefusedError(reply[1])


def registers(reply: bytes) -> NDArray[np.uint16]:
    """The registers in the whole reply to a read."""
    return np.frombuffer(reply, dtype=">u2", offset=2).astype(np.uint16)


def bits(reply: bytes, count: int) -> NDArray[np.bool_]:
    """The first ``count`` bits in the whole reply to a read."""
    held = np.frombuffer(reply, dtype=np.uint8, offset=2)
    return np.unpackbits(held, count=count, bitorder="little").astype(np.bool_)

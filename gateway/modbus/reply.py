"""What is wrong with the bytes that came back for a request. Pure.

A device, a gateway or the network between may answer late, for another unit, with another
function code or with too few registers. Nothing but the one expected reply is let through:
a value stored under another register's name would be worse than none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct(">HHHB")
"""Transaction, protocol, length of what follows the length field, unit."""

_READ = struct.Struct(">BHH")
"""Function code, address, count."""

_ERROR_BIT = 0x80


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the request in flight asked for."""

    transaction: int
    unit: int
    function: int
    body: int
    """Bytes of registers or bits that the reply must carry."""


def asked_by(request: bytes) -> Asked:
    """What the bytes of a read request (function code 1 to 4) ask for."""
    transaction, _, _, unit = HEADER.unpack_from(request)
    function, _, count = _READ.unpack_from(request, HEADER.size)
    bits = function in (1, 2)
    return Asked(
        transaction=transaction,
        unit=unit,
        function=function,
        body=(count + 7) // 8 if bits else 2 * count,
    )


def fault_in(heard: bytes, asked: Asked | None) -> str | None:
    """Why ``heard`` is not, and cannot become, the reply to ``asked``.

    ``heard`` is everything received since the request was sent. None: the reply, a device
    exception, or the beginning of one of them. ``asked`` None: nothing was asked.
    """
    if asked is None:
        return "bytes that nobody asked for"
    if len(heard) < HEADER.size:
        return None
    transaction, protocol, length, unit = HEADER.unpack_from(heard)
    fault = _fault_in_header(transaction, protocol, unit, asked)
    if fault is not None or len(heard) == HEADER.size:
        return fault
    return _fault_in_pdu(heard[HEADER.size :], length - 1, asked)


def _fault_in_header(transaction: int, protocol: int, unit: int, asked: Asked) -> str | None:
    if protocol != 0:
        return f"a reply of protocol {protocol}, expected 0"
    if transaction != asked.transaction:
        return f"a reply to transaction {transaction}, expected {asked.transaction}"
    if unit != asked.unit:
        return f"a reply from unit {unit}, expected {asked.unit}"
    return None


def _fault_in_pdu(pdu: bytes, length: int, asked: Asked) -> str | None:
    """``length`` is what the header promised for ``pdu``."""
    function = pdu[0]
    if function == asked.function | _ERROR_BIT:
        expected = 2
    elif function == asked.function:
        expected = 2 + asked.body
        if len(pdu) > 1 and pdu[1] != asked.body:
            return f"a reply of {pdu[1]} bytes, expected {asked.body}"
    else:
        return f"a reply of function code {function}, expected {asked.function}"
    if length != expected:
        return f"a reply of length {length}, expected {expected}"
    if len(pdu) > expected:
        return "bytes after the reply"
    return None

"""Values as the registers of a profile: the way back of what the gateway decodes. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.equipment import Equipment
from gateway.model.profile import Function, ModbusPlace, RegisterType

NOT_AVAILABLE = 0xFFFF
"""What a device answers for registers between the ones it uses."""
_FARTHEST = 1000
"""Registers between two that it uses beyond which a device has none, and refuses to be asked."""

_FORMS = {
    RegisterType.INT16: ("h", -(2**15), 2**15 - 1),
    RegisterType.UINT16: ("H", 0, 2**16 - 1),
    RegisterType.INT32: ("i", -(2**31), 2**31 - 1),
    RegisterType.UINT32: ("I", 0, 2**32 - 1),
}
"""Type → struct code, smallest and largest raw value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Neighbouring registers of one table, from PDU address ``start``; bits as 0 and 1."""

    function: Function
    start: int
    words: list[int]


def encode(place: ModbusPlace, value: float) -> tuple[int, ...]:
    """``value`` as the raw words at ``place``, the high word first unless the place says not.

    Raw values are rounded and kept within the register's range. A part of a register gives the
    word with that part alone, for the caller to put together with its neighbours.
    """
    raw = (value - place.offset) / place.scale
    if place.bit is not None:
        return (min(max(round(raw), 0), place.mask) << place.bit,)
    if place.type is RegisterType.BIT:
        return (int(raw != 0),)
    if place.type is RegisterType.FLOAT32:
        packed = struct.pack(">f", raw)
    else:
        code, least, most = _FORMS[place.type]
        packed = struct.pack(f">{code}", min(max(round(raw), least), most))
    words = struct.unpack(f">{len(packed) // 2}H", packed)
    return words[::-1] if place.low_word_first else words


def lay(things: Iterable[Equipment], values: Mapping[str, Mapping[str, float]]) -> tuple[Run, ...]:
    """One run, or more if they lie far apart, for each table that ``things`` use.

    ``things`` are all behind one unit; ``values``: equipment id → point key → value. Registers in
    between read "not available".
    """
    tables: dict[Function, dict[int, int]] = {}
    for thing in things:
        for key, place in thing.modbus.items():
            table = tables.setdefault(place.function, {})
            for address, word in enumerate(encode(place, values[thing.id][key]), place.address):
                shared = table.get(address, 0) if place.bit is not None else 0
                table[address] = shared | word
    return tuple(
        _run(function, table, addresses)
        for function, table in tables.items()
        for addresses in _together(sorted(table))
    )


def _together(addresses: Sequence[int]) -> Iterator[range]:
    """Ranges that hold ``addresses``, which ascend, without bridging a far gap."""
    start = before = addresses[0]
    for address in addresses[1:]:
        if address - before > _FARTHEST:
            yield range(start, before + 1)
            start = address
        before = address
    yield range(start, before + 1)


def _run(function: Function, table: Mapping[int, int], addresses: range) -> Run:
    filler = 0 if function.is_bits else NOT_AVAILABLE
    words = [table.get(address, filler) for address in addresses]
    return Run(function=function, start=addresses.start, words=words)


def differences(before: Sequence[Run], after: Sequence[Run]) -> tuple[Run, ...]:
    """The runs of ``after`` that are not as they were."""
    known = {(run.function, run.start): run.words for run in before}
    return tuple(run for run in after if known.get((run.function, run.start)) != run.words)

"""Values as the registers of a profile: the way back of what the gateway decodes. Pure.

And what is written to them as values again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.equipment import Equipment, is_life_safety
from gateway.model.profile import Function, ModbusPlace, RegisterType
from gateway.model.words import bounds, number_words, raw_bits, text_words

NOT_AVAILABLE = 0xFFFF
"""What a device answers for registers between the ones it uses."""
_FLOATS = {RegisterType.FLOAT32: "f", RegisterType.FLOAT64: "d"}
_BCD = (RegisterType.BCD16, RegisterType.BCD32)
_FARTHEST = 1000
"""Registers between two that it uses beyond which a device has none, and refuses to be asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Neighbouring registers of one table, from PDU address ``start``; bits as 0 and 1."""

    function: Function
    start: int
    words: list[int]


def encode(place: ModbusPlace, value: float) -> tuple[int, ...]:
    """``value`` as the raw words at ``place``, in the order in which they come over the wire.

    Raw values are rounded and kept within what the place can hold. A part of a register gives the
    word with that part alone, for the caller to put together with its neighbours. Where a text
    is read, the value is written in digits.
    """
    raw = (value - place.offset) / place.scale
    if place.type is RegisterType.ASCII:
        return text_words(place, f"{raw:.10g}"[: 2 * place.registers])
    limits = bounds(place)
    if limits is None:
        return number_words(place, raw)
    least, most = limits
    return number_words(place, min(max(round(raw), least), most))


def decode(place: ModbusPlace, words: Sequence[int]) -> float:
    """The number in ``words``, all of ``place``: the inverse of :func:`encode`.

    Raises ValueError for what is none, such as a text.
    """
    raw = raw_bits(place, words)
    code = _FLOATS.get(place.type)
    limits = bounds(place)
    if code is not None:
        (number,) = struct.unpack(f">{code}", raw.to_bytes(2 * len(words), "big"))
        return float(number * place.scale + place.offset)
    if limits is None:
        raise ValueError(f"{place.type.value} is no number")
    if place.bit is not None:
        raw = raw >> place.bit & place.mask
    elif place.type in _BCD:
        raw = int(f"{raw:x}")
    elif limits[0] < 0 and raw > limits[1]:
        raw -= 1 << 16 * len(words)
    return raw * place.scale + place.offset


def written(
    things: Iterable[Equipment], function: Function, address: int, words: Sequence[int]
) -> Mapping[str, Mapping[str, float]] | None:
    """What ``things``, all behind one unit, are told by ``words`` written from ``address`` on.

    Equipment id → point key → value. None: something among it is not to be written, so that
    nothing is; always so of lifts and fire equipment.
    """
    told: dict[str, dict[str, float]] = {}
    meant: set[int] = set()
    for thing in things:
        for key, place in thing.writes.items():
            if not isinstance(place, ModbusPlace) or place.function is not function:
                continue
            at = place.address - address
            part = words[at : at + place.registers] if at >= 0 else ()
            if len(part) < place.registers or is_life_safety(thing.equipment_class):
                continue
            try:
                told.setdefault(thing.id, {})[key] = decode(place, part)
            except ValueError:
                return None
            meant.update(range(place.address, place.address + place.registers))
    return told if meant.issuperset(range(address, address + len(words))) else None


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

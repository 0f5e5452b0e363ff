"""A raw value as the words in which it lies in registers, and the bounds it must keep. Pure.

What the gateway writes and what a simulated device shows are laid out by the same lines.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from gateway.model.profile import ModbusPlace, RegisterType

_INTEGERS = {
    RegisterType.BIT: ("H", 0, 1),
    RegisterType.INT16: ("h", -(2**15), 2**15 - 1),
    RegisterType.UINT16: ("H", 0, 2**16 - 1),
    RegisterType.INT32: ("i", -(2**31), 2**31 - 1),
    RegisterType.UINT32: ("I", 0, 2**32 - 1),
    RegisterType.INT64: ("q", -(2**63), 2**63 - 1),
    RegisterType.UINT64: ("Q", 0, 2**64 - 1),
    RegisterType.BCD16: ("H", 0, 9_999),
    RegisterType.BCD32: ("I", 0, 99_999_999),
}
"""Type → struct code, smallest and largest raw value."""
_FLOATS = {RegisterType.FLOAT32: "f", RegisterType.FLOAT64: "d"}
_BCD = (RegisterType.BCD16, RegisterType.BCD32)


def bounds(place: ModbusPlace) -> tuple[int, int] | None:
    """The smallest and the largest raw number at ``place``; None for floats and texts."""
    if place.bit is not None:
        return 0, place.mask
    whole = _INTEGERS.get(place.type)
    return None if whole is None else whole[1:]


def number_words(place: ModbusPlace, raw: float) -> tuple[int, ...]:
    """The words of ``raw`` in the order in which they come over the wire.

    ``raw`` is whole and within :func:`bounds` unless the place is a float. Of a part of a register
    the word holds that part alone. Raises :class:`ValueError` for what no such place can hold.
    """
    if place.bit is not None:
        return _laid(place, struct.pack(">H", int(raw) << place.bit))
    try:
        if place.type in _FLOATS:
            return _laid(place, struct.pack(f">{_FLOATS[place.type]}", raw))
        code, _, _ = _INTEGERS[place.type]
        whole = int(str(int(raw)), 16) if place.type in _BCD else int(raw)
        return _laid(place, struct.pack(f">{code}", whole))
    except (struct.error, OverflowError, KeyError) as error:
        raise ValueError(f"{raw!r} is no {place.type.value}") from error


def text_words(place: ModbusPlace, text: str) -> tuple[int, ...]:
    """``text`` in ASCII, filled up with NUL; raises :class:`ValueError` if it does not fit."""
    data = text.encode("ascii")
    room = 2 * place.registers
    if len(data) > room:
        raise ValueError(f"{len(data)} characters, and there is room for {room}")
    return _laid(place, data.ljust(room, b"\0"))


def raw_bits(place: ModbusPlace, words: Sequence[int]) -> int:
    """The bits of ``words``, taken back into the order of significance, as one whole number."""
    ordered = words[::-1] if place.order.low_word_first else words
    code = "<" if place.order.low_byte_first else ">"
    return int.from_bytes(struct.pack(f"{code}{len(words)}H", *ordered), "big")


def _laid(place: ModbusPlace, data: bytes) -> tuple[int, ...]:
    """``data``, the most significant byte first, as the registers of ``place``."""
    code = "<" if place.order.low_byte_first else ">"
    words = struct.unpack(f"{code}{len(data) // 2}H", data)
    return words[::-1] if place.order.low_word_first else words

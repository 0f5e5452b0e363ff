"""How the bits of a row become a number, as its type says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.profile import ModbusPlace, RegisterType

Raw = NDArray[np.uint64]
"""The bits of each row, the most significant register highest."""
Reader = Callable[[Raw], NDArray[np.float64]]
_SIGNED = (RegisterType.INT16, RegisterType.INT32, RegisterType.INT64)
_BCD = (RegisterType.BCD16, RegisterType.BCD32)
_DIGITS = np.arange(0, 32, 4, dtype=np.uint64)
_POWERS = 10.0 ** np.arange(8)


def readers(places: Sequence[ModbusPlace]) -> Iterator[tuple[NDArray[np.intp], Reader]]:
    """The rows that are read alike, with how; texts are not among them."""
    kinds = [_kind(place) for place in places]
    for kind, make in _READERS.items():
        rows = [row for row, own in enumerate(kinds) if own == kind]
        if rows:
            yield np.array(rows, dtype=np.intp), make([places[row] for row in rows])


def _kind(place: ModbusPlace) -> str:
    if place.type in (RegisterType.ASCII, RegisterType.FLOAT32, RegisterType.FLOAT64):
        return place.type.value
    if place.type in _BCD:
        return "bcd"
    return "signed" if place.type in _SIGNED and place.bit is None else "unsigned"


def _unsigned(places: Sequence[ModbusPlace]) -> Reader:
    """Whole registers, bits and parts of one."""
    shift = np.array([place.bit or 0 for place in places], dtype=np.uint64)
    mask = np.array([place.mask for place in places], dtype=np.uint64)
    return lambda raw: ((raw >> shift) & mask).astype(np.float64)


def _signed(places: Sequence[ModbusPlace]) -> Reader:
    """The sign is carried up to 64 bits and down again."""
    unused = [64 - 16 * place.registers for place in places]
    up, down = np.array(unused, dtype=np.uint64), np.array(unused, dtype=np.int64)
    return lambda raw: ((raw << up).view(np.int64) >> down).astype(np.float64)


def _float32(_: Sequence[ModbusPlace]) -> Reader:
    return lambda raw: raw.astype(np.uint32).view(np.float32).astype(np.float64)


def _float64(_: Sequence[ModbusPlace]) -> Reader:
    return lambda raw: raw.copy().view(np.float64)


def _bcd(_: Sequence[ModbusPlace]) -> Reader:
    """NaN where a digit is above 9."""

    def read(raw: Raw) -> NDArray[np.float64]:
        digits = (raw[:, np.newaxis] >> _DIGITS) & np.uint64(15)
        value: NDArray[np.float64] = digits @ _POWERS
        value[(digits > 9).any(axis=1)] = np.nan
        return value

    return read


def _text(places: Sequence[ModbusPlace]) -> Reader:
    return lambda raw: np.full(len(raw), np.nan)


_READERS: Mapping[str, Callable[[Sequence[ModbusPlace]], Reader]] = {
    "unsigned": _unsigned,
    "signed": _signed,
    RegisterType.FLOAT32.value: _float32,
    RegisterType.FLOAT64.value: _float64,
    "bcd": _bcd,
    RegisterType.ASCII.value: _text,
}

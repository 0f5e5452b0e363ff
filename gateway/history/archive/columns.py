"""Columns of numbers as few bytes, and back without a loss; pure.

Integers: a rule (first, step) where it fits; runs where values repeat; a cycle where all of them
come again and again; else, ``level`` 0, offsets
from the smallest; from ``level`` 1 on the differences, their bytes sorted by significance (so
that the high ones, mostly equal, lie together), deflated.

Floats: whole multiples of a power of ten where every one of them comes back bit by bit, else the
bits of a float32 or a float64 as integers. A float without a value is a bit in a mask.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import orjson
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_HEAD = struct.Struct("<BBIqq")
"""Kind, bytes a value, values, base, first."""
_VALUES = struct.Struct("<BBBI")
"""Form, decimals, whether some have no value, length of the mask."""
_LENGTH = struct.Struct("<I")
_MOST_DECIMALS = 6
_LARGEST = float(1 << 53)
"""Above it not every whole number is a float."""
_SAMPLE = 16
_WIDTHS = ((1, "u1"), (2, "<u2"), (4, "<u4"), (8, "<u8"))


class DamagedError(Exception):
    """Bytes that were not made here, or were cut or changed."""


@contextmanager
def damage() -> Iterator[None]:
    """For whatever unpacks: raises DamagedError for what bytes can do to it."""
    try:
        yield
    except (ValueError, LookupError, struct.error, zlib.error) as error:
        raise DamagedError(str(error)) from error


class _Kind(IntEnum):
    RULE = 0
    RUNS = 1
    OFFSETS = 2
    DIFFERENCES = 3
    CYCLES = 4


class Form(IntEnum):
    """What the integers of a column of floats mean."""

    NONE = 0
    """There is no value at all."""
    QUOTIENT = 1
    """integer / 10^decimals"""
    PRODUCT = 2
    """integer × 10^-decimals: not always the same float as the quotient"""
    FLOAT32 = 3
    FLOAT64 = 4
    RAW = 5
    """The floats themselves, at level 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaled:
    form: Form
    decimals: int
    whole: Ints


def pack_ints(numbers: Ints, level: int) -> bytes:
    """``numbers`` (int64) as bytes; the inverse of :func:`unpack_ints`."""
    size = len(numbers)
    if size == 0:
        return _HEAD.pack(_Kind.RULE, 0, 0, 0, 0)
    first = int(numbers[0])
    steps = np.diff(numbers)
    if size < 3 or (steps == steps[0]).all():
        step = int(steps[0]) if size > 1 else 0
        if size < 3 or step == 0 or abs(step) < 1 << 62:
            return _HEAD.pack(_Kind.RULE, 0, size, step, first)
    starts = np.flatnonzero(steps) + 1
    if len(starts) * 24 < size:
        places = np.concatenate(([0], starts))
        inner = (pack_ints(places, level), pack_ints(numbers[places], level))
        return _HEAD.pack(_Kind.RUNS, 0, size, 0, 0) + join(inner)
    period = _period(numbers)
    if period:
        return _HEAD.pack(_Kind.CYCLES, 0, size, 0, 0) + pack_ints(numbers[:period], level)
    if level == 0:
        base, kind, offsets = int(numbers.min()), _Kind.OFFSETS, numbers
    else:
        base, kind, offsets = int(steps.min()), _Kind.DIFFERENCES, steps
    # Of differences that leave 64 bits the remainder is right, and adding them up again as well.
    narrow = (offsets - np.int64(base)).view(np.uint64)
    top = int(narrow.max())
    width, dtype = next(pair for pair in _WIDTHS if top < 1 << (8 * pair[0]))
    data = narrow.astype(dtype)
    head = _HEAD.pack(kind, width, size, base, first)
    if level == 0:
        return head + data.tobytes()
    planes = data.view(np.uint8).reshape(-1, width).T.tobytes()
    return head + _deflated(planes, level)


def _period(numbers: Ints) -> int:
    """After how many numbers they begin again, for ever; 0 if they do not. So do the times of
    points that are read together."""
    again = np.flatnonzero(numbers[1:] == numbers[0])
    period = int(again[0]) + 1 if len(again) else 0
    if not period or len(numbers) % period or numbers[2 * period - 1] != numbers[period - 1]:
        return 0
    return period if (numbers.reshape(-1, period) == numbers[:period]).all() else 0


def unpack_ints(data: bytes | memoryview) -> Ints:
    kind, width, size, base, first = _HEAD.unpack_from(data)
    body = memoryview(data)[_HEAD.size :]
    if kind == _Kind.RULE:
        rule: Ints = first + base * np.arange(size, dtype=np.int64)
        return rule
    if kind == _Kind.RUNS:
        places, values = (unpack_ints(part) for part in split(body))
        return values.repeat(np.diff(np.append(places, size)))
    if kind == _Kind.CYCLES:
        cycle = unpack_ints(body)
        return np.tile(cycle, size // len(cycle))
    dtype = dict(_WIDTHS)[width]
    if kind == _Kind.OFFSETS:
        offsets: Ints = np.frombuffer(body, dtype).astype(np.int64)
        return offsets + np.int64(base)
    planes = np.frombuffer(zlib.decompress(body, -15), np.uint8)
    narrow = planes if width == 1 else np.ascontiguousarray(planes.reshape(width, -1).T).view(dtype)
    numbers = np.empty(size, dtype=np.int64)
    numbers[0] = first
    numbers[1:] = narrow.reshape(-1)
    numbers[1:] += base
    return np.cumsum(numbers, out=numbers)


def scaled(values: Floats) -> Scaled | None:
    """``values``, all finite, as whole multiples of a power of ten; None if they are none."""
    sample = values[:: max(1, len(values) // _SAMPLE)]
    for decimals in range(_MOST_DECIMALS + 1):
        for form in (Form.QUOTIENT, Form.PRODUCT):
            if _whole(sample, form, decimals) is not None:
                whole = _whole(values, form, decimals)
                if whole is not None:
                    return Scaled(form=form, decimals=decimals, whole=whole)
    return None


def _whole(values: Floats, form: Form, decimals: int) -> Ints | None:
    with np.errstate(over="ignore"):
        near = np.rint(values * 10.0**decimals)
    if not (np.abs(near) < _LARGEST).all():
        return None
    whole = near.astype(np.int64)
    back = of_whole(whole, form, decimals)
    return whole if (back.view(np.int64) == values.view(np.int64)).all() else None


def of_whole(whole: Ints, form: int, decimals: int) -> Floats:
    """The floats that ``whole`` stands for in ``form`` QUOTIENT or PRODUCT."""
    if decimals == 0:
        return whole.astype(np.float64)
    if form == Form.QUOTIENT:
        quotient: Floats = whole / 10.0**decimals
        return quotient
    return whole.astype(np.float64) * _unit(decimals)


def _unit(decimals: int) -> float:
    """As a profile writes it: 0.01 is not the same float as 1 / 10 / 10."""
    return float(f"1e-{decimals}")


def pack_values(values: Floats, level: int, known: Scaled | None = None) -> bytes:
    """``values``, NaN where there is none; ``known``: what :func:`scaled` said of them."""
    if level == 0:
        return _VALUES.pack(Form.RAW, 0, 0, 0) + np.ascontiguousarray(values, "<f8").tobytes()
    absent = np.isnan(values)
    mask = b""
    if absent.any():
        if absent.all():
            return _VALUES.pack(Form.NONE, 0, 1, 0) + _LENGTH.pack(len(values))
        mask = _deflated(np.packbits(absent).tobytes(), level)
        values = _filled(values, absent)
    found = known if known is not None and not mask else scaled(values)
    if found is not None:
        form, decimals, whole = found.form, found.decimals, found.whole
    else:
        form, decimals, whole = _bits(values)
    head = _VALUES.pack(form, decimals, bool(mask), len(mask))
    return head + mask + pack_ints(whole, level)


def unpack_values(data: bytes | memoryview) -> Floats:
    form, decimals, has_mask, mask_length = _VALUES.unpack_from(data)
    body = memoryview(data)[_VALUES.size :]
    if form == Form.RAW:
        return np.frombuffer(body, "<f8")
    if form == Form.NONE:
        return np.full(_LENGTH.unpack_from(body)[0], np.nan)
    whole = unpack_ints(body[mask_length:])
    if form in (Form.QUOTIENT, Form.PRODUCT):
        values = of_whole(whole, form, decimals)
    elif form == Form.FLOAT32:
        values = _ordered(whole, 31).astype(np.int32).view(np.float32).astype(np.float64)
    else:
        values = _ordered(whole, 63).view(np.float64)
    if has_mask:
        bits = np.frombuffer(zlib.decompress(body[:mask_length], -15), np.uint8)
        values[np.unpackbits(bits, count=len(values)).view(np.bool_)] = np.nan
    return values


def _filled(values: Floats, absent: NDArray[np.bool_]) -> Floats:
    """The value before in each place without one, so that the differences stay small."""
    places = np.where(absent, 0, np.arange(len(values)))
    places[0] = int(np.flatnonzero(~absent)[0])
    filled: Floats = values[np.maximum.accumulate(places)]
    # Before the first there is only the first.
    filled[: places[0]] = values[places[0]]
    return filled


def _bits(values: Floats) -> tuple[Form, int, Ints]:
    with np.errstate(over="ignore"):
        short = values.astype(np.float32)
    if (short.astype(np.float64).view(np.int64) == values.view(np.int64)).all():
        return Form.FLOAT32, 0, _ordered(short.view(np.int32).astype(np.int64), 31)
    return Form.FLOAT64, 0, _ordered(values.view(np.int64), 63)


def _ordered(bits: Ints, sign: int) -> Ints:
    """The bits of floats as integers in the order of the floats; its own inverse."""
    mask = np.int64((1 << sign) - 1)
    return np.where(bits < 0, bits ^ mask, bits)


def pack_texts(texts: Mapping[int, str], rows: int, level: int) -> bytes:
    """Row → text, as the rows at which the text changes."""
    if not texts:
        return b""
    changes: list[tuple[int, str | None]] = []
    before: str | None = None
    expected = 0
    for row in sorted(texts):
        if row > expected and before is not None:
            changes.append((expected, None))
            before = None
        if texts[row] != before:
            before = texts[row]
            changes.append((row, before))
        expected = row + 1
    if expected < rows:
        changes.append((expected, None))
    return _deflated(orjson.dumps(changes), max(level, 1))


def unpack_texts(data: bytes | memoryview, rows: int) -> dict[int, str]:
    if not data:
        return {}
    changes = orjson.loads(zlib.decompress(data, -15))
    ends = [row for row, _ in changes[1:]] + [rows]
    return {
        row: text
        for (start, text), end in zip(changes, ends, strict=True)
        if text is not None
        for row in range(start, end)
    }


def join(parts: Iterable[bytes]) -> bytes:
    """Parts of any length, each behind its length; the inverse of :func:`split`."""
    return b"".join(piece for part in parts for piece in (_LENGTH.pack(len(part)), part))


def split(data: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(data)
    while view:
        (size,) = _LENGTH.unpack_from(view)
        yield view[4 : 4 + size]
        view = view[4 + size :]


def _deflated(data: bytes, level: int) -> bytes:
    # FILTERED: made for differences, which repeat as numbers, not as phrases.
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 8, zlib.Z_FILTERED)
    return packer.compress(data) + packer.flush()

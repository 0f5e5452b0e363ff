"""What the bytes of a picture say of themselves: how large it unpacks, and where it ends. Pure.

Nothing is unpacked here, so a small file that unpacks to gigabytes costs nothing to refuse. Files
that are a picture to one program and something else to another carry the other thing behind the
picture's end. What passes is drawn anew (``rules.drawn_anew``), and only that is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MOST_PIXELS = 60_000_000
"""More than the cameras of phones give at their usual setting."""
MOST_MEMORY = 200_000_000
"""Bytes that a picture may take while it is unpacked."""
_LONGEST_SIDE = 20_000
_MOST_SCANS = 64
"""Of a JPEG; cameras and programs make twelve at most. Each goes through the whole picture, and a
scan of nothing has ten bytes, so that without a limit a small file keeps a core busy for hours."""
_ALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
"""Markers of a JPEG without a length behind them."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BY_LINES = (0xC0, 0xC1)
"""Frames that are unpacked a few lines at a time, where their first scan is of all components."""

_PNG_WEIGHT = 8
_WEBP_WEIGHT = 16
_JPEG_WEIGHT = 8
"""Measured bytes for each pixel, where the whole picture lies in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What the bytes say."""

    width: int
    height: int
    end: int | None
    """Behind the last byte of the picture; None: it is cut before."""
    weight: int
    """Bytes of memory that each pixel takes while it is unpacked; 0: it is unpacked small."""
    scans: int = 1


def wrong_with(data: bytes, media_type: str) -> str | None:
    """Why ``data`` is not taken for a picture of this kind; None where nothing is wrong, or it is
    no picture."""
    look = _LOOKS.get(media_type)
    if look is None:
        return None
    try:
        shape = look(data)
    except (struct.error, IndexError):
        return "is cut short, or damaged"
    if shape.end is None or shape.end > len(data):
        return "is cut short, or damaged"
    if shape.scans > _MOST_SCANS:
        return f"is drawn in {shape.scans} steps, which is too many"
    if data[shape.end :].strip(b"\0\xff"):
        return f"has {len(data) - shape.end} bytes behind the end of the picture"
    return too_large(shape.width, shape.height, shape.weight)


def weight(data: bytes, media_type: str) -> int:
    """:attr:`Shape.weight` of what has nothing wrong with it."""
    return _LOOKS[media_type](data).weight


def too_large(width: int, height: int, weight: int) -> str | None:
    """Why a picture of this size is not unpacked; None where it may be."""
    pixels = width * height
    if (
        pixels > MOST_PIXELS
        or pixels * weight > MOST_MEMORY
        or not 0 < min(width, height) <= max(width, height) <= _LONGEST_SIDE
    ):
        return f"is {width} by {height} pixels, which is too large"
    return None


def _png(data: bytes) -> Shape:
    width, height = struct.unpack_from(">II", data, 16)
    end, at = None, 8
    while data[12:16] == b"IHDR" and at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, at = data[at + 4 : at + 8], at + 12 + length
        if kind == b"IEND":
            end = at
            break
    return Shape(width=width, height=height, end=end, weight=_PNG_WEIGHT)


def _jpeg(data: bytes) -> Shape:
    width = height = components = weight = scans = 0
    end, at = None, 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            end = at + 2
            break
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, at + 5)
            weight = max(weight, 0 if marker in _BY_LINES else _JPEG_WEIGHT)
        elif marker == 0xDA:
            scans += 1
            if data[at + 4] < components:
                weight = _JPEG_WEIGHT
        at += 2 + length
        if marker == 0xDA:
            at = _behind_scan(data, at)
    return Shape(width=width, height=height, end=end, weight=weight, scans=scans)


def _behind_scan(data: bytes, at: int) -> int:
    """Where the next marker is behind compressed lines. Raises IndexError where none is."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise IndexError("the picture has no end")
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _webp(data: bytes) -> Shape:
    (length,) = struct.unpack_from("<I", data, 4)
    # Chunks have even lengths; some programs leave the last byte of it out.
    end = 8 + length + (length % 2 if len(data) > 8 + length else 0)
    width = height = 0
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return Shape(width=width, height=height, end=end, weight=_WEBP_WEIGHT)


_LOOKS: Mapping[str, Callable[[bytes], Shape]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}

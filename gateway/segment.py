"""One file of the spool: how records lie in it, and finding the good ones among damage.

A record is ``u32 length | u32 crc32 | payload``, little-endian. The checksum covers the sequence
number and the length too, so a record whose neighbour's length was damaged can never pass under
a wrong number. A segment is named by the number of its first record and never changed once it is
sealed; damage in it is stepped over, not rewritten.
"""

from __future__ import annotations

import errno
import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

_HEADER = struct.Struct("<II")
HEADER_BYTES = _HEADER.size
_COVERED = struct.Struct("<QI")
_SUFFIX = ".segment"


def pack(seq: int, payload: bytes) -> bytes:
    """``payload`` as a record; it must not be empty, so that zeroed blocks are no record."""
    return _HEADER.pack(len(payload), _checksum(seq, payload)) + payload


def _checksum(seq: int, payload: bytes | memoryview) -> int:
    return crc32(payload, crc32(_COVERED.pack(seq, len(payload))))


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a segment holds: place of each good record, and the bytes that are none."""

    seqs: array[int] = field(default_factory=lambda: array("Q"))
    starts: array[int] = field(default_factory=lambda: array("Q"))
    """Of the payload."""
    sizes: array[int] = field(default_factory=lambda: array("I"))
    damage: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of stretches of bytes that are no good record."""

    def add(self, seq: int, start: int, size: int) -> None:
        self.seqs.append(seq)
        self.starts.append(start)
        self.sizes.append(size)


def scan(data: bytes, first: int) -> Found:
    """The records in ``data``, the first of which is number ``first``.

    A record with a wrong checksum is stepped over by its length. If it was the length that is
    wrong, nothing behind it passes its checksum, and the rest is one damaged stretch.
    """
    found = Found()
    view = memoryview(data)
    place, seq, good_end = 0, first, 0
    while place + HEADER_BYTES <= len(data):
        length, checksum = _HEADER.unpack_from(data, place)
        start = place + HEADER_BYTES
        end = start + length
        if length == 0 or end > len(data):
            break
        if _checksum(seq, view[start:end]) == checksum:
            if good_end < place:
                found.damage.append((good_end, place))
            found.add(seq, start, length)
            good_end = end
        place, seq = end, seq + 1
    if good_end < len(data):
        found.damage.append((good_end, len(data)))
    return found


def path_of(folder: Path, first: int) -> Path:
    return folder / f"{first:020d}{_SUFFIX}"


def listed(folder: Path) -> list[Path]:
    """The segments in ``folder``, oldest first."""
    return sorted(path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())


class Segment:
    """A file of records, read by number; indexed when it is first asked for."""

    def __init__(self, path: Path, *, found: Found | None = None) -> None:
        self.path = path
        self.first = int(path.stem)
        self.found = found
        self.is_lost = False
        """The file is gone or cannot be read: nothing is expected of it any more."""

    def load(self) -> Found:
        """Index the file if it is not; OSError where it cannot be read."""
        if self.found is None:
            self.found = scan(self.path.read_bytes(), self.first)
        return self.found

    def read(self, after: int, before: int) -> Iterator[tuple[int, bytes]]:
        """The good records with after < seq < before."""
        found = self.load()
        begin, end = bisect_right(found.seqs, after), bisect_right(found.seqs, before - 1)
        if begin == end:
            return
        file = os.open(self.path, os.O_RDONLY)
        try:
            for row in range(begin, end):
                payload = os.pread(file, found.sizes[row], found.starts[row])
                if len(payload) < found.sizes[row]:
                    raise OSError(errno.EIO, "cut off", str(self.path))
                yield found.seqs[row], payload
        finally:
            os.close(file)

"""One file of the spool: how records lie in it, and finding the good ones among damage.

A record is ``u32 length | u32 crc32 | payload``, little-endian, and its number is the one after
its predecessor's. Where it is not, because numbers were passed over, the highest bit of the length
is set and ``u64 number`` stands before the payload. The checksum covers number and length too, so
a record whose neighbour's length was damaged can never pass under a wrong number.

A segment is named by the number of its first record and never changed once it is sealed; damage
in it is stepped over, not rewritten. Where the numbers before it were never used (those that a
gateway had reserved when it was killed), the name says from which on.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from gateway.model.numbers import Numbers

_HEADER = struct.Struct("<II")
HEADER_BYTES = _HEADER.size
_NUMBER = struct.Struct("<Q")
_COVERED = struct.Struct("<QI")
_NUMBERED = 1 << 31
_NAME = re.compile(r"(\d{20})(?:-(\d{20}))?\.segment")


def pack(seq: int, payload: bytes, *, numbered: bool = False) -> bytes:
    """``payload`` as a record; it must not be empty, so that zeroed blocks are no record.

    ``numbered``: it does not follow the record before it.
    """
    length, checksum = len(payload), _checksum(seq, payload)
    if numbered:
        return _HEADER.pack(length | _NUMBERED, checksum) + _NUMBER.pack(seq) + payload
    return _HEADER.pack(length, checksum) + payload


def _checksum(seq: int, payload: bytes | memoryview) -> int:
    return crc32(payload, crc32(_COVERED.pack(seq, len(payload))))


@dataclass(kw_only=True, slots=True)
class Found:
    """What a segment holds: place of each good record, and the bytes that are none."""

    seqs: array[int] = field(default_factory=lambda: array("Q"))
    starts: array[int] = field(default_factory=lambda: array("Q"))
    """Of the payload."""
    sizes: array[int] = field(default_factory=lambda: array("I"))
    damage: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of stretches of bytes that are no good record."""
    passed_over: int = 0
    """Numbers between its records that were never in it."""

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
        word, checksum = _HEADER.unpack_from(data, place)
        length, number, start = word & ~_NUMBERED, seq, place + HEADER_BYTES
        if word & _NUMBERED and start + _NUMBER.size <= len(data):
            (number,) = _NUMBER.unpack_from(data, start)
            start += _NUMBER.size
        end = start + length
        if length == 0 or end > len(data):
            break
        if number >= seq and _checksum(number, view[start:end]) == checksum:
            if good_end < place:
                found.damage.append((good_end, place))
            found.add(number, start, length)
            found.passed_over += number - seq
            seq, good_end = number, end
        place, seq = end, seq + 1
    if good_end < len(data):
        found.damage.append((good_end, len(data)))
    return found


def path_of(folder: Path, first: int, unused_from: int | None = None) -> Path:
    """``unused_from``: from that number up to ``first`` none was ever used."""
    unused = "" if unused_from is None else f"-{unused_from:020d}"
    return folder / f"{first:020d}{unused}.segment"


def listed(folder: Path) -> list[Path]:
    """The segments in ``folder``, oldest first."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


class Segment:
    """A file of records, read by number; indexed when it is first asked for."""

    def __init__(self, path: Path, *, found: Found | None = None) -> None:
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise ValueError(f"{path.name} is no segment's name")
        self.path = path
        self.first = int(named[1])
        self.unused: Numbers | None = (int(named[2]), self.first - 1) if named[2] else None
        """Numbers before it that were never used."""
        self.found = found
        self.is_lost = False
        """The file is gone or cannot be read: nothing is expected of it any more."""

    def load(self) -> Found:
        """Index the file if it is not; OSError where it cannot be read."""
        if self.found is None:
            self.found = scan(self.path.read_bytes(), self.first)
        return self.found

    def missing(self, following: int) -> int:
        """How many records it lacks, if ``following`` is the first number that lies behind it."""
        found = self.load()
        return following - self.first - len(found.seqs) - found.passed_over

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

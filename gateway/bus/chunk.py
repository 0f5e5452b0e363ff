"""A stretch of a spool as one message, and the place of a consumer in the stream. Pure.

A chunk says: these are **all** records of ``epoch`` in (``after``, ``through``] that there still
are. So a message that was lost shows as a hole before the next chunk, one that came twice as a
stretch already passed, and records that the spool itself has lost as missing numbers inside a
chunk. An empty chunk tells how far the gateway is. Numbers that no record ever had are told too
(``unused``): they are passed over and were not lost.

Layout, little-endian: ``4s`` magic "DC01", ``u32`` length of the header, header (JSON: epoch,
after, through, head, question, unused, and [seq, length] of each record), then the records end to
end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import orjson

from gateway.model.numbers import Numbers, overlap, stepped_back

_MAGIC = b"DC01"
_PREFIX = struct.Struct("<4sI")


class UnreadableChunkError(ValueError):
    """Bytes that are no chunk of ours, or were cut or changed on the way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    epoch: str
    after: int
    through: int
    head: int
    """The newest seq the gateway had when it sent this."""
    records: tuple[tuple[int, bytes], ...] = ()
    """(seq, encoded record), ascending."""
    question: str = ""
    """The id of the replay request that this answers; empty in the live stream."""
    unused: tuple[Numbers, ...] = ()
    """(first, last) of numbers that no record ever had: those behind ``after``, or the newest."""


def encode(chunk: Chunk) -> bytes:
    head = orjson.dumps(
        {
            "epoch": chunk.epoch,
            "after": chunk.after,
            "through": chunk.through,
            "head": chunk.head,
            "question": chunk.question,
            "unused": chunk.unused,
            "records": [(seq, len(payload)) for seq, payload in chunk.records],
        }
    )
    payloads = (payload for _, payload in chunk.records)
    return b"".join((_PREFIX.pack(_MAGIC, len(head)), head, *payloads))


def decode(data: bytes) -> Chunk:
    """The inverse of :func:`encode`; raises :class:`UnreadableChunkError`."""
    try:
        magic, length = _PREFIX.unpack_from(data)
        if magic != _MAGIC:
            raise UnreadableChunkError(f"starts with {magic!r}, expected {_MAGIC!r}")
        place = _PREFIX.size + length
        header = orjson.loads(data[_PREFIX.size : place])
        records = []
        for seq, size in header["records"]:
            records.append((seq, data[place : place + size]))
            place += size
        if place != len(data):
            raise UnreadableChunkError(f"{len(data)} bytes, expected {place}")
        return Chunk(
            epoch=header["epoch"],
            after=header["after"],
            through=header["through"],
            head=header["head"],
            records=tuple(records),
            question=header["question"],
            unused=tuple((first, last) for first, last in header["unused"]),
        )
    except UnreadableChunkError:
        raise
    except (struct.error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableChunkError(f"cut or changed: {error}") from error


@dataclass(kw_only=True, slots=True)
class Place:
    """Where a consumer stands, and what a chunk brings it that it has not had."""

    epoch: str = ""
    seq: int = 0
    """All of ``epoch`` up to here has been handed on, or was lost by the gateway."""
    head: int = 0
    """The newest seq of ``epoch`` heard of."""
    lost: int = 0
    """Records that the gateway no longer had when they were asked for."""
    certain: bool = field(default=False)
    """Whether the gateway has told us that ``epoch`` is its present one."""
    unused: tuple[Numbers, ...] = ()
    """As the last chunk told."""

    @property
    def behind(self) -> bool:
        """Whether there is something to ask the gateway for."""
        return not self.certain or self.seq < self.head

    def follow(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        """The new records of a live chunk; none, and ``behind``, if one before it is missing.

        A live chunk of another epoch only raises the question which epoch is the present one: it
        may have been on its way for long. The answer decides. The same if the gateway seems to be
        behind us: the message is old, or the gateway was restored from a backup.
        """
        if chunk.epoch != self.epoch or chunk.head < self.seq:
            self.certain = False
            return []
        return self._advance(chunk)

    def answer(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        """The new records of an answer to our own question; a new epoch starts from its 1."""
        if chunk.epoch != self.epoch:
            self.epoch, self.seq, self.head = chunk.epoch, 0, 0
        self.certain = True
        self.unused = chunk.unused
        return self._advance(chunk)

    def join(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        """For one who cannot wait: holes are passed over, epochs are followed."""
        if chunk.epoch != self.epoch:
            self.epoch, self.seq, self.head = chunk.epoch, 0, 0
        self.certain = True
        self.unused = chunk.unused
        self.skip(chunk.after)
        return self._advance(chunk)

    def skip(self, seq: int) -> None:
        """Do without what comes up to ``seq``."""
        self.lost += self._records(seq)
        self.seq = max(seq, self.seq)

    def skip_to_last(self, count: int) -> None:
        """Do without all but the newest ``count`` records heard of."""
        self.skip(stepped_back(self.unused, self.head, count))

    def _advance(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        self.head = max(self.head, chunk.head, chunk.through)
        if chunk.after > self.seq or chunk.through <= self.seq:
            return []
        new = [(seq, payload) for seq, payload in chunk.records if seq > self.seq]
        self.unused = chunk.unused
        self.lost += self._records(chunk.through) - len(new)
        self.seq = chunk.through
        return new

    def _records(self, through: int) -> int:
        """How many records there were in (``seq``, ``through``]."""
        return max(0, through - self.seq) - overlap(self.unused, self.seq, through)

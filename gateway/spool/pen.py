"""The end of a spool at which it is written. Everything here waits for the disk."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from gateway.disk import check_room
from gateway.model.numbers import Numbers
from gateway.spool.files import Mark, flush_folder
from gateway.spool.memory import Waiting
from gateway.spool.segment import Segment, pack
from gateway.spool.shelf import Shelf

_log = structlog.get_logger(__name__)

# fdatasync is not everywhere (macOS); fsync does more than is needed, never less.
_flush = getattr(os, "fdatasync", os.fsync)


class Pen:
    """Writes behind number ``last``. ``unused``: numbers behind it that nobody was ever given."""

    def __init__(
        self,
        folder: Path,
        shelf: Shelf,
        mark: Mark,
        last: int,
        unused: Numbers | None,
        *,
        segment_bytes: int,
        capacity_bytes: int,
        left_bytes: int,
    ) -> None:
        self._folder = folder
        self._shelf = shelf
        self._mark = mark
        self.last = last
        """The newest number that is on the disk, or was."""
        self._unused = unused
        self._segment_bytes = segment_bytes
        self._capacity_bytes = capacity_bytes
        self._left_bytes = left_bytes
        self._segment: Segment | None = None
        self._file = -1
        self._end = 0

    def write(self, batch: tuple[Waiting, ...], passed: int) -> None:
        """Append and flush. On OSError nothing was written, and the next call takes a segment of
        its own. ``passed``: all consumers have what comes up to it."""
        check_room(self._folder, self._left_bytes)
        try:
            segment = self._writable(batch[0].seq, passed)
            data, places = self._packed(segment, batch)
            _write_all(self._file, data)
            _flush(self._file)
            self._mark.write(batch[-1].seq)
        except OSError:
            # After a failed flush nobody knows what the disk has: never append to it again.
            self._abandon()
            raise
        self._shelf.add(segment, places, len(data))
        self._end += len(data)
        self.last = batch[-1].seq
        self._unused = None

    def seal(self) -> None:
        if self._segment is not None:
            os.close(self._file)
            self._segment = None

    def _packed(
        self, segment: Segment, batch: tuple[Waiting, ...]
    ) -> tuple[bytes, list[tuple[int, int, int]]]:
        """The bytes of ``batch``, and where in the segment each payload will lie."""
        parts: list[bytes] = []
        places = []
        end = self._end
        expected = self.last + 1 if end else segment.first
        for record in batch:
            part = pack(record.seq, record.payload, numbered=record.seq != expected)
            parts.append(part)
            end += len(part)
            places.append((record.seq, end - len(record.payload), len(record.payload)))
            expected = record.seq + 1
        return b"".join(parts), places

    def _writable(self, first: int, passed: int) -> Segment:
        """The segment to append to; a new one, named ``first``, if the old one is full."""
        if self._segment is not None and os.fstat(self._file).st_nlink == 0:
            self._shelf.give_up(self._segment, first, passed, "deleted while it was written")
        if self._segment is not None and (
            self._segment.is_lost or self._end >= self._segment_bytes
        ):
            self.seal()
        if self._segment is not None:
            return self._segment
        self._shelf.shed_oldest(self._capacity_bytes, passed)
        segment = self._shelf.begin(first, self._unused)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            self._file = os.open(segment.path, flags, 0o644)
        except OSError:
            self._shelf.take_back(segment)
            raise
        self._segment, self._end = segment, 0
        flush_folder(self._folder)
        return segment

    def _abandon(self) -> None:
        if self._segment is None:
            return
        segment = self._segment
        try:
            os.ftruncate(self._file, self._end)
        except OSError as error:
            _log.error("spool segment cannot be cut back", error=str(error))
        self.seal()
        if self._end == 0:
            self._shelf.take_back(segment)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

"""The durable queue between the wire and everything behind it.

A reading is safe once :meth:`Spool.sync` has returned. Records are numbered from 1 without a gap
within an ``epoch``, which is made with the spool; consumers keep their own cursor and tell it by
:meth:`Spool.release`, and what all of them have passed is deleted.

Files in the folder: ``lock`` (one writer), ``epoch``, ``mark`` (the newest number that was ever
synced, so that no number is used twice even if the tail of the records is lost), segments
(:mod:`gateway.segment`), ``quarantine/`` (damaged bytes, kept for whoever wants to look).

Two locks: the buffer's is held for nanoseconds, so that :meth:`append` may be called on an event
loop; the disk's is held while writing, and everything that takes it belongs into a thread.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.segment import HEADER_BYTES, Found, Segment, listed, pack, path_of
from gateway.spool_files import Mark, SpoolBusyError, flush_folder, lock, make_epoch, read_epoch

__all__ = ["Spool", "SpoolBusyError", "SpoolFullError", "Stretch"]

_log = structlog.get_logger(__name__)

_UNSYNCED_BYTES = 64 * 1024 * 1024
"""What may wait in memory while the disk does not take it."""
_INDEXED_SEGMENTS = 4
_OF_THE_MOMENT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR)
"""Errors that say nothing about the file: it can be read later."""
# fdatasync is not everywhere (macOS); fsync does more than is needed, never less.
_flush = getattr(os, "fdatasync", os.fsync)


class SpoolFullError(Exception):
    """The disk has taken nothing for so long that no more may wait in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """All records in (asked, ``through``] that there still are."""

    records: tuple[tuple[int, bytes], ...]
    """(seq, payload), ascending."""
    through: int
    head: int
    """The newest synced number at the time."""


class Spool:
    """Made by :meth:`open`. ``consumers`` are those whose release the spool waits for."""

    epoch: str
    torn: int
    """Records found damaged or cut off, since this spool was opened."""
    shed: int
    """Records deleted unread because ``capacity_bytes`` was reached."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        consumers: Sequence[str] = ("history", "rules"),
        segment_bytes: int = 8 * 1024 * 1024,
        capacity_bytes: int = 16 * 1024 * 1024 * 1024,
    ) -> Spool:
        """Open or make the spool in ``folder``.

        Raises :class:`SpoolBusyError` if it is open elsewhere, OSError if it cannot be written.

        1. Take the lock. 2. Without a readable epoch start a new one, all else quarantined.
        3. Index the newest segment and quarantine what is damaged in it. 4. Go on behind
        everything that was ever synced, in a segment of its own.
        """
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder)
        try:
            return cls(folder, held, consumers, segment_bytes, capacity_bytes)
        except BaseException:
            os.close(held)
            raise

    def __init__(
        self,
        folder: Path,
        held: int,
        consumers: Sequence[str],
        segment_bytes: int,
        capacity_bytes: int,
    ) -> None:
        self._folder = folder
        self._held = held
        self._segment_bytes = segment_bytes
        self._capacity_bytes = capacity_bytes
        self._released = dict.fromkeys(consumers, 0)
        self._buffering = threading.Lock()
        self._disk = threading.Lock()
        self._buffer: list[bytes] = []
        self._buffer_bytes = 0
        self._file: int | None = None
        self._file_end = 0
        self.torn = 0
        self.shed = 0
        self._counted: set[int] = set()
        """Segments (their first numbers) whose damage is in ``torn``."""
        self._segments = [Segment(path) for path in listed(folder)]
        self._mark = Mark(folder)
        self.epoch = read_epoch(folder)
        marked = self._mark.read()
        if not self.epoch or (marked is None and not self._last_good()):
            self._start_epoch()
            marked = 0
        self._synced = self._recover(marked or 0)

    # -- writing ------------------------------------------------------------------------------

    @property
    def next_seq(self) -> int:
        """The number that the next :meth:`append` must give."""
        with self._buffering:
            return self._synced + len(self._buffer) + 1

    @property
    def synced(self) -> int:
        """The newest number that is safe on disk; 0 if none is."""
        return self._synced

    @property
    def has_room(self) -> bool:
        """Whether no more than half of what may wait in memory waits."""
        with self._buffering:
            return self._buffer_bytes <= _UNSYNCED_BYTES // 2

    def append(self, seq: int, payload: bytes) -> None:
        """Take ``payload`` (not empty) as number ``seq`` into memory; never touches the disk.

        Raises :class:`SpoolFullError` if too much waits unsynced already.
        """
        with self._buffering:
            expected = self._synced + len(self._buffer) + 1
            if seq != expected or not payload:
                raise ValueError(f"record {seq} of {len(payload)} bytes, expected {expected}")
            if self._buffer_bytes + len(payload) > _UNSYNCED_BYTES:
                raise SpoolFullError(f"{self._buffer_bytes} bytes wait for the disk")
            record = pack(seq, payload)
            self._buffer.append(record)
            self._buffer_bytes += len(record)

    def sync(self) -> int:
        """Make everything appended durable; returns the newest durable number.

        Blocks. On OSError nothing is lost: what was appended stays in memory and is written
        to a fresh segment by the next call.
        """
        with self._disk:
            with self._buffering:
                batch = tuple(self._buffer)
            if batch:
                self._write(batch)
            self._delete_released()
            return self._synced

    def release(self, consumer: str, seq: int) -> None:
        """``consumer`` will never again ask for ``seq`` or anything before it.

        What all consumers have released is deleted, a whole segment at a time, by the next
        :meth:`sync`. A name that was not given at open is ignored.
        """
        with self._buffering:
            if consumer in self._released:
                self._released[consumer] = max(seq, self._released[consumer])

    def skip_to(self, seq: int, consumer: str) -> None:
        """Go on with number ``seq``, because ``consumer`` already has what came before it.

        Happens when this folder is older than the consumer's memory (restored from a backup):
        a number used again would be dropped there as a duplicate.
        """
        self.sync()
        with self._disk:
            if seq <= self._synced + 1:
                return
            _log.error(
                "spool is older than a consumer", consumer=consumer, at=self._synced, next_seq=seq
            )
            self._seal()
            with self._buffering:
                self._synced = seq - 1
            self._mark.write(self._synced)

    def close(self) -> None:
        """Sync and let go of the lock."""
        try:
            self.sync()
        finally:
            with self._disk:
                self._seal()
                self._mark.close()
                os.close(self._held)

    # -- reading ------------------------------------------------------------------------------

    def read(self, after: int, *, limit: int, max_bytes: int = 1 << 62) -> Stretch:
        """Synced records behind ``after``: up to ``limit`` of them and ``max_bytes``, at least
        one if there is one. Blocks.

        A file that is gone or cannot be read is passed over, counted in ``torn`` and said once.
        OSError if nothing can be read at the moment.
        """
        with self._disk:
            head = self._synced
            records: list[tuple[int, bytes]] = []
            size = 0
            firsts = [segment.first for segment in self._segments]
            begin = max(0, bisect_right(firsts, after + 1) - 1)
            for place in range(begin, len(self._segments)):
                before = firsts[place + 1] if place + 1 < len(firsts) else head + 1
                for seq, payload in self._readable(place, after, before):
                    size += len(payload)
                    if records and (len(records) == limit or size > max_bytes):
                        return Stretch(records=tuple(records), through=records[-1][0], head=head)
                    records.append((seq, payload))
            return Stretch(records=tuple(records), through=max(after, head), head=head)

    @property
    def consumers(self) -> tuple[str, ...]:
        return tuple(self._released)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        with self._disk:
            return self._bytes()

    def backlog(self, consumer: str) -> int:
        """How many numbers ``consumer`` has not released."""
        with self._buffering:
            return self._synced - min(self._synced, self._released[consumer])

    # -- the disk's side, under its lock ------------------------------------------------------

    def _write(self, batch: tuple[bytes, ...]) -> None:
        first, last = self._synced + 1, self._synced + len(batch)
        try:
            file = self._writable(first)
            _write_all(file, b"".join(batch))
            _flush(file)
            self._mark.write(last)
        except OSError:
            # After a failed flush nobody knows what the disk has: never append to it again.
            self._abandon()
            raise
        found = self._segments[-1].load()
        for seq, record in enumerate(batch, start=first):
            size = len(record) - HEADER_BYTES
            found.add(seq, self._file_end + HEADER_BYTES, size)
            self._file_end += len(record)
        with self._buffering:
            del self._buffer[: len(batch)]
            self._buffer_bytes -= sum(map(len, batch))
            self._synced = last

    def _writable(self, first: int) -> int:
        """The file to append to; a new segment, named ``first``, if the old one is full."""
        if self._file is not None and os.fstat(self._file).st_nlink == 0:
            self._give_up(self._segments[-1], first, "deleted while it was written")
        if self._file is not None and self._file_end < self._segment_bytes:
            return self._file
        self._seal()
        self._shed_oldest()
        path = path_of(self._folder, first)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._file_end = 0
        self._segments.append(Segment(path, found=Found()))
        flush_folder(self._folder)
        return self._file

    def _seal(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _abandon(self) -> None:
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._file_end)
        except OSError as error:
            _log.error("spool segment cannot be cut back", error=str(error))
        self._seal()
        if self._file_end == 0:
            # Its name is the one that the next attempt needs.
            self._segments.pop().path.unlink(missing_ok=True)

    def _delete_released(self) -> None:
        passed = self._passed_by_all()
        while len(self._segments) > 1 and self._segments[1].first <= passed + 1:
            _delete(self._segments.pop(0).path)

    def _shed_oldest(self) -> None:
        """Keep within the capacity: a queue that nobody reads must not fill the disk."""
        passed = self._passed_by_all()
        while len(self._segments) > 1 and self._bytes() > self._capacity_bytes:
            oldest = self._segments.pop(0)
            self.shed += self._segments[0].first - max(oldest.first, passed + 1)
            _delete(oldest.path)
            _log.error("spool is full: oldest records deleted", file=oldest.path.name)

    def _passed_by_all(self) -> int:
        with self._buffering:
            return min(self._released.values(), default=0)

    def _bytes(self) -> int:
        return sum(_size(segment.path) for segment in self._segments)

    def _readable(self, place: int, after: int, before: int) -> Iterator[tuple[int, bytes]]:
        """The good records of a segment with after < seq < before."""
        segment = self._segments[place]
        if segment.is_lost or before <= after + 1:
            return
        try:
            self._index(place)
            yield from segment.read(after, before)
        except OSError as error:
            if error.errno in _OF_THE_MOMENT:
                raise
            self._give_up(segment, before, str(error))

    def _give_up(self, segment: Segment, following: int, why: str) -> None:
        """All of ``segment`` is damage: nobody must wait for it.

        ``following``: the first number that lies behind it.
        """
        segment.is_lost = True
        segment.found = None
        if segment is self._segments[-1]:
            self._seal()
        records = following - max(segment.first, self._passed_by_all() + 1)
        self.torn += max(0, records)
        _log.error("segment of the spool lost", file=segment.path.name, records=records, error=why)

    def _index(self, place: int) -> None:
        """Index a sealed segment, quarantine what is damaged in it, keep few in memory."""
        segment = self._segments[place]
        if segment.found is None:
            loaded = [other for other in self._segments[:-1] if other.found is not None]
            if len(loaded) >= _INDEXED_SEGMENTS:
                loaded[0].found = None
            found = segment.load()
            if found.damage:
                self._quarantine(segment, found, self._segments[place + 1].first)

    # -- opening ------------------------------------------------------------------------------

    def _last_good(self) -> int:
        """The newest good number in the newest segment; 0 if there is none."""
        if not self._segments:
            return 0
        newest = self._segments[-1]
        if newest.is_lost:
            return newest.first
        try:
            seqs = newest.load().seqs
        except OSError as error:
            if error.errno in _OF_THE_MOMENT:
                raise
            _log.error("newest segment of the spool lost", file=newest.path.name, error=str(error))
            newest.is_lost = True
            return newest.first
        return seqs[-1] if seqs else 0

    def _start_epoch(self) -> None:
        for segment in self._segments:
            self.torn += max(1, _count(segment))
            self._move_away(segment.path, f"{segment.path.stem}-{secrets.token_hex(4)}")
        if self._segments:
            _log.error("spool is broken, all of it quarantined", records=self.torn)
        self._segments = []
        self.epoch = make_epoch(self._folder)

    def _recover(self, mark: int) -> int:
        """Look at the newest segment; returns the newest number ever synced, as far as known."""
        synced = max(mark, self._last_good())
        if not self._segments:
            return synced
        newest = self._segments[-1]
        if newest.is_lost:
            # Out of the way: its name may be the one that the next segment needs.
            self._move_away(self._segments.pop().path, f"{self.epoch}-{newest.path.name}")
            self.torn += synced - newest.first + 1
            return synced
        found = newest.load()
        # A number may have been given out and its segment never written: max, not the last good.
        synced = max(synced, newest.first - 1)
        if found.damage or newest.first + len(found.seqs) <= synced:
            self._quarantine(newest, found, synced + 1)
        if not found.seqs:
            self._segments.pop().path.unlink()
        return synced

    def _quarantine(self, segment: Segment, found: Found, following: int) -> None:
        """Keep a copy of the damaged bytes of ``segment`` and count the numbers it lacks.

        ``following``: the first number that lies behind it. Counted when the copy is first made.
        """
        missing = max(1, following - segment.first - len(found.seqs))
        copy = self._folder / "quarantine" / f"{self.epoch}-{segment.path.name}"
        if segment.first in self._counted or copy.exists():
            return
        self._counted.add(segment.first)
        self.torn += missing
        try:
            copy.parent.mkdir(exist_ok=True)
            data = segment.path.read_bytes()
            copy.write_bytes(b"".join(data[start:end] for start, end in found.damage))
        except OSError as error:
            # The good records matter more than a copy of the bad ones.
            _log.error("damaged records cannot be kept", file=copy.name, error=str(error))
        _log.error("damaged records quarantined", file=segment.path.name, records=missing)

    def _move_away(self, path: Path, name: str) -> None:
        folder = self._folder / "quarantine"
        folder.mkdir(exist_ok=True)
        path.rename(folder / name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _count(segment: Segment) -> int:
    """The good records in ``segment``; 0 where it cannot be read."""
    try:
        return len(segment.load().seqs)
    except OSError:
        return 0


def _delete(path: Path) -> None:
    """Delete what nobody needs; if that is not possible now, the next start tries again."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.error("spool segment cannot be deleted", file=path.name, error=str(error))


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

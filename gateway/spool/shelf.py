"""The segments of a spool, in order: read, counted, and taken away when they are not needed.

Its lock is held while a file is read, never while one is flushed: who reads does not wait for a
disk that has stopped writing.
"""

from __future__ import annotations

import errno
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from gateway.model.events import UnreadableRecordError, decode, is_event
from gateway.model.numbers import Numbers, overlap
from gateway.spool.memory import Stretch
from gateway.spool.segment import Found, Segment, path_of

_log = structlog.get_logger(__name__)

_INDEXED_SEGMENTS = 4
OF_THE_MOMENT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR)
"""Errors that say nothing about the file: it can be read later."""

Places = Sequence[tuple[int, int, int]]
"""(seq, start of the payload, its size) of records written."""


class Shelf:
    """``segments``: oldest first; all but the newest are sealed."""

    def __init__(self, folder: Path, epoch: str, segments: Sequence[Segment]) -> None:
        self._folder = folder
        self.epoch = epoch
        self._segments = list(segments)
        self._lock = threading.Lock()
        self._counted: set[int] = set()
        """Segments (their first numbers) whose damage is in ``torn``."""
        self.torn = 0
        """Records found damaged or cut off."""
        self.shed = 0
        """Records deleted unread for want of room."""
        self.unused: tuple[Numbers, ...] = ()
        """Numbers that no record ever had."""
        self.size = 0
        """Bytes on disk."""
        self._changed()

    # -- what is written ------------------------------------------------------------------------

    def begin(self, first: int, unused: Numbers | None) -> Segment:
        """A new newest segment, its file not made yet. ``unused``: numbers before ``first`` that
        nobody was ever given."""
        unused_from = unused[0] if unused else None
        with self._lock:
            segment = Segment(path_of(self._folder, first, unused_from), found=Found())
            self._segments.append(segment)
            self._changed()
            return segment

    def add(self, segment: Segment, places: Places, size: int) -> None:
        """Records of together ``size`` bytes were written at the end of ``segment``."""
        with self._lock:
            self.size += size
            found = segment.found
            if found is not None:
                last = found.seqs[-1] if found.seqs else segment.first - 1
                found.passed_over += places[-1][0] - last - len(places)
                for place in places:
                    found.add(*place)

    def take_back(self, segment: Segment) -> None:
        """The newest segment, in which nothing was written: its name may be needed again."""
        with self._lock:
            if self._segments[-1] is segment:
                self._segments.pop().path.unlink(missing_ok=True)
                self._changed()

    def forget_newest(self) -> None:
        """Its file was moved away."""
        with self._lock:
            self._segments.pop()
            self._changed()

    def give_up(self, segment: Segment, following: int, passed: int, why: str) -> None:
        """All of ``segment`` is damage: nobody must wait for it.

        ``following``: the first number that lies behind it; ``passed``: nobody asks for it.
        """
        with self._lock:
            self._give_up(segment, following, passed, why)

    # -- what is read ---------------------------------------------------------------------------

    def read(self, after: int, head: int, passed: int, limit: int, max_bytes: int) -> Stretch:
        """The good records in (``after``, ``head``], up to ``limit`` and ``max_bytes``, at least
        one if there is one. OSError if nothing can be read at the moment."""
        with self._lock:
            records: list[tuple[int, bytes]] = []
            size = 0
            firsts = [segment.first for segment in self._segments]
            for place in range(max(0, bisect_right(firsts, after + 1) - 1), len(firsts)):
                before = firsts[place + 1] if place + 1 < len(firsts) else head + 1
                for seq, payload in self._readable(place, after, before, passed):
                    size += len(payload)
                    if records and (len(records) == limit or size > max_bytes):
                        return Stretch(records=tuple(records), through=records[-1][0], head=head)
                    records.append((seq, payload))
            return Stretch(records=tuple(records), through=max(after, head), head=head)

    def _readable(
        self, place: int, after: int, before: int, passed: int
    ) -> Iterator[tuple[int, bytes]]:
        """The good records of a segment with after < seq < before."""
        segment = self._segments[place]
        if segment.is_lost or before <= after + 1:
            return
        try:
            self._index(place, before)
            yield from segment.read(after, before)
        except OSError as error:
            if error.errno in OF_THE_MOMENT:
                raise
            self._give_up(segment, before, passed, str(error))

    def _give_up(self, segment: Segment, following: int, passed: int, why: str) -> None:
        if segment.is_lost:
            return
        segment.is_lost = True
        segment.found = None
        begin = max(segment.first - 1, passed)
        records = max(0, following - 1 - begin - overlap(self.unused, begin, following - 1))
        self.torn += records
        _log.error("segment of the spool lost", file=segment.path.name, records=records, error=why)

    def _index(self, place: int, following: int) -> None:
        """Index a sealed segment, quarantine what is damaged in it, keep few in memory."""
        segment = self._segments[place]
        if segment.found is None:
            loaded = [other for other in self._segments[:-1] if other.found is not None]
            if len(loaded) >= _INDEXED_SEGMENTS:
                loaded[0].found = None
            if segment.load().damage:
                unused = overlap(self.unused, segment.first - 1, following - 1)
                self.quarantine(segment, max(1, segment.missing(following) - unused))

    def quarantine(self, segment: Segment, missing: int) -> None:
        """Keep a copy of the damaged bytes of ``segment``, counted when it is first made."""
        found = segment.load()
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

    # -- what goes ------------------------------------------------------------------------------

    def delete(self, passed: int) -> None:
        """Segments with nothing behind ``passed``."""
        with self._lock:
            while len(self._segments) > 1 and self._segments[1].first <= passed + 1:
                self._discard_oldest()

    def shed_oldest(self, capacity_bytes: int, passed: int) -> None:
        """Keep within the capacity: a queue that nobody reads must not fill the disk.

        What the gateway said of itself is written to the log before it goes.
        """
        with self._lock:
            while len(self._segments) > 1 and self.size > capacity_bytes:
                oldest, following = self._segments[0], self._segments[1].first
                begin = max(oldest.first - 1, passed)
                self._log_events(passed, following)
                unused = overlap(self.unused, begin, following - 1)
                self.shed += max(0, following - 1 - begin - unused)
                self._discard_oldest()
                _log.error("spool is full: oldest records deleted", file=oldest.path.name)

    def _log_events(self, passed: int, following: int) -> None:
        try:
            for seq, payload in self._readable(0, passed, following, passed):
                if is_event(payload):
                    event = str(decode(payload))
                    _log.error("event of the gateway deleted unread", seq=seq, gateway_event=event)
        except (OSError, UnreadableRecordError) as error:
            _log.error("what is deleted cannot be read", error=str(error))

    def _discard_oldest(self) -> None:
        segment = self._segments.pop(0)
        try:
            segment.path.unlink(missing_ok=True)
        except OSError as error:
            # The next start tries again.
            name = segment.path.name
            _log.error("spool segment cannot be deleted", file=name, error=str(error))
        self._changed()

    def _changed(self) -> None:
        self.unused = tuple(segment.unused for segment in self._segments if segment.unused)
        self.size = sum(_size(segment.path) for segment in self._segments)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

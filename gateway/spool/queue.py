"""The durable queue between the wire and everything behind it.

A reading is safe once :meth:`Spool.sync` has returned. Records are numbered from 1 within an
``epoch``, which is made with the spool; consumers keep their own cursor and tell it by
:meth:`Spool.release`, and what all of them have passed is deleted.

While the disk takes nothing, what waits in memory may be told before it is synced, so that nobody
who only evaluates has to wait. So that no number is ever used twice, numbers are reserved ahead:
after a kill they go on behind all that may have been told, and the stretch that was never used is
known as such (:attr:`Stretch.unused`), for nothing is lost in it.

Files in the folder: ``lock`` (one writer), ``epoch``, ``mark`` (the newest number synced, and the
last one reserved), segments (:mod:`gateway.spool.segment`), ``quarantine/`` (damaged bytes, kept
for whoever wants to look).

Parts: :mod:`~gateway.spool.memory` what waits and what was written last, which is never waited
for; :mod:`~gateway.spool.pen` the writing end, :mod:`~gateway.spool.shelf` the segments,
:mod:`~gateway.spool.opening` how all of it is found again. Whatever asks the disk belongs into a
thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from gateway.model.numbers import Numbers, overlap, stepped_back
from gateway.spool.files import Mark, SpoolBusyError, lock
from gateway.spool.memory import Memory, SpoolFullError, Stretch, Waiting
from gateway.spool.opening import RESERVED, opened
from gateway.spool.pen import Pen

__all__ = ["CONSUMERS", "Spool", "SpoolBusyError", "SpoolFullError", "Stretch"]

_log = structlog.get_logger(__name__)

_MB = 1024 * 1024
_BATCH_BYTES = 8 * _MB
CONSUMERS = ("history", "rules")
"""Those of every gateway."""


class Spool:
    """Made by :meth:`open`. ``consumers`` are those whose release the spool waits for."""

    epoch: str

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        consumers: Sequence[str] = CONSUMERS,
        segment_bytes: int = 8 * _MB,
        capacity_bytes: int = 16 * 1024 * _MB,
        waiting_bytes: int = 64 * _MB,
        recent_bytes: int = 4 * _MB,
        left_bytes: int = 0,
    ) -> Spool:
        """Open or make the spool in ``folder``.

        ``waiting_bytes``: what may wait in memory while the disk does not take it.
        ``recent_bytes``: what the disk has and is kept in memory all the same.
        ``left_bytes``: of the disk that are left free for others; as if it were full before.
        Raises :class:`SpoolBusyError` if it is open elsewhere, OSError if it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder)
        try:
            return cls(
                folder,
                held,
                consumers,
                segment_bytes=segment_bytes,
                capacity_bytes=capacity_bytes,
                waiting_bytes=waiting_bytes,
                recent_bytes=recent_bytes,
                left_bytes=left_bytes,
            )
        except BaseException:
            os.close(held)
            raise

    def __init__(
        self,
        folder: Path,
        held: int,
        consumers: Sequence[str],
        *,
        segment_bytes: int,
        capacity_bytes: int,
        waiting_bytes: int,
        recent_bytes: int,
        left_bytes: int,
    ) -> None:
        self.folder = folder
        self.capacity_bytes = capacity_bytes
        self._held = held
        self._released = dict.fromkeys(consumers, 0)
        self._releasing = threading.Lock()
        self._writing = threading.Lock()
        self._mark = Mark(folder)
        found = opened(folder, self._mark)
        self.epoch = found.epoch
        self._shelf = found.shelf
        self._never_used = found.never_used
        self._memory = Memory(found.last, waiting_bytes=waiting_bytes, recent_bytes=recent_bytes)
        self._pen = Pen(
            folder,
            self._shelf,
            self._mark,
            found.synced,
            found.never_used,
            segment_bytes=segment_bytes,
            capacity_bytes=capacity_bytes,
            left_bytes=left_bytes,
        )
        try:
            self._reserve()
        except OSError as error:
            # It must be possible to start on a full disk; until it takes this nothing is told
            # before it is synced.
            _log.error("no numbers can be reserved", error=str(error))

    # -- writing ------------------------------------------------------------------------------

    @property
    def next_seq(self) -> int:
        """The number that the next :meth:`append` must give."""
        return self._memory.newest + 1

    @property
    def synced(self) -> int:
        """Of the records up to this number, 0 if there are none, none waits for the disk."""
        return self._memory.synced

    @property
    def has_room(self) -> bool:
        """Whether no more than half of what may wait in memory is taken by lasting records."""
        return self._memory.has_room

    def append(self, seq: int, payload: bytes, *, lasting: bool = True) -> None:
        """Take ``payload`` (not empty) as number ``seq`` into memory; never touches the disk.

        ``lasting``: nobody will say this again. If too much waits already the oldest records go
        that are not; :class:`SpoolFullError` if there are none left.
        """
        dropped = self._memory.append(seq, payload, lasting=lasting)
        if dropped and dropped == self._memory.dropped:
            _log.error("too much waits for the disk: the oldest readings go, unkept")

    def sync(self) -> int:
        """Make everything appended durable; returns the newest durable number.

        Blocks. On OSError nothing is lost: what was appended stays in memory and is written
        to a fresh segment by the next call.
        """
        with self._writing:
            passed = self._passed()
            # First, for a full disk may take something again for want of this.
            self._shelf.delete(passed)
            # Not all at once: after a failure there may be much, and it is copied on the way.
            for batch in _batches(self._memory.waiting()):
                self._pen.write(batch, passed)
                self._memory.stored(batch)
            self._reserve()
            return self._memory.synced

    def release(self, consumer: str, seq: int) -> None:
        """``consumer`` will never again ask for ``seq`` or anything before it.

        What all consumers have released is deleted, a whole segment at a time, by the next
        :meth:`sync`. A name that was not given at open is ignored.
        """
        with self._releasing:
            if consumer in self._released:
                self._released[consumer] = max(seq, self._released[consumer])

    def skip_to(self, seq: int, consumer: str) -> None:
        """Go on with number ``seq``, because ``consumer`` already has what came before it.

        Happens when this folder is older than the consumer's memory (restored from a backup):
        a number used again would be dropped there as a duplicate.
        """
        at = self._memory.newest
        if self._memory.skip_to(seq):
            _log.error("spool is older than a consumer", consumer=consumer, at=at, next_seq=seq)

    def close(self) -> None:
        """Sync and let go of the lock."""
        try:
            self.sync()
            # All that was told is on the disk: nothing need be passed over.
            self._mark.write(self._pen.last, self._memory.newest)
        finally:
            with self._writing:
                self._pen.seal()
                self._mark.close()
                os.close(self._held)

    def _reserve(self) -> None:
        """Have numbers reserved far ahead; OSError."""
        newest = self._memory.newest
        if self._mark.reserved < newest + RESERVED // 2:
            self._mark.write(self._pen.last, newest + RESERVED)
        self._memory.tellable = self._mark.reserved

    # -- reading ------------------------------------------------------------------------------

    @property
    def newest(self) -> int:
        """The newest number given; it may wait for the disk."""
        return self._memory.newest

    def read(self, after: int, *, limit: int, max_bytes: int = 1 << 62, up_to: int = 0) -> Stretch:
        """Synced records behind ``after``, and those up to number ``up_to`` that wait for the
        disk: up to ``limit`` of them and ``max_bytes``, at least one if there is one. Blocks.

        A file that is gone or cannot be read is passed over, counted in ``torn`` and said once.
        OSError if nothing can be read at the moment.
        """
        found = self.read_memory(after, limit=limit, max_bytes=max_bytes, up_to=up_to)
        if found is None:
            synced = self._memory.synced
            found = self._shelf.read(after, synced, self._passed(), limit, max_bytes)
            found = replace(found, head=self._memory.head(up_to), unused=self._unused(after))
        return found

    def read_memory(
        self, after: int, *, limit: int, max_bytes: int = 1 << 62, up_to: int = 0
    ) -> Stretch | None:
        """As :meth:`read` where all of it is in memory, else None; waits for no disk."""
        found = self._memory.read(after, limit=limit, max_bytes=max_bytes, up_to=up_to)
        return found and replace(found, unused=self._unused(after))

    def last(self, count: int) -> Stretch:
        """The newest synced records, up to ``count``. Blocks; OSError as :meth:`read`."""
        after = stepped_back(self._ranges(), self.synced, count)
        return self.read(after, limit=count)

    @property
    def consumers(self) -> tuple[str, ...]:
        return tuple(self._released)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._shelf.size

    @property
    def waiting_size(self) -> int:
        """Bytes in memory that wait for the disk."""
        return self._memory.waiting_size

    @property
    def torn(self) -> int:
        """Records found damaged or cut off, since this spool was opened."""
        return self._shelf.torn

    @property
    def shed(self) -> int:
        """Records deleted unread because ``capacity_bytes`` was reached."""
        return self._shelf.shed

    @property
    def dropped(self) -> int:
        """Records that went from memory before the disk took them."""
        return self._memory.dropped

    def backlog(self, consumer: str) -> int:
        """How many records ``consumer`` has not released."""
        with self._releasing:
            released = self._released[consumer]
        synced = self._memory.synced
        behind = max(0, synced - released)
        return behind - overlap(self._ranges(), released, synced)

    def _passed(self) -> int:
        """The newest number that all consumers have released."""
        with self._releasing:
            return min(self._released.values(), default=0)

    def _unused(self, after: int) -> tuple[Numbers, ...]:
        """What one who stands at ``after`` should know of."""
        ranges = self._ranges()
        return tuple(one for one in ranges if one[1] > after) or ranges[-1:]

    def _ranges(self) -> tuple[Numbers, ...]:
        known = self._shelf.unused
        mine = self._never_used
        if mine is None or any(first == mine[0] for first, _ in known):
            return known
        # Until something is written behind it, no segment's name tells of it.
        return (*known, mine)


def _batches(records: Sequence[Waiting]) -> Iterator[tuple[Waiting, ...]]:
    """``records`` in parts of no more than some megabytes."""
    size, begin = 0, 0
    for end, record in enumerate(records):
        size += record.size
        if size > _BATCH_BYTES and end > begin:
            yield tuple(records[begin:end])
            size, begin = record.size, end
    if records:
        yield tuple(records[begin:])

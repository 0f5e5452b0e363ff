"""The records of a spool that are in memory: those that wait for the disk, and the newest that it
has, so that nobody needs to read again what was written a moment ago.

What waits is bounded. When there is no more room the oldest records go that somebody will say
again (``lasting`` ones are not among them), for the newest tell how things stand.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from gateway.model.numbers import Numbers

OVERHEAD_BYTES = 200
"""What a record takes in memory beside its payload, about."""


class SpoolFullError(Exception):
    """The disk has taken nothing for so long that no more may wait in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    seq: int
    payload: bytes
    lasting: bool

    @property
    def size(self) -> int:
        return len(self.payload) + OVERHEAD_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """All records in (asked, ``through``] that there still are."""

    records: tuple[tuple[int, bytes], ...]
    """(seq, payload), ascending."""
    through: int
    head: int
    """The newest number that could be read at the time."""
    unused: tuple[Numbers, ...] = ()
    """Numbers that no record ever had, though they lie between those of records: these are not
    lost. Those ahead of what was asked for, or the newest known."""


class Memory:
    """Numbers go on behind ``last``. Safe for several threads; nothing here waits for a disk."""

    def __init__(self, last: int, *, waiting_bytes: int, recent_bytes: int) -> None:
        self._waiting_bytes = waiting_bytes
        self._recent_bytes = recent_bytes
        self._lock = threading.Lock()
        self._waiting: dict[int, Waiting] = {}
        """Ascending."""
        self._replaceable: deque[int] = deque()
        """The numbers of those that are not lasting; some may be gone already."""
        self._size = self._lasting_size = 0
        self._recent: deque[tuple[int, bytes]] = deque()
        self._recent_size = 0
        self._floor = last
        """Every record behind it that there still is is in memory."""
        self._newest = self._synced = last
        self.tellable = 0
        """No number behind it may be told before it is synced."""
        self.dropped = 0
        """Records that had to go before the disk took them."""

    @property
    def newest(self) -> int:
        """The newest number given."""
        return self._newest

    @property
    def synced(self) -> int:
        """Nothing up to this number waits any more."""
        return self._synced

    @property
    def has_room(self) -> bool:
        """Whether no more than half of the room is taken by lasting records."""
        return self._lasting_size <= self._waiting_bytes // 2

    @property
    def waiting_size(self) -> int:
        """Bytes."""
        return self._size

    def append(self, seq: int, payload: bytes, *, lasting: bool) -> int:
        """The number of records that had to go for it; :class:`SpoolFullError` if it has no room
        although all that may go has gone."""
        record = Waiting(seq=seq, payload=payload, lasting=lasting)
        with self._lock:
            if seq != self._newest + 1 or not payload:
                raise ValueError(
                    f"record {seq} of {len(payload)} bytes, expected {self._newest + 1}"
                )
            before = self.dropped
            while self._size + record.size > self._waiting_bytes:
                if not self._replaceable:
                    raise SpoolFullError(f"{self._size} bytes wait for the disk")
                if self._take_out(self._replaceable.popleft()):
                    self.dropped += 1
            self._waiting[seq] = record
            self._size += record.size
            if lasting:
                self._lasting_size += record.size
            else:
                self._replaceable.append(seq)
            self._newest = seq
            return self.dropped - before

    def waiting(self) -> tuple[Waiting, ...]:
        with self._lock:
            return tuple(self._waiting.values())

    def stored(self, batch: tuple[Waiting, ...]) -> None:
        """The disk has ``batch``, which is all that waited once."""
        with self._lock:
            for record in batch:
                if not self._take_out(record.seq):
                    # It went while it was being written.
                    self.dropped -= 1
                self._recent.append((record.seq, record.payload))
                self._recent_size += record.size
            last = batch[-1].seq
            while self._replaceable and self._replaceable[0] <= last:
                self._replaceable.popleft()
            while self._recent_size > self._recent_bytes:
                self._floor, payload = self._recent.popleft()
                self._recent_size -= len(payload) + OVERHEAD_BYTES
            self._synced = last if self._waiting else self._newest

    def skip_to(self, seq: int) -> bool:
        """Go on with number ``seq``; whether that is further than now."""
        with self._lock:
            if seq <= self._newest + 1:
                return False
            self._newest = seq - 1
            if not self._waiting:
                self._synced = self._newest
            return True

    def head(self, up_to: int) -> int:
        """The newest number that may be told to one who may hear of what waits up to ``up_to``."""
        return max(self._synced, min(up_to, self._newest, self.tellable))

    def read(self, after: int, *, limit: int, max_bytes: int, up_to: int) -> Stretch | None:
        """As :meth:`gateway.spool.queue.Spool.read`; None if the disk must be asked."""
        with self._lock:
            if after < self._floor:
                return None
            head = self.head(up_to)
            newest_first: list[tuple[int, bytes]] = []
            for seq in reversed(self._waiting):
                if seq <= after:
                    break
                if seq <= head:
                    newest_first.append((seq, self._waiting[seq].payload))
            for seq, payload in reversed(self._recent):
                if seq <= after:
                    break
                newest_first.append((seq, payload))
        return cut(newest_first[::-1], after, head, limit, max_bytes)

    def _take_out(self, seq: int) -> bool:
        """Whether it still waited."""
        record = self._waiting.pop(seq, None)
        if record is None:
            return False
        self._size -= record.size
        if record.lasting:
            self._lasting_size -= record.size
        return True


def cut(
    records: list[tuple[int, bytes]], after: int, head: int, limit: int, max_bytes: int
) -> Stretch:
    """As many of ``records``, which are all in (``after``, ``head``], as were asked for."""
    size = 0
    for count, (_, payload) in enumerate(records):
        size += len(payload)
        if count and (count == limit or size > max_bytes):
            some = tuple(records[:count])
            return Stretch(records=some, through=some[-1][0], head=head)
    return Stretch(records=tuple(records), through=max(after, head), head=head)

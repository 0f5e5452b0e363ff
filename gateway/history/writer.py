"""The consumer of the spool that fills the history: it leaves out what has not moved, and says
where data is missing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import structlog

from gateway import metrics
from gateway.history.base import Cursor, Gap, History
from gateway.history.gaps import GapTracker
from gateway.history.thinning import Thinning
from gateway.model.events import Record, UnreadableRecordError, decode
from gateway.model.point import Point
from gateway.spool.queue import Spool

CONSUMER = "history"

_log = structlog.get_logger(__name__)

_FAR = 1 << 62
"""µs: what has not ended by then is open."""
_BATCH_RECORDS = 2000
_BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """What is to be written next: thinned, followed, and the same however often it is tried."""

    records: tuple[Record, ...]
    gaps: tuple[Gap, ...]
    through: int


class HistoryWriter:
    """Writes from its cursor to the newest record, and releases the spool behind it.

    ``points``: of the site; of others nothing is left out, and no gaps are kept."""

    def __init__(
        self,
        spool: Spool,
        history: History,
        gateway: str,
        points: Mapping[str, Point] | None = None,
    ) -> None:
        self._spool = spool
        self._history = history
        self._gateway = gateway
        self._points = points or {}
        self._thinning = Thinning(self._points)
        self._tracker: GapTracker | None = None
        self._batch: _Batch | None = None
        self._stepping = threading.Lock()
        self._after: int | None = None
        self.written = 0
        """µs UTC at which the newest written record was received; 0: none yet."""

    @property
    def resumed(self) -> bool:
        return self._after is not None

    @property
    def behind(self) -> bool:
        """Whether there is something to write."""
        return self._after is None or self._after < self._spool.synced

    def cursor(self) -> Cursor | None:
        """How far the history has come. Blocks; raises HistoryUnavailableError."""
        return self._history.cursor(self._gateway)

    def resume(self, cursor: Cursor | None) -> None:
        """Go on behind ``cursor``. To be called where records are appended: it may have to move
        the numbers on (:meth:`Spool.skip_to`)."""
        after = cursor.seq if cursor is not None and cursor.epoch == self._spool.epoch else 0
        if after > self._spool.synced:
            self._spool.skip_to(after + 1, CONSUMER)
        self._spool.release(CONSUMER, after)
        self._after = after

    def step(self) -> bool:
        """Write the next batch; whether there is more to write. Blocks.

        Raises HistoryUnavailableError, and OSError if the spool cannot be read; nothing is
        lost, the next call tries the same batch.
        """
        with self._stepping:
            if self._after is None:
                raise RuntimeError("step before resume")
            if self._tracker is None:
                self._tracker = self._recovered(self._after)
            batch = self._batch = self._batch or self._prepared(self._after, self._tracker)
            if batch.records:
                begun = perf_counter()
                cursor = Cursor(self._spool.epoch, batch.through)
                self._history.write(batch.records, cursor, batch.gaps)
                metrics.history_seconds.observe(perf_counter() - begun)
                self.written = batch.records[-1].envelope.at.wall
            self._batch = None
            self._after = batch.through
            self._spool.release(CONSUMER, batch.through)
            return batch.through < self._spool.synced

    def _recovered(self, after: int) -> GapTracker:
        tracker = GapTracker(self._points)
        newest = self._history.latest(self._points)
        gaps = self._history.gaps(self._points, _FAR, _FAR + 1)
        tracker.recover(newest, gaps, Cursor(self._spool.epoch, after) if after else None)
        return tracker

    def _prepared(self, after: int, tracker: GapTracker) -> _Batch:
        stretch = self._spool.read(after, limit=_BATCH_RECORDS, max_bytes=_BATCH_BYTES)
        records = [record for _, data in stretch.records if (record := _decoded(data))]
        tracker.take(records, stretch.unused)
        return _Batch(
            records=tuple(map(self._thinning.thin, records)),
            gaps=tracker.changes(),
            through=stretch.through,
        )


def _decoded(data: bytes) -> Record | None:
    try:
        return decode(data)
    except UnreadableRecordError as error:
        # Its checksum was right, so it was written like this: trying again would change nothing.
        _log.error("unreadable record passed over", error=str(error))
        return None

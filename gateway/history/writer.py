"""The consumer of the spool that fills the history, and the keeper of its length."""

from __future__ import annotations

import threading
from time import perf_counter

import structlog

from gateway import metrics
from gateway.history.base import Cursor, History
from gateway.model.events import Record, UnreadableRecordError, decode
from gateway.spool import Spool

CONSUMER = "history"

_log = structlog.get_logger(__name__)

_BATCH_RECORDS = 2000
_BATCH_BYTES = 4 * 1024 * 1024


class HistoryWriter:
    """Writes from its cursor to the newest record, and releases the spool behind it."""

    def __init__(self, spool: Spool, history: History, gateway: str) -> None:
        self._spool = spool
        self._history = history
        self._gateway = gateway
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
            stretch = self._spool.read(self._after, limit=_BATCH_RECORDS, max_bytes=_BATCH_BYTES)
            records = [record for _, data in stretch.records if (record := _decoded(data))]
            if records:
                begun = perf_counter()
                self._history.write(records, Cursor(self._spool.epoch, stretch.through))
                metrics.history_seconds.observe(perf_counter() - begun)
                self.written = records[-1].envelope.at.wall
            self._after = stretch.through
            self._spool.release(CONSUMER, stretch.through)
            return stretch.through < stretch.head


def _decoded(data: bytes) -> Record | None:
    try:
        return decode(data)
    except UnreadableRecordError as error:
        # Its checksum was right, so it was written like this: trying again would change nothing.
        _log.error("unreadable record passed over", error=str(error))
        return None

"""SQLite's write-ahead log: who reads does not stop who writes, nor the other way round."""

from __future__ import annotations

import sqlite3
import time
from typing import Protocol

BUSY_MS = 5_000
"""How long a connection waits for its turn, in ms."""
_RETRY_S = 0.02


class Executes(Protocol):
    """A connection or a cursor of it."""

    def execute(self, statement: str, /) -> object: ...


def keep_a_log_ahead(connection: Executes) -> None:
    """Raises sqlite3.OperationalError: at once for a disk or a file that does not let us, and when
    others were in the way for :data:`BUSY_MS`.

    For this one change SQLite does not wait while another connection makes it: we do.
    """
    last = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > last:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    # The kind is in the lowest byte: https://www.sqlite.org/rescode.html#extrc
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY

"""Connections to the file: one that writes, and for each thread that reads one of its own, so that
readers, in this process or another, neither wait for the writer nor stop it (WAL)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue

from gateway.disk import room
from gateway.history.archive import conversion, schema
from gateway.history.archive.columns import DamagedError
from gateway.history.base import HistoryUnavailableError
from gateway.write_ahead import BUSY_MS, keep_a_log_ahead

_PAGE_BYTES = 8192
_MOST_PAGES = 4_294_967_294
"""SQLite's own limit."""
_LOG_BYTES = 64 * 1024 * 1024
"""What the write-ahead log is cut back to when it was longer."""


class HistoryFile:
    """Opened when it is first needed. All methods raise HistoryUnavailableError."""

    def __init__(self, path: Path, *, read_only: bool, left_bytes: int = 0) -> None:
        """``left_bytes``: of the disk that are left free for others."""
        self.path = path
        self._left_bytes = left_bytes
        self._read_only = read_only
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue()

    @contextmanager
    def writing(self, *, sparing: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction, durable when this ends (``synchronous=FULL``),
        because the spool then forgets the rows. ``sparing``: the file does not grow into what is
        left for others."""
        with self._writing, self._named_errors():
            if self._writer is None:
                self._writer = self._open_for_writing()
            connection = self._writer
            if self._left_bytes:
                self._limit(connection, sparing=sparing)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection inside a read transaction: one state of the file for all its queries.
        None while there is no file yet."""
        with self._named_errors():
            connection = self._borrow()
            if connection is None:
                yield None
                return
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            self._readers.put(connection)

    def close(self) -> None:
        # The writer last: only the last connection, and only if it may write, clears the log.
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _borrow(self) -> sqlite3.Connection | None:
        try:
            return self._readers.get_nowait()
        except Empty:
            return self._open_for_reading()

    def _open_for_writing(self) -> sqlite3.Connection:
        if self._read_only:
            raise HistoryUnavailableError(f"{self.path} was opened to be read only")
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            keep_a_log_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            if self._version(connection) < schema.VERSION:
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _limit(self, connection: sqlite3.Connection, *, sparing: bool) -> None:
        """What is free within the file may always be used, such as what retention has deleted."""
        most = _MOST_PAGES
        if sparing:
            pages, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "page_size")
            )
            most = max(1, pages + max(0, room(self.path.parent, self._left_bytes)) // size)
        connection.execute(f"PRAGMA max_page_count = {min(most, _MOST_PAGES)}")

    def _make(self, connection: sqlite3.Connection) -> None:
        """Tables, and what an older version kept, all or nothing."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Once more: another one may have made them meanwhile.
            version = self._version(connection)
            if version == schema.VERSION:
                return
            for statement in schema.TABLES.split(";\n"):
                connection.execute(statement)
            if version == 1:
                conversion.convert(connection)
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _open_for_reading(self) -> sqlite3.Connection | None:
        if not self.path.exists():
            return None
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_MS / 1000,
        )
        try:
            version = self._version(connection)
            if version == 1 and not self._read_only:
                # The writer of the same process converts it.
                with self.writing():
                    version = schema.VERSION
            if 0 < version < schema.VERSION:
                raise HistoryUnavailableError(
                    f"{self.path} is of version {version}: the gateway converts it when it starts"
                )
        except BaseException:
            connection.close()
            raise
        if version == 0:
            # Between the making of the file and of its tables.
            connection.close()
            return None
        return connection

    def _version(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > schema.VERSION:
            raise HistoryUnavailableError(
                f"{self.path} is of version {version}, this program knows {schema.VERSION}"
            )
        return int(version)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise HistoryUnavailableError(f"{self.path}: {error}") from error
        except DamagedError as error:
            raise HistoryUnavailableError(f"{self.path} is damaged: {error}") from error

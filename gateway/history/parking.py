"""Lines that a history server refuses for good: put aside with its reason, so that what follows
them is stored and somebody can look."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import structlog

from gateway import metrics

_log = structlog.get_logger(__name__)

_CAPACITY = 16 * 1024 * 1024
"""Bytes; what comes after is only counted: a server that refuses everything fills no disk."""


class Parking:
    """A file of JSON lines ``{"line", "reason"}``, made when it is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.count = 0
        """Lines refused since the start."""

    def put(self, line: str, reason: str) -> None:
        """Keep ``line``, durably. Raises OSError."""
        self.count += 1
        metrics.history_parked.inc()
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.fstat(handle).st_size < _CAPACITY:
                os.write(handle, orjson.dumps({"line": line, "reason": reason}) + b"\n")
                os.fsync(handle)
        finally:
            os.close(handle)
        # Ever more rarely: a server that refuses everything must not fill the log either.
        if self.count.bit_count() == 1:
            _log.error("reading refused by the history, parked", lines=self.count, reason=reason)

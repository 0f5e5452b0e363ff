"""Lines that a history server refuses for good: put aside with its reason, so that what follows
them is stored and somebody can look."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from gateway import metrics

_log = structlog.get_logger(__name__)

_CAPACITY = 16 * 1024 * 1024
"""Bytes; what comes after is only counted: a server that refuses everything fills no disk."""
_REASONS = 20
_LONGEST = 8 * 1024
"""Bytes that a parked line is taken to have at most, when the last ones are looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parked:
    line: str
    reason: str
    """In the server's words."""


class Parking:
    """A file of JSON lines ``{"line", "reason"}``, made when it is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.count = 0
        """Lines refused since the start."""
        self.reasons: OrderedDict[str, int] = OrderedDict()
        """The last reasons, the newest last, and how often each was given."""

    def put(self, line: str, reason: str) -> None:
        """Keep ``line``, durably. Raises OSError."""
        self.count += 1
        self.reasons[reason] = self.reasons.pop(reason, 0) + 1
        if len(self.reasons) > _REASONS:
            self.reasons.popitem(last=False)
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

    def newest(self, count: int) -> list[Parked]:
        """The ``count`` lines that were parked last and are in the file, the newest first; what
        a kill cut off is passed over. Raises OSError."""
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - count * _LONGEST))
                rows = file.read().splitlines()
        except FileNotFoundError:
            return []
        found: list[Parked] = []
        for row in reversed(rows):
            with suppress(orjson.JSONDecodeError, KeyError, TypeError):
                said = orjson.loads(row)
                found.append(Parked(line=said["line"], reason=said["reason"]))
            if len(found) >= count:
                break
        return found

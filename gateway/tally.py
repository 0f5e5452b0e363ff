"""Derived points: made as readings come, and gone on with exactly where a kill interrupted.

What was counted (:meth:`gateway.derive.Derivation.state`) is kept in a file beside the spool with
the number of the record up to which it counts. Records behind that are still in the spool, for
the tally is one of its consumers, and are counted again at start.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import structlog

from gateway.derive import Derivation
from gateway.model.equipment import Equipment
from gateway.model.events import UnreadableRecordError, decode
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.spool.files import flush_folder
from gateway.spool.queue import Spool

CONSUMER = "derived"

_log = structlog.get_logger(__name__)

_BATCH_RECORDS = 2000
_BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    epoch: str
    seq: int
    state: dict[str, Any]


class Tally:
    """``path``: the checkpoint's file."""

    def __init__(self, equipment: Iterable[Equipment], spool: Spool, path: Path) -> None:
        things = tuple(equipment)
        self._derivation = Derivation(things)
        self._derived = frozenset(
            point.id for thing in things for point in thing.points if point.key in thing.derived
        )
        self._spool = spool
        self._path = path

    def resume(self) -> None:
        """Go on from the checkpoint, and count what was spooled after it. Blocks."""
        found = self._read()
        after = 0
        if found is not None:
            left = self._derivation.restore(found.state)
            if left:
                _log.warning("derived points begin anew or are gone", points=", ".join(left))
            # Of another spool: all that this one holds came later.
            after = found.seq if found.epoch == self._spool.epoch else 0
        while self._derived:
            stretch = self._spool.read(after, limit=_BATCH_RECORDS, max_bytes=_BATCH_BYTES)
            for _, data in stretch.records:
                self._count(data)
            after = stretch.through
            if after >= stretch.head:
                return

    def step(self, frame: Frame, at: Instant) -> Frame:
        """``frame``, received at ``at``, with what follows from it."""
        return self._derivation.step(frame, at)

    def sources(self, frame: Frame) -> Frame:
        """``frame`` as it was received, without what follows from it."""
        own = [row for row, point in enumerate(frame.points) if point not in self._derived]
        if len(own) == len(frame.points):
            return frame
        # Derived rows stand behind the others, so the rows of these keep their numbers.
        return replace(
            frame,
            points=tuple(frame.points[row] for row in own),
            value=frame.value[own],
            quality=frame.quality[own],
            source_time=frame.source_time[own],
            text={row: text for row, text in frame.text.items() if row < len(own)},
            reason={row: why for row, why in frame.reason.items() if row < len(own)},
        )

    def checkpoint(self) -> Checkpoint:
        """To be called where frames are taken: all that was taken so far is in it."""
        state = self._derivation.state()
        return Checkpoint(epoch=self._spool.epoch, seq=self._spool.newest, state=state)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint`` and let go of the records before it. Blocks; OSError."""
        if self._derived or self._path.exists():
            data = {"epoch": checkpoint.epoch, "seq": checkpoint.seq, "state": checkpoint.state}
            _write(self._path, orjson.dumps(data))
        self._spool.release(CONSUMER, checkpoint.seq)

    def _read(self) -> Checkpoint | None:
        try:
            data = orjson.loads(self._path.read_bytes())
            return Checkpoint(epoch=data["epoch"], seq=int(data["seq"]), state=dict(data["state"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            aside = self._path.with_suffix(".broken")
            self._path.replace(aside)
            _log.error(
                "what was counted cannot be read, counting begins anew",
                file=str(self._path),
                kept=aside.name,
                error=str(error),
            )
            return None

    def _count(self, data: bytes) -> None:
        try:
            record = decode(data)
        except UnreadableRecordError as error:
            _log.error("unreadable record passed over", error=str(error))
            return
        if isinstance(record.body, Frame):
            self._derivation.step(self.sources(record.body), record.envelope.at)


def _write(path: Path, data: bytes) -> None:
    """Durable, and whole at any moment."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    flush_folder(path.parent)

"""What a spool's folder holds when it is opened, and behind which number it goes on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.model.numbers import Numbers
from gateway.spool.files import Mark, Marked, make_epoch, read_epoch
from gateway.spool.segment import Segment, listed
from gateway.spool.shelf import OF_THE_MOMENT, Shelf

_log = structlog.get_logger(__name__)

RESERVED = 1_000_000_000
"""Numbers reserved ahead. Half of it is never used up without reserving more: 5 days in which
the disk takes nothing, at 1,000 records a second."""
_MARK_LOST = 1000 * RESERVED
"""Numbers passed over when nobody knows how many were reserved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    epoch: str
    shelf: Shelf
    synced: int
    """The newest number that the disk has, or had."""
    last: int
    """The newest number that anybody may have been told: the next one lies behind it."""

    @property
    def never_used(self) -> Numbers | None:
        """The numbers between the two."""
        return (self.synced + 1, self.last) if self.last > self.synced else None


def opened(folder: Path, mark: Mark) -> Opened:
    """1. Without a readable epoch, or with neither mark nor records, start a new one, all else
    quarantined. 2. Index the newest segment and quarantine what is damaged in it. 3. Go on behind
    everything that was ever synced, and behind all that was reserved: it may have been told.
    """
    segments = [Segment(path) for path in listed(folder)]
    epoch, marked = read_epoch(folder), mark.read()
    if not epoch or (marked is None and not _last_good(segments)):
        torn = _move_all_away(folder, segments)
        shelf = Shelf(folder, make_epoch(folder), ())
        shelf.torn = torn
        return Opened(epoch=shelf.epoch, shelf=shelf, synced=0, last=0)
    shelf = Shelf(folder, epoch, segments)
    synced = _recover(folder, shelf, segments, marked)
    last = synced + _MARK_LOST if marked is None else max(synced, marked.reserved)
    mark.reserved = last
    return Opened(epoch=epoch, shelf=shelf, synced=synced, last=last)


def _last_good(segments: list[Segment]) -> int:
    """The newest good number in the newest segment; 0 if there is none."""
    if not segments:
        return 0
    newest = segments[-1]
    if newest.is_lost:
        return newest.first
    try:
        seqs = newest.load().seqs
    except OSError as error:
        if error.errno in OF_THE_MOMENT:
            raise
        _log.error("newest segment of the spool lost", file=newest.path.name, error=str(error))
        newest.is_lost = True
        return newest.first
    return seqs[-1] if seqs else 0


def _recover(folder: Path, shelf: Shelf, segments: list[Segment], marked: Marked | None) -> int:
    """Look at the newest segment; returns the newest number ever synced, as far as known."""
    known = 0 if marked is None else marked.synced
    synced = max(known, _last_good(segments))
    if not segments:
        return synced
    newest = segments[-1]
    if newest.is_lost:
        # Out of the way: its name may be the one that the next segment needs.
        _move_away(folder, newest.path, f"{shelf.epoch}-{newest.path.name}")
        shelf.forget_newest()
        shelf.torn += synced - newest.first + 1
        return synced
    found = newest.load()
    # A number may have been given out and its segment never written: max, not the last good.
    synced = max(synced, (newest.unused[0] if newest.unused else newest.first) - 1)
    missing = max(0, newest.missing(synced + 1))
    if marked is None and found.damage:
        missing = max(1, missing)
    if missing or found.damage:
        # What was cut off before it was ever synced was promised to nobody, and is not counted.
        shelf.quarantine(newest, missing)
    if not found.seqs:
        shelf.take_back(newest)
    return synced


def _move_all_away(folder: Path, segments: list[Segment]) -> int:
    """The number of records in them, as far as they can be read."""
    torn = 0
    for segment in segments:
        torn += max(1, _count(segment))
        _move_away(folder, segment.path, f"{segment.path.stem}-{secrets.token_hex(4)}")
    if segments:
        _log.error("spool is broken, all of it quarantined", records=torn)
    return torn


def _count(segment: Segment) -> int:
    """The good records in ``segment``; 0 where it cannot be read."""
    try:
        return len(segment.load().seqs)
    except OSError:
        return 0


def _move_away(folder: Path, path: Path, name: str) -> None:
    quarantine = folder / "quarantine"
    quarantine.mkdir(exist_ok=True)
    path.rename(quarantine / name)

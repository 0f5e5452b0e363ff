"""The newest reading of every point, in memory: what a screen shows.

Two clocks tell how old a reading is: the gateway's, at which it was received, and our own, at
which we heard of it. The larger age counts, so that neither a clock that is wrong nor one that is
stepped makes an old reading look fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.equipment import Site
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from gateway.model.reason import Reason

CLOCKS_APART = 2 * SECOND
"""µs by which the gateway's clock may be ahead of ours before its times are not believed."""
_KNOWN_FRAMES = 4096
"""Compositions of frames that are remembered."""

_FIXED = ("_row", "_rows_of", "_stale_after")
"""Of a table what no reading changes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received(Instant):
    """When the gateway received a record, by its clock, and when we heard of it, by ours."""

    heard: Instant

    def age(self, now: Instant) -> int | None:
        """µs, by the clock that says more; None if it was received in the future."""
        age = now.since(self)
        return None if age < -CLOCKS_APART else max(age, now.since(self.heard))


@dataclass(frozen=True, kw_only=True, slots=True)
class Current:
    """A point as it stands at one moment."""

    reading: Reading
    """Its quality judged: what was good is ``STALE`` if it is too old."""
    last_good: Reading | None
    """The newest reading of quality ``GOOD``; may be ``reading`` itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a caller of :meth:`Latest.changed` has seen."""

    version: int
    at: Instant


class Latest:
    """A table with a row a point of the site; not safe for several threads."""

    def __init__(self, site: Site) -> None:
        points = site.points
        self._ids = tuple(points)
        self._row = {point: row for row, point in enumerate(self._ids)}
        self._stale_after = np.array([p.stale_after for p in points.values()], dtype=np.int64)
        rows = len(self._ids)
        self._value = np.full(rows, np.nan)
        self._quality = np.full(rows, Quality.BAD, dtype=np.uint8)
        self._source_time = np.zeros(rows, dtype=np.int64)
        self._wall = np.zeros(rows, dtype=np.int64)
        self._mono = np.zeros(rows, dtype=np.int64)
        self._boot = np.full(rows, -1, dtype=np.int64)
        self._heard = np.zeros(rows, dtype=np.int64)
        """Our own monotonic clock, µs."""
        self._sure = np.zeros(rows, dtype=np.bool_)
        """Heard, and nothing that may have been newer was missed since."""
        self._version = np.zeros(rows, dtype=np.int64)
        """Number of the take that wrote the row; 0: never."""
        self._text: dict[int, str] = {}
        self._reason: dict[int, str] = {}
        self._worded = np.zeros(rows, dtype=np.bool_)
        """Has a text or a reason."""
        self._good_value = np.full(rows, np.nan)
        self._good_wall = np.zeros(rows, dtype=np.int64)
        self._good_source_time = np.zeros(rows, dtype=np.int64)
        self._good_text: dict[int, str] = {}
        self._boots: dict[str, int] = {}
        self._rows_of: dict[tuple[str, ...], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._takes = 0
        self.received: Received | None = None
        """Of the newest record taken."""

    def take(self, record: Record, heard: Instant) -> None:
        """Let the frame of ``record`` replace what is there; its order decides, not its time,
        because clocks step. Points that the site does not have are passed over.

        ``heard``: now, by our own clock; not to be read in two boots of a machine.
        """
        self._takes += 1
        frame, at = record.body, record.envelope.at
        self.received = Received(wall=at.wall, mono=at.mono, boot=at.boot, heard=heard)
        if not isinstance(frame, Frame):
            return
        mine, theirs = self._places(frame.points)
        boot = self._boots.setdefault(at.boot, len(self._boots))
        self._value[mine] = frame.value[theirs]
        self._quality[mine] = frame.quality[theirs]
        self._source_time[mine] = frame.source_time[theirs]
        self._wall[mine], self._mono[mine], self._boot[mine] = at.wall, at.mono, boot
        self._heard[mine], self._sure[mine] = heard.mono, True
        self._version[mine] = self._takes
        good = frame.quality[theirs] == Quality.GOOD
        fresh = mine[good]
        self._good_value[fresh] = frame.value[theirs][good]
        self._good_source_time[fresh] = frame.source_time[theirs][good]
        self._good_wall[fresh] = at.wall
        self._take_words(frame, mine, theirs)

    def prime(self, readings: Mapping[str, Reading]) -> None:
        """Fill rows that have nothing yet, from the history, at start; stale until heard."""
        self._takes += 1
        for point, reading in readings.items():
            row = self._row.get(point)
            if row is None or self._version[row] > 0:
                continue
            value = np.nan if reading.value is None else reading.value
            self._value[row], self._quality[row] = value, reading.quality
            self._source_time[row], self._wall[row] = reading.source_time, reading.received
            self._version[row] = self._takes
            if reading.text is not None:
                self._text[row] = reading.text
                self._worded[row] = True
            if reading.quality == Quality.GOOD:
                self._good_value[row], self._good_wall[row] = value, reading.received
                self._good_source_time[row] = reading.source_time
                if reading.text is not None:
                    self._good_text[row] = reading.text

    def doubt(self) -> None:
        """Records were missed, nobody knows of which points: all are stale until heard again."""
        self._takes += 1
        self._version[self._sure] = self._takes
        self._sure[:] = False

    def at(self, now: Instant) -> dict[str, Current]:
        """Every point that was ever heard of, by id, as seen at ``now``."""
        return self._currents(self._version > 0, self._judged(now), now)

    def snapshot(self, now: Instant) -> Mapping[str, Current]:
        """As :meth:`at`, for who asks for few of the points: each is made when it is asked for,
        in whatever thread, as it stood at ``now``."""
        twin = copy(self)
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray | dict) and name not in _FIXED:
                setattr(twin, name, column.copy())
        return _Snapshot(twin, now)

    def changed(self, since: Mark | None, now: Instant) -> tuple[dict[str, Current], Mark]:
        """The points with a new reading or a new quality since ``since``, and the mark to ask
        with next time; None: all of them."""
        judged = self._judged(now)
        chosen = self._version > (since.version if since is not None else 0)
        if since is not None:
            chosen |= (self._version > 0) & (judged != self._judged(since.at))
        return self._currents(chosen, judged, now), Mark(version=self._takes, at=now)

    def _places(self, points: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows here and rows there of the points that the site has."""
        places = self._rows_of.get(points)
        if places is None:
            if len(self._rows_of) >= _KNOWN_FRAMES:
                self._rows_of.clear()
            pairs = [(self._row[p], row) for row, p in enumerate(points) if p in self._row]
            table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            places = self._rows_of[points] = (table[:, 0], table[:, 1])
        return places

    def _take_words(self, frame: Frame, mine: NDArray[np.int64], theirs: NDArray[np.int64]) -> None:
        """Only rows that have words, or had some, cost anything."""
        touched = self._worded[mine]
        if frame.text or frame.reason:
            named = np.zeros(len(frame.points), dtype=np.bool_)
            named[[*frame.text, *frame.reason]] = True
            touched |= named[theirs]
        rows, theres = mine[touched].tolist(), theirs[touched].tolist()
        for row, there in zip(rows, theres, strict=True):
            _put(self._text, row, frame.text.get(there))
            _put(self._reason, row, frame.reason.get(there))
            if frame.quality[there] == Quality.GOOD:
                _put(self._good_text, row, frame.text.get(there))
            self._worded[row] = row in self._text or row in self._reason or row in self._good_text

    def _judged(self, now: Instant) -> NDArray[np.uint8]:
        """Quality of each row at ``now``."""
        age = self._age(now)
        old = np.maximum(age, now.mono - self._heard) > self._stale_after
        stale = (old | (age < -CLOCKS_APART) | ~self._sure) & (self._quality < Quality.STALE)
        return np.where(stale, np.uint8(Quality.STALE), self._quality)

    def _age(self, now: Instant) -> NDArray[np.int64]:
        """µs since the gateway received each row; by the monotonic clock where it is the same
        boot, so that a step of the wall clock makes nothing stale."""
        same_boot = self._boot == self._boots.get(now.boot, -2)
        return np.where(same_boot, now.mono - self._mono, now.wall - self._wall)

    def _currents(
        self, chosen: NDArray[np.bool_], judged: NDArray[np.uint8], now: Instant
    ) -> dict[str, Current]:
        ahead = self._age(now) < -CLOCKS_APART
        return {
            self._ids[row]: self._current(row, judged, ahead)
            for row in np.flatnonzero(chosen).tolist()
        }

    def _current(self, row: int, judged: NDArray[np.uint8], ahead: NDArray[np.bool_]) -> Current:
        return Current(
            reading=self._reading(row, Quality(judged[row]), bool(ahead[row])),
            last_good=self._good(row),
        )

    def _reading(self, row: int, quality: Quality, is_ahead: bool) -> Reading:
        reason = self._reason.get(row)
        if quality == Quality.STALE:
            known = Reason.CLOCKS_DIFFER if is_ahead else Reason.TOO_OLD
            reason = (known if self._sure[row] else Reason.NOT_HEARD).told()
        return Reading(
            value=_number(self._value[row]),
            text=self._text.get(row),
            quality=quality,
            reason=reason,
            received=int(self._wall[row]),
            source_time=int(self._source_time[row]),
        )

    def _good(self, row: int) -> Reading | None:
        if not self._good_wall[row]:
            return None
        return Reading(
            value=_number(self._good_value[row]),
            text=self._good_text.get(row),
            quality=Quality.GOOD,
            reason=None,
            received=int(self._good_wall[row]),
            source_time=int(self._good_source_time[row]),
        )


class _Snapshot(Mapping[str, Current]):
    """``latest``: a copy that nobody writes to."""

    def __init__(self, latest: Latest, now: Instant) -> None:
        self._latest = latest
        self._judged = latest._judged(now)
        self._ahead = latest._age(now) < -CLOCKS_APART

    def __getitem__(self, point: str) -> Current:
        row = self._latest._row[point]
        if not self._latest._version[row]:
            raise KeyError(point)
        return self._latest._current(row, self._judged, self._ahead)

    def __iter__(self) -> Iterator[str]:
        rows = np.flatnonzero(self._latest._version).tolist()
        return iter([self._latest._ids[row] for row in rows])

    def __len__(self) -> int:
        return int(np.count_nonzero(self._latest._version))


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _put(words: dict[int, str], row: int, word: str | None) -> None:
    if word is None:
        words.pop(row, None)
    else:
        words[row] = word

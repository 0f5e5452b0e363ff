"""The newest reading of every point: kept for sheets and chunks in a row of its own, and brought
up to date with the log by whoever asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from itertools import compress

import numpy as np
import orjson

from gateway.history.archive import columns
from gateway.history.archive import rows as columns_of
from gateway.history.archive.rows import Rows
from gateway.model.quality import Quality
from gateway.model.reading import Reading

_NEVER = np.iinfo(np.int64).min
_new = Reading.__new__
_set_value, _set_text, _set_quality, _set_reason, _set_received, _set_source_time = (
    Reading.__dict__[name].__set__
    for name in ("value", "text", "quality", "reason", "received", "source_time")
)
_QUALITIES = {int(quality): quality for quality in Quality}


class Newest:
    """By number of the point; not safe for several threads."""

    def __init__(self) -> None:
        self._time = np.zeros(0, dtype=np.int64)
        self._source = np.zeros(0, dtype=np.int64)
        self._value = np.zeros(0)
        self._quality = np.zeros(0, dtype=np.uint8)
        self._text: dict[int, str] = {}
        self._state: tuple[int, float] | None = None
        """Of sheets and deletions, as far as they are in here; None: not read."""
        self._log = 0
        """The newest row of the log that is in here."""

    @classmethod
    @columns.damage()
    def load(cls, connection: sqlite3.Connection) -> Newest:
        """What sheets and chunks hold."""
        made = cls()
        row = connection.execute("SELECT body FROM newest").fetchone()
        if row is not None:
            times, sources, values, qualities, texts = columns.split(row[0])
            made._time = columns.unpack_ints(times)
            made._source = columns.unpack_ints(sources)
            made._value = columns.unpack_values(values).copy()
            made._quality = columns.unpack_ints(qualities).astype(np.uint8)
            made._text = {int(point): text for point, text in orjson.loads(texts).items()}
        return made

    def store(self, connection: sqlite3.Connection) -> None:
        body = columns.join(
            (
                columns.pack_ints(self._time, 0),
                columns.pack_ints(self._source, 0),
                columns.pack_values(self._value, 0),
                columns.pack_ints(self._quality.astype(np.int64), 0),
                orjson.dumps({str(point): text for point, text in self._text.items()}),
            )
        )
        connection.execute("INSERT OR REPLACE INTO newest (id, body) VALUES (1, ?)", (body,))

    def take(self, rows: Rows) -> None:
        """``rows``, in the order in which they were written."""
        if not len(rows):
            return
        self._grow(int(rows.point.max()) + 1)
        if (np.diff(rows.time) < 0).any():
            order = np.argsort(rows.time, kind="stable")
            rows = rows.chosen(order)
        # Of places that are named more than once numpy keeps the last, here the newest.
        last = np.full(len(self._time), -1, dtype=np.int64)
        last[rows.point] = np.arange(len(rows))
        points = np.flatnonzero(last >= 0)
        points = points[rows.time[last[points]] >= self._time[points]]
        places = last[points]
        self._time[points], self._source[points] = rows.time[places], rows.source[places]
        self._value[points], self._quality[points] = rows.value[places], rows.quality[places]
        if rows.text or self._text:
            for point, place in zip(points.tolist(), places.tolist(), strict=True):
                self._text.pop(point, None)
                if place in rows.text:
                    self._text[point] = rows.text[place]

    def forget_before(self, wall: int) -> None:
        old = self._time < wall
        self._time[old] = _NEVER
        self._text = {point: text for point, text in self._text.items() if not old[point]}

    def follow(self, connection: sqlite3.Connection) -> Newest:
        """The same, or another one, as the file stands now: what was seen before is not read
        again."""
        (sealed,) = connection.execute(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'sheets'"
        ).fetchone()
        (floor,) = connection.execute("SELECT total(wall) FROM floors").fetchone()
        made = self
        if self._state != (sealed, floor):
            made = Newest.load(connection)
            made._state = (sealed, floor)
        for number, body in connection.execute(
            "SELECT id, body FROM log WHERE id > ? ORDER BY id", (made._log,)
        ):
            made.take(columns_of.unpack(body))
            made._log = number
        return made

    def readings(self, points: Mapping[str, int], names: Iterable[str]) -> dict[str, Reading]:
        """``points``: the number of each name."""
        named = [name for name in names if name in points]
        asked = np.array([points[name] for name in named], dtype=np.int64)
        there = asked < len(self._time)
        there[there] = self._time[asked[there]] != _NEVER
        rows = asked[there]
        value = self._value[rows]
        text = self._text
        found: dict[str, Reading] = {}
        for name, row, number, has, quality, time, source in zip(
            compress(named, there.tolist()),
            rows.tolist(),
            value.tolist(),
            (~np.isnan(value)).tolist(),
            self._quality[rows].tolist(),
            self._time[rows].tolist(),
            self._source[rows].tolist(),
            strict=True,
        ):
            # As Reading(…) does it, in a third of the time: there may be ten thousands.
            found[name] = reading = _new(Reading)
            _set_value(reading, number if has else None)
            _set_text(reading, text.get(row))
            _set_quality(reading, _QUALITIES[quality])
            _set_reason(reading, None)
            _set_received(reading, time)
            _set_source_time(reading, source)
        return found

    def _grow(self, size: int) -> None:
        more = size - len(self._time)
        if more > 0:
            self._time = np.append(self._time, np.full(more, _NEVER, dtype=np.int64))
            self._source = np.append(self._source, np.zeros(more, dtype=np.int64))
            self._value = np.append(self._value, np.full(more, np.nan))
            self._quality = np.append(self._quality, np.zeros(more, dtype=np.uint8))

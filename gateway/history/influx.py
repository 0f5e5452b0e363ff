"""The history in InfluxDB.

Readings and cursor cannot be written in one transaction there. The cursor is a point of its own,
written when the readings are stored: a kill in between brings the same readings once more, and
same tags and time overwrite, so each is there once. Newer cursors have later times, whatever the
wall clock does, so the newest by time is the last one written.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gateway.history.base import Buckets, Cursor, Gap, Series
from gateway.history.influx_address import InfluxAddress
from gateway.history.influx_server import InfluxServer, identifier, literal
from gateway.history.lines import OPEN, Lines, cursor_line, gap_line, measurement_of, parts_of
from gateway.history.parking import Parking
from gateway.model.equipment import Site
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY
from gateway.model.quality import Quality
from gateway.model.reading import Reading

CURSORS = "dutyroom_cursor"
"""Measurement of the cursors: tags site and gateway, fields epoch and seq."""
GAPS = "dutyroom_gap"
"""Measurement of the gaps: tags site, equipment and point, fields until (µs) and reason."""
_GAPS_STAY = 1800 * DAY
"""µs for which gaps stay when readings of their time are deleted."""
_FIRST, _LAST = -9_223_372_036_854_775, 9_223_372_036_854_775
"""µs: InfluxDB counts ns in 64 bits."""
_NAMED_AT_MOST = 40
"""Points that a question names one by one; for more, all of the measurement are asked for."""
_PARTS = ("min(value)", "mean(value)", "max(value)", "last(value)", "count(value)", "max(quality)")


class InfluxHistory:
    """``parked``: file for lines that the server refuses. Building it does not connect."""

    def __init__(self, address: InfluxAddress, site: Site, parked: Path) -> None:
        self._site = site
        self._lines = Lines(site)
        self.parking = Parking(parked)
        self._server = InfluxServer(address, self.parking)
        self._written: dict[str, tuple[Cursor, int]] = {}
        """Gateway → its cursor, and the time of that point."""

    def write(self, records: Sequence[Record], cursor: Cursor, gaps: Sequence[Gap] = ()) -> None:
        gateway = records[0].envelope.gateway
        stored, told = self._written.get(gateway) or self._newest_cursor(gateway) or (None, _FIRST)
        if stored is not None and stored.epoch == cursor.epoch:
            if stored.seq >= cursor.seq:
                return
            records = [record for record in records if record.envelope.seq > stored.seq]
        frames = [
            (record.body, record.envelope.at.wall)
            for record in records
            if isinstance(record.body, Frame)
        ]
        ledger = [gap_line(GAPS, self._tags(gap.point), gap) for gap in gaps]
        self._server.write(self._lines.of(frames) + ledger)
        at = max([told + 1, *(record.envelope.at.wall for record in records)])
        tags = {"site": self._site.id, "gateway": gateway}
        self._server.write([cursor_line(CURSORS, tags, cursor.epoch, cursor.seq, at)])
        self._written[gateway] = (cursor, at)

    def cursor(self, gateway: str) -> Cursor | None:
        found = self._newest_cursor(gateway)
        return None if found is None else found[0]

    def range(self, point: str, start: int, end: int, limit: int) -> Series:
        rest = f"WHERE {self._is(point)} AND {_within(start, end)} ORDER BY time LIMIT {limit:d}"
        rows = self._rows(("value", "quality", "source_time"), point, rest)
        time, value, quality, source = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Series(
            time=np.array(time, dtype=np.int64),
            value=np.array(value, dtype=np.float64),
            quality=np.array(quality, dtype=np.uint8),
            source_time=np.array(source, dtype=np.int64),
        )

    def buckets(self, point: str, start: int, end: int, count: int) -> Buckets:
        """InfluxDB's parts are whole ns long, so an edge may lie ``count`` ns late."""
        if end <= start or count < 1:
            raise ValueError(f"{count} buckets from {start} to {end}")
        length = -(-(end - start) * 1000 // count)
        offset = start * 1000 % length
        rest = (
            f"WHERE {self._is(point)} AND {_within(start, end)} "
            f"GROUP BY time({length}ns, {offset}ns) fill(none)"
        )
        numbers = np.full((5, count), math.nan)
        low, mean, high, last, filled = numbers
        quality = np.full(count, Quality.BAD, dtype=np.uint8)
        for time, *values, worst in self._rows(_PARTS, point, rest, unit="ns"):
            part = (time - start * 1000) // length
            numbers[:, part] = [math.nan if value is None else value for value in values]
            quality[part] = worst
        return Buckets(
            start=np.array(
                [start + -(-part * (end - start) // count) for part in range(count)],
                dtype=np.int64,
            ),
            min=low,
            mean=mean,
            max=high,
            last=last,
            count=np.nan_to_num(filled).astype(np.int64),
            quality=quality,
        )

    def latest(self, points: Collection[str]) -> Mapping[str, Reading]:
        return self._newest_of(points, "")

    def _newest_of(self, points: Collection[str], until: str) -> dict[str, Reading]:
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for point in points:
            asked[measurement_of(self._site, parts_of(point)[0])].append(point)
        newest: dict[str, Reading] = {}
        for measurement, names in asked.items():
            found = self._newest_in(measurement, names, until)
            newest.update((name, found[name]) for name in names if name in found)
        return newest

    def at(self, points: Collection[str], wall: int) -> Mapping[str, Reading]:
        return self._newest_of(points, f" AND time <= {_time(wall)}")

    def gaps(self, points: Collection[str], start: int, end: int) -> Sequence[Gap]:
        """A gap that begins before InfluxDB's first ns or after its last is not found."""
        where = f'"site" = {literal(self._site.id)} AND time < {_time(end)} AND "until" > {start:d}'
        if len(points) <= _NAMED_AT_MOST:
            where += _any_of(points)
        rest = f'WHERE {where} GROUP BY "equipment", "point" ORDER BY time'
        found: defaultdict[str, list[Gap]] = defaultdict(list)
        for table in self._server.select(("until", "reason"), GAPS, rest):
            point = _point(table.tags)
            for first, last, reason in table.rows:
                ended = None if last == OPEN else last
                found[point].append(Gap(point=point, start=first, end=ended, reason=reason))
        return [gap for point in points for gap in found[point]]

    def delete_before(self, wall: int) -> int:
        mine = f'"site" = {literal(self._site.id)}'
        removed = 0
        for series in self._server.ask(f"SHOW MEASUREMENTS WHERE {mine}"):
            for (measurement,) in series["values"]:
                if measurement not in (CURSORS, GAPS):
                    removed += self._delete(measurement, f"{mine} AND time < {_time(wall)}")
        for gateway, (_, newest) in tuple(self._written.items()):
            old = f'"gateway" = {literal(gateway)} AND time < {_time(min(wall, newest))}'
            self._delete(CURSORS, f"{mine} AND {old}", counted="seq")
        self._delete(GAPS, f"{mine} AND time < {_time(wall - _GAPS_STAY)}", counted="reason")
        return removed

    def close(self) -> None:
        self._server.close()

    def _newest_cursor(self, gateway: str) -> tuple[Cursor, int] | None:
        where = f'"site" = {literal(self._site.id)} AND "gateway" = {literal(gateway)}'
        rest = f"WHERE {where} ORDER BY time DESC LIMIT 1"
        for table in self._server.select(("epoch", "seq"), CURSORS, rest):
            for time, epoch, seq in table.rows:
                return Cursor(epoch, seq), time
        return None

    def _newest_in(self, measurement: str, points: Sequence[str], until: str) -> dict[str, Reading]:
        where = f'"site" = {literal(self._site.id)}{until}'
        if len(points) <= _NAMED_AT_MOST:
            where += _any_of(points)
        rest = f'WHERE {where} GROUP BY "equipment", "point" ORDER BY time DESC LIMIT 1'
        columns = ("value", "text", "quality", "source_time")
        return {
            _point(table.tags): _reading(*row)
            for table in self._server.select(columns, measurement, rest)
            for row in table.rows
        }

    def _delete(self, measurement: str, where: str, *, counted: str = "quality") -> int:
        """The number of readings deleted, as far as one is told."""
        tables = self._server.select((f"count({counted})",), measurement, f"WHERE {where}")
        number = sum(int(row[1]) for table in tables for row in table.rows)
        if number:
            words = ("DELETE FROM", identifier(measurement), "WHERE", where)
            self._server.ask(" ".join(words), changes=True)
        return number

    def _rows(self, columns: Sequence[str], point: str, rest: str, *, unit: str = "u") -> list[Any]:
        measurement = measurement_of(self._site, parts_of(point)[0])
        tables = self._server.select(columns, measurement, rest, unit=unit)
        return [row for table in tables for row in table.rows]

    def _tags(self, point: str) -> dict[str, str]:
        equipment, key = parts_of(point)
        return {"equipment": equipment, "point": key, "site": self._site.id}

    def _is(self, point: str) -> str:
        return f'"site" = {literal(self._site.id)} AND {_named(point)}'


def _named(point: str) -> str:
    equipment, key = parts_of(point)
    return f'"equipment" = {literal(equipment)} AND "point" = {literal(key)}'


def _any_of(points: Collection[str]) -> str:
    return f" AND ({' OR '.join(f'({_named(point)})' for point in points)})" if points else ""


def _point(tags: Mapping[str, str]) -> str:
    return f"{tags['equipment']}.{tags['point']}"


def _within(start: int, end: int) -> str:
    return f"time >= {_time(start)} AND time < {_time(end)}"


def _time(wall: int) -> str:
    return f"{min(max(wall, _FIRST), _LAST)}u"


def _reading(
    time: int, value: float | None, text: str | None, quality: int, source: int
) -> Reading:
    return Reading(
        value=value,
        text=text,
        quality=Quality(quality),
        reason=None,
        received=time,
        source_time=source,
    )

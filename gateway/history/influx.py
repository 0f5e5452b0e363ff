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

from gateway.history.base import Buckets, Cursor, Series
from gateway.history.influx_address import InfluxAddress
from gateway.history.influx_server import InfluxServer, identifier, literal
from gateway.history.lines import Key, Lines, cursor_line, measurement_of, parts_of
from gateway.history.parking import Parking
from gateway.model.equipment import Site
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.quality import Quality
from gateway.model.reading import Reading

CURSORS = "dutyroom_cursor"
"""Measurement of the cursors: tags site and gateway, fields epoch and seq."""
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
        self._server = InfluxServer(address, Parking(parked))
        self._written: dict[str, tuple[Cursor, int]] = {}
        """Gateway → its cursor, and the time of that point."""

    def write(self, records: Sequence[Record], cursor: Cursor) -> None:
        gateway = records[0].envelope.gateway
        stored, told = self._written.get(gateway) or self._newest_cursor(gateway) or (None, _FIRST)
        if stored is not None and stored.epoch == cursor.epoch:
            if stored.seq >= cursor.seq:
                return
            records = [record for record in records if record.envelope.seq > stored.seq]
        lines: dict[Key, str] = {}
        for record in records:
            if isinstance(record.body, Frame):
                self._lines.add(record.body, record.envelope.at.wall, lines)
        self._server.write(tuple(lines.values()))
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
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for point in points:
            asked[measurement_of(self._site, parts_of(point)[0])].append(point)
        newest: dict[str, Reading] = {}
        for measurement, names in asked.items():
            found = self._latest_of(measurement, names)
            newest.update((name, found[name]) for name in names if name in found)
        return newest

    def delete_before(self, wall: int) -> int:
        mine = f'"site" = {literal(self._site.id)}'
        removed = 0
        for series in self._server.ask(f"SHOW MEASUREMENTS WHERE {mine}"):
            for (measurement,) in series["values"]:
                if measurement != CURSORS:
                    removed += self._delete(measurement, f"{mine} AND time < {_time(wall)}")
        for gateway, (_, newest) in tuple(self._written.items()):
            old = f'"gateway" = {literal(gateway)} AND time < {_time(min(wall, newest))}'
            self._delete(CURSORS, f"{mine} AND {old}", counted="seq")
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

    def _latest_of(self, measurement: str, points: Sequence[str]) -> dict[str, Reading]:
        where = f'"site" = {literal(self._site.id)}'
        if len(points) <= _NAMED_AT_MOST:
            where += f" AND ({' OR '.join(f'({_named(point)})' for point in points)})"
        rest = f'WHERE {where} GROUP BY "equipment", "point" ORDER BY time DESC LIMIT 1'
        columns = ("value", "text", "quality", "source_time")
        return {
            f"{table.tags['equipment']}.{table.tags['point']}": _reading(*row)
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

    def _is(self, point: str) -> str:
        return f'"site" = {literal(self._site.id)} AND {_named(point)}'


def _named(point: str) -> str:
    equipment, key = parts_of(point)
    return f'"equipment" = {literal(equipment)} AND "point" = {literal(key)}'


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

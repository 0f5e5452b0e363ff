"""Frames as InfluxDB's line protocol; pure.

A line a reading: measurement = class of the equipment; tags ``equipment``, ``point`` (its key),
``site``; fields ``value`` (float), ``text``, ``quality`` (integer), ``source_time`` (integer, µs
UTC); time = receive time in µs. A reading without a value has no field ``value``: line protocol
has no NaN. ``repr`` of a float reads back as the same float, so nothing is lost.

    pump,equipment=pump-2,point=motor_temperature,site=s value=41.5,quality=0i,source_time=…i …

Source: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

from gateway.model.equipment import Site
from gateway.model.frame import Frame

OTHER = "other"
"""Measurement of points that the site file no longer has and the spool still brings."""

_SPECIAL = re.compile(r"[,= \\]")
_BREAK = re.compile(r"[\r\n]")

Key = tuple[str, int]
"""Series and receive time: what InfluxDB tells readings apart by."""


class Lines:
    """Lines for the readings of ``site``; the start of a line is made once for each point."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._starts_of = lru_cache(maxsize=1024)(self._starts)

    def add(self, frame: Frame, at: int, lines: dict[Key, str]) -> None:
        """Put the readings of ``frame``, received at ``at``, into ``lines``. Of two with the
        same key the later one stays: InfluxDB would mix their fields."""
        columns = zip(
            self._starts_of(frame.points),
            frame.value.tolist(),
            frame.quality.tolist(),
            frame.source_time.tolist(),
            strict=True,
        )
        ends: dict[tuple[int, int], str] = {}
        for row, (start, value, quality, source) in enumerate(columns):
            end = ends.get((quality, source))
            if end is None:
                end = f"quality={quality}i,source_time={source}i {at}"
                ends[quality, source] = end
            text = f'text="{_quoted(frame.text[row])}",' if row in frame.text else ""
            number = f"value={value!r}," if isfinite(value) else ""
            lines[start, at] = f"{start} {number}{text}{end}"

    def _starts(self, points: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._start(point) for point in points)

    def _start(self, point: str) -> str:
        equipment, key = parts_of(point)
        tags = {"equipment": equipment, "point": key, "site": self._site.id}
        return start(measurement_of(self._site, equipment), tags)


def parts_of(point: str) -> tuple[str, str]:
    """Equipment id and key of a point id."""
    equipment, _, key = point.partition(".")
    return equipment, key


def measurement_of(site: Site, equipment: str) -> str:
    thing = site.equipment.get(equipment)
    return OTHER if thing is None else thing.equipment_class


def start(measurement: str, tags: Mapping[str, str]) -> str:
    """Measurement and tags of a line."""
    pairs = (f"{name}={_escaped(value)}" for name, value in sorted(tags.items()) if value)
    return ",".join((_escaped(measurement), *pairs))


def cursor_line(measurement: str, tags: Mapping[str, str], epoch: str, seq: int, at: int) -> str:
    return f'{start(measurement, tags)} epoch="{_quoted(epoch)}",seq={seq}i {at}'


def _escaped(name: str) -> str:
    # A line break cannot be written in a name, in whatever way.
    return _SPECIAL.sub(r"\\\g<0>", _BREAK.sub("_", name))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

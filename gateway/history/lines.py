"""Frames as InfluxDB's line protocol; pure.

A line a reading: measurement = class of the equipment; tags ``equipment``, ``point`` (its key),
``site``; fields ``value`` (float), ``text``, ``quality`` (integer), ``source_time`` (integer, µs
UTC); time = receive time in µs. A reading without a value has no field ``value``: line protocol
has no NaN. Numbers read back as the same floats, so nothing is lost.

    pump,equipment=pump-2,point=motor_temperature,site=s value=41.5,quality=0i,source_time=…i …

Source: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson

from gateway.history.base import Gap
from gateway.model.equipment import Site
from gateway.model.frame import Frame

OTHER = "other"
"""Measurement of points that the site file no longer has and the spool still brings."""

OPEN = 1 << 62
"""End of a gap that is open, µs."""

_SPECIAL = re.compile(r"[,= \\]")
_BREAK = re.compile(r"[\r\n]")

_NONE = "null"
"""So orjson writes what is no number."""


class Lines:
    """Lines for the readings of ``site``; the start of a line is made once for each point."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._starts_of = lru_cache(maxsize=1024)(self._starts)

    def of(self, frames: Sequence[tuple[Frame, int]]) -> list[str]:
        """The readings of ``frames``, each with its receive time. Of two readings of one point
        and time the later one stays: InfluxDB would mix their fields."""
        times = Counter(at for _, at in frames)
        lines: list[str] = []
        # Only frames received at the same time can have the same point at the same time.
        shared: dict[tuple[str, int], str] = {}
        for frame, at in frames:
            if times[at] == 1:
                lines += self._of(frame, at)
            else:
                starts = self._starts_of(frame.points)
                made = self._of(frame, at)
                shared.update(((start, at), line) for start, line in zip(starts, made, strict=True))
        lines += shared.values()
        return lines

    def _of(self, frame: Frame, at: int) -> list[str]:
        if not frame.points:
            return []
        starts = self._starts_of(frame.points)
        # Its numbers are the shortest that read back as the same float, as those of repr.
        numbers = orjson.dumps(frame.value, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        values = numbers.decode().split(",")
        ends = _ends(frame, at)
        lines = [
            f"{start}value={value},{end}"
            for start, value, end in zip(starts, values, ends, strict=True)
        ]
        if _NONE.encode() in numbers or frame.text:
            for row, value in enumerate(values):
                if value == _NONE or row in frame.text:
                    number = "" if value == _NONE else f"value={value},"
                    text = f'text="{_quoted(frame.text[row])}",' if row in frame.text else ""
                    lines[row] = f"{starts[row]}{number}{text}{ends[row]}"
        return lines

    def _starts(self, points: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._start(point) for point in points)

    def _start(self, point: str) -> str:
        equipment, key = parts_of(point)
        tags = {"equipment": equipment, "point": key, "site": self._site.id}
        return start(measurement_of(self._site, equipment), tags) + " "


def _ends(frame: Frame, at: int) -> list[str]:
    """What stands behind the value of each row."""
    quality, source = frame.quality, frame.source_time
    if (quality == quality[0]).all() and (source == source[0]).all():
        return [_end(int(quality[0]), int(source[0]), at)] * len(quality)
    known: dict[tuple[int, int], str] = {}
    return [
        known.get(pair) or known.setdefault(pair, _end(*pair, at))
        for pair in zip(quality.tolist(), source.tolist(), strict=True)
    ]


def _end(quality: int, source: int, at: int) -> str:
    return f"quality={quality}i,source_time={source}i {at}"


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


def gap_line(measurement: str, tags: Mapping[str, str], gap: Gap) -> str:
    """The start of the gap is the time of the line. A gap is written once when it opens and once
    when it ends: the second line puts its ``until`` over that of the first."""
    end = OPEN if gap.end is None else gap.end
    return f'{start(measurement, tags)} until={end}i,reason="{_quoted(gap.reason)}" {gap.start}'


def _escaped(name: str) -> str:
    # A line break cannot be written in a name, in whatever way.
    return _SPECIAL.sub(r"\\\g<0>", _BREAK.sub("_", name))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

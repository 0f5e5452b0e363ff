"""Readings as line protocol, and the lines that a server refused."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

from records import record

from api.settings import demo_site
from gateway.history.lines import Lines
from gateway.history.parking import Parking
from gateway.model.frame import Frame
from gateway.site import files as site_file

SITE = site_file.load(demo_site())
NOW = 1_795_233_600_000_000
HOT = "pump-2.motor_temperature"


def test_parked_lines_can_be_looked_at(tmp_path: Path) -> None:
    parking = Parking(tmp_path / "parked.jsonl")
    assert parking.newest(5) == []
    for n in range(300):
        parking.put(f"line {n}", f"reason {n}")
    assert [(one.line, one.reason) for one in parking.newest(2)] == [
        ("line 299", "reason 299"),
        ("line 298", "reason 298"),
    ]
    assert len(parking.newest(1000)) == 300
    with (tmp_path / "parked.jsonl").open("ab") as file:
        file.write(b'{"line": "cut o')
    assert [one.line for one in parking.newest(1)] == ["line 299"]


def test_lines_are_those_of_each_reading() -> None:
    """Fast ways and slow ones write the same; of two with the same key the later stays."""
    rng = random.Random(1)
    special = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 2.0**60, math.nan, math.inf]
    frames = []
    for n in range(40):
        at = NOW + n // 2 * 2
        made = record(
            n + 1,
            {HOT: rng.choice(special), "lamp-1.power": rng.gauss(0, 9), f"p.k{n}": rng.gauss(0, 9)},
            at=at,
            text={0: 'a "b" \\'} if n % 5 == 0 else {},
        ).body
        assert isinstance(made, Frame)
        frames.append((made, at if n < 30 else at + n))
    expected: dict[tuple[str, int], str] = {}
    for frame, at in frames:
        for row, point in enumerate(frame.points):
            equipment, key = point.split(".")
            kind = {"pump-2": "pump", "lamp-1": "lamp"}.get(equipment, "other")
            value = float(frame.value[row])
            fields = [f"value={value!r}"] if math.isfinite(value) else []
            fields += ['text="a \\"b\\" \\\\"'] if row in frame.text else []
            fields += [f"quality={frame.quality[row]}i", f"source_time={frame.source_time[row]}i"]
            tags = f"{kind},equipment={equipment},point={key},site={SITE.id}"
            expected[point, at] = f"{tags} {','.join(fields)} {at}"
    found = Lines(SITE).of(frames)
    assert sorted(map(_parsed, found)) == sorted(map(_parsed, expected.values()))


def _parsed(line: str) -> tuple[str, ...]:
    """Numbers as they read: 2e300 and 2e+300 are the same."""
    return tuple(
        repr(float(word)) if re.fullmatch(r"-?\d[\d.]*(e[-+]?\d+)?", word) else word
        for word in re.split(r"([ ,=])", line)
    )

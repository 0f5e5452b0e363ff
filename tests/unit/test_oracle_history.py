"""What the oracle lets a history leave out, and what not."""

from __future__ import annotations

import math

import pytest
from oracle import SECOND, _left_out

from gateway.model.point import Point, PointKind, Text

NAME = Text(zh="电压", en="Voltage")


def point(deadband: float | None, keep_every: int | None = None) -> Point:
    return Point(
        id="meter-1.voltage",
        equipment="meter-1",
        key="voltage",
        name=NAME,
        kind=PointKind.NUMBER,
        deadband=deadband,
        keep_every=keep_every,
    )


@pytest.mark.parametrize(
    ("of", "kept", "at", "value", "may"),
    [
        (point(0.5), {0: [220.0]}, SECOND, 220.5, True),
        (point(0.5), {0: [220.0]}, SECOND, 220.6, False),
        (point(None), {0: [220.0]}, SECOND, 220.0, False),
        (None, {0: [220.0]}, SECOND, 220.0, False),
        (point(0.5), {}, SECOND, 220.0, False),
        (point(0.5), {0: [220.0]}, 601 * SECOND, 220.0, False),
        (point(0.5, 10 * SECOND), {0: [220.0]}, 10 * SECOND, 220.0, False),
        (point(0.5), {0: [None]}, SECOND, 220.0, False),
        (point(0.5), {0: [220.0]}, SECOND, math.nan, False),
        (point(0.5), {0: [None]}, SECOND, math.nan, True),
    ],
)
def test_only_what_has_hardly_moved_may_be_left_out(of, kept, at, value, may) -> None:
    assert _left_out(of, kept, at, value) is may

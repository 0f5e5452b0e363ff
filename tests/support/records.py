"""Records as a gateway makes them, for whoever keeps readings."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.model.quality import Quality


def record(
    seq: int, rows: Mapping[str, float], *, at: int, epoch: str = "e", **more: object
) -> Record:
    """A frame of gateway ``g``, received at ``at`` µs; NaN is a reading without a value."""
    bad = [math.isnan(value) for value in rows.values()]
    frame = Frame(
        points=tuple(rows),
        value=np.array(list(rows.values())),
        quality=np.where(bad, Quality.BAD, Quality.GOOD).astype(np.uint8),
        source_time=np.full(len(rows), at - 5, dtype=np.int64),
        **more,  # type: ignore[arg-type]
    )
    envelope = Envelope(
        site="s", gateway="g", epoch=epoch, seq=seq, at=Instant(wall=at, mono=at, boot="b")
    )
    return Record(envelope=envelope, body=frame)

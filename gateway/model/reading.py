"""One reading of one point: the rare, row-wise form; the wire and the rules use columns."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.quality import Quality


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    value: float | None
    """None where there is no value (``BAD``) or the point is a text."""
    text: str | None
    quality: Quality
    reason: str | None
    """Why the quality is not good; the history does not keep it."""
    received: int
    """µs UTC."""
    source_time: int
    """µs UTC by the device's clock; the receive time where the device tells none."""

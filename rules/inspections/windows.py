"""What the history says of a point over a stretch of time; pure.

A reading goes on until the next one, as the history leaves out what did not move, but no longer
than the history may be silent of a point. Time in a gap, time with a doubtful reading and time
behind the end of what was written is not covered, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.history.base import Gap, Series
from gateway.history.thinning import KEEP_EVERY
from gateway.model.moment import HOUR, MINUTE
from gateway.model.point import Point, Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.inspections.proving import By, Over
from rules.inspections.regime import Band

LEAST_COVERED = 0.9
"""Share of the time that has to be covered by good readings; with less a person answers."""
_SLACK = MINUTE
"""µs by which the history may be behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A point from ``start`` to ``end``, µs UTC. Without any good reading there is no value."""

    start: int
    end: int
    min: float | None
    mean: float | None
    """Weighted by time."""
    max: float | None
    last: float | None
    share: float | None
    """Of the covered time that within the limits, in percent."""
    starts: int
    """How often it went from 0 to something else."""
    count: int
    """Readings that the history has."""
    covered: float
    """Of the time that with good readings, 0 to 1."""
    quality: Quality
    """The worst."""
    gaps: int

    def value(self, by: By) -> float | None:
        return {
            By.MEAN: self.mean,
            By.MIN: self.min,
            By.MAX: self.max,
            By.LAST: self.last,
            By.SHARE: self.share,
            By.STARTS: float(self.starts),
        }[by]

    def told(self) -> Text:
        """In one line."""
        hours = f"{(self.end - self.start) / HOUR:g}"
        covered = f"{100 * self.covered:.0f}"
        if self.mean is None:
            return Text(
                zh=f"{hours} 小时内没有有效读数", en=f"no good reading in the last {hours} hours"
            )
        low, mean, high = (f"{one:.4g}" for one in (self.min, self.mean, self.max))
        return Text(
            zh=f"{hours} 小时：最低 {low}，平均 {mean}，最高 {high}，数据 {covered}%",
            en=f"{hours} hours: lowest {low}, mean {mean}, highest {high}, data {covered}%",
        )


@dataclass(frozen=True, slots=True)
class Away:
    """The history did not say; why not, for a person."""

    why: Text


Window = Stretch | Away


def stretch(
    point: Point,
    before: Reading | None,
    series: Series,
    gaps: Sequence[Gap],
    *,
    start: int,
    end: int,
    band: Band,
) -> Stretch:
    """``before``: the newest reading at ``start``; ``gaps``: those of ``point`` that touch
    ``start`` to ``end``."""
    time, value, quality = _steps(point, before, series, gaps, start=start, end=end)
    lasts = np.diff(np.append(time, end))
    good = (quality == Quality.GOOD) & ~np.isnan(value)
    covered = np.where(good, np.minimum(lasts, longest_silence(point)), 0)
    known, weight = value[good], covered[good]
    total = int(weight.sum())
    has = total > 0
    return Stretch(
        start=start,
        end=end,
        min=float(known.min()) if has else None,
        mean=float(np.average(known, weights=weight)) if has else None,
        max=float(known.max()) if has else None,
        last=float(known[-1]) if has else None,
        share=float(100 * weight[_within(band, known)].sum() / total) if has else None,
        starts=int(((known[1:] != 0) & (known[:-1] == 0)).sum()),
        count=len(series.time),
        covered=total / (end - start),
        quality=Quality(int(quality.max())) if len(quality) else Quality.BAD,
        gaps=len(gaps),
    )


def unproved(window: Stretch) -> Text | None:
    """Why ``window`` proves nothing; None if it does."""
    if window.mean is None or window.covered < LEAST_COVERED:
        percent = int(100 * window.covered)
        return Text(
            zh=f"时段内只有 {percent}% 的有效数据",
            en=f"only {percent}% of the time has good readings",
        )
    return None


def band_of(over: Over, band: Band) -> Band:
    """What the judged value has to hold."""
    return Band(low=over.share) if over.by is By.SHARE else band


def longest_silence(point: Point) -> int:
    """µs for which the history may say nothing although all is well."""
    thinned = 0 if point.deadband is None else (point.keep_every or KEEP_EVERY)
    return thinned + point.stale_after + _SLACK


def _steps(
    point: Point,
    before: Reading | None,
    series: Series,
    gaps: Sequence[Gap],
    *,
    start: int,
    end: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    """Every change, in order: what was known at the start, the readings, and where each gap
    begins to count."""
    silent = [
        max(start, gap.start + point.stale_after)
        for gap in gaps
        if gap.end is None or gap.end > max(start, gap.start + point.stale_after)
    ]
    silent = [at for at in silent if at < end]
    first = [] if before is None else [before]
    known = [np.nan if one.value is None else one.value for one in first]
    time = np.concatenate(
        [np.full(len(first), start, np.int64), series.time, np.array(silent, np.int64)]
    )
    value = np.concatenate([np.array(known, float), series.value, np.full(len(silent), np.nan)])
    quality = np.concatenate(
        [
            np.array([one.quality for one in first], np.uint8),
            series.quality,
            np.full(len(silent), Quality.STALE, np.uint8),
        ]
    )
    order = np.argsort(time, kind="stable")
    return time[order], value[order], quality[order]


def _within(band: Band, value: NDArray[np.float64]) -> NDArray[np.bool_]:
    held = np.ones(len(value), bool)
    if band.low is not None:
        held &= value >= band.low
    if band.high is not None:
        held &= value <= band.high
    if band.equals is not None:
        held &= value == band.equals
    return held

"""Readings as documents: judged values, and stretches of the past in buckets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from api import models
from api.views import words
from gateway.history.base import Buckets
from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from gateway.model.quality import Quality
from gateway.model.reading import Reading

_NEVER = "nothing received yet"
_GONE = "the site has no such point any more"


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Every point that was heard of, as judged at ``now``."""

    site: Site
    currents: Mapping[str, Current]
    now: Instant

    def quality(self, point: str) -> Quality:
        current = self.currents.get(point)
        return Quality.BAD if current is None else current.reading.quality

    def document(self, point: str) -> models.Reading:
        """The reading of ``point``; of one never heard of, or gone from the site, too."""
        known = self.site.points.get(point)
        current = self.currents.get(point)
        stale_after = 0 if known is None else known.stale_after
        if current is None:
            return _nothing(_GONE if known is None else _NEVER, stale_after)
        reading, zone = current.reading, self.site.zone
        return models.Reading(
            value=reading.value,
            text=reading.text,
            quality=reading.quality.word,
            reason=reading.reason,
            received_at=words.moment(reading.received, zone),
            source_at=words.moment(reading.source_time, zone),
            last_good=self._last_good(current.last_good),
            stale_after_s=stale_after / SECOND,
        )

    def all(self) -> dict[str, models.Reading]:
        """Every point of the site, the silent ones too."""
        return {point: self.document(point) for point in self.site.points}

    def _last_good(self, reading: Reading | None) -> models.LastGood | None:
        if reading is None:
            return None
        return models.LastGood(
            value=reading.value,
            text=reading.text,
            received_at=words.moment(reading.received, self.site.zone),
        )


def _nothing(reason: str, stale_after: int) -> models.Reading:
    return models.Reading(
        value=None,
        text=None,
        quality=Quality.BAD.word,
        reason=reason,
        received_at=None,
        source_at=None,
        last_good=None,
        stale_after_s=stale_after / SECOND,
    )


def past(site: Site, point: str, start: int, end: int, buckets: Buckets) -> models.Readings:
    """``buckets`` of ``point`` between ``start`` and ``end`` (µs UTC)."""
    zone = site.zone
    count = len(buckets.start)
    return models.Readings(
        point=point,
        start=words.moment(start, zone),
        end=words.moment(end, zone),
        bucket_s=(end - start) / count / SECOND,
        buckets=[
            models.Bucket(
                start=words.moment(int(buckets.start[at]), zone),
                min=_number(buckets.min[at]),
                mean=_number(buckets.mean[at]),
                max=_number(buckets.max[at]),
                last=_number(buckets.last[at]),
                count=int(buckets.count[at]),
                quality=Quality(int(buckets.quality[at])).word,
            )
            for at in range(count)
        ],
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None

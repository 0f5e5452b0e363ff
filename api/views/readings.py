"""Readings as documents: judged values, and stretches of the past in buckets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api import models
from api.views import words
from gateway.history.base import Buckets, Gap
from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from gateway.model.reason import Reason


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
            reason = Reason.NO_POINT if known is None else Reason.NEVER_HEARD
            return _nothing(reason.told(), stale_after)
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

    def told(
        self, points: Iterable[str]
    ) -> tuple[list[models.GoodReadings], dict[str, models.Reading]]:
        """``points`` as a stream tells them: the good numbers together by their moment, and whole
        documents of the others."""
        good: dict[tuple[int, int, int], dict[str, float]] = {}
        others: dict[str, models.Reading] = {}
        for point in points:
            current, known = self.currents.get(point), self.site.points.get(point)
            value = None if current is None else _plain(current)
            if current is None or known is None or value is None:
                others[point] = self.document(point)
                continue
            reading = current.reading
            moment = reading.received, reading.source_time, known.stale_after
            good.setdefault(moment, {})[point] = value
        zone = self.site.zone
        return [
            models.GoodReadings(
                received_at=words.moment(received, zone),
                source_at=words.moment(source, zone),
                stale_after_s=stale_after / SECOND,
                values=values,
            )
            for (received, source, stale_after), values in good.items()
        ], others

    def _last_good(self, reading: Reading | None) -> models.LastGood | None:
        if reading is None:
            return None
        return models.LastGood(
            value=reading.value,
            text=reading.text,
            received_at=words.moment(reading.received, self.site.zone),
        )


def _plain(current: Current) -> float | None:
    """The number of a reading that is good and has nothing else to tell."""
    reading = current.reading
    worded = reading.text is not None or reading.reason is not None
    if worded or reading.quality is not Quality.GOOD or reading.value is None:
        return None
    return reading.value if math.isfinite(reading.value) else None


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


def begun(buckets: Buckets) -> int | None:
    """When the first of them with a value begins, µs UTC."""
    filled = buckets.start[buckets.count > 0]
    return int(filled[0]) if len(filled) else None


def unheard(point: str, span: tuple[int, int], first: int | None) -> list[Gap]:
    """The part of ``span`` before the ``first`` reading ever of ``point`` (µs UTC): the history
    tells of gaps between readings only."""
    end = span[1] if first is None else first
    if end <= span[0]:
        return []
    return [Gap(point=point, start=span[0], end=end, reason=Reason.NEVER_HEARD.told())]


def past(
    site: Site,
    point: str,
    span: tuple[int, int],
    buckets: Buckets,
    gaps: Sequence[Gap],
) -> models.Readings:
    """``buckets`` and ``gaps`` of ``point`` within ``span``: start and end, µs UTC."""
    zone, (start, end) = site.zone, span
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
        gaps=[_gap(site, gap) for gap in gaps],
    )


def silences(
    site: Site, of: Mapping[str, str], span: tuple[int, int], gaps: Sequence[Gap]
) -> models.Silences:
    """``gaps`` within ``span`` (start and end, µs UTC); ``of``: the equipment of each point."""
    found: dict[str, list[models.Gap]] = {}
    for gap in gaps:
        found.setdefault(of[gap.point], []).append(_gap(site, gap))
    return models.Silences(
        start=words.moment(span[0], site.zone),
        end=words.moment(span[1], site.zone),
        items=[models.Silence(equipment=thing, gaps=told) for thing, told in found.items()],
    )


def _gap(site: Site, gap: Gap) -> models.Gap:
    return models.Gap(
        start=words.moment(gap.start, site.zone),
        end=words.moment_if(gap.end, site.zone),
        reason=gap.reason,
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None

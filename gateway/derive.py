"""Points that follow from others of the same equipment: hours, starts, growth, differences. Pure.

A source that is not ``GOOD`` counts as not there, and what follows from it is ``BAD`` for the
time; what was counted up to then is kept. Only a difference takes a doubtful value, and is
doubtful itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import HOUR, Instant
from gateway.model.point import Point
from gateway.model.profile import Derived, DerivedKind
from gateway.model.quality import Quality
from gateway.model.reason import Reason

_KNOWN_FRAMES = 4096
"""Lists of points remembered; partial messages come in many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What a frame says of a source."""

    value: float
    quality: int
    reason: str
    source_time: int
    at: Instant

    @property
    def good(self) -> bool:
        return self.quality == Quality.GOOD


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    """What follows; NaN if nothing does."""

    value: float = math.nan
    reason: str = ""
    """Empty: good."""
    source_time: int | None = None
    """Of the oldest reading that it was made of; None: of those in the frame."""


class _Rule(Protocol):
    """How one derived point follows. ``seen``: a reading a source, None where it is not known."""

    def step(self, seen: Sequence[_Seen | None]) -> _Made: ...

    def state(self) -> dict[str, Any] | None:
        """What has to outlive a restart, able to be JSON; None if nothing has to."""

    def restore(self, saved: Mapping[str, Any]) -> None: ...


class _RunHours:
    """Time for which a flag was 1, counted only between two good readings of it that are no
    further apart than it may be silent: what was in between longer silences, nobody knows."""

    def __init__(self, source: Point) -> None:
        self._longest = source.stale_after
        self._total = 0
        self._last: tuple[float, Instant] | None = None

    def step(self, seen: Sequence[_Seen | None]) -> _Made:
        (now,) = seen
        if now is None or not now.good:
            self._last = None
            return _Made()
        if self._last is not None:
            value, earlier = self._last
            passed = now.at.since(earlier)
            if value == 1 and 0 <= passed <= self._longest:
                self._total += passed
        self._last = (now.value, now.at)
        return _Made(value=self._total / HOUR)

    def state(self) -> dict[str, Any]:
        last = None
        if self._last is not None:
            value, at = self._last
            last = {"value": value, "wall": at.wall, "mono": at.mono, "boot": at.boot}
        return {"total": self._total, "last": last}

    def restore(self, saved: Mapping[str, Any]) -> None:
        total, said = int(saved["total"]), saved["last"]
        if said is not None:
            at = Instant(wall=int(said["wall"]), mono=int(said["mono"]), boot=str(said["boot"]))
            self._last = (float(said["value"]), at)
        self._total = total


class _Starts:
    """How often a flag went from 0 to 1. A start during a silence shows when it ends."""

    def __init__(self) -> None:
        self._total = 0
        self._last: float | None = None

    def step(self, seen: Sequence[_Seen | None]) -> _Made:
        (now,) = seen
        if now is None or not now.good:
            return _Made()
        if self._last == 0 and now.value == 1:
            self._total += 1
        self._last = now.value
        return _Made(value=float(self._total))

    def state(self) -> dict[str, Any]:
        return {"total": self._total, "last": self._last}

    def restore(self, saved: Mapping[str, Any]) -> None:
        total, last = int(saved["total"]), saved["last"]
        self._last = None if last is None else float(last)
        self._total = total


class _Delta:
    """Growth of a counter since the last good reading, over silences and restarts too.

    A device that says 0 for once (it starts, it lost its bus) has not been reset: what it said
    before the fall is remembered until it has counted on from below, and if it is then back at or
    above that, it grew from there.
    """

    def __init__(self, rollover: float | None) -> None:
        self._rollover = rollover
        self._last: float | None = None
        self._fallen: float | None = None
        """From where it fell, as long as it has not counted on since."""

    def step(self, seen: Sequence[_Seen | None]) -> _Made:
        (now,) = seen
        if now is None or not now.good:
            return _Made()
        before, self._last = self._last, now.value
        if before is None:
            return _Made()
        if now.value < before:
            self._fallen = before if self._fallen is None else max(self._fallen, before)
        elif now.value > before:
            fallen, self._fallen = self._fallen, None
            if fallen is not None and now.value >= fallen:
                return _Made(value=now.value - fallen)
        value, sure = growth(before, now.value, self._rollover)
        fell = Reason.COUNTER_FELL.told(f"{before:.10g} → {now.value:.10g}")
        return _Made(value=value, reason="" if sure else fell)

    def state(self) -> dict[str, Any]:
        return {"last": self._last, "fallen": self._fallen}

    def restore(self, saved: Mapping[str, Any]) -> None:
        last, fallen = saved["last"], saved.get("fallen")  # states of before know no fall
        before = None if last is None else float(last)
        self._fallen = None if fallen is None else float(fallen)
        self._last = before


class _Difference:
    """The first less the second, as long as neither is older than it may be silent; as old as
    the older of the two."""

    def __init__(self, sources: Sequence[Point]) -> None:
        self._longest = [source.stale_after for source in sources]
        self._last: list[_Seen | None] = [None for _ in sources]

    def step(self, seen: Sequence[_Seen | None]) -> _Made:
        self._last = [
            last if now is None else now for now, last in zip(seen, self._last, strict=True)
        ]
        at = next(now.at for now in seen if now is not None)
        known = [
            last
            for last, longest in zip(self._last, self._longest, strict=True)
            if last is not None
            and last.quality in (Quality.GOOD, Quality.UNCERTAIN)
            and _age(last, at) <= longest
        ]
        if len(known) < len(self._last):
            return _Made()
        first, second = known
        return _Made(
            value=first.value - second.value,
            reason=first.reason or second.reason,
            source_time=min(first.source_time, second.source_time),
        )

    def state(self) -> None:
        return None

    def restore(self, saved: Mapping[str, Any]) -> None:
        del saved


def _age(reading: _Seen, at: Instant) -> int:
    """µs since it was taken. A wall clock that steps makes nothing older: only how late it came
    is told by one."""
    return max(reading.at.wall - reading.source_time, 0) + at.since(reading.at)


def growth(before: float, now: float, rollover: float | None) -> tuple[float, bool]:
    """By how much a counter grew that went from ``before`` to ``now``, and whether that is sure.

    1. It did not fall: the difference.
    2. It begins again at ``rollover``, and fell from the last tenth before that into the first:
       it went over. From anywhere else it is more likely to have been set back.
    3. It fell to less than half: somebody set it back to 0, and ``now`` has been counted since.
       What came between ``before`` and the reset is lost, so this is not sure.
    4. It fell by less: nothing was counted that one could tell. Not sure.
    """
    if now >= before:
        return now - before, True
    if rollover is not None and 0.9 * rollover <= before <= rollover and 0 <= now <= rollover / 10:
        return rollover - before + now, True
    return (now, False) if 0 <= now < before / 2 else (0.0, False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Follower:
    """One derived point."""

    point: Point
    derived: Derived
    sources: tuple[str, ...]
    """Point ids."""
    rule: _Rule

    def follow(self, seen: Sequence[_Seen | None]) -> tuple[float, int, str, int]:
        """Value, quality, reason and source time of the derived point."""
        heard = [one for one in seen if one is not None]
        made = self.rule.step(seen)
        source_time = made.source_time
        if source_time is None:
            source_time = min(one.source_time for one in heard)
        if math.isnan(made.value):
            none = [
                key
                for key, one in zip(self.derived.of, seen, strict=True)
                if one is not None and math.isnan(one.value)
            ]
            detail = ", ".join(none or self.derived.of)
            return math.nan, Quality.BAD, Reason.NO_SOURCE.told(detail), source_time
        value = round(made.value, self.point.decimals) + 0.0
        reason = made.reason or self.point.out_of_range(value) or ""
        quality = Quality.UNCERTAIN if reason else Quality.GOOD
        return value, quality, reason, source_time


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """What follows from the frames of one list of points."""

    points: tuple[str, ...]
    """Of the frame with what follows from it."""
    followers: tuple[tuple[_Follower, tuple[int | None, ...]], ...]
    """With the rows of the sources, None where the frame does not have one."""


class Derivation:
    """Adds the derived points of ``equipment`` to the frames that hold their sources."""

    def __init__(self, equipment: Iterable[Equipment]) -> None:
        self._followers = {
            follower.point.id: follower for thing in equipment for follower in _followers(thing)
        }
        self._of: dict[str, list[_Follower]] = {}
        for follower in self._followers.values():
            for source in follower.sources:
                self._of.setdefault(source, []).append(follower)
        self._plans: dict[tuple[str, ...], _Plan | None] = {}

    def step(self, frame: Frame, at: Instant) -> Frame:
        """``frame``, received at ``at``, with what follows from it behind its own rows.

        The same object if nothing does. For the same list of points the longer list is the same
        object each time.
        """
        if not self._of:
            return frame
        if frame.points not in self._plans:
            if len(self._plans) >= _KNOWN_FRAMES:
                self._plans.clear()
            self._plans[frame.points] = self._plan(frame.points)
        plan = self._plans[frame.points]
        if plan is None:
            return frame
        rows = [
            follower.follow(
                [None if at_row is None else _seen(frame, at_row, at) for at_row in own]
            )
            for follower, own in plan.followers
        ]
        values, qualities, reasons, times = zip(*rows, strict=True)
        behind = len(frame.points)
        said = {row: reason for row, reason in enumerate(reasons, behind) if reason}
        return replace(
            frame,
            points=plan.points,
            value=np.concatenate((frame.value, np.array(values, dtype=np.float64))),
            quality=np.concatenate((frame.quality, np.array(qualities, dtype=np.uint8))),
            source_time=np.concatenate((frame.source_time, np.array(times, dtype=np.int64))),
            reason={**frame.reason, **said} if said else frame.reason,
        )

    def _plan(self, points: tuple[str, ...]) -> _Plan | None:
        rows = {point: row for row, point in enumerate(points)}
        followers = {
            follower.point.id: follower for point in points for follower in self._of.get(point, ())
        }
        if not followers:
            return None
        return _Plan(
            points=(*points, *followers),
            followers=tuple(
                (follower, tuple(rows.get(source) for source in follower.sources))
                for follower in followers.values()
            ),
        )

    def state(self) -> dict[str, Any]:
        """What was counted, by point id, able to be JSON: for :meth:`restore` after a restart."""
        return {
            name: {"kind": follower.derived.kind.value, "of": list(follower.derived.of), **saved}
            for name, follower in self._followers.items()
            if (saved := follower.rule.state()) is not None
        }

    def restore(self, state: Mapping[str, Any]) -> tuple[str, ...]:
        """Go on from what :meth:`state` gave; the ids of which nothing could be taken over.

        Those begin anew, or are gone: the point is no more, follows from something else now, or
        what was saved is not to be read.
        """
        left: list[str] = []
        for name, saved in state.items():
            follower = self._followers.get(name)
            try:
                if follower is None or not _same(follower.derived, saved):
                    left.append(name)
                else:
                    follower.rule.restore(saved)
            except (KeyError, TypeError, ValueError):
                left.append(name)
        return tuple(left)


def _same(derived: Derived, saved: Mapping[str, Any]) -> bool:
    return saved["kind"] == derived.kind.value and tuple(saved["of"]) == derived.of


def _followers(thing: Equipment) -> Iterable[_Follower]:
    known = {point.key: point for point in thing.points}
    for key, derived in thing.derived.items():
        sources = tuple(known[source] for source in derived.of)
        yield _Follower(
            point=known[key],
            derived=derived,
            sources=tuple(source.id for source in sources),
            rule=_rule(derived, sources),
        )


def _rule(derived: Derived, sources: Sequence[Point]) -> _Rule:
    match derived.kind:
        case DerivedKind.RUN_HOURS:
            return _RunHours(sources[0])
        case DerivedKind.STARTS:
            return _Starts()
        case DerivedKind.DELTA:
            return _Delta(derived.rollover)
        case DerivedKind.DIFFERENCE:
            return _Difference(sources)


def _seen(frame: Frame, row: int, at: Instant) -> _Seen:
    return _Seen(
        value=float(frame.value[row]),
        quality=int(frame.quality[row]),
        reason=frame.reason.get(row, ""),
        source_time=int(frame.source_time[row]),
        at=at,
    )

"""What a reading or an answer proves of an item. Pure; no doubtful reading ever passes one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.latest import Current
from gateway.model.moment import Instant
from gateway.model.point import Point, Text
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.inspections.compared import Compared
from rules.inspections.items import RoundItem
from rules.inspections.proving import By, Over
from rules.inspections.regime import Answer, Proof
from rules.inspections.windows import Away, Stretch, Window, band_of, unproved
from rules.refusals import NotValidError

Value = bool | float | str
"""What a person answers."""

LONGEST_TEXT = 2000


class ItemState(StrEnum):
    WAITING = "waiting"
    """For a person, or for a reading: nobody has heard one yet, or only one that is stale."""
    PASSED = "passed"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    """Telemetry cannot answer it: a person has to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedBy:
    """The reading that an item was judged by, as it was then. Times in µs UTC."""

    value: float
    text: Text | None
    quality: Quality
    unit: str
    source_time: int | None
    received_at: int | None
    age: int | None
    """µs since it was received."""
    window: Stretch | None = None
    """The stretch of time that was judged; ``value`` is what was judged of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    state: ItemState
    why: Text | None = None
    """Why a person has to answer, or why it failed."""
    reading: ProvedBy | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A code that hangs somewhere, as it was read; when, in µs UTC by the client's clock."""

    code: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    """What a person answers."""

    id: str
    """A UUID made by the client: the same again changes nothing."""
    value: Value
    passed: bool | None = None
    """False: it is not in order, whatever the value says."""
    note: str | None = None
    taken_at: int | None = None
    """µs UTC by the client's clock."""
    scan: Scan | None = None
    compared: Compared | None = None
    """The sensor's reading at that time."""


def judge(
    item: RoundItem,
    points: Mapping[str, Point],
    currents: Mapping[str, Current],
    *,
    now: Instant,
    is_patient: bool,
    window: Window | None = None,
) -> Verdict:
    """What telemetry says of ``item`` (by one point, or by a count) at ``now``; where a person is
    to confirm it, that is a proposal.

    ``window``: of an item that is judged over a time; None: it was not read yet.

    ``points``: those of the site; ``currents``: as judged at ``now``, so that what is too old is
    ``STALE``. ``is_patient``: a reading that nobody has heard yet may still come, and a fresh one
    where the last is stale, as after a restart.
    """
    if not item.points:
        return _hand_over(Text(zh="该设备没有这个测点", en="the equipment has no such point"))
    doubts = [_doubt(point, points, currents) for point in item.points]
    for doubt in doubts:
        if doubt is not None and not (doubt in _MAY_PASS and is_patient):
            return _hand_over(doubt)
    for doubt in doubts:
        if doubt is not None:
            return Verdict(state=ItemState.WAITING, why=doubt)
    readings = {point: currents[point].reading for point in item.points}
    if item.proof is Proof.COUNT:
        return _verdict(item, _count(item, readings, now))
    (known,) = item.points
    reading = _one(points[known], readings[known], now)
    over = item.proving.over
    if over is not None:
        return _over_time(item, over, reading, window, is_patient=is_patient)
    verdict = _verdict(item, reading)
    return _proposal(reading) if item.proving.confirm else verdict


def _over_time(
    item: RoundItem, over: Over, reading: ProvedBy, window: Window | None, *, is_patient: bool
) -> Verdict:
    """A window that is away or mostly missing proves nothing."""
    if window is None:
        return Verdict(state=ItemState.WAITING, why=_READING)
    if isinstance(window, Away):
        if is_patient:
            return Verdict(state=ItemState.WAITING, why=window.why)
        return _hand_over(window.why)
    why, value = unproved(window), window.value(over.by)
    if why is not None or value is None:
        return _hand_over(why or _READING)
    is_state = over.by is By.LAST
    unit = {By.SHARE: "%", By.STARTS: item.unit}.get(over.by, reading.unit)
    judged = replace(
        reading,
        value=value,
        unit=unit,
        text=reading.text if is_state else None,
        window=window,
    )
    if item.proving.confirm:
        return _proposal(judged)
    line = replace(item, band=band_of(over, item.band), unit=unit)
    return _verdict(line, judged)


def _proposal(reading: ProvedBy) -> Verdict:
    return Verdict(state=ItemState.HANDED_OVER, why=_TO_CONFIRM, reading=reading)


def is_readable(
    item: RoundItem, points: Mapping[str, Point], currents: Mapping[str, Current]
) -> bool:
    """Whether the readings of ``item`` prove something now."""
    return all(_doubt(point, points, currents) is None for point in item.points)


def judge_completion(item: RoundItem, *, done: int, expected: int) -> Verdict:
    """``done`` of the ``expected`` rounds of a period were done; none expected: nothing missed."""
    text = Text(zh=f"应检 {expected} 次，已检 {done} 次", en=f"{done} of {expected} done")
    percent = 100.0 if expected == 0 else math.floor(1000 * done / expected) / 10
    return _verdict(
        item,
        ProvedBy(
            value=percent,
            text=text,
            quality=Quality.GOOD,
            unit=item.unit,
            source_time=None,
            received_at=None,
            age=None,
        ),
    )


def answer_passes(item: RoundItem, value: Value, passed: bool | None) -> bool:
    """Whether a person's answer passes; who says that it does not is believed.

    Raises :class:`NotValidError` for a value that is no answer to ``item``.
    """
    match item.answer:
        case Answer.TICK:
            if not isinstance(value, bool):
                raise NotValidError("value", "answer yes or no")
            holds = value
        case Answer.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise NotValidError("value", "answer with a number")
            if not math.isfinite(value):
                raise NotValidError("value", "answer with a finite number")
            holds = item.band.holds(value)
        case Answer.CHOICE:
            passing = {choice.key: choice.passes for choice in item.choices}
            if not isinstance(value, str) or value not in passing:
                raise NotValidError("value", f"answer with one of {', '.join(passing)}")
            holds = passing[value]
        case Answer.TEXT:
            if not isinstance(value, str) or not value.strip():
                raise NotValidError("value", "answer in words")
            if len(value) > LONGEST_TEXT:
                raise NotValidError("value", f"at most {LONGEST_TEXT} characters")
            holds = True
    return holds and passed is not False


def outside(item: RoundItem, value: float) -> Text:
    """Which limit of ``item`` does not hold for ``value``."""
    band = item.band
    shown = f"{value:.10g} {item.unit}".strip()
    if band.low is not None and value < band.low:
        return Text(zh=f"{shown}，低于 {band.low:g}", en=f"{shown}, below {band.low:g}")
    if band.high is not None and value > band.high:
        return Text(zh=f"{shown}，高于 {band.high:g}", en=f"{shown}, above {band.high:g}")
    if band.equals is not None and value != band.equals:
        return Text(zh=f"{shown}，应为 {band.equals:g}", en=f"{shown}, not {band.equals:g}")
    return Text(zh=shown, en=shown)


def complaint(item: RoundItem, value: Value, note: str | None) -> Text:
    """What is wrong, by a person's answer that does not pass."""
    match item.answer:
        case Answer.NUMBER if isinstance(value, int | float):
            said = outside(item, value)
        case Answer.CHOICE:
            said = next(choice.name for choice in item.choices if choice.key == value)
        case Answer.TEXT:
            said = Text(zh=str(value), en=str(value))
        case _:
            said = Text(zh="不符合要求", en="not in order")
    return said if note is None else Text(zh=f"{said.zh}（{note}）", en=f"{said.en} ({note})")


_UNHEARD = Text(zh="还没有收到读数", en="no reading was received yet")
_STALE = Text(zh="读数已过期", en="the reading is stale")
_MAY_PASS = (_UNHEARD, _STALE)
"""Doubts that the next reading of the point ends."""
_READING = Text(zh="正在读取历史数据", en="the history is being read")
_TO_CONFIRM = Text(zh="请核对后确认或改正", en="look, and confirm or correct it")
_GONE = Text(zh="站点已没有这个测点", en="the site has no such point any more")


def _doubt(point: str, points: Mapping[str, Point], currents: Mapping[str, Current]) -> Text | None:
    """Why the reading of ``point`` proves nothing; None if it does."""
    current = currents.get(point)
    if point not in points or current is None:
        return _GONE if point not in points else _UNHEARD
    reading = current.reading
    said = reading.reason or ""
    match reading.quality:
        case Quality.STALE:
            return _STALE
        case Quality.UNCERTAIN:
            return Text(zh=f"读数可疑：{said}", en=f"the reading is doubtful: {said}")
        case Quality.GOOD if reading.value is not None:
            return None
    return Text(zh=f"没有有效读数：{said}", en=f"no valid reading: {said}")


def _hand_over(why: Text) -> Verdict:
    return Verdict(state=ItemState.HANDED_OVER, why=why)


def _one(point: Point, reading: Reading, now: Instant) -> ProvedBy:
    assert reading.value is not None
    return ProvedBy(
        value=reading.value,
        text=point.states.get(round(reading.value)),
        quality=reading.quality,
        unit=point.unit,
        source_time=reading.source_time,
        received_at=reading.received,
        age=max(0, now.wall - reading.received),
    )


def _count(item: RoundItem, readings: Mapping[str, Reading], now: Instant) -> ProvedBy:
    """How many, and which, have the counted value; as old as the oldest of them."""
    counted = [
        item.points[point] for point, reading in readings.items() if reading.value == item.counted
    ]
    names = Text(
        zh="、".join(name.zh for name in counted) or "无",
        en=", ".join(name.en for name in counted) or "none",
    )
    received = min(reading.received for reading in readings.values())
    return ProvedBy(
        value=float(len(counted)),
        text=names,
        quality=Quality.GOOD,
        unit=item.unit,
        source_time=min(reading.source_time for reading in readings.values()),
        received_at=received,
        age=max(0, now.wall - received),
    )


def _verdict(item: RoundItem, reading: ProvedBy) -> Verdict:
    if item.band.holds(reading.value):
        return Verdict(state=ItemState.PASSED, reading=reading)
    why = outside(item, reading.value)
    if reading.text is not None:
        why = Text(zh=reading.text.zh, en=reading.text.en)
    return Verdict(state=ItemState.FAILED, why=why, reading=reading)

"""Messages → frames. Pure.

A device is not trusted: the size is capped before anything is parsed, depth, NaN and bad UTF-8
are refused, and every value is checked against what the profile says. Only what is in a message
becomes a reading, so a delta never repeats an old value as new.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.point import Point, PointKind
from gateway.model.profile import Availability, MqttPlace
from gateway.model.quality import Quality

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_TEXT = 500
"""Characters of a text point."""

_EARLIEST = -DAY
_LATEST = 60 * SECOND
"""How far a device's clock may be from ours before its times are not believed."""

_ABSENT = object()
"""No such key in this message."""
_ASTRAY = object()
"""The message has a value where the profile says there are keys."""


class UnreadableMessageError(Exception):
    """A message that holds no readings and never will: quarantine it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    point: str
    value: float = math.nan
    quality: Quality = Quality.GOOD
    text: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    """When the device took its readings, and how far that can be believed."""

    at: int
    doubt: str | None = None


class MessageMapping:
    """Which messages the equipment on one link sends, and what they mean."""

    def __init__(self, equipment: Iterable[Equipment]) -> None:
        self._places: defaultdict[str, list[tuple[Equipment, Point, MqttPlace]]] = defaultdict(list)
        self._availability: defaultdict[str, list[tuple[Equipment, Availability]]] = defaultdict(
            list
        )
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        for thing in equipment:
            for point in thing.points:
                place = thing.mqtt[point.key]
                self._places[place.topic].append((thing, point, place))
            if thing.availability is not None:
                self._availability[thing.availability.topic].append((thing, thing.availability))

    def topics(self) -> list[str]:
        """The topics to subscribe to, each once."""
        return sorted({*self._places, *self._availability})

    def take(
        self, topic: str, payload: bytes, received: int, *, retained: bool = False
    ) -> Frame | None:
        """The readings in one message; None if it has none, such as "I am online".

        ``received`` in µs UTC. ``retained``: the broker had kept the message, nobody says how
        long. Raises :class:`UnreadableMessageError` for what is no message of this device.

        1. Size, then availability, then the JSON document.
        2. Every point that the profile puts on this topic and that the message holds.
        3. Source time: the device's if it can be believed, else the receive time; a doubtful
           age makes every good value ``UNCERTAIN``.
        """
        if len(payload) > MAX_BYTES:
            raise UnreadableMessageError(f"{len(payload)} bytes, more than {MAX_BYTES}")
        rows = self._availability_rows(topic, payload)
        if rows is not None:
            return self._frame(rows, [_Taken(at=received)] * len(rows))
        places = self._places.get(topic)
        if not places:
            raise UnreadableMessageError("no equipment has this topic")
        document = _document(payload, [place.path for _, _, place in places])
        rows, taken = [], []
        for thing, point, place in places:
            row = _row(point, place, _found(document, place.path))
            if row is not None:
                rows.append(row)
                taken.append(_taken(thing, topic, document, received, retained))
        return self._frame(rows, taken)

    def _availability_rows(self, topic: str, payload: bytes) -> list[_Row] | None:
        """``BAD`` for every point of a device that left; None if the topic says nothing of it."""
        speakers = self._availability.get(topic)
        if not speakers:
            return None
        rows: list[_Row] = []
        for thing, said in speakers:
            word = _word(payload, said)
            if word == said.offline:
                rows.extend(
                    _Row(point=point.id, quality=Quality.BAD, reason="device offline")
                    for point in thing.points
                )
            elif word != said.online:
                raise UnreadableMessageError(
                    f"{word[:40]!r} is neither {said.online!r} nor {said.offline!r}"
                )
        return rows

    def _frame(self, rows: list[_Row], taken: list[_Taken]) -> Frame | None:
        if not rows:
            return None
        points = tuple(row.point for row in rows)
        quality, reason = [], {}
        for at, (row, when) in enumerate(zip(rows, taken, strict=True)):
            doubtful = when.doubt is not None and row.quality is Quality.GOOD
            quality.append(Quality.UNCERTAIN if doubtful else row.quality)
            why = when.doubt if doubtful else row.reason
            if why is not None:
                reason[at] = why
        return Frame(
            points=self._known.setdefault(points, points),
            value=np.array([row.value for row in rows], dtype=np.float64),
            quality=np.array(quality, dtype=np.uint8),
            source_time=np.array([when.at for when in taken], dtype=np.int64),
            text={at: row.text for at, row in enumerate(rows) if row.text is not None},
            reason=reason,
        )


def _word(payload: bytes, said: Availability) -> str:
    """The word by which a device says whether it is there."""
    if not said.path:
        return payload.decode("utf-8", errors="replace").strip()
    found = _found(_document(payload, [said.path]), said.path)
    if isinstance(found, bool):
        return "true" if found else "false"
    if not isinstance(found, str):
        raise UnreadableMessageError(f"holds no word at {'.'.join(said.path)}")
    return found


def _document(payload: bytes, paths: Sequence[tuple[str, ...]]) -> Any:
    """The payload as JSON; as plain text where one of ``paths`` takes the payload itself."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableMessageError("is no UTF-8") from None
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if all(paths):
            raise UnreadableMessageError(f"is no JSON: {error}") from None
        return text.strip()
    if any(paths) and not isinstance(document, dict):
        raise UnreadableMessageError("is no JSON object")
    _refuse_depth(document)
    return document


def _refuse_depth(document: Any) -> None:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise UnreadableMessageError(f"is nested deeper than {MAX_DEPTH}")


def _found(document: Any, path: tuple[str, ...]) -> Any:
    """What lies at ``path``; ``_ABSENT`` where the message does not go that far."""
    for step in path:
        if document is None:
            return None
        if not isinstance(document, dict):
            return _ASTRAY
        if step not in document:
            return _ABSENT
        document = document[step]
    return document


def _row(point: Point, place: MqttPlace, found: Any) -> _Row | None:
    """The reading of ``point``; None if the message holds none."""
    if found is _ABSENT:
        return None
    if isinstance(found, str) and found in place.codes:
        return _number(point, place.codes[found])
    if point.kind is PointKind.TEXT and isinstance(found, str) and len(found) <= MAX_TEXT:
        return _Row(point=point.id, text=found)
    if isinstance(found, bool) and point.kind in (PointKind.FLAG, PointKind.STATE):
        return _number(point, float(found))
    if _is_number(found) and point.kind is not PointKind.TEXT:
        return _number(point, round(found * place.scale + place.offset, point.decimals))
    return _bad(point, _complaint(point, found))


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _complaint(point: Point, found: Any) -> str:
    """Why ``found`` is no value of ``point``."""
    if found is None:
        return "the device says not available"
    if found is _ASTRAY:
        return "the message is not built as the profile says"
    shown = repr(found[:40]) if isinstance(found, str) else f"a {type(found).__name__}"
    return f"the device sent {shown} for a {point.kind.value}"


def _number(point: Point, value: float) -> _Row:
    if not math.isfinite(value):
        return _bad(point, "the device sent no number")
    reason = point.out_of_range(value)
    quality = Quality.GOOD if reason is None else Quality.UNCERTAIN
    return _Row(point=point.id, value=value, quality=quality, reason=reason)


def _bad(point: Point, reason: str) -> _Row:
    return _Row(point=point.id, quality=Quality.BAD, reason=reason)


def _taken(thing: Equipment, topic: str, document: Any, received: int, retained: bool) -> _Taken:
    """When ``thing`` took the readings of this message."""
    place = thing.source_time
    said: Any = _ABSENT
    if place is not None and place.topic == topic:
        said = _found(document, place.path)
    if place is None or not _is_number(said):
        doubt = "kept by the broker, age unknown" if retained else None
        return _Taken(at=received, doubt=doubt)
    seconds = said * place.scale + place.offset
    off = seconds * SECOND - received
    if not _EARLIEST <= off <= _LATEST:
        sign = "-" if off < 0 else "+"
        return _Taken(at=received, doubt=f"device clock off by {sign}{_span(off)}")
    at = received + round(off)
    if -off > thing.poll:
        return _Taken(at=at, doubt=f"taken {_span(off)} before it arrived")
    return _Taken(at=at)


def _span(duration: float) -> str:
    """The size of ``duration`` (µs) in the largest unit that fits it."""
    size = abs(duration)
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if size >= length:
            return f"{size / length:.0f} {unit}"
    return f"{size / SECOND:.0f} s"

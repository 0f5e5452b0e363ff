"""Messages → frames. Pure.

Every value is checked against what the profile says. Only what is in a message becomes a
reading, so a delta never repeats an old value as new.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import numpy as np

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.point import Point, PointKind
from gateway.model.profile import Availability, MqttPlace
from gateway.model.quality import Quality
from gateway.model.reason import Reason
from gateway.mqtt.asking import Request, StatusRequests
from gateway.mqtt.device_time import Delivery, Taken, taken, untimed
from gateway.mqtt.document import ABSENT, ASTRAY, UnreadableMessageError, document, value_at

MAX_TEXT = 500
"""Characters of a text point."""
_KNOWN_FRAMES = 4096
"""Lists of points remembered; partial messages come in many."""
_AS_TEXT = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,3})?", re.ASCII)
"""A number in quotes, as many a gateway sends it."""
_SHOWN = 40
"""Characters of a wrong value that a reason shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    point: str
    value: float = math.nan
    quality: Quality = Quality.GOOD
    text: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A point in the messages of one topic."""

    thing: Equipment
    point: Point
    place: MqttPlace
    time: MqttPlace | None
    """Where the same message says when its readings were taken."""


class MessageMapping:
    """Which messages the equipment on one link sends, and what they mean.

    ``zone``: of the site, for devices that tell the time without an offset.
    """

    def __init__(self, equipment: Iterable[Equipment], zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._sources: defaultdict[str, list[_Source]] = defaultdict(list)
        self._availability: defaultdict[str, list[tuple[Equipment, Availability]]] = defaultdict(
            list
        )
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._asking = StatusRequests()
        for thing in equipment:
            for source in _sources(thing):
                self._sources[source.place.topic].append(source)
            self._asking.add(thing)
            if thing.availability is not None:
                self._availability[thing.availability.topic].append((thing, thing.availability))

    def topics(self) -> list[str]:
        """The topics to subscribe to, each once."""
        return sorted({*self._sources, *self._availability})

    def requests(self) -> list[Request]:
        """Topic and payload of each message that asks a device for all that it knows."""
        return self._asking.all()

    def requests_due(self, now: float) -> list[Request]:
        """Those to say now, at ``now`` s by a clock that never steps: what says only changes would
        else seem silent, though nothing is wrong with it."""
        return self._asking.due(now)

    def requests_on(self, topic: str) -> list[Request]:
        """What to ask the devices that have just said on ``topic`` that they are there: they were
        ``BAD`` while they were away, and may say nothing until something changes."""
        return self._asking.on(topic)

    def take(
        self,
        topic: str,
        payload: bytes,
        received: int,
        *,
        retained: bool = False,
        late: bool = False,
    ) -> Frame | None:
        """The readings in one message; None if it has none, such as "I am online".

        ``received`` in µs UTC. ``retained``: the broker had kept the message, nobody says how
        long; ``late``: it may have kept it while we were away. Raises
        :class:`UnreadableMessageError` for what is no message of this device.

        1. Availability, then the JSON document.
        2. Every point that the profile puts on this topic and that the message holds.
        3. Source time: the device's if it can be believed, else the receive time; a doubtful
           age makes every good value ``UNCERTAIN``.
        """
        rows = self._availability_rows(topic, payload)
        if rows is not None:
            return self._frame(rows, [Taken(at=received)] * len(rows))
        sources = self._sources.get(topic)
        if not sources:
            raise UnreadableMessageError(Reason.NO_EQUIPMENT.told())
        delivery = _delivery(retained=retained, late=late)
        said = document(payload, (source.place.path for source in sources))
        rows, times = [], []
        for source in sources:
            row = _row(source.point, source.place, value_at(said, source.place.path))
            if row is not None:
                rows.append(row)
                times.append(self._taken(source, said, received, delivery))
        return self._frame(rows, times)

    def _availability_rows(self, topic: str, payload: bytes) -> list[_Row] | None:
        """``BAD`` for every point of a device that left; None if the topic says nothing of it."""
        speakers = self._availability.get(topic)
        if not speakers:
            return None
        rows: list[_Row] = []
        for thing, said in speakers:
            word = _word(payload, said)
            if word in (said.online, said.offline):
                self._asking.hear(thing, there=word == said.online)
            if word == said.offline:
                reason = Reason.OFFLINE.told()
                # What follows from these, the derivation says.
                own = [point for point in thing.points if point.key not in thing.derived]
                rows.extend(_bad(point, reason) for point in own)
            elif word != said.online:
                detail = f"{word[:_SHOWN]!r}, not {said.online!r} or {said.offline!r}"
                raise UnreadableMessageError(Reason.UNEXPECTED.told(detail))
        return rows

    def _taken(self, source: _Source, said: Any, received: int, delivery: Delivery) -> Taken:
        place = source.time
        if place is None:
            return untimed(received, delivery)
        time = value_at(said, place.path)
        silence = source.thing.poll
        return taken(time, place, self._zone, received, delivery=delivery, silence=silence)

    def _frame(self, rows: list[_Row], times: list[Taken]) -> Frame | None:
        if not rows:
            return None
        points = tuple(row.point for row in rows)
        if len(self._known) >= _KNOWN_FRAMES:
            self._known.clear()
        quality, reason = [], {}
        for at, (row, when) in enumerate(zip(rows, times, strict=True)):
            doubtful = when.doubt is not None and row.quality is Quality.GOOD
            quality.append(Quality.UNCERTAIN if doubtful else row.quality)
            why = when.doubt if doubtful else row.reason
            if why is not None:
                reason[at] = why
        return Frame(
            points=self._known.setdefault(points, points),
            value=np.array([row.value for row in rows], dtype=np.float64),
            quality=np.array(quality, dtype=np.uint8),
            source_time=np.array([when.at for when in times], dtype=np.int64),
            text={at: row.text for at, row in enumerate(rows) if row.text is not None},
            reason=reason,
        )


def _sources(thing: Equipment) -> Iterator[_Source]:
    """Where the points of ``thing`` are said: in its own messages, and in answers to a request,
    which hold the same at another place."""
    for point in thing.points:
        place = thing.mqtt.get(point.key)
        if place is None:
            continue
        time = thing.source_time
        if time is not None and time.topic != place.topic:
            time = None
        yield _Source(thing=thing, point=point, place=place, time=time)
        for request in thing.status_requests:
            answer = request.answer_for(place)
            if answer is not None:
                told = None if time is None else request.answer_for(time)
                yield _Source(thing=thing, point=point, place=answer, time=told)


def _delivery(*, retained: bool, late: bool) -> Delivery:
    if retained:
        return Delivery.RETAINED
    return Delivery.BACKLOG if late else Delivery.LIVE


def _word(payload: bytes, said: Availability) -> str:
    """The word by which a device says whether it is there."""
    if not said.path:
        return payload[: 4 * _SHOWN].decode("utf-8", errors="replace").strip()
    found = value_at(document(payload, [said.path]), said.path)
    if isinstance(found, bool):
        return "true" if found else "false"
    if not isinstance(found, str):
        raise UnreadableMessageError(Reason.UNEXPECTED.told(".".join(said.path)))
    return found


def _row(point: Point, place: MqttPlace, found: Any) -> _Row | None:
    """The reading of ``point``; None if the message holds none."""
    if found is ABSENT:
        return None
    if isinstance(found, str) and found in place.codes:
        return _number(point, place.codes[found])
    if point.kind is PointKind.TEXT and _is_text(found):
        return _Row(point=point.id, text=found)
    if isinstance(found, bool) and point.kind in (PointKind.FLAG, PointKind.STATE):
        return _number(point, float(found))
    if point.kind is not PointKind.TEXT and isinstance(found, str) and _AS_TEXT.fullmatch(found):
        found = float(found)
    if _is_number(found) and point.kind is not PointKind.TEXT:
        return _number(point, found * place.scale + place.offset)
    return _bad(point, _complaint(place, found))


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_text(found: Any) -> bool:
    # No database takes a NUL within a text.
    return isinstance(found, str) and len(found) <= MAX_TEXT and "\0" not in found


def _complaint(place: MqttPlace, found: Any) -> str:
    """Why ``found`` is no value of the point at ``place``."""
    if found is None:
        return Reason.NOT_AVAILABLE.told()
    if found is ASTRAY:
        return Reason.UNEXPECTED.told(".".join(place.path))
    shown = {bool: "true/false", dict: "{…}", list: "[…]"}.get(type(found))
    return Reason.UNEXPECTED.told(
        shown or repr(found[:_SHOWN] if isinstance(found, str) else found)
    )


def _number(point: Point, exact: float) -> _Row:
    if not math.isfinite(exact):
        return _bad(point, Reason.NOT_A_NUMBER.told())
    value = round(exact, point.decimals) + 0.0  # or a small negative number would be -0
    if point.kind is not PointKind.NUMBER and not math.isclose(value, exact, abs_tol=1e-6):
        return _bad(point, Reason.UNEXPECTED.told(f"{exact:.6g}"))
    reason = point.out_of_range(value)
    quality = Quality.GOOD if reason is None else Quality.UNCERTAIN
    return _Row(point=point.id, value=value, quality=quality, reason=reason)


def _bad(point: Point, reason: str) -> _Row:
    return _Row(point=point.id, quality=Quality.BAD, reason=reason)

"""Values as the messages of a profile: the way back of what the gateway maps. Pure.

The envelope is that of Shelly's second generation: ``NotifyFullStatus`` with everything,
``NotifyStatus`` with what changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.equipment import Equipment
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind
from gateway.model.profile import MqttPlace

_RPC = "/events/rpc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    topic: str
    payload: bytes


def rounded(thing: Equipment, values: Mapping[str, float]) -> dict[str, float]:
    """``values`` (point key → value) as fine as the device resolves them."""
    return {point.key: round(values[point.key], point.decimals) for point in thing.points}


def full_status(thing: Equipment, values: Mapping[str, float], now: int) -> list[Message]:
    """Everything ``thing`` has to say; ``now`` in µs UTC by the device's clock."""
    return _messages(thing, values, now, "NotifyFullStatus")


def changed(
    thing: Equipment, before: Mapping[str, float], after: Mapping[str, float], now: int
) -> list[Message]:
    """What is not as it was; nothing at all if everything is."""
    news = {key: value for key, value in after.items() if before.get(key) != value}
    return _messages(thing, news, now, "NotifyStatus")


def _messages(
    thing: Equipment, values: Mapping[str, float], now: int, method: str
) -> list[Message]:
    points = {point.key: point for point in thing.points}
    documents: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        place = thing.mqtt[key]
        document = documents.setdefault(place.topic, {})
        _put(document, place.path, _json_value(place, points[key], value))
    stamp = thing.source_time
    for topic, document in documents.items():
        if stamp is not None and stamp.topic == topic:
            _put(document, stamp.path, round(now / SECOND, 2))
        if topic.endswith(_RPC):
            source = topic.removesuffix(_RPC)
            document |= {"src": source, "dst": f"{source}/events", "method": method}
    return [
        Message(topic=topic, payload=json.dumps(document).encode())
        for topic, document in documents.items()
    ]


def _put(document: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for step in path[:-1]:
        document = document.setdefault(step, _component(step))
    document[path[-1]] = value


def _component(name: str) -> dict[str, Any]:
    """A new part of a document; Shelly repeats a component's number in it: ``switch:0``."""
    number = name.partition(":")[2]
    return {"id": int(number)} if number.isdigit() else {}


def _json_value(place: MqttPlace, point: Point, value: float) -> object:
    for text, code in place.codes.items():
        if code == value:
            return text
    if point.kind is PointKind.FLAG:
        return value != 0
    return round((value - place.offset) / place.scale, 6)

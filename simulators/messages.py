"""Values as the messages of a profile: the way back of what the gateway maps. And what a message
tells a device. Pure.

Which value goes where is said by the profile alone. What a device sends when something changed
differs: a device that notifies on ``…/events/rpc``, as Shelly's second generation does, sends
what changed in an envelope; any other, such as Zigbee2MQTT, all that it knows on that topic.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.model.equipment import Equipment
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind
from gateway.model.profile import MqttCommand, MqttPlace

_RPC = "/events/rpc"
_VALUE = "{value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    topic: str
    payload: bytes


def rounded(thing: Equipment, values: Mapping[str, float]) -> dict[str, float]:
    """``values`` (point key → value) as fine as the device resolves them."""
    sent = (point for point in thing.points if point.key in thing.mqtt)
    return {point.key: round(values[point.key], point.decimals) for point in sent}


def presence(thing: Equipment, *, online: bool) -> Message | None:
    """By which the device, or its broker for it, says whether it is there; None if it does not."""
    said = thing.availability
    if said is None:
        return None
    word = said.online if online else said.offline
    if not said.path:
        return Message(topic=said.topic, payload=word.encode())
    document: dict[str, Any] = {}
    _put(document, said.path, word)
    return Message(topic=said.topic, payload=json.dumps(document).encode())


def full_status(thing: Equipment, values: Mapping[str, float], now: int) -> list[Message]:
    """Everything ``thing`` has to say; ``now`` in µs UTC by the device's clock."""
    return _messages(thing, values, now, "NotifyFullStatus")


def changed(
    thing: Equipment, before: Mapping[str, float], after: Mapping[str, float], now: int
) -> list[Message]:
    """What ``thing`` says if ``before`` has become ``after``; nothing if all is as it was."""
    keys = {key for key, value in after.items() if before.get(key) != value}
    whole = {place.topic for key in keys if not _notifies((place := thing.mqtt[key]).topic)}
    news = {
        key: value for key, value in after.items() if key in keys or thing.mqtt[key].topic in whole
    }
    return _messages(thing, news, now, "NotifyStatus")


def answers(thing: Equipment, values: Mapping[str, float], now: int) -> list[Message]:
    """What ``thing`` says when it is asked for all that it knows, at the places of its answers."""
    found: list[Message] = []
    for request in thing.status_requests:
        if request.answer is None:
            found += full_status(thing, values, now)
        places = {
            key: place for key, own in thing.mqtt.items() if (place := request.answer_for(own))
        }
        said = {key: value for key, value in values.items() if key in places}
        found += _messages(replace(thing, mqtt=places, source_time=None), said, now, "")
    return found


def commanded(thing: Equipment, topic: str, payload: bytes) -> dict[str, float]:
    """What ``thing`` is told by a message, as the ``write`` of its profile has it: point key →
    value. A JSON message may hold more than that; empty: it means nothing to this device."""
    told = {}
    for key, how in thing.writes.items():
        if isinstance(how, MqttCommand) and how.topic == topic:
            value = _told(how, payload)
            if value is not None:
                told[key] = value
    return told


def _told(how: MqttCommand, payload: bytes) -> float | None:
    quoted = f'"{_VALUE}"'
    pattern = how.payload if quoted in how.payload else how.payload.replace(_VALUE, quoted)
    said = _words(_document(pattern), _document(payload))
    if not said:
        return None
    for value, word in how.codes.items():
        if word == said[0]:
            return value
    try:
        number = float(said[0])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _document(payload: str | bytes) -> object:
    """What ``payload`` holds, as JSON or, where it is none, as text."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode(errors="replace") if isinstance(payload, bytes) else payload


def _words(pattern: object, said: object) -> list[str] | None:
    """What stands in ``said`` where ``pattern`` has ``{value}``; None: it is of another form."""
    if pattern == _VALUE:
        return [said if isinstance(said, str) else json.dumps(said)]
    if not isinstance(pattern, dict) or not isinstance(said, dict):
        return [] if pattern == said else None
    found = []
    for name, part in pattern.items():
        words = _words(part, said[name]) if name in said else None
        if words is None:
            return None
        found += words
    return found


def _notifies(topic: str) -> bool:
    return topic.endswith(_RPC)


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
        if _notifies(topic):
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
    raw = round((value - place.offset) / place.scale, 6)
    return int(raw) if raw.is_integer() and point.decimals == 0 else raw

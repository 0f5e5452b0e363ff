"""What is wrong with a profile although every key in it is known and of the right kind.

Each check ends where it would need a field that is wrong in itself; see :func:`findings`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress

from gateway.files.documents import Finding, Parsed, Problem, UnreadableError, Where, findings
from gateway.files.fields import instead
from gateway.model.point import PointKind
from gateway.profile.document import (
    TOPIC,
    MqttDocument,
    PointDocument,
    ProfileDocument,
)
from gateway.profile.point_checks import point_findings
from gateway.profile.register_checks import overlaps, parameter_findings, place_findings

OWN_TOPICS = "dutyroom"
"""First level of the topics that dutyroom itself uses on the broker."""


def problems_of(parsed: Parsed[ProfileDocument]) -> list[Problem]:
    """Every contradiction within one profile."""
    content = parsed.content
    found = findings(
        _double_keys(content),
        _generic(content),
        parameter_findings(content),
        _messages(content),
        _points(content),
    )
    return [parsed.problem(where, wrong, mend) for where, wrong, mend in found]


def _double_keys(content: ProfileDocument) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, point in enumerate(content.points):
        with suppress(UnreadableError):
            if point.key in seen:
                where = ("points", at, "key")
                yield where, "is the key of an earlier point too", "give it another key"
            seen.add(point.key)


def _generic(content: ProfileDocument) -> Iterator[Finding]:
    if content.equipment_class in content.generic:
        yield ("generic",), f"names the class {content.equipment_class!r} again", "remove it here"


def _points(content: ProfileDocument) -> Iterator[Finding]:
    for at, point in enumerate(content.points):
        for where, wrong, mend in findings(
            _limits(point),
            _states(point),
            _place(content, point),
            _value(content, point),
            _command_topic(content, point),
            point_findings(content, point),
        ):
            yield ("points", at, *where), wrong, mend
    if content.protocol == "modbus":
        yield from overlaps(content)


def _messages(content: ProfileDocument) -> Iterator[Finding]:
    """The parts of a profile that only make sense for messages."""
    if content.protocol == "mqtt":
        yield from findings(
            _source_time(content), _availability(content), _status_requests(content)
        )
        return
    for key in ("availability", "source_time", "status_requests"):
        with suppress(UnreadableError):
            if getattr(content, key):
                yield (key,), "belongs to a profile of protocol mqtt", "remove it"


def _source_time(content: ProfileDocument) -> Iterator[Finding]:
    if content.source_time is None:
        return
    topic = content.source_time.topic
    yield from _topic(("source_time", "topic"), topic)
    said = {point.mqtt.topic for point in content.points if point.mqtt is not None}
    if topic not in said:
        wrong = f"{topic} holds no point: the time would be that of no reading"
        yield ("source_time", "topic"), wrong, instead(topic, said)


def _status_requests(content: ProfileDocument) -> Iterator[Finding]:
    for at, said in enumerate(content.status_requests):
        where = ("status_requests", at)
        yield from _topic((*where, "topic"), said.topic)
        for key, part in (("answer", said.answer), ("like", said.like)):
            if part is not None:
                yield from _topic((*where, key, "topic"), part.topic)
        if (said.answer is None) != (said.like is None):
            mend = "give both, or neither where the answer is like the device's other messages"
            yield where, "says half of what the answer looks like", mend


def _availability(content: ProfileDocument) -> Iterator[Finding]:
    said = content.availability
    if said is None:
        return
    with suppress(UnreadableError):
        yield from _topic(("availability", "topic"), said.topic)
        yield from _only_availability(content, said.topic)
    if said.online == said.offline:
        mend = "write what the device says when it leaves"
        yield ("availability", "offline"), "is the same as online", mend


def _only_availability(content: ProfileDocument, topic: str) -> Iterator[Finding]:
    """What comes there is read as the word that the device is there or not, and as nothing else."""
    wrong = "is the topic of availability, and nothing else is read there"
    mend = "name another topic, or leave out availability"
    for at, point in enumerate(content.points):
        with suppress(UnreadableError):
            if point.mqtt is not None and point.mqtt.topic == topic:
                yield ("points", at, "mqtt", "topic"), wrong, mend
    for at, request in enumerate(content.status_requests):
        with suppress(UnreadableError):
            if request.answer is not None and request.answer.topic == topic:
                yield ("status_requests", at, "answer", "topic"), wrong, mend


def _topic(where: Where, topic: str) -> Iterator[Finding]:
    levels = topic.split("/")
    if TOPIC not in levels:
        yield where, f"has no level {TOPIC}", f"write it as {TOPIC}/… or …/{TOPIC}/…"
    if levels[0] == OWN_TOPICS or topic.startswith("$"):
        yield where, f"begins with {levels[0]!r}, which is not a device's", "use the device's topic"
    if "+" in topic or "#" in topic:
        yield where, "is a filter for several topics", "name one topic"
    rest = topic.replace(TOPIC, "", 1)
    if "{" in rest or "}" in rest:
        yield where, f"has a placeholder other than {TOPIC}", f"use {TOPIC} only, and once"


def _place(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    """Each point says where its value lies, in the way of the profile's protocol."""
    if point.derived is not None:
        return
    wanted = content.protocol
    other = "mqtt" if wanted == "modbus" else "modbus"
    for key, there in ((other, False), (wanted, True)):
        with suppress(UnreadableError):
            if (getattr(point, key) is not None) != there:
                yield (
                    ((key,), "is missing", "say where the value lies")
                    if there
                    else ((key,), f"does not fit protocol {wanted}", f"use {wanted}")
                )


def _value(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    """How the value is read at its place."""
    if content.protocol == "modbus":
        place = point.modbus
        for where, wrong, mend in () if place is None else place_findings(content, point, place):
            yield ("modbus", *where), wrong, mend
    elif point.mqtt is not None:
        for where, wrong, mend in findings(
            _source(point.mqtt), _scale(point.mqtt), _codes(point.mqtt)
        ):
            yield ("mqtt", *where), wrong, mend


def _source(place: MqttDocument) -> Iterator[Finding]:
    yield from _topic(("topic",), place.topic)


def _command_topic(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    if content.protocol == "mqtt" and point.write is not None and point.write.topic is not None:
        yield from _topic(("write", "topic"), point.write.topic)


def _scale(place: MqttDocument) -> Iterator[Finding]:
    if place.scale == 0:
        yield ("scale",), "is 0: every value would be the offset", "use another scale"


def _codes(place: MqttDocument) -> Iterator[Finding]:
    if any(not math.isfinite(value) for value in place.codes.values()):
        yield ("codes",), "holds a value that is no number", "use finite numbers"


def _limits(point: PointDocument) -> Iterator[Finding]:
    if point.low is not None and point.high is not None and point.low > point.high:
        yield ("low",), f"{point.low:g} is above high ({point.high:g})", "exchange the two"
    if point.kind is not PointKind.NUMBER:
        for key in ("low", "high"):
            if getattr(point, key) is not None:
                yield (key,), f"does not fit a {point.kind.value}", "remove it"


def _states(point: PointDocument) -> Iterator[Finding]:
    match point.kind:
        case PointKind.STATE if not point.states:
            yield ("kind",), "is a state without states", "add states: {0: {zh: …, en: …}, …}"
        case PointKind.FLAG if set(point.states) != {0, 1}:
            yield ("states",), "does not name 0 and 1", "say what 0 and 1 of the flag mean"
        case PointKind.NUMBER | PointKind.TEXT if point.states:
            yield ("states",), f"does not fit a {point.kind.value}", "remove it or use kind: state"

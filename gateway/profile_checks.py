"""What is wrong with a profile although every key in it is known and of the right kind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gateway.documents import Parsed, Problem, Where
from gateway.model.point import PointKind
from gateway.model.profile import RegisterType
from gateway.profile_document import TOPIC, ModbusDocument, PointDocument, ProfileDocument

_LAST_ADDRESS = 0xFFFF
_Finding = tuple[Where, str, str]
"""Place in the document, what is wrong, what would be right."""


def problems_of(parsed: Parsed[ProfileDocument]) -> list[Problem]:
    """Every contradiction within one profile."""
    content = parsed.content
    findings = [
        *_double_keys(content.points),
        *_parameters(content),
        *_messages(content),
        *(
            (("points", at, *where), wrong, mend)
            for at, point in enumerate(content.points)
            for where, wrong, mend in _point(content, point)
        ),
    ]
    if content.protocol == "modbus":
        findings.extend(_overlaps(content.points))
    return [parsed.problem(where, wrong, mend) for where, wrong, mend in findings]


def _double_keys(points: Sequence[PointDocument]) -> Iterator[_Finding]:
    seen: set[str] = set()
    for at, point in enumerate(points):
        if point.key in seen:
            yield ("points", at, "key"), "is the key of an earlier point too", "give it another key"
        seen.add(point.key)


def _parameters(content: ProfileDocument) -> Iterator[_Finding]:
    for name, limits in content.parameters.items():
        where = ("parameters", name)
        if content.protocol != "modbus":
            yield where, "moves registers, and this profile has none", "remove it"
        if limits.low > limits.high:
            yield (*where, "low"), f"is above high ({limits.high})", "exchange the two"
        if limits.stride < 1:
            yield (*where, "stride"), f"is {limits.stride}", "use 1 register or more"


def _messages(content: ProfileDocument) -> Iterator[_Finding]:
    """The parts of a profile that only make sense for messages."""
    if content.protocol == "mqtt":
        if content.source_time is not None:
            yield from _topic(("source_time", "topic"), content.source_time.topic)
        if content.availability is not None:
            yield from _topic(("availability", "topic"), content.availability.topic)
            if content.availability.online == content.availability.offline:
                yield (
                    ("availability", "offline"),
                    "is the same as online",
                    "write what the device says when it leaves",
                )
        return
    for key in ("availability", "source_time"):
        if getattr(content, key) is not None:
            yield (key,), "belongs to a profile of protocol mqtt", "remove it"


def _topic(where: Where, topic: str) -> Iterator[_Finding]:
    if not topic.startswith(TOPIC):
        yield where, f"does not start with {TOPIC}", f"write it as {TOPIC}/…"
    if "+" in topic or "#" in topic:
        yield where, "is a filter for several topics", "name one topic"
    rest = topic.removeprefix(TOPIC)
    if "{" in rest or "}" in rest:
        yield where, f"has a placeholder other than {TOPIC}", f"use {TOPIC} only, at the start"


def _point(content: ProfileDocument, point: PointDocument) -> Iterator[_Finding]:
    yield from _limits(point)
    yield from _states(point)
    other = "mqtt" if content.protocol == "modbus" else "modbus"
    if getattr(point, other) is not None:
        yield (other,), f"does not fit protocol {content.protocol}", f"use {content.protocol}"
    if getattr(point, content.protocol) is None:
        yield (content.protocol,), "is missing", "say where the value lies"
    elif point.modbus is not None and content.protocol == "modbus":
        for where, wrong, mend in _modbus(content, point, point.modbus):
            yield ("modbus", *where), wrong, mend
    elif point.mqtt is not None:
        yield from _topic(("mqtt", "topic"), point.mqtt.topic)
        if point.mqtt.scale == 0:
            yield ("mqtt", "scale"), "is 0: every value would be the offset", "use another scale"
        if any(not math.isfinite(value) for value in point.mqtt.codes.values()):
            yield ("mqtt", "codes"), "holds a value that is no number", "use finite numbers"


def _limits(point: PointDocument) -> Iterator[_Finding]:
    if point.low is not None and point.high is not None and point.low > point.high:
        yield ("low",), f"{point.low:g} is above high ({point.high:g})", "exchange the two"
    if point.kind is not PointKind.NUMBER:
        for key in ("low", "high"):
            if getattr(point, key) is not None:
                yield (key,), f"does not fit a {point.kind.value}", "remove it"


def _states(point: PointDocument) -> Iterator[_Finding]:
    match point.kind:
        case PointKind.STATE if not point.states:
            yield ("kind",), "is a state without states", "add states: {0: {zh: …, en: …}, …}"
        case PointKind.FLAG if set(point.states) != {0, 1}:
            yield ("states",), "does not name 0 and 1", "say what 0 and 1 of the flag mean"
        case PointKind.NUMBER | PointKind.TEXT if point.states:
            yield ("states",), f"does not fit a {point.kind.value}", "remove it or use kind: state"


def _modbus(
    content: ProfileDocument, point: PointDocument, place: ModbusDocument
) -> Iterator[_Finding]:
    if point.kind is PointKind.TEXT:
        yield (), "cannot hold a text", "use kind: number, flag or state"
    if place.function.is_bits != (place.register_type is RegisterType.BIT):
        kinds = "bit" if place.function.is_bits else "int16, uint16, int32, uint32 or float32"
        yield ("type",), f"does not fit the {place.function.value} table", f"use {kinds}"
    yield from _bit(point, place)
    yield from _address(content, place)
    yield from _resolution(point, place)
    yield from _absent(place)


def _bit(point: PointDocument, place: ModbusDocument) -> Iterator[_Finding]:
    single = place.bit is not None or place.register_type is RegisterType.BIT
    if place.bit is not None:
        if place.register_type not in (RegisterType.UINT16, RegisterType.INT16):
            yield ("bit",), f"does not fit type {place.register_type.value}", "use type: uint16"
        if not 0 <= place.bit <= 15:
            yield ("bit",), f"{place.bit} is no bit of a register", "use 0 (least) to 15"
    if single and point.kind is PointKind.NUMBER:
        yield (), "is a single bit, and the point is a number", "use kind: flag"
    if single and (place.scale, place.offset) != (1.0, 0.0):
        yield ("scale",), "does not fit a single bit", "remove scale and offset"
    if place.low_word_first and place.register_type.registers == 1:
        yield ("low_word_first",), "does not fit a single register", "remove it"


def _address(content: ProfileDocument, place: ModbusDocument) -> Iterator[_Finding]:
    first = place.register_number - content.first_register
    reach = sum((p.high - p.low) * p.stride for p in content.parameters.values())
    last = first + max(reach, 0) + place.register_type.registers - 1
    if first < 0:
        yield (
            ("register",),
            f"{place.register_number} lies before first_register ({content.first_register})",
            "write the register as the manual numbers it, and first_register to match",
        )
    elif last > _LAST_ADDRESS:
        yield (
            ("register",),
            f"reaches PDU address {last}",
            f"stay at or below {_LAST_ADDRESS}; is first_register missing?",
        )


def _resolution(point: PointDocument, place: ModbusDocument) -> Iterator[_Finding]:
    """Values are rounded to ``decimals``, so a step finer than that would be lost."""
    if place.scale == 0:
        yield ("scale",), "is 0: every value would be the offset", "use another scale"
    if place.register_type is RegisterType.FLOAT32:
        return
    for key, step in (("scale", place.scale), ("offset", place.offset)):
        if not math.isclose(round(step, point.decimals), step, abs_tol=1e-12):
            yield (
                (key,),
                f"{step:g} is finer than {point.decimals} decimals",
                "raise decimals of the point",
            )


def _absent(place: ModbusDocument) -> Iterator[_Finding]:
    if place.absent and place.register_type in (RegisterType.BIT, RegisterType.FLOAT32):
        yield ("absent",), f"does not fit type {place.register_type.value}", "remove it"
    largest = 2 ** (16 * place.register_type.registers) - 1
    for raw in place.absent:
        if not 0 <= raw <= largest:
            yield (
                ("absent",),
                f"{raw} is no raw value of {place.register_type.value}",
                f"write the registers' bits as a whole number from 0 to {largest:#x}",
            )


def _overlaps(points: Sequence[PointDocument]) -> Iterator[_Finding]:
    """A value of two registers shares neither of them with another point."""
    taken: dict[tuple[str, int], PointDocument] = {}
    for point in points:
        place = point.modbus
        if place is not None and place.register_type.registers > 1:
            for number in range(place.register_number, place.register_number + 2):
                taken.setdefault((place.function.value, number), point)
    for at, point in enumerate(points):
        place = point.modbus
        if place is None:
            continue
        for number in range(
            place.register_number, place.register_number + place.register_type.registers
        ):
            owner = taken.get((place.function.value, number), point)
            if owner is not point:
                yield (
                    ("points", at, "modbus", "register"),
                    f"register {number} is part of {owner.key}",
                    "check both against the manual",
                )
                break

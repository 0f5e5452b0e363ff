"""What is wrong with a profile although every key in it is known and of the right kind.

Each check ends where it would need a field that is wrong in itself; see :func:`findings`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress

from gateway.documents import Finding, Parsed, Problem, UnreadableError, Where, findings
from gateway.model.point import PointKind
from gateway.model.profile import RegisterType
from gateway.profile_document import (
    TOPIC,
    ModbusDocument,
    MqttDocument,
    ParameterDocument,
    PointDocument,
    ProfileDocument,
)

_LAST_ADDRESS = 0xFFFF


def problems_of(parsed: Parsed[ProfileDocument]) -> list[Problem]:
    """Every contradiction within one profile."""
    content = parsed.content
    found = findings(
        _double_keys(content),
        _generic(content),
        _parameters(content),
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
            _limits(point), _states(point), _place(content, point), _value(content, point)
        ):
            yield ("points", at, *where), wrong, mend
    if content.protocol == "modbus":
        yield from _overlaps(content)


def _parameters(content: ProfileDocument) -> Iterator[Finding]:
    for name, limits in content.parameters.items():
        for where, wrong, mend in findings(_moves(content), _span(limits), _stride(limits)):
            yield ("parameters", name, *where), wrong, mend


def _moves(content: ProfileDocument) -> Iterator[Finding]:
    if content.protocol != "modbus":
        yield (), "moves registers, and this profile has none", "remove it"


def _span(limits: ParameterDocument) -> Iterator[Finding]:
    if limits.low > limits.high:
        yield ("low",), f"is above high ({limits.high})", "exchange the two"


def _stride(limits: ParameterDocument) -> Iterator[Finding]:
    if limits.stride < 1:
        yield ("stride",), f"is {limits.stride}", "use 1 register or more"


def _messages(content: ProfileDocument) -> Iterator[Finding]:
    """The parts of a profile that only make sense for messages."""
    if content.protocol == "mqtt":
        yield from findings(_source_time(content), _availability(content))
        return
    for key in ("availability", "source_time"):
        with suppress(UnreadableError):
            if getattr(content, key) is not None:
                yield (key,), "belongs to a profile of protocol mqtt", "remove it"


def _source_time(content: ProfileDocument) -> Iterator[Finding]:
    if content.source_time is not None:
        yield from _topic(("source_time", "topic"), content.source_time.topic)


def _availability(content: ProfileDocument) -> Iterator[Finding]:
    said = content.availability
    if said is None:
        return
    with suppress(UnreadableError):
        yield from _topic(("availability", "topic"), said.topic)
    if said.online == said.offline:
        mend = "write what the device says when it leaves"
        yield ("availability", "offline"), "is the same as online", mend


def _topic(where: Where, topic: str) -> Iterator[Finding]:
    if not topic.startswith(TOPIC):
        yield where, f"does not start with {TOPIC}", f"write it as {TOPIC}/…"
    if "+" in topic or "#" in topic:
        yield where, "is a filter for several topics", "name one topic"
    rest = topic.removeprefix(TOPIC)
    if "{" in rest or "}" in rest:
        yield where, f"has a placeholder other than {TOPIC}", f"use {TOPIC} only, at the start"


def _place(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    """Each point says where its value lies, in the way of the profile's protocol."""
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
        for where, wrong, mend in () if place is None else _modbus(content, point, place):
            yield ("modbus", *where), wrong, mend
    elif point.mqtt is not None:
        for where, wrong, mend in findings(
            _source(point.mqtt), _scale(point.mqtt), _codes(point.mqtt)
        ):
            yield ("mqtt", *where), wrong, mend


def _source(place: MqttDocument) -> Iterator[Finding]:
    yield from _topic(("topic",), place.topic)


def _scale(place: ModbusDocument | MqttDocument) -> Iterator[Finding]:
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


def _modbus(
    content: ProfileDocument, point: PointDocument, place: ModbusDocument
) -> Iterator[Finding]:
    yield from findings(
        _kind(point),
        _table(place),
        _bit(place),
        _width(point, place),
        _single_bit(point, place),
        _address(content, place),
        _scale(place),
        _resolution(point, place),
        _absent(place),
    )


def _kind(point: PointDocument) -> Iterator[Finding]:
    if point.kind is PointKind.TEXT:
        yield (), "cannot hold a text", "use kind: number, flag or state"


def _table(place: ModbusDocument) -> Iterator[Finding]:
    if place.function.is_bits != (place.register_type is RegisterType.BIT):
        kinds = "bit" if place.function.is_bits else "int16, uint16, int32, uint32 or float32"
        yield ("type",), f"does not fit the {place.function.value} table", f"use {kinds}"


def _bit(place: ModbusDocument) -> Iterator[Finding]:
    if place.bit is not None and not 0 <= place.bit <= 15:
        yield ("bit",), f"{place.bit} is no bit of a register", "use 0 (least) to 15"
    of_a_register = place.register_type in (RegisterType.UINT16, RegisterType.INT16)
    if place.bit is not None and not of_a_register:
        yield ("bit",), f"does not fit type {place.register_type.value}", "use type: uint16"
    if place.low_word_first and place.register_type.registers == 1:
        yield ("low_word_first",), "does not fit a single register", "remove it"


def _width(point: PointDocument, place: ModbusDocument) -> Iterator[Finding]:
    """A part of a register: ``width`` bits from ``bit`` upwards."""
    if place.width is None:
        return
    if place.bit is None:
        yield ("width",), "is given without bit", "say with bit where the part begins"
        return
    if place.register_type is not RegisterType.UINT16:
        yield ("width",), f"does not fit type {place.register_type.value}", "use type: uint16"
    if not 2 <= place.width <= 16 - place.bit:
        wrong = f"{place.width} bits from bit {place.bit} are no part of a register"
        yield ("width",), wrong, "use 2 bits or more, and bit + width of 16 or less"
    if point.kind is PointKind.FLAG:
        yield ("width",), "does not fit a flag", "remove it, or use kind: number or state"


def _single_bit(point: PointDocument, place: ModbusDocument) -> Iterator[Finding]:
    of_a_register = place.bit is not None and place.width is None
    if not of_a_register and place.register_type is not RegisterType.BIT:
        return
    if (place.scale, place.offset) != (1.0, 0.0):
        yield ("scale",), "does not fit a single bit", "remove scale and offset"
    if point.kind is PointKind.NUMBER:
        yield (), "is a single bit, and the point is a number", "use kind: flag"


def _address(content: ProfileDocument, place: ModbusDocument) -> Iterator[Finding]:
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


def _resolution(point: PointDocument, place: ModbusDocument) -> Iterator[Finding]:
    """Values are rounded to ``decimals``, so a step finer than that would be lost."""
    if place.register_type is RegisterType.FLOAT32:
        return
    for key, step in (("scale", place.scale), ("offset", place.offset)):
        if not math.isclose(round(step, point.decimals), step, abs_tol=1e-12):
            yield (
                (key,),
                f"{step:g} is finer than {point.decimals} decimals",
                "raise decimals of the point",
            )


def _absent(place: ModbusDocument) -> Iterator[Finding]:
    if place.absent and place.register_type in (RegisterType.BIT, RegisterType.FLOAT32):
        yield ("absent",), f"does not fit type {place.register_type.value}", "remove it"
    part = None if place.bit is None else place.width
    largest = 2 ** (part or 16 * place.register_type.registers) - 1
    what = place.register_type.value if part is None else f"{part} bits"
    for raw in place.absent:
        if not 0 <= raw <= largest:
            yield (
                ("absent",),
                f"{raw} is no raw value of {what}",
                f"write the bits as a whole number from 0 to {largest:#x}",
            )


def _overlaps(content: ProfileDocument) -> Iterator[Finding]:
    """A value of two registers shares neither of them with another point."""
    taken: dict[tuple[str, int], PointDocument] = {}
    for point in content.points:
        with suppress(UnreadableError):
            registers = list(_registers(point))
            if len(registers) > 1:
                for register in registers:
                    taken.setdefault(register, point)
    for at, point in enumerate(content.points):
        with suppress(UnreadableError):
            for register in _registers(point):
                owner = taken.get(register, point)
                if owner is not point:
                    yield (
                        ("points", at, "modbus", "register"),
                        f"register {register[1]} is part of {owner.key}",
                        "check both against the manual",
                    )
                    break


def _registers(point: PointDocument) -> Iterator[tuple[str, int]]:
    """Table and number of each register that the point lies in."""
    place = point.modbus
    if place is not None:
        first = place.register_number
        for number in range(first, first + place.register_type.registers):
            yield place.function.value, number

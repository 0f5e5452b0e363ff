"""A profile's points in the words of the paper that they were taken from, to be held beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.profile.document import ModbusDocument, ParameterDocument
    from gateway.profile.files import ProfileFile


def rows(file: ProfileFile) -> list[list[str]]:
    """One a point: key, both names, unit, range, where it lies, how it is read, its states."""
    found = []
    for point in file.document.points:
        low = "" if point.low is None else f"{point.low:.12g}"
        high = "" if point.high is None else f"{point.high:.12g}"
        span = f"{low}…{high}" if low or high else ""
        where, how = "", ""
        if point.modbus is not None:
            where, how = _where(point.modbus), _how(point.modbus)
        elif point.mqtt is not None:
            where, how = point.mqtt.topic, ".".join(point.mqtt.path)
        elif point.derived is not None:
            how = f"{point.derived.derived().kind.value}({', '.join(point.derived.derived().of)})"
        states = "; ".join(f"{code}={words.zh}" for code, words in point.states.items())
        found.append(
            [point.key, point.name.zh, point.name.en, point.unit, span, where, how, states]
        )
    return found


def step(parameter: ParameterDocument) -> str:
    """How far each step of it moves the registers."""
    if parameter.pack is not None:
        return f"{parameter.pack.bits} bits each, {parameter.pack.order}"
    return f"{parameter.stride} register{'' if parameter.stride == 1 else 's'} each"


def _where(place: ModbusDocument) -> str:
    """Table, register, and the bits of it or how many registers there are, as a manual says it."""
    where = f"{place.function.value} {place.register_number}"
    if place.bit is not None:
        last = place.bit + (place.width or 1) - 1
        return f"{where}.{place.bit}" + ("" if last == place.bit else f"-{last}")
    count = place.registers
    return where + ("" if count == 1 else f"-{place.register_number + count - 1}")


def _how(place: ModbusDocument) -> str:
    """What makes a value of what stands there."""
    said = [place.register_type.value]
    if place.order.value != "ABCD":
        said.append(place.order.value)
    if place.scale != 1:
        said.append(f"×{place.scale:g}")
    if place.offset:
        said.append(f"{place.offset:+g}")
    if place.while_bit is not None:
        said.append(f"while bit {place.while_bit}")
    if place.absent:
        part = place.absent_in
        said.append(f"absent {', '.join(map(hex, place.absent))}")
        said += [] if part is None else [f"in bits {part.bit}-{part.bit + part.width - 1}"]
    return " ".join(said)

"""What is wrong with the way in which a profile's points lie in registers.

Each check ends where it would need a field that is wrong in itself; see
:func:`gateway.files.documents.findings`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.model.point import PointKind
from gateway.model.profile import ByteOrder, RegisterType
from gateway.profile.document import (
    ModbusDocument,
    ParameterDocument,
    PointDocument,
    ProfileDocument,
)

_LAST_ADDRESS = 0xFFFF
_FLOATS = {RegisterType.FLOAT32: (">f", 1 << 23), RegisterType.FLOAT64: (">d", 1 << 52)}
"""Type → struct code, and the smallest bits that are a number of the usual form."""
_OF_REGISTERS = ", ".join(kind.value for kind in RegisterType if kind is not RegisterType.BIT)


def parameter_findings(content: ProfileDocument) -> Iterator[Finding]:
    """What is wrong with the parameters, which move an instance's registers or bits."""
    for name, limits in content.parameters.items():
        for where, wrong, mend in findings(
            _moves(content), _span(limits), _either(limits), _stride(limits)
        ):
            yield ("parameters", name, *where), wrong, mend
    packed = [name for name in content.parameters if _packs(content, name)]
    for name in packed[1:]:
        wrong = f"packs registers, and {packed[0]} does so already"
        yield ("parameters", name, "pack"), wrong, "use stride for one of the two"


def _packs(content: ProfileDocument, name: str) -> bool:
    with suppress(UnreadableError):
        return content.parameters[name].pack is not None
    return False


def _moves(content: ProfileDocument) -> Iterator[Finding]:
    if content.protocol != "modbus":
        yield (), "moves registers, and this profile has none", "remove it"


def _span(limits: ParameterDocument) -> Iterator[Finding]:
    if limits.low > limits.high:
        yield ("low",), f"is above high ({limits.high})", "exchange the two"


def _either(limits: ParameterDocument) -> Iterator[Finding]:
    if limits.stride is None and limits.pack is None:
        yield (), "moves nothing", "say stride: registers from one to the next, or pack: {bits: …}"
    elif limits.stride is not None and limits.pack is not None:
        yield ("pack",), "is given beside stride", "keep one of the two"


def _stride(limits: ParameterDocument) -> Iterator[Finding]:
    if limits.stride is not None and limits.stride < 1:
        yield ("stride",), f"is {limits.stride}", "use 1 register or more"


def place_findings(
    content: ProfileDocument, point: PointDocument, place: ModbusDocument
) -> Iterator[Finding]:
    """What is wrong with the place of one point."""
    yield from findings(
        _kind(point, place),
        _table(place),
        _bit(place),
        _width(point, place),
        _single_bit(point, place),
        _order(place),
        _length(place),
        _plain_text(place),
        _packed(content, place),
        _address(content, place),
        _request(content, place),
        _scale(place),
        _resolution(point, place),
        _absent(place),
        _absent_in(content, place),
        _while_bit(content, point, place),
    )


def _kind(point: PointDocument, place: ModbusDocument) -> Iterator[Finding]:
    ascii_type = place.register_type is RegisterType.ASCII
    if point.kind is PointKind.TEXT and not ascii_type:
        yield (), "cannot hold a text", "use type: ascii with its length, or another kind"
    elif ascii_type and point.kind is not PointKind.TEXT:
        yield ("type",), f"is a text, and the point is a {point.kind.value}", "use kind: text"


def _table(place: ModbusDocument) -> Iterator[Finding]:
    if place.function.is_bits != (place.register_type is RegisterType.BIT):
        kinds = "bit" if place.function.is_bits else _OF_REGISTERS
        yield ("type",), f"does not fit the {place.function.value} table", f"use one of {kinds}"


def _bit(place: ModbusDocument) -> Iterator[Finding]:
    if place.bit is not None and not 0 <= place.bit <= 15:
        yield ("bit",), f"{place.bit} is no bit of a register", "use 0 (least) to 15"
    of_a_register = place.register_type in (RegisterType.UINT16, RegisterType.INT16)
    if place.bit is not None and not of_a_register:
        yield ("bit",), f"does not fit type {place.register_type.value}", "use type: uint16"


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


def _order(place: ModbusDocument) -> Iterator[Finding]:
    if place.order is ByteOrder.ABCD:
        return
    if place.register_type is RegisterType.BIT:
        yield ("order",), "does not fit a bit", "remove it"
    elif place.registers == 1 and place.order is ByteOrder.CDAB:
        mend = "remove it, or use BADC to exchange the bytes of the register"
        yield ("order",), "exchanges words, and the value has one", mend


def _length(place: ModbusDocument) -> Iterator[Finding]:
    if place.register_type is not RegisterType.ASCII:
        if place.length is not None:
            wrong = f"does not fit type {place.register_type.value}"
            yield ("length",), wrong, "remove it; length is for type: ascii"
    elif place.length is None:
        yield ("length",), "is missing", "say how many registers the text takes"
    elif place.length < 1:
        yield ("length",), f"is {place.length}", "use 1 register or more"


def _plain_text(place: ModbusDocument) -> Iterator[Finding]:
    if place.register_type is not RegisterType.ASCII:
        return
    if (place.scale, place.offset) != (1.0, 0.0):
        yield ("scale",), "does not fit a text", "remove scale and offset"
    if place.absent:
        yield ("absent",), "does not fit a text", "remove it"


def _packed(content: ProfileDocument, place: ModbusDocument) -> Iterator[Finding]:
    """Where instances share a register, a point is a part of the register, within one share."""
    for name, limits in content.parameters.items():
        if limits.pack is None:
            continue
        bits = limits.pack.bits
        if place.function.is_bits:
            wrong = f"is a table of bits, and parameter {name} packs registers"
            yield ("function",), wrong, f"use stride: {bits} for {name} instead of pack"
        elif place.bit is None:
            wrong = f"is missing, and parameter {name} packs several values into a register"
            yield ("bit",), wrong, f"say at which bit the value lies where {name} is {limits.low}"
        elif place.bit % bits + (place.width or 1) > bits:
            wrong = f"begins a part that reaches beyond its {bits} bits (pack of {name})"
            mend = f"begin at a multiple of {bits}, with a width of at most {bits}"
            yield ("bit",), wrong, mend


def _address(content: ProfileDocument, place: ModbusDocument) -> Iterator[Finding]:
    first = place.register_number - content.first_register
    reach = sum(_reach(limits, place) for limits in content.parameters.values())
    last = first + max(reach, 0) + place.registers - 1
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


def _reach(limits: ParameterDocument, place: ModbusDocument) -> int:
    """How many registers the last instance lies behind the first."""
    steps = max(limits.high - limits.low, 0)
    if limits.pack is not None:
        return limits.pack.moved(place.bit or 0, steps)[0]
    return steps * (limits.stride or 0)


def _request(content: ProfileDocument, place: ModbusDocument) -> Iterator[Finding]:
    most = content.limits.registers
    if not place.function.is_bits and place.registers > most:
        where = ("length",) if place.register_type is RegisterType.ASCII else ("type",)
        wrong = f"takes {place.registers} registers, and one request reads at most {most}"
        yield where, wrong, "raise limits.registers, or take a shorter type"


def _scale(place: ModbusDocument) -> Iterator[Finding]:
    if place.scale == 0:
        yield ("scale",), "is 0: every value would be the offset", "use another scale"


def _resolution(point: PointDocument, place: ModbusDocument) -> Iterator[Finding]:
    """Values are rounded to ``decimals``: two raw values must not become one."""
    if place.register_type in _FLOATS or place.scale == 0:
        return
    if abs(place.scale) < 10.0**-point.decimals * (1 - 1e-9):
        wrong = f"{place.scale:g} is finer than {point.decimals} decimals"
        yield ("scale",), wrong, "raise decimals of the point"


def _absent(place: ModbusDocument) -> Iterator[Finding]:
    if place.register_type is RegisterType.ASCII:
        return
    if place.absent and place.register_type is RegisterType.BIT:
        yield ("absent",), f"does not fit type {place.register_type.value}", "remove it"
    part = None if place.bit is None else place.width
    if place.absent_in is not None:
        part = place.absent_in.width
    largest = 2 ** (part or 16 * place.registers) - 1
    what = place.register_type.value if part is None else f"{part} bits"
    for raw in place.absent:
        if not 0 <= raw <= largest:
            yield (
                ("absent",),
                f"{raw} is no raw value of {what}",
                f"write the bits as a whole number from 0 to {largest:#x}",
            )
        else:
            yield from _absent_float(place, raw)


def _absent_in(content: ProfileDocument, place: ModbusDocument) -> Iterator[Finding]:
    """The device says "not available" in another part of the register than the value lies in."""
    said = place.absent_in
    if said is None:
        return
    if not place.absent:
        yield ("absent_in",), "is given without absent", "say with absent what stands there"
    yield from _one_register(content, place, "absent_in")
    if not 0 <= said.bit <= 15 or not 1 <= said.width <= 16 - said.bit:
        wrong = f"{said.width} bits from bit {said.bit} are no part of a register"
        yield ("absent_in",), wrong, "use bit 0 to 15, and bit + width of 16 or less"


def _while_bit(
    content: ProfileDocument, point: PointDocument, place: ModbusDocument
) -> Iterator[Finding]:
    """While the bit is not set the part counts as 0, which must then be one of the states."""
    if place.while_bit is None:
        return
    yield from _one_register(content, place, "while_bit")
    if not 0 <= place.while_bit <= 15:
        yield ("while_bit",), f"{place.while_bit} is no bit of a register", "use 0 to 15"
    if point.kind is not PointKind.STATE or place.width is None:
        yield ("while_bit",), "is only for a state in a part of a register", "remove it"
        return
    if place.bit is not None and 0 <= place.while_bit - place.bit < place.width:
        yield ("while_bit",), "is a bit of the part itself", "name the bit that makes it valid"
    if (place.scale, place.offset) != (1.0, 0.0):
        yield ("scale",), "does not fit a part with while_bit", "remove scale and offset"
    if 0 not in point.states:
        mend = "add states: {0: …}: what holds while the bit is not set"
        yield ("while_bit",), "makes the state 0, which has no text", mend


def _one_register(content: ProfileDocument, place: ModbusDocument, key: str) -> Iterator[Finding]:
    if place.register_type not in (RegisterType.UINT16, RegisterType.INT16):
        yield (key,), f"does not fit type {place.register_type.value}", "use type: uint16"
    for name, limits in content.parameters.items():
        if limits.pack is not None:
            wrong = f"does not fit parameter {name}, which packs registers"
            yield (key,), wrong, "use stride, or remove it"


def _absent_float(place: ModbusDocument, raw: int) -> Iterator[Finding]:
    """9999 instead of the bits of 9999.0 would never be met, and 9999.0 be shown as a value."""
    code, usual = _FLOATS.get(place.register_type, ("", 0))
    if 0 < raw < usual:
        meant = int.from_bytes(struct.pack(code, raw), "big")
        wrong = f"{raw} as the bits of a {place.register_type.value} is next to nothing"
        yield ("absent",), wrong, f"write the bits: {meant:#x} stands for {raw}.0"


def overlaps(content: ProfileDocument) -> Iterator[Finding]:
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
        for number in range(first, first + place.registers):
            yield place.function.value, number

"""One row of a point table → one point as a profile file has it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.model.profile import Function, RegisterType
from gateway.table.cells import (
    Address,
    CellError,
    bits,
    kind_of_point,
    kind_of_register,
    number,
    order,
    plain,
    scale,
    span,
    states,
    unit,
    whole,
    wholes,
    yes,
)
from gateway.table.words import NO_UNIT

_DIGITS_OF_FLOATS = 3
_MOST_DIGITS = 6
_WIDER = {
    (RegisterType.UINT16, 2): RegisterType.UINT32,
    (RegisterType.UINT16, 4): RegisterType.UINT64,
    (RegisterType.INT16, 2): RegisterType.INT32,
    (RegisterType.INT16, 4): RegisterType.INT64,
}
_NO_STATES = {0: {"zh": "否", "en": "No"}, 1: {"zh": "是", "en": "Yes"}}
_LONGEST_KEY = 48
_DERIVED = re.compile(
    r"(run_hours|starts|delta|difference)\s*[:：]\s*([a-z0-9_,\s]+?)(?:\s+rollover=(\S+))?"
)
T = TypeVar("T")
Wrong = tuple[str, str, str]
"""Field, what is wrong, the mend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of the table, its cells by field; empty ones are left out."""

    line: int
    texts: Mapping[str, str]
    numbers: Set[str]
    """Fields that the file holds as numbers."""
    cells: int
    """Cells that hold something, of whatever column."""


class PointRow:
    """Reads one row. ``read`` gives what the cell of a field says, or None: it is empty, or wrong
    and told elsewhere. ``taken``: keys of earlier points; grows."""

    def __init__(
        self,
        row: Row,
        read: Callable[[str, Callable[[str], Any]], Any],
        taken: set[str],
        *,
        in_bytes: bool,
    ) -> None:
        self._row, self._read, self._taken, self._in_bytes = row, read, taken, in_bytes
        self.problems: list[Wrong] = []
        self.key_was_made = False

    def point(self, found: Address | None, where: tuple[Function, int] | None) -> dict[str, Any]:
        """The point; worth nothing if there are problems. ``where``: function and register."""
        zh, en = self._names()
        modbus = None if found is None or where is None else self._modbus(found, *where)
        said_unit, _ = self._unit()
        named = self._read("states", states) or {}
        kind = self._read("kind", kind_of_point) or _kind(modbus, named)
        if kind == "flag" and not named:
            named = _NO_STATES
        made: dict[str, Any] = {
            "key": self._key(en, zh, where, modbus),
            "name": {"zh": zh or en, "en": en or zh},
            "kind": kind,
        }
        if said_unit:
            made["unit"] = said_unit
        decimals = self._read("decimals", whole)
        if decimals is None and kind == "number":
            decimals = _decimals(modbus)
        if decimals:
            made["decimals"] = decimals
        made.update(self._limits(kind))
        if named:
            made["states"] = dict(named)
        every = self._read("every", whole)
        if every is not None and every != 1:
            made["group"] = f"every-{every}"
        deadband = self._read("deadband", number)
        if deadband is not None:
            made["deadband"] = deadband
        if "keep_every" in self._row.texts:
            made["keep_every"] = self._row.texts["keep_every"]
        made["source"] = self._source()
        if modbus is not None:
            made["modbus"] = modbus
        derived = self._read("derived", derived_of)
        if derived is not None:
            made["derived"] = derived
        if self._read("write", yes):
            made["write"] = {}
        return made

    def _names(self) -> tuple[str, str]:
        said = self._row.texts
        zh, en = (" ".join(said.get(field, "").split()) for field in ("name", "name_en"))
        if not zh and not en:
            self.problems.append(("name", "is empty", "name the point"))
        return zh, en

    def _unit(self) -> tuple[str, float | None]:
        said: tuple[str, float | None] | None = self._read("unit", unit)
        if said is None or said[0].lower() in NO_UNIT:
            return "", None
        return said

    # -- where it lies ----------------------------------------------------------------------------

    def _modbus(self, found: Address, function: Function, register: int) -> dict[str, Any]:
        place: dict[str, Any] = {"function": function.value, "register": register}
        kind, told_order = self._type(found, function)
        single = kind is RegisterType.BIT and not function.is_bits
        if kind is not None and not single and kind is not _usual(function):
            place["type"] = kind.value
        bit, width = self._bits(found)
        if bit is not None:
            place["bit"] = bit
        elif single:
            self.problems.append(
                ("type", "is a bit of a register", "say which, in a column 位/bit or as 40001.3")
            )
        if width is not None:
            place["width"] = width
        byte_order = self._read("order", order) or told_order
        if byte_order is not None and byte_order.value != "ABCD" and not function.is_bits:
            place["order"] = byte_order.value
        if kind is RegisterType.ASCII:
            place["length"] = self._count(found) or 1
        place.update(self._scaling())
        absent = self._read("absent", wholes)
        if absent:
            place["absent"] = list(absent)
        part = self._read("absent_in", bits)
        if part is not None:
            place["absent_in"] = {"bit": part[0], "width": part[1] or 1}
        valid = self._read("while_bit", bits)
        if valid is not None:
            place["while_bit"] = valid[0]
        return place

    def _bits(self, found: Address) -> tuple[int | None, int | None]:
        bit, width = self._read("bit", bits) or (None, None)
        said = self._read("width", whole)
        if found.bit is not None and bit is not None and found.bit != bit:
            wrong = f"says bit {bit}, and the register says bit {found.bit}"
            self.problems.append(("bit", wrong, "keep one of the two"))
        bit = found.bit if bit is None else bit
        width = said if said is not None else width
        return bit, None if width == 1 else width

    def _count(self, found: Address) -> int | None:
        count = self._read("count", whole)
        if count is not None and self._in_bytes:
            count = (count + 1) // 2
        if count is not None and found.count is not None and count != found.count:
            wrong = f"says {count} registers, and the register says {found.count}"
            self.problems.append(("count", wrong, "keep one of the two"))
        return found.count if count is None else count

    def _type(self, found: Address, function: Function) -> tuple[RegisterType | None, Any]:
        said = self._read("type", kind_of_register)
        count = self._count(found)
        if said is None:
            if count is not None and count > 1 and "type" not in self._row.texts:
                wrong = f"is not said, and there are {count} registers"
                self.problems.append(("type", wrong, "say float32, uint32, int32 or ascii"))
            return None, None
        kind, widens, told_order = said
        if widens and count is not None:
            kind = _WIDER.get((kind, count), kind)
        if count is not None and not function.is_bits and kind.registers not in (0, count):
            wrong = f"{kind.value} takes {kind.registers} registers, and {count} are said"
            self.problems.append(("type", wrong, "mend one of the two"))
        return kind, told_order

    def _scaling(self) -> dict[str, float]:
        factor = self._read("scale", scale)
        divisor = self._read("divisor", number)
        _, before_unit = self._unit()
        if divisor == 0:
            self.problems.append(("divisor", "is 0", "write what the raw value is divided by"))
        elif divisor is not None:
            factor = 1 / divisor if factor is None else factor / divisor
        if before_unit is not None:
            # 0.1 V in one table is the scale itself, in another it says the scale once more.
            if factor is not None and not math.isclose(factor, before_unit):
                wrong = f"says {before_unit:g}, and the scale is {factor:g}"
                self.problems.append(("unit", wrong, "keep the factor in one place"))
            factor = before_unit
        offset = self._read("offset", number)
        made = {}
        if factor is not None and factor != 1:
            made["scale"] = factor
        if offset:
            made["offset"] = offset
        return made

    # -- what it may be ---------------------------------------------------------------------------

    def _limits(self, kind: str) -> dict[str, float]:
        low, high = self._read("low", number), self._read("high", number)
        between = self._read("range", span) if kind == "number" else None
        if between is not None:
            low = between[0] if low is None else low
            high = between[1] if high is None else high
        return {key: v for key, v in (("low", low), ("high", high)) if v is not None}

    def _source(self) -> str:
        said = self._row.texts
        if "source" in said:
            return " ".join(said["source"].split())[:500]
        register = plain(said.get("register", ""))
        told = f"row {self._row.line} of the point table"
        told = f"{told}, register {register}" if register else told
        remark = " ".join(said.get("remark", "").split())
        return f"{told}; {remark}"[:500] if remark else told

    def _key(
        self,
        en: str,
        zh: str,
        where: tuple[Function, int] | None,
        modbus: Mapping[str, Any] | None,
    ) -> str:
        said = self._row.texts.get("key")
        if said is not None:
            return said
        self.key_was_made = True
        base = re.sub(r"[^a-z0-9]+", "_", plain(en or zh).lower()).strip("_")[:_LONGEST_KEY]
        foreign = any(ord(char) > 127 for char in plain(en or zh))
        if foreign or not re.match(r"[a-z]", base):
            base = "point" if where is None else f"{where[0].value}_{where[1]}"
            bit = None if modbus is None else modbus.get("bit")
            base = base if bit is None else f"{base}_bit{bit}"
        key, count = base, 1
        while key in self._taken:
            count += 1
            key = f"{base}_{count}"
        self._taken.add(key)
        return key


def derived_of(text: str) -> dict[str, Any]:
    """``run_hours: running``, ``delta: energy rollover=100000``, ``difference: a, b``."""
    match = _DERIVED.fullmatch(text.strip())
    if match is None:
        raise CellError(
            f"{text!r} is no derived point",
            "write run_hours: KEY, starts: KEY, delta: KEY or difference: KEY, KEY",
        )
    keys = [key.strip() for key in match[2].split(",")]
    made: dict[str, Any] = {match[1]: keys if match[1] == "difference" else match[2].strip()}
    if match[3] is not None:
        made["rollover"] = number(match[3])
    return made


def _usual(function: Function) -> RegisterType:
    return RegisterType.BIT if function.is_bits else RegisterType.UINT16


def _kind(modbus: Mapping[str, Any] | None, named: Mapping[int, Any]) -> str:
    if modbus is None:
        return "number"
    if modbus.get("type") == "ascii":
        return "text"
    single = "bit" in modbus and "width" not in modbus
    if single or Function(modbus["function"]).is_bits:
        return "flag"
    return "state" if named else "number"


def _decimals(modbus: Mapping[str, Any] | None) -> int:
    """As many digits as scale and offset need; of a float enough for what people read."""
    if modbus is None:
        return 0
    if modbus.get("type") in ("float32", "float64"):
        return _DIGITS_OF_FLOATS
    steps = (modbus.get("scale", 1.0), modbus.get("offset", 0.0))
    for digits in range(_MOST_DIGITS):
        if all(math.isclose(round(step, digits), step, abs_tol=1e-12) for step in steps):
            return digits
    return _MOST_DIGITS

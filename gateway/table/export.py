"""A profile → its point table, in the columns that an import understands. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.files.durations import write
from gateway.profile.document import (
    DerivedDocument,
    ModbusDocument,
    ParameterDocument,
    PointDocument,
    ProfileDocument,
)
from gateway.profile.files import ProfileFile
from gateway.table.cells import CellError, states
from gateway.table.sheet import Cell

_NOTHING = Cell(text="")

Column = Callable[[PointDocument, ProfileDocument], Any]


def _every(point: PointDocument, content: ProfileDocument) -> int | None:
    return None if point.group is None else content.groups[point.group].every


_COLUMNS: Mapping[str, Column] = {
    "key 标识": lambda point, _: point.key,
    "name 名称": lambda point, _: point.name.zh,
    "name_en 英文名称": lambda point, _: point.name.en,
    "kind 测点类型": lambda point, _: point.kind.value,
    "function 功能码": lambda point, _: _of(point.modbus, lambda place: place.function.code),
    "register 地址": lambda point, _: _of(point.modbus, lambda place: str(place.register_number)),
    "bit 位": lambda point, _: _of(point.modbus, lambda place: place.bit),
    "width 位宽": lambda point, _: _of(point.modbus, lambda place: place.width),
    "type 数据类型": lambda point, _: _of(point.modbus, lambda place: place.register_type.value),
    "order 字节序": lambda point, _: _of(point.modbus, _order),
    "count 寄存器数": lambda point, _: _of(point.modbus, lambda place: place.registers),
    "scale 倍率": lambda point, _: _of(point.modbus, lambda place: place.scale),
    "offset 偏移量": lambda point, _: _of(point.modbus, lambda place: place.offset),
    "absent 无效值": lambda point, _: _of(point.modbus, _absent),
    "absent_in 无效值所在位": lambda point, _: _of(point.modbus, _absent_in),
    "while_bit 有效位": lambda point, _: _of(point.modbus, lambda place: place.while_bit),
    "unit 单位": lambda point, _: point.unit,
    "decimals 小数位": lambda point, _: point.decimals,
    "low 下限": lambda point, _: point.low,
    "high 上限": lambda point, _: point.high,
    "states 状态": lambda point, _: _states(point),
    "every 轮询倍数": _every,
    "deadband 死区": lambda point, _: point.deadband,
    "keep_every 存储周期": lambda point, _: (
        None if point.keep_every is None else write(point.keep_every)
    ),
    "write 可写": lambda point, _: None if point.write is None else "yes",
    "derived 派生": lambda point, _: None if point.derived is None else _derived(point.derived),
    "source 来源": lambda point, _: point.source,
}


def rows_of(file: ProfileFile) -> Sequence[Sequence[Cell]]:
    """The rows of the point table of a Modbus profile: what it is, headings, points."""
    content = file.document
    used = {
        heading: cells
        for heading, column in _COLUMNS.items()
        if (cells := [_cell(column(point, content)) for point in content.points])
        and any(cell.text for cell in cells)
    }
    head = [[Cell(text=f"#{key}"), Cell(text=said)] for key, said in _head(content).items() if said]
    headings = [Cell(text=heading) for heading in used]
    return [*head, headings, *(list(row) for row in zip(*used.values(), strict=True))]


def _head(content: ProfileDocument) -> Mapping[str, str]:
    limits = content.limits
    plain = type(limits)()
    return {
        "profile": content.profile,
        "class": content.equipment_class,
        "generic": ", ".join(content.generic),
        "vendor": content.vendor,
        "model_zh": content.model.zh,
        "model_en": content.model.en,
        "verified": content.verified,
        "source": content.source,
        "first_register": str(content.first_register),
        "limits": ""
        if limits == plain
        else f"registers={limits.registers} bits={limits.bits} gap={limits.gap}",
        **{f"parameter {name}": _parameter(one) for name, one in content.parameters.items()},
    }


def _parameter(said: ParameterDocument) -> str:
    told = f"low={said.low} high={said.high}"
    if said.pack is not None:
        return f"{told} bits={said.pack.bits} order={said.pack.order}"
    return told if said.stride is None else f"{told} stride={said.stride}"


def _cell(value: Any) -> Cell:
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, int | float):
        return Cell(text=f"{value:.15g}", is_number=True)
    return Cell(text=str(value))


def _of(place: ModbusDocument | None, read: Callable[[ModbusDocument], Any]) -> Any:
    return None if place is None else read(place)


def _order(place: ModbusDocument) -> str | None:
    return None if place.order.value == "ABCD" else place.order.value


def _absent_in(place: ModbusDocument) -> str | None:
    part = place.absent_in
    return None if part is None else f"{part.bit}-{part.bit + part.width - 1}"


def _absent(place: ModbusDocument) -> str:
    return ", ".join(f"0x{raw:04X}" for raw in place.absent)


def _states(point: PointDocument) -> str | None:
    if not point.states:
        return None
    named = {code: {"zh": said.zh, "en": said.en} for code, said in point.states.items()}
    told = "; ".join(f"{code}={said['zh']}|{said['en']}" for code, said in named.items())
    try:
        if states(told) == named:
            return told
    except CellError:
        pass
    return json.dumps(named, ensure_ascii=False)  # a name that holds what separates them


def _derived(said: DerivedDocument) -> str:
    how = said.derived()
    rollover = "" if how.rollover is None else f" rollover={how.rollover:.15g}"
    return f"{how.kind.value}: {', '.join(how.of)}{rollover}"

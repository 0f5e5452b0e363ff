"""One piece of equipment in the register, and what is wrong with what is said of it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from itertools import pairwise

from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.register.book import RegisterBook

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CLASS = re.compile(r"[a-z][a-z0-9_]{0,63}")
_UNSEEN = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
EARLIEST, LATEST = date(1949, 10, 1), date(2199, 12, 31)
MOST_DATES, MOST_PARTS = 30, 200
_MOST_QUANTITY = 1e9


class Kind(StrEnum):
    """What an attribute holds."""

    TEXT = "text"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    name: Text
    kind: Kind = Kind.TEXT
    most: int = 100
    """Characters."""


ATTRIBUTES: Mapping[str, Attribute] = {
    "name_zh": Attribute(name=Text(zh="名称", en="Name")),
    "name_en": Attribute(name=Text(zh="英文名称", en="English name")),
    "area": Attribute(name=Text(zh="区域", en="Area"), most=64),
    "equipment_class": Attribute(name=Text(zh="类别", en="Class"), most=64),
    "model": Attribute(name=Text(zh="型号", en="Model")),
    "serial": Attribute(name=Text(zh="出厂编号", en="Serial number")),
    "manufacturer": Attribute(name=Text(zh="制造商", en="Manufacturer")),
    "purchased_on": Attribute(name=Text(zh="采购日期", en="Purchased on"), kind=Kind.DATE),
    "installed_on": Attribute(name=Text(zh="安装日期", en="Installed on"), kind=Kind.DATE),
    "commissioned_on": Attribute(name=Text(zh="投用日期", en="Commissioned on"), kind=Kind.DATE),
    "warranty_until": Attribute(name=Text(zh="保修至", en="Warranty until"), kind=Kind.DATE),
    "retired_on": Attribute(name=Text(zh="报废日期", en="Retired on"), kind=Kind.DATE),
    "supplier": Attribute(name=Text(zh="供应商", en="Supplier")),
    "supplier_phone": Attribute(name=Text(zh="供应商电话", en="Supplier's telephone"), most=40),
    "team": Attribute(name=Text(zh="责任班组", en="Responsible team"), most=64),
    "place": Attribute(name=Text(zh="安装位置", en="Place"), most=200),
    "remark": Attribute(name=Text(zh="备注", en="Remark"), most=500),
}
"""What the register says of a piece of equipment, in the order in which people read it."""
SAID_BY_FILE = ("name_zh", "name_en", "area", "equipment_class")
"""Of equipment in the site file, that says these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """None: not said."""

    name_zh: str | None = None
    name_en: str | None = None
    area: str | None = None
    equipment_class: str | None = None
    model: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    purchased_on: date | None = None
    installed_on: date | None = None
    commissioned_on: date | None = None
    warranty_until: date | None = None
    retired_on: date | None = None
    supplier: str | None = None
    supplier_phone: str | None = None
    team: str | None = None
    place: str | None = None
    remark: str | None = None

    def values(self) -> dict[str, str | date | None]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDate:
    """A date that law or contract set."""

    kind: str
    last_on: date | None = None
    next_due: date
    who: str | None = None
    """Who does it: an office, a firm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SparePart:
    name: str
    model: str | None = None
    quantity: float
    minimum: float | None = None
    place: str | None = None

    @property
    def is_low(self) -> bool:
        return self.minimum is not None and self.quantity < self.minimum


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    equipment: str
    version: int = 0
    """How often it was changed; 0: never written."""
    attributes: Attributes = field(default_factory=Attributes)
    dates: tuple[DueDate, ...] = ()
    parts: tuple[SparePart, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a record may name."""

    site: Site
    teams: Collection[str]
    book: RegisterBook


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    field: str
    """An attribute, or ``dates.KIND`` or ``parts.NAME``."""
    before: str | None
    after: str | None


Complaint = tuple[str, Text]
"""Which field is wrong, and how."""


def check(record: Record, known: Known) -> Iterator[Complaint]:
    """Everything that is wrong with ``record``; of dates and parts the field is
    ``dates.INDEX.NAME`` or ``parts.INDEX.NAME``."""
    yield from check_attributes(record, known)
    if len(record.dates) > MOST_DATES:
        yield "dates", Text(zh=f"最多 {MOST_DATES} 项", en=f"are {MOST_DATES} at most")
    seen: set[str] = set()
    for at, one in enumerate(record.dates):
        for name, wrong in check_date(one, known, seen):
            yield f"dates.{at}.{name}", wrong
        seen.add(one.kind)
    if len(record.parts) > MOST_PARTS:
        yield "parts", Text(zh=f"最多 {MOST_PARTS} 项", en=f"are {MOST_PARTS} at most")
    for at, part in enumerate(record.parts):
        for name, wrong in check_part(part):
            yield f"parts.{at}.{name}", wrong


def check_attributes(record: Record, known: Known) -> Iterator[Complaint]:
    values = record.attributes.values()
    for name, value in values.items():
        yield from _check_value(name, value, ATTRIBUTES[name].most)
    yield from _check_place(record, known)
    team = record.attributes.team
    if team is not None and team not in known.teams:
        yield "team", Text(zh=f"没有班组 {team}", en=f"there is no team {team}")
    order = ("purchased_on", "installed_on", "commissioned_on", "retired_on")
    given = [(name, day) for name in order if isinstance(day := values[name], date)]
    for (before, one), (after, other) in pairwise(given):
        if other < one:
            first = ATTRIBUTES[before].name
            yield after, Text(zh=f"早于{first.zh}", en=f"is before: {first.en.lower()}")


def _check_place(record: Record, known: Known) -> Iterator[Complaint]:
    """Where it is and what it is: of what the site file has, that says so."""
    values, site = record.attributes.values(), known.site
    reached = site.equipment.get(record.equipment)
    if reached is not None:
        for name, said in said_by_file(site, record.equipment).items():
            if values[name] not in (None, said):
                wrong = Text(
                    zh=f"由站点文件规定为“{said}”，请在那里修改",
                    en=f"is {said!r} by the site file: change it there",
                )
                yield name, wrong
        return
    if _ID.fullmatch(record.equipment) is None or record.equipment in site.areas:
        wrong = Text(
            zh="编号应为小写字母、数字和连字符，且不能与区域同名",
            en="is no id: lower-case letters, digits and hyphens, and no area's",
        )
        yield "equipment", wrong
    for name in ("name_zh", "area", "equipment_class"):
        if values[name] is None:
            wrong = Text(
                zh="站点文件中没有此设备，必须填写", en="is needed: it is not in the site file"
            )
            yield name, wrong
    area, given = record.attributes.area, record.attributes.equipment_class
    if area is not None and area not in site.areas:
        yield "area", Text(zh=f"没有区域 {area}", en=f"there is no area {area}")
    if given is not None and _CLASS.fullmatch(given) is None:
        wrong = Text(
            zh="类别应为小写字母、数字和下划线", en="is no class: lower-case letters, digits and _"
        )
        yield "equipment_class", wrong


def check_date(one: DueDate, known: Known, seen: Collection[str]) -> Iterator[Complaint]:
    """``seen``: the kinds that the equipment has already."""
    if one.kind not in known.book.date_kinds:
        some = ", ".join(sorted(known.book.date_kinds))
        yield "kind", Text(zh=f"没有这种日期，可用：{some}", en=f"is none of {some}")
    elif one.kind in seen:
        yield "kind", Text(zh="重复", en="is there twice")
    yield from _check_value("last_on", one.last_on)
    yield from _check_value("next_due", one.next_due)
    yield from _check_value("who", one.who)
    if one.last_on is not None and one.next_due < one.last_on:
        yield "next_due", Text(zh="早于上次日期", en="is before the last one")


def check_part(one: SparePart) -> Iterator[Complaint]:
    if not one.name:
        yield "name", Text(zh="必须填写", en="is needed")
    for name in ("name", "model", "place"):
        yield from _check_value(name, getattr(one, name))
    for name, number in (("quantity", one.quantity), ("minimum", one.minimum)):
        if number is not None and not (math.isfinite(number) and 0 <= number <= _MOST_QUANTITY):
            yield name, Text(zh="应为不小于 0 的数", en="is a number from 0")


def _check_value(name: str, value: str | date | None, most: int = 100) -> Iterator[Complaint]:
    if isinstance(value, date) and not EARLIEST <= value <= LATEST:
        yield name, Text(zh="日期不合理", en=f"is between {EARLIEST} and {LATEST}")
    if isinstance(value, str) and len(value) > most:
        yield name, Text(zh=f"最多 {most} 个字", en=f"has {most} characters at most")
    if isinstance(value, str) and _UNSEEN.search(value):
        yield name, Text(zh="含有不可见字符", en="holds a character that nobody sees")


def said_by_file(site: Site, equipment: str) -> dict[str, str]:
    """What the site file says of equipment that it has."""
    thing = site.equipment[equipment]
    said = (thing.name.zh, thing.name.en, thing.area, thing.equipment_class)
    return dict(zip(SAID_BY_FILE, said, strict=True))


def without_said(record: Record, site: Site) -> Attributes:
    """Its attributes but those that the site file says."""
    values = record.attributes.values()
    if record.equipment in site.equipment:
        values.update(dict.fromkeys(SAID_BY_FILE))
    return Attributes(**values)  # type: ignore[arg-type]


def differences(before: Record, after: Record) -> list[FieldChange]:
    """What is said otherwise in ``after``."""
    old = {**_words(before.attributes.values()), **_of_lists(before)}
    new = {**_words(after.attributes.values()), **_of_lists(after)}
    return [
        FieldChange(field=name, before=old.get(name), after=new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]


def _words(values: Mapping[str, str | date | None]) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in values.items()}


def _of_lists(record: Record) -> dict[str, str]:
    said = {f"dates.{one.kind}": _line(one.last_on, one.next_due, one.who) for one in record.dates}
    for part in record.parts:
        key = f"parts.{part.name}"
        line = _line(part.model, f"{part.quantity:g}", part.minimum, part.place)
        said[key] = f"{said[key]}; {line}" if key in said else line
    return said


def _line(*said: object) -> str:
    return " / ".join("—" if one is None else f"{one}" for one in said)

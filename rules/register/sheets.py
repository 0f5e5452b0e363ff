"""The register as the cells of a workbook, and back: a sheet of equipment, one of dates, one of
spare parts.

A column is known by its key, by its name, or by both as they are written out. A column that is not
there leaves what it would say; an empty cell takes it away. Where the sheet of dates or of parts
is there, it says all dates or parts of every equipment that the workbook names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Generic, TypeVar

from gateway.model.point import Text
from rules.register.cells import (
    Cell,
    CellError,
    index,
    is_empty,
    letter,
    to_day,
    to_number,
    to_text,
)
from rules.register.record import (
    ATTRIBUTES,
    MOST_DATES,
    MOST_PARTS,
    Attributes,
    DueDate,
    Kind,
    Known,
    Record,
    SparePart,
    check_attributes,
    check_date,
    check_part,
    said_by_file,
    without_said,
)

Cells = Sequence[Sequence[Cell]]
T = TypeVar("T")

EQUIPMENT_SHEET, DATES_SHEET, PARTS_SHEET = "台账", "法定日期", "备件"
MOST_ROWS = {EQUIPMENT_SHEET: 5000, DATES_SHEET: 15_000, PARTS_SHEET: 25_000}

_EQUIPMENT = Text(zh="设备编号", en="Equipment")
_VERSION = Text(zh="版本", en="Version")
COLUMNS: Mapping[str, Mapping[str, Text]] = {
    EQUIPMENT_SHEET: {
        "equipment": _EQUIPMENT,
        **{key: one.name for key, one in ATTRIBUTES.items()},
        "version": _VERSION,
    },
    DATES_SHEET: {
        "equipment": _EQUIPMENT,
        "kind": Text(zh="类型", en="Kind"),
        "last_on": Text(zh="上次日期", en="Last on"),
        "next_due": Text(zh="下次到期", en="Next due"),
        "who": Text(zh="执行单位", en="Done by"),
    },
    PARTS_SHEET: {
        "equipment": _EQUIPMENT,
        "name": Text(zh="名称", en="Name"),
        "model": Text(zh="型号", en="Model"),
        "quantity": Text(zh="数量", en="Quantity"),
        "minimum": Text(zh="最低库存", en="Minimum"),
        "place": Text(zh="存放位置", en="Place"),
    },
}
_NEEDED = {
    EQUIPMENT_SHEET: ("equipment",),
    DATES_SHEET: ("equipment", "kind", "next_due"),
    PARTS_SHEET: ("equipment", "name", "quantity"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Misplaced:
    """What is wrong, and in which cell."""

    sheet: str
    row: int
    """As the program shows it, from 1."""
    column: str
    """A letter."""
    wrong: Text

    @property
    def where(self) -> str:
        return f"{self.sheet}!{self.column}{self.row}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What a workbook would do; nothing where anything is wrong."""

    changed: Sequence[tuple[Record, Record]]
    """Before and after, of those that would change."""
    unchanged: int
    errors: Sequence[Misplaced]


def header(sheet: str, key: str) -> str:
    """As it is written out, and may be read back in either part."""
    return f"{COLUMNS[sheet][key].zh} {key}"


def written(records: Iterable[Record], known: Known) -> dict[str, list[list[Cell]]]:
    """The cells of a workbook, its headers first."""
    sheets: dict[str, list[list[Cell]]] = {
        sheet: [[header(sheet, key) for key in columns]] for sheet, columns in COLUMNS.items()
    }
    for record in records:
        values = record.attributes.values()
        if record.equipment in known.site.equipment:
            values.update(said_by_file(known.site, record.equipment))
        sheets[EQUIPMENT_SHEET].append([record.equipment, *values.values(), record.version])
        sheets[DATES_SHEET] += [
            [record.equipment, one.kind, one.last_on, one.next_due, one.who] for one in record.dates
        ]
        sheets[PARTS_SHEET] += [
            [record.equipment, one.name, one.model, one.quantity, one.minimum, one.place]
            for one in record.parts
        ]
    return sheets


def read(sheets: Mapping[str, Cells], known: Known, current: Mapping[str, Record]) -> Import:
    """What the workbook would make of ``current``.

    1. Read every cell by its column. 2. Put each equipment together from its rows. 3. Check it,
    and say of every mistake in which cell it is.
    """
    reader = _Reader(known, current)
    for name in COLUMNS:
        if name in sheets:
            reader.take(name, sheets[name])
    if not any(name in sheets for name in COLUMNS):
        wrong = Text(
            zh=f"没有名为“{EQUIPMENT_SHEET}”的工作表", en=f"has no sheet {EQUIPMENT_SHEET}"
        )
        reader.errors.append(Misplaced(sheet=EQUIPMENT_SHEET, row=1, column="A", wrong=wrong))
    return reader.outcome(set(sheets))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """The cells of a row by column key, read as what they are to be."""

    sheet: str
    number: int
    letters: Mapping[str, str]
    values: Mapping[str, str | float | date | None]

    def at(self, key: str, wrong: Text) -> Misplaced:
        """``wrong`` of a column; where it is not there, of the row's first."""
        column = self.letters.get(key, self.letters.get("equipment", "A"))
        return Misplaced(sheet=self.sheet, row=self.number, column=column, wrong=wrong)


@dataclass(slots=True)
class _Listed(Generic[T]):
    """Dates or parts of each equipment, each with the row that says it."""

    of: dict[str, list[tuple[_Row, T]]] = field(default_factory=dict)


class _Reader:
    def __init__(self, known: Known, current: Mapping[str, Record]) -> None:
        self._known = known
        self._current = current
        self._rows: dict[str, _Row] = {}
        self._dates: _Listed[DueDate] = _Listed()
        self._parts: _Listed[SparePart] = _Listed()
        self.errors: list[Misplaced] = []

    def take(self, sheet: str, cells: Cells) -> None:
        filled = [
            (number, row)
            for number, row in enumerate(cells, start=1)
            if any(not is_empty(cell) for cell in row)
        ]
        if not filled:
            return
        top, titles = filled[0]
        letters = self._letters(sheet, top, titles)
        if letters is None:
            return
        most = MOST_ROWS[sheet]
        if len(filled) - 1 > most:
            wrong = Text(zh=f"最多 {most} 行", en=f"has {most} rows at most")
            number = filled[most + 1][0]
            self.errors.append(Misplaced(sheet=sheet, row=number, column="A", wrong=wrong))
            return
        for number, row in filled[1:]:
            found = self._row(sheet, number, letters, row)
            if found is not None:
                self._keep(sheet, found)

    def outcome(self, sheets: set[str]) -> Import:
        changed: list[tuple[Record, Record]] = []
        unchanged = 0
        for equipment in dict.fromkeys((*self._rows, *self._dates.of, *self._parts.of)):
            before = self._current.get(equipment, Record(equipment=equipment))
            after = self._after(equipment, before, sheets)
            if after == before and before.version > 0:
                unchanged += 1
            elif after != before or equipment not in self._known.site.equipment:
                changed.append((before, after))
            else:
                unchanged += 1
        if self.errors:
            by_place = sorted(self.errors, key=_place)
            return Import(changed=(), unchanged=0, errors=by_place)
        return Import(changed=changed, unchanged=unchanged, errors=())

    def _letters(self, sheet: str, top: int, titles: Sequence[Cell]) -> dict[str, str] | None:
        """Column key → its letter."""
        found: dict[str, str] = {}
        mistakes: list[tuple[str, Text]] = []
        for at, title in enumerate(titles):
            if is_empty(title):
                continue
            key = _key(sheet, str(title))
            if key is None:
                names = "、".join(one.zh for one in COLUMNS[sheet].values())
                wrong = Text(
                    zh=f"没有这一列，可用：{names}",
                    en=f"is no column; use one of {', '.join(COLUMNS[sheet])}",
                )
                mistakes.append((letter(at), wrong))
            elif key in found:
                mistakes.append((letter(at), Text(zh="这一列重复", en="is there twice")))
            else:
                found[key] = letter(at)
        for key in _NEEDED[sheet]:
            if key not in found:
                name = COLUMNS[sheet][key]
                wrong = Text(zh=f"缺少“{name.zh}”列", en=f"has no column {key}")
                mistakes.append(("A", wrong))
        self.errors += [
            Misplaced(sheet=sheet, row=top, column=column, wrong=wrong)
            for column, wrong in mistakes
        ]
        return None if mistakes else found

    def _row(
        self, sheet: str, number: int, letters: Mapping[str, str], cells: Sequence[Cell]
    ) -> _Row | None:
        """What could be read of it, so that one slip hides no other; None where what it needs
        is not there."""
        values: dict[str, str | float | date | None] = {}
        for key, column in letters.items():
            at = index(column)
            try:
                value = _readers(sheet, key)(cells[at] if at < len(cells) else None)
                if value is None and key in _NEEDED[sheet]:
                    raise CellError("必须填写", "is needed")
                values[key] = value
            except CellError as error:
                self.errors.append(
                    Misplaced(sheet=sheet, row=number, column=column, wrong=error.wrong)
                )
        if any(key not in values for key in _NEEDED[sheet]):
            return None
        return _Row(sheet=sheet, number=number, letters=letters, values=values)

    def _keep(self, sheet: str, row: _Row) -> None:
        equipment = str(row.values["equipment"])
        if sheet == EQUIPMENT_SHEET:
            if equipment in self._rows:
                first = self._rows[equipment].number
                wrong = Text(zh=f"与第 {first} 行重复", en=f"is in row {first} already")
                self.errors.append(row.at("equipment", wrong))
                return
            self._rows[equipment] = row
            return
        rest = {key: value for key, value in row.values.items() if key != "equipment"}
        if sheet == DATES_SHEET:
            made = DueDate(**rest)  # type: ignore[arg-type]
            self._dates.of.setdefault(equipment, []).append((row, made))
        else:
            part = SparePart(**rest)  # type: ignore[arg-type]
            self._parts.of.setdefault(equipment, []).append((row, part))

    def _after(self, equipment: str, before: Record, sheets: set[str]) -> Record:
        """As the workbook says it, its mistakes noted."""
        row = self._rows.get(equipment)
        after = before
        if row is not None:
            said = {key: value for key, value in row.values.items() if key in ATTRIBUTES}
            attributes = Attributes(**{**before.attributes.values(), **said})  # type: ignore[arg-type]
            after = replace(before, attributes=attributes)
            self._check_version(row, before)
            for name, wrong in check_attributes(after, self._known):
                self.errors.append(row.at(name, wrong))
            after = replace(after, attributes=without_said(after, self._known.site))
        elif before.version == 0 and equipment not in self._known.site.equipment:
            first = (*self._dates.of.get(equipment, ()), *self._parts.of.get(equipment, ()))[0][0]
            wrong = Text(zh="没有这台设备", en="there is no such equipment")
            self.errors.append(first.at("equipment", wrong))
            return after
        if DATES_SHEET in sheets:
            after = replace(after, dates=self._checked_dates(equipment))
        if PARTS_SHEET in sheets:
            after = replace(after, parts=self._checked_parts(equipment))
        return after

    def _check_version(self, row: _Row, before: Record) -> None:
        given = row.values.get("version")
        if given is not None and given != before.version:
            wrong = Text(
                zh=f"已被改动（现为第 {before.version} 版），请重新导出后再改",
                en=f"was changed since: it is version {before.version}; export it again",
            )
            self.errors.append(row.at("version", wrong))

    def _checked_dates(self, equipment: str) -> tuple[DueDate, ...]:
        listed, seen = self._dates.of.get(equipment, []), set[str]()
        for row, one in listed:
            for name, wrong in check_date(one, self._known, seen):
                self.errors.append(row.at(name, wrong))
            seen.add(one.kind)
        self._check_number(listed, MOST_DATES)
        return tuple(sorted((one for _, one in listed), key=lambda one: one.kind))

    def _checked_parts(self, equipment: str) -> tuple[SparePart, ...]:
        listed = self._parts.of.get(equipment, [])
        for row, one in listed:
            for name, wrong in check_part(one):
                self.errors.append(row.at(name, wrong))
        self._check_number(listed, MOST_PARTS)
        return tuple(one for _, one in listed)

    def _check_number(self, listed: Sequence[tuple[_Row, object]], most: int) -> None:
        if len(listed) > most:
            wrong = Text(zh=f"一台设备最多 {most} 行", en=f"has {most} of an equipment at most")
            self.errors.append(listed[most][0].at("equipment", wrong))


def _place(one: Misplaced) -> tuple[int, int, int]:
    return list(COLUMNS).index(one.sheet), one.row, index(one.column)


def _key(sheet: str, title: str) -> str | None:
    said = title.strip()
    for key, name in COLUMNS[sheet].items():
        if said in (key, name.zh, header(sheet, key)) or said.lower() == name.en.lower():
            return key
    return None


def _readers(sheet: str, key: str) -> Callable[[Cell], str | float | date | None]:
    if key in ("version", "quantity", "minimum"):
        return to_number
    attribute = ATTRIBUTES.get(key) if sheet == EQUIPMENT_SHEET else None
    is_day = attribute is not None and attribute.kind is Kind.DATE
    return to_day if is_day or key in ("last_on", "next_due") else to_text

"""A point table as integrators deliver it → a profile, with every mistake at once. Pure.

1. The row of headings is the first that names an address and something else; what stands before
   it is a title, unless it begins with ``#``: ``#class, meter`` says what the profile as a whole
   is, as an export writes it.
2. Each row below is one point. Cells are read by :mod:`gateway.table.cells`.
3. What comes of it is checked as every profile is; a mistake names row and column of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.files.documents import ConfigurationError, Parsed, Problem
from gateway.model.profile import Function
from gateway.profile.checks import problems_of
from gateway.profile.document import ProfileDocument
from gateway.table.cells import Address, CellError, address, function, plain
from gateway.table.head import HEAD, Head, head_of
from gateway.table.rows import PointRow, Row
from gateway.table.sheet import (
    LONGEST_CELL,
    Cell,
    Table,
    filled,
    heading,
    is_head,
    letters,
    rank,
)
from gateway.table.words import BYTES_HEADING, HEX_HEADING

_DEEPEST_HEADING = 40
"""Rows among which the headings are looked for."""
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    document: Mapping[str, Any]
    """As a profile file has it."""
    hexadecimal: frozenset[int]
    """Points (by their place in the list) whose registers the table writes so."""
    notes: tuple[str, ...]
    """What was taken how, and what was left aside."""


def read_table(
    table: Table, given: Mapping[str, str], usual: Mapping[str, str] | None = None
) -> Imported:
    """The profile that ``table`` describes.

    ``given``: what the caller knows of it, by the keys of
    :data:`~gateway.table.head.HEAD`; it counts more than what the table says, ``usual``
    counts less. Raises :class:`ConfigurationError` with a problem for each mistake: ``line`` is
    the row, ``name`` the column.
    """
    return _Reading(table).read(given, usual or {})


@dataclass(frozen=True, kw_only=True)
class _Laid(Parsed[ProfileDocument]):
    """A document that was made of a table: its problems lie there."""

    place: Callable[[Sequence[str | int]], tuple[int, str]] = field(repr=False)

    def problem(self, where: Sequence[str | int], wrong: str, mend: str) -> Problem:
        line, name = self.place(where)
        return Problem(file=self.file, line=line, name=name, wrong=wrong, mend=mend)


class _Reading:
    """One pass over a table, noting every problem."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._problems: list[Problem] = []
        self._notes: list[str] = []
        self._columns: dict[str, int] = {}
        self._headings: Sequence[Cell] = ()
        self._heading_row = 0
        self._taken: set[str] = set()
        self._made = 0

    def read(self, given: Mapping[str, str], usual: Mapping[str, str]) -> Imported:
        self._find_headings()
        head = self._head(given, usual)
        rows = [row for row in self._rows() if not self._is_title(row)]
        self._taken = {row.texts["key"] for row in rows if "key" in row.texts}
        addresses = self._addresses(rows)
        notation = self._notation(rows, addresses, head)
        points: list[dict[str, Any]] = []
        lines: list[int] = []
        hexadecimal: set[int] = set()
        for row in rows:
            found = addresses.get(row.line)
            point = self._point(row, found, notation, head)
            if point is None:
                continue
            if found is not None and found.is_hex:
                hexadecimal.add(len(points))
            points.append(point)
            lines.append(row.line)
        if not rows:
            self._wrong(self._heading_row, "", "no point stands below the headings", "add rows")
        self._raise()
        document = head.document(points)
        if notation.first is not None and head.first_register is None:
            document["first_register"] = notation.first
        if self._made:
            self._notes.append(f"{self._made} points have no key in the table: keys were made")
        self._check(document, lines)
        self._raise()
        return Imported(
            document=document, hexadecimal=frozenset(hexadecimal), notes=tuple(self._notes)
        )

    # -- headings ---------------------------------------------------------------------------------

    def _find_headings(self) -> None:
        for at, row in enumerate(self._table.rows[:_DEEPEST_HEADING]):
            known = {field for cell in row if (field := heading(cell.text)) is not None}
            if not is_head(row) and "register" in known and len(known - {"number"}) > 1:
                self._heading_row, self._headings = at + 1, row
                self._name_columns(row)
                return
            if "derived" in known and "name" in known:
                self._heading_row, self._headings = at + 1, row
                self._name_columns(row)
                return
        found = [plain(cell.text) for row in self._table.rows[:3] for cell in row if cell.text]
        wrong = "no row of headings names an address and a name"
        mend = "head the columns 名称/name, 地址/address, 功能码/function, 类型/type, 倍率/scale …"
        shown = f" (the file begins with {', '.join(found)[:80]})" if found else " (it is empty)"
        raise ConfigurationError([self._problem(1, "", wrong + shown, mend)])

    def _name_columns(self, row: Sequence[Cell]) -> None:
        aside = []
        for at, cell in enumerate(row):
            field = heading(cell.text)
            if field is None or field == "number":
                if plain(cell.text) and field is None:
                    aside.append(self._column(at))
                continue
            other = self._columns.setdefault(field, at)
            if other == at:
                continue
            if field in ("name", "remark"):
                better = min(at, other, key=lambda one: rank(field, row[one].text))
                self._columns[field] = better
                aside.append(self._column(at if better == other else other))
            else:
                wrong = f"says the {field} too, as {self._column(other)}"
                self._wrong(self._heading_row, self._column(at), wrong, "keep one of the two")
        if aside:
            self._notes.append(f"left aside: {', '.join(aside)}")

    def _column(self, at: int) -> str:
        shown = plain(self._headings[at].text) if at < len(self._headings) else ""
        return f"column {letters(at)} ({shown})" if shown else f"column {letters(at)}"

    # -- the profile as a whole -------------------------------------------------------------------

    def _head(self, given: Mapping[str, str], usual: Mapping[str, str]) -> Head:
        said: dict[str, str] = {}
        lines: dict[str, int] = {}
        for at, row in enumerate(self._table.rows[: self._heading_row - 1], 1):
            if is_head(row):
                key = plain(row[0].text).removeprefix("#").strip()
                said[key] = next((cell.text.strip() for cell in row[1:] if cell.text.strip()), "")
                lines[key] = at
        head, wrong = head_of({**usual, **said, **given})
        for key, what, mend in wrong:
            self._wrong(lines.get(key, 1), HEAD.get(key, key), what, mend)
        return head

    # -- rows -------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Row]:
        for line, cells in enumerate(self._table.rows[self._heading_row :], self._heading_row + 1):
            texts = {
                field: cells[at].text.strip()
                for field, at in self._columns.items()
                if at < len(cells) and cells[at].text.strip()
            }
            if any(cell.text.strip() for cell in cells):
                numbers = {f for f in texts if cells[self._columns[f]].is_number}
                yield Row(line=line, texts=texts, numbers=numbers, cells=filled(cells))

    def _is_title(self, row: Row) -> bool:
        if row.cells > 1 or "register" in row.texts:
            return False
        self._notes.append(f"row {row.line} has one cell only: taken for a title")
        return True

    def _addresses(self, rows: Sequence[Row]) -> Mapping[int, Address]:
        """Row → address as written."""
        title = "" if "register" not in self._columns else self._title("register")
        is_hex = any(word in title for word in HEX_HEADING)
        found = {}
        for row in rows:
            text = row.texts.get("register")
            if text is None:
                if "derived" not in row.texts:
                    self._cell(row, "register", "is empty", "write the register")
                continue
            if "register" in row.numbers and "." in text:
                mend = "make the cell a text, or give the bit a column of its own"
                self._cell(row, "register", f"{text} is a number: .1 and .10 are the same", mend)
                continue
            one = self._read(row, "register", lambda said: address(said, is_hex=is_hex))
            if one is not None:
                found[row.line] = one
        return found

    def _notation(
        self, rows: Sequence[Row], addresses: Mapping[int, Address], head: Head
    ) -> Notation:
        """Whether the numbers are in Modicon notation; a mixture is a mistake."""
        functions = {
            row.line: self._read(row, "function", function)
            for row in rows
            if "function" in row.texts and row.line in addresses
        }
        if head.first_register is not None:
            return Notation(functions=functions, first=None, modicon=False)
        marked = [line for line, one in addresses.items() if one.modicon is not None]
        if Function.COIL in {addresses[line].modicon for line in marked} and any(
            functions.get(line) not in (None, Function.COIL)
            for line in marked
            if addresses[line].modicon is Function.COIL
        ):
            marked = [line for line in marked if addresses[line].modicon is not Function.COIL]
        if not marked or len(marked) < len(addresses):
            self._mixture(rows, addresses, marked)
            return Notation(functions=functions, first=None, modicon=False)
        self._contradictions(rows, addresses, functions)
        bases = {one.base for one in addresses.values()}
        first = bases.pop() if len(bases) == 1 else None
        example = next(iter(addresses.values()))
        told = f"{example.number} is PDU address {example.number - example.base}"
        self._notes.append(f"addresses are in Modicon notation: {told}")
        return Notation(functions=functions, first=first, modicon=True)

    def _mixture(
        self, rows: Sequence[Row], addresses: Mapping[int, Address], marked: Sequence[int]
    ) -> None:
        """The fewer are blamed."""
        sure = [line for line in marked if addresses[line].modicon is not Function.COIL]
        most = 2 * len(sure) > len(addresses)
        for row in rows:
            if not sure or row.line not in addresses or (row.line in sure) is most:
                continue
            wrong = (
                "is not in Modicon notation (40001), and the other rows are"
                if most
                else "reads as Modicon notation, and other rows do not"
            )
            mend = "write all alike, or give --first-register 0 if they are plain numbers"
            self._cell(row, "register", wrong, mend)

    def _contradictions(
        self,
        rows: Sequence[Row],
        addresses: Mapping[int, Address],
        functions: Mapping[int, Function | None],
    ) -> None:
        for row in rows:
            one, said = addresses.get(row.line), functions.get(row.line)
            if one is None or said is None or one.modicon in (None, said):
                continue
            wrong = f"{one.number} is in the table {one.modicon}, and the function is {said.value}"
            mend = "mend one of the two, or give --first-register 0 if it is a plain number"
            self._cell(row, "register", wrong, mend)

    def _point(
        self, row: Row, found: Address | None, notation: Notation, head: Head
    ) -> dict[str, Any] | None:
        """The point as a profile file has it; None if a cell is wrong."""
        before = len(self._problems)
        where: tuple[Function, int] | None = None
        if found is not None:
            where = self._where(row, found, notation, head)
        elif "register" in row.texts:
            return None
        bytes_too = "count" in self._columns and any(
            word in self._title("count") for word in BYTES_HEADING
        )
        reader = PointRow(
            row, lambda field, read: self._read(row, field, read), self._taken, in_bytes=bytes_too
        )
        point = reader.point(found, where)
        for name, wrong, mend in reader.problems:
            self._cell(row, name, wrong, mend)
        self._made += reader.key_was_made
        return point if len(self._problems) == before else None

    def _where(
        self, row: Row, found: Address, notation: Notation, head: Head
    ) -> tuple[Function, int] | None:
        said = notation.functions.get(row.line)
        if said is None and "function" in row.texts:
            return None
        number = found.number
        if notation.modicon:
            said = said or found.modicon
            if notation.first is None:
                number -= found.base
        if said is None:
            said = head.function
        if said is None:
            wrong = "nothing says with which function it is read"
            mend = "add a column 功能码/function, or give --function holding"
            self._cell(row, "function", wrong, mend)
            return None
        return said, number

    # -- problems ---------------------------------------------------------------------------------

    def _read(self, row: Row, field: str, read: Callable[[str], T]) -> T | None:
        """What the cell says; None if there is none, or it is wrong and was noted."""
        text = row.texts.get(field)
        if text is None:
            return None
        try:
            if len(text) > LONGEST_CELL:
                raise CellError(f"has more than {LONGEST_CELL} characters", "shorten it")
            return read(text)
        except CellError as error:
            self._cell(row, field, error.wrong, error.mend)
            return None

    def _cell(self, row: Row, field: str, wrong: str, mend: str) -> None:
        self._wrong(row.line, self._name_of(field), wrong, mend)

    def _name_of(self, field: str) -> str:
        at = self._columns.get(field)
        return f"({field})" if at is None else self._column(at)

    def _title(self, field: str) -> str:
        return plain(self._headings[self._columns[field]].text).lower()

    def _wrong(self, line: int, name: str, wrong: str, mend: str) -> None:
        self._problems.append(self._problem(line, name, wrong, mend))

    def _problem(self, line: int, name: str, wrong: str, mend: str) -> Problem:
        return Problem(
            file=self._table.file, line=line, name=name or "table", wrong=wrong, mend=mend
        )

    def _raise(self) -> None:
        if self._problems:
            raise ConfigurationError(dict.fromkeys(self._problems))

    def _check(self, document: Mapping[str, Any], lines: Sequence[int]) -> None:
        """What is wrong with the profile that came of it, at the rows that it came of."""

        def place(where: Sequence[str | int]) -> tuple[int, str]:
            match list(where):
                case ["points", int(at), *rest]:
                    return lines[at], self._name_of(_field(rest))
                case [first, *_] if first != "points":
                    return 1, HEAD.get(str(first), str(first))
            return self._heading_row, "table"

        try:
            content = ProfileDocument.model_validate(document)
        except ValidationError as error:
            for item in error.errors():
                line, name = place(item["loc"])
                self._wrong(line, name, str(item["msg"]).lower(), "write what is asked for")
            return
        laid = _Laid(content=content, file=self._table.file, text="", tree={}, place=place)
        self._problems.extend(problems_of(laid))


@dataclass(frozen=True, kw_only=True, slots=True)
class Notation:
    """How the addresses of a table are meant."""

    functions: Mapping[int, Function | None]
    """Row → function as its own cell says it."""
    first: int | None
    """``first_register`` in Modicon notation, where the table uses one of its tables only."""
    modicon: bool


_OF_REGISTERS = {"length": "count"}


def _field(rest: Sequence[str | int]) -> str:
    """The column that a place within a point comes from."""
    names = [str(step) for step in rest if isinstance(step, str)]
    last = names[-1] if names and names[0] == "modbus" else (names[0] if names else "register")
    return _OF_REGISTERS.get(last, "register" if last == "modbus" else last)

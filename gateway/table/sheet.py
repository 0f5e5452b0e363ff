"""The cells of a sheet, how large it may be, and what its headings name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.table.cells import plain, word
from gateway.table.words import HEADINGS

LARGEST_BYTES = 5_000_000
MOST_ROWS = 5_000
MOST_COLUMNS = 100
LONGEST_CELL = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    text: str
    is_number: bool = False
    """Whether the file holds it as a number: then it says nothing of how it was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The cells of one sheet; the first row is row 1."""

    file: str
    rows: Sequence[Sequence[Cell]]


def heading(text: str) -> str | None:
    """The field that a heading names, if it is known; in two languages it may be named twice."""
    return next((_FIELDS[said] for said in _readings(text) if said in _FIELDS), None)


def rank(field: str, text: str) -> int:
    """How good a heading of ``field`` is: the first word of the list is 0."""
    known = [_bare(one) for one in HEADINGS[field]]
    return min(known.index(said) for said in _readings(text) if said in known)


def _readings(text: str) -> tuple[str, ...]:
    """A heading without what stands in brackets: whole, and what of it is Latin or is not."""
    said = re.sub(r"[(（\[【].*", "", plain(text)) or plain(text)
    latin = "".join(char for char in said if ord(char) < 0x80)
    other = "".join(char for char in said if ord(char) >= 0x80)
    return _bare(said), _bare(latin), _bare(other)


def letters(at: int) -> str:
    """The name of a column as spreadsheets have it: 0 is A."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _bare(text: str) -> str:
    return re.sub(r"[:：*/\\]", "", word(text))


_FIELDS = {_bare(one): field for field, words in HEADINGS.items() for one in words}


def is_head(row: Sequence[Cell]) -> bool:
    return bool(row) and plain(row[0].text).startswith("#") and len(plain(row[0].text)) > 1


def filled(cells: Sequence[Cell]) -> int:
    return sum(1 for cell in cells if cell.text.strip())

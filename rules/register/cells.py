"""One cell of a workbook → text, number or date; and the letters of its columns."""

from __future__ import annotations

import re
from datetime import date, datetime

from gateway.model.point import Text

Cell = str | int | float | bool | date | datetime | None
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class CellError(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.wrong = Text(zh=zh, en=en)


def to_text(cell: Cell) -> str | None:
    if is_empty(cell):
        return None
    if isinstance(cell, date):
        raise CellError("应为文字，不是日期", "is a date, not a text")
    if isinstance(cell, bool):
        raise CellError("应为文字", "is no text")
    if isinstance(cell, float) and cell.is_integer():
        # A serial number that the program took for a number.
        return str(int(cell))
    return str(cell).strip()


def to_number(cell: Cell) -> float | None:
    if is_empty(cell):
        return None
    try:
        if not isinstance(cell, bool | date):
            return float(str(cell).strip())
    except ValueError:
        pass
    raise CellError("应为数字", "is no number")


def to_day(cell: Cell) -> date | None:
    if is_empty(cell):
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    match = _DAY.fullmatch(str(cell).strip())
    try:
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise CellError("应为日期，如 2026-11-22", "is no date, such as 2026-11-22")


def is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def letter(at: int) -> str:
    """A, B, … Z, AA, …"""
    return letter(at // 26 - 1) + chr(65 + at % 26) if at >= 26 else chr(65 + at)


def index(letter: str) -> int:
    at = 0
    for sign in letter:
        at = at * 26 + ord(sign) - 64
    return at - 1

"""The one way in which rows become a CSV or XLSX file: what people and devices wrote stays words.

A spreadsheet computes a cell that looks like a formula, and a formula can start programs and send
away what stands beside it. In CSV such words get an apostrophe before them, and every text stands
in quotes, so that a program which takes the semicolon for the separator begins no cell within one.
In XLSX every text is written as a text, whatever it looks like.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias

Value: TypeAlias = str | float | date | None

PLAIN = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
"""How to make a workbook of xlsxwriter."""
_FORMULA = re.compile(r"'*[\s\0\ufeff\u200b-\u200f\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""Signs of both widths, behind what a spreadsheet or an eye passes over."""
_BREAKS_OUT = re.compile(r"'*[\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)


def inert(text: str) -> str:
    """``text``, with an apostrophe where a spreadsheet would compute it."""
    return f"'{text}" if _is_formula(text) else text


def as_written(text: str) -> str:
    """What :func:`inert` was given."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    if _PLAIN_NUMBER.fullmatch(text):
        return False
    return (_FORMULA.match(text) or _BREAKS_OUT.match(text)) is not None


def csv_file(rows: Sequence[Sequence[Value]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it; None is an empty cell."""
    lines = [",".join(map(_csv_cell, row)) + "\r\n" for row in rows]
    return codecs.BOM_UTF8 + "".join(lines).encode("utf-8")


def _csv_cell(value: Value) -> str:
    text = "" if value is None else str(value)
    if not text or _PLAIN_NUMBER.fullmatch(text):
        return text
    return '"' + inert(text).replace('"', '""') + '"'


def write(sheet: Any, row: int, column: int, value: Value, style: Any = None) -> None:
    """One cell of a sheet of xlsxwriter; None is an empty one. ``style``: its format."""
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, style)
    elif value is not None:
        sheet.write_number(row, column, value, style)

"""A point table as CSV. Pure: bytes in, cells out, and back.

A text that a spreadsheet would take for a formula is written with an apostrophe before it
(``gateway.files.spreadsheet``); reading takes it away again.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence

from gateway.files.documents import ConfigurationError, Problem
from gateway.files.spreadsheet import as_written, csv_file
from gateway.table.sheet import (
    LARGEST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Table,
    heading,
)

_DELIMITERS = (",", ";", "\t")
_HEADING_ROWS = 40


def table_of_csv(file: str, data: bytes) -> Table:
    """``data`` as a table: UTF-8 (with or without mark), UTF-16 with mark, or GB18030; comma,
    semicolon or tab between cells, whichever makes most headings.

    Raises :class:`ConfigurationError`.
    """
    if len(data) > LARGEST_BYTES:
        wrong = f"has {len(data)} bytes, {LARGEST_BYTES} at most"
        raise _refused(file, 1, wrong, "check that it is the point table alone")
    text = _decoded(file, data)
    if "\0" in text:
        raise _refused(file, 1, "is no text", "save it as CSV, or give the .xlsx file itself")
    delimiter = max(_DELIMITERS, key=lambda one: _headings(text, one))
    rows: list[list[Cell]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(rows) == MOST_ROWS or len(row) > MOST_COLUMNS:
                wrong = f"has more than {MOST_ROWS} rows or {MOST_COLUMNS} columns"
                raise _refused(file, len(rows) + 1, wrong, "give the table of one device")
            rows.append([Cell(text=as_written(cell)) for cell in row])
    except csv.Error as error:
        mend = "mend the quotes: a quote within a cell is written twice"
        raise _refused(file, len(rows) + 1, f"is no CSV: {error}", mend) from None
    return Table(file=file, rows=rows)


def csv_of_table(rows: Sequence[Sequence[Cell]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it."""
    return csv_file([[cell.text for cell in row] for row in rows])


def _decoded(file: str, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")  # type: ignore[assignment]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    wrong = "is neither UTF-8 nor GB18030"
    raise _refused(file, 1, wrong, "save it as CSV UTF-8, or give the .xlsx file itself")


def _headings(text: str, delimiter: str) -> int:
    """The most headings that a row near the top has if cells end with ``delimiter``."""
    best = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for at, row in enumerate(reader):
            if at == _HEADING_ROWS:
                break
            best = max(best, len({heading(cell) for cell in row} - {None}))
    except csv.Error:
        return best
    return best


def _refused(file: str, row: int, wrong: str, mend: str) -> ConfigurationError:
    problem = Problem(file=file, line=row, name="table", wrong=wrong, mend=mend)
    return ConfigurationError([problem])

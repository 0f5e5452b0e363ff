"""An XLSX workbook → plain cells, and back. Nothing of a workbook is calculated: of a formula the
value that was saved with it counts, and what is written out is never one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date

import openpyxl
import xlsxwriter

from gateway.files.spreadsheet import PLAIN, write
from rules.refusals import NotValidError
from rules.register.cells import Cell
from rules.register.sheets import COLUMNS, MOST_ROWS

MOST_BYTES = 5 * 1024 * 1024
_MOST_UNPACKED = 60 * 1024 * 1024
_MOST_STRINGS = 12 * 1024 * 1024
"""Of these the table of strings, which is in memory as a whole."""
_STRINGS = "xl/sharedStrings.xml"
_MOST_COLUMNS = 40
_BLANK_ROWS = 500
"""So many rows without anything in them end a sheet: a format may reach to the last row."""
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOTES_SHEET = "说明"


def cells(data: bytes) -> dict[str, list[list[Cell]]]:
    """The sheets of the register's names; raises ``NotValidError`` for what is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            # A member is read up to the size that is said here and no further, true or not.
            sizes = {one.filename: one.file_size for one in packed.infolist()}
    except zipfile.BadZipFile:
        raise NotValidError("file", "is no XLSX workbook") from None
    if sum(sizes.values()) > _MOST_UNPACKED or sizes.get(_STRINGS, 0) > _MOST_STRINGS:
        raise NotValidError("file", "is too large when it is unpacked")
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return {name: _rows(book[name], name) for name in book.sheetnames if name in COLUMNS}
    except NotValidError:
        raise
    except Exception as error:
        # What others' programs write breaks in as many ways as there are programs.
        raise NotValidError("file", f"cannot be read as a workbook: {error}") from None


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Cell]]], notes: Sequence[tuple[str, str]]
) -> bytes:
    """A workbook of ``sheets``, each with its header first, and of a sheet of notes."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, PLAIN) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 1)
            for at, title in enumerate(rows[0]):
                write(sheet, 0, at, str(title), head)
                sheet.set_column(at, at, max(12, 2 * len(str(title)) // 2 + 4))
            for number, row in enumerate(rows[1:], start=1):
                for at, value in enumerate(row):
                    write(sheet, number, at, value, day if isinstance(value, date) else None)
        sheet = book.add_worksheet(NOTES_SHEET)
        sheet.set_column(0, 1, 34)
        for number, (key, words) in enumerate(notes):
            write(sheet, number, 0, key)
            write(sheet, number, 1, words)
    return made.getvalue()


def _rows(sheet: object, name: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    blank = 0
    # What a sheet says of its own size is wrong in what some programs write, and rows behind it
    # would be left out without a word.
    sheet.reset_dimensions()  # type: ignore[attr-defined]
    for row in sheet.iter_rows(values_only=True, max_col=_MOST_COLUMNS):  # type: ignore[attr-defined]
        blank = 0 if any(cell is not None for cell in row) else blank + 1
        if blank > _BLANK_ROWS:
            break
        filled = max((at for at, cell in enumerate(row, 1) if cell is not None), default=0)
        rows.append(list(row[:filled]))
        if len(rows) > 2 * MOST_ROWS[name] + _BLANK_ROWS:
            raise NotValidError("file", f"has too many rows in {name}")
    return rows

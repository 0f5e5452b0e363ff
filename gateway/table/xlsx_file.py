"""A point table as XLSX, which is a packed archive that may be made to burst: its parts are
measured before anything is unpacked, and no formula in it is ever computed or written."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.files.documents import ConfigurationError, Problem
from gateway.files.spreadsheet import PLAIN, write
from gateway.table.sheet import (
    LARGEST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Table,
    heading,
    letters,
)

_LARGEST_UNPACKED = 40_000_000
_MOST_PARTS = 500
_WIDEST = 60
"""Characters of a column as shown."""


def table_of_xlsx(file: str, data: bytes) -> Table:
    """The first sheet of the workbook ``data`` that has headings.

    Raises :class:`ConfigurationError`, also for a formula whose value is not stored.
    """
    _measure(file, data)
    problems: list[Problem] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that nobody asks for here
            sheets = list(_sheets(file, data, problems))
    except ConfigurationError:
        raise
    except Exception as error:  # openpyxl has no error of its own for a broken file
        wrong = f"is no workbook that can be read: {type(error).__name__}"
        raise _refused(file, 1, wrong, "save it again as .xlsx, or as CSV") from None
    best = max(sheets, key=_headings, default=None)
    if best is None:
        raise _refused(file, 1, "has no sheet", "give the workbook with the point table")
    found = [problem for problem in problems if problem.name.startswith(f"{best[0]} ")]
    if found:
        raise ConfigurationError(found)
    return Table(file=file, rows=best[1])


def xlsx_of_table(rows: Sequence[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet; texts are texts, whatever they begin with."""
    import xlsxwriter  # type: ignore[import-untyped]

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, PLAIN)
    sheet = book.add_worksheet("points")
    widths: dict[int, int] = {}
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            write(sheet, at, column, float(cell.text) if cell.is_number else cell.text or None)
            if len(row) > 2:
                widths[column] = min(max(widths.get(column, 8), len(cell.text) + 2), _WIDEST)
    for column, width in widths.items():
        sheet.set_column(column, column, width)
    book.close()
    return target.getvalue()


def _measure(file: str, data: bytes) -> None:
    if len(data) > LARGEST_BYTES:
        wrong = f"has {len(data)} bytes, {LARGEST_BYTES} at most"
        raise _refused(file, 1, wrong, "check that it is the point table alone")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            # Reading stops at the size that a part says it has, so it cannot say too little.
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > _MOST_PARTS or unpacked > _LARGEST_UNPACKED:
                wrong = f"unpacks to {unpacked} bytes in {len(parts)} parts"
                raise _refused(file, 1, wrong, "save the sheet of the point table alone, or as CSV")
            for part in parts:
                if b"<!DOCTYPE" in archive.read(part)[:4096]:
                    wrong = f"holds a document type in {part.filename}"
                    raise _refused(file, 1, wrong, "save it again from a spreadsheet")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        # RuntimeError: encrypted; zlib's errors come as BadZipFile or as the ones below.
        mend = "save it as .xlsx without a password (.xls is not read), or as CSV"
        raise _refused(file, 1, "is no .xlsx workbook", mend) from None
    except ConfigurationError:
        raise
    except Exception as error:
        wrong = f"is a broken workbook: {type(error).__name__}"
        raise _refused(file, 1, wrong, "save it again as .xlsx") from None


def _sheets(
    file: str, data: bytes, problems: list[Problem]
) -> Iterator[tuple[str, list[list[Cell]]]]:
    """Name and cells of each sheet; a formula without a value is noted."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    values = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    formulas = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    for sheet, said in zip(values.worksheets, formulas.worksheets, strict=True):
        rows: list[list[Cell]] = []
        for sheet_or_said in (sheet, said):
            sheet_or_said.reset_dimensions()
        limits = {"max_row": MOST_ROWS + 1, "max_col": MOST_COLUMNS + 1, "values_only": True}
        pairs = zip(sheet.iter_rows(**limits), said.iter_rows(**limits), strict=True)
        for line, (row, written) in enumerate(pairs, 1):
            if line > MOST_ROWS or any(value is not None for value in row[MOST_COLUMNS:]):
                wrong = (
                    f"sheet {sheet.title} has more than {MOST_ROWS} rows or {MOST_COLUMNS} columns"
                )
                raise _refused(file, line, wrong, "give the table of one device")
            rows.append([_cell(value) for value in row])
            for at, (value, formula) in enumerate(zip(row, written, strict=False)):
                if value is None and isinstance(formula, str) and formula.startswith("="):
                    problems.append(
                        Problem(
                            file=file,
                            line=line,
                            name=f"{sheet.title} column {letters(at)}",
                            wrong="is a formula whose value is not stored",
                            mend="save it from a spreadsheet, or paste the value",
                        )
                    )
        yield sheet.title, rows
    values.close()
    formulas.close()


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell(text="")
    if isinstance(value, bool):
        return Cell(text="yes" if value else "no")
    if isinstance(value, int | float):
        return Cell(text=f"{value:.15g}", is_number=True)
    return Cell(text=str(value))


def _headings(sheet: tuple[str, list[list[Cell]]]) -> int:
    found = [len({heading(cell.text) for cell in row} - {None}) for row in sheet[1][:40]]
    return max(found, default=0)


def _refused(file: str, row: int, wrong: str, mend: str) -> ConfigurationError:
    problem = Problem(file=file, line=row, name="table", wrong=wrong, mend=mend)
    return ConfigurationError([problem])

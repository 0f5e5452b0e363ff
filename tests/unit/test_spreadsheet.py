"""Experiment 62: whatever a thing is called, no export of ours makes a spreadsheet compute it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import openpyxl  # type: ignore[import-untyped]
import pytest
from duty_room import site

from api import models, register_workbook
from api.views import order_figures
from gateway.files.spreadsheet import csv_file
from gateway.table.csv_file import csv_of_table, table_of_csv
from gateway.table.sheet import Cell
from gateway.table.xlsx_file import table_of_xlsx, xlsx_of_table
from rules.register.book import RegisterBook
from rules.register.record import Attributes, Known, Record
from rules.register.sheets import EQUIPMENT_SHEET, written

SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
HOSTILE = (
    *(f"{before}{sign}cmd|' /C calc'!A0" for sign in SIGNS for before in ("", " ", "\t", "\u3000")),
    *("\r=1+1", "\n=1+1", "\u200b=1+1", "\ufeff@SUM(A1)", "\xa0-2+3", "'=1+1", "''@x", "\tx"),
    # In many countries the semicolon ends a cell; and a quote ends one that is quoted.
    *("a;=1+1", "a\t=1+1", 'a",=1+1', 'a";=1+1;"', "a\r\n=1+1,b", '="x"', "https://evil.example/"),
)
_COMPUTED = re.compile(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r\n]")
PLAIN = ("名称", "-12.5", "1e-05", "plain")


def figures(words: tuple[str, ...]) -> bytes:
    """Those of the orders, if the words of the product were another's."""
    months = [
        models.OrderFigures(
            month=one,
            start="2026-01-01T00:00:00+08:00",
            end="2026-02-01T00:00:00+08:00",
            indicators=[
                models.OrderIndicator(
                    name="visited",
                    label=models.Text(zh=one, en=one),
                    how=models.Text(zh=one, en=one),
                    count=-1,
                    of=2,
                    percent=-12.5,
                    target=None,
                    target_is_least=True,
                    met=None,
                    source=None,
                )
            ],
        ).model_copy()
        for one in words
    ]
    return order_figures.table(months)


def points(words: tuple[str, ...]) -> bytes:
    return csv_of_table([[Cell(text=one), Cell(text="-40", is_number=True)] for one in words])


@pytest.mark.parametrize("export", [figures, points])
def test_no_word_in_a_csv_is_computed(export: Callable[[tuple[str, ...]], bytes]) -> None:
    text = export((*HOSTILE, *PLAIN)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) - len(HOSTILE) - len(PLAIN) in (0, 1), "a name is no row"
    assert set(PLAIN) < {cell for row in rows for cell in row}, "a number stays one"
    # Spreadsheets try every separator at once, but not between quotes.
    cells = {one.strip('"') for one in re.findall(r'"(?:[^"]|"")*"|[^,;\t\r\n"]+', text)}
    assert {cell for cell in cells if _COMPUTED.match(cell)} == {"-12.5", "-40", "-1"} & cells


def test_what_is_exported_comes_back_as_it_was_and_a_workbook_holds_no_formula() -> None:
    words = (*HOSTILE, *PLAIN)
    rows = [[Cell(text="a"), Cell(text=one)] for one in words]
    from_csv = table_of_csv("t.csv", csv_of_table(rows)).rows
    assert [row[1].text for row in from_csv] == list(words)
    book = xlsx_of_table(rows)
    from_xlsx = table_of_xlsx("t.xlsx", book).rows
    in_xml = [one.replace("\r", "_x000D_") for one in words]
    assert [row[1].text for row in from_xlsx] == in_xml
    here = Known(site=site(), teams=set(words), book=RegisterBook())
    records = [
        Record(
            equipment=f"pump-{number}",
            version=1,
            attributes=Attributes(remark=one, serial=one, installed_on=date(2024, 2, 29)),
        )
        for number, one in enumerate(words)
    ]
    register = register_workbook.workbook(written(records, here), [(one, one) for one in words])
    kept = register_workbook.cells(register)[EQUIPMENT_SHEET]
    at = kept[0].index("备注 remark")
    assert [row[at] for row in kept[1:]] == in_xml
    for data in (book, register):
        for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
            cells = [cell for row in sheet.iter_rows() for cell in row]
            assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
            assert not [cell for cell in cells if cell.hyperlink]


def test_a_cell_is_a_cell() -> None:
    made = csv_file([["a", 1, -0.5, None, "", date(2026, 1, 2)], ['say "no"', "x,y"]])
    assert made.decode("utf-8-sig") == '"a",1,-0.5,,,"2026-01-02"\r\n"say ""no""","x,y"\r\n'

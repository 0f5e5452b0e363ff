"""The equipment register without a ledger: dates, cells, what a record may say, how long records
are kept."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from duty_room import equipment, site

from api import register_workbook
from gateway.model.moment import DAY
from gateway.model.point import Text
from rules.refusals import NotValidError
from rules.register.book import RegisterBook
from rules.register.due import Stage, dues, stage_of
from rules.register.keeping import Keeping
from rules.register.record import (
    Attributes,
    DueDate,
    Known,
    Record,
    SparePart,
    check,
    differences,
)
from rules.register.register_file import read_register_book
from rules.register.sheets import (
    DATES_SHEET,
    EQUIPMENT_SHEET,
    PARTS_SHEET,
    read,
    written,
)

BOOK = RegisterBook(date_kinds={"lift_inspection": Text(zh="电梯检验", en="Lift inspection")})
HERE = site()
KNOWN = Known(site=HERE, teams={"water"}, book=BOOK)
TODAY = date(2026, 11, 22)
BOX = Record(
    equipment="box-1",
    version=3,
    attributes=Attributes(
        name_zh="灭火器箱",
        area="b1",
        equipment_class="extinguisher",
        installed_on=date(2024, 2, 29),
    ),
    dates=(DueDate(kind="lift_inspection", next_due=date(2027, 3, 1), who="特检院"),),
    parts=(SparePart(name="灭火器", quantity=2.0, minimum=4.0),),
)
PUMP = Record(equipment="pump-1", version=1, attributes=Attributes(serial="00123", team="water"))
CURRENT = {one.equipment: one for one in (BOX, PUMP)}


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (31, Stage.LATER),
        (30, Stage.NEAR),
        (0, Stage.NEAR),
        (-1, Stage.PASSED),
    ],
)
def test_a_date_comes_near_within_its_advance_and_passes_after_its_day(days, stage):
    assert stage_of(TODAY + timedelta(days=days), TODAY, BOOK) is stage


def test_the_dates_of_a_record_come_soonest_first_and_none_of_what_is_retired():
    record = replace(BOX, attributes=replace(BOX.attributes, warranty_until=date(2026, 12, 1)))
    assert [(one.kind, one.days, one.stage) for one in dues(record, TODAY, BOOK)] == [
        ("warranty", 9, Stage.NEAR),
        ("lift_inspection", 99, Stage.LATER),
    ]
    retired = replace(record, attributes=replace(record.attributes, retired_on=TODAY))
    assert dues(retired, TODAY, BOOK) == []


def test_everything_that_is_wrong_with_a_record_is_named_by_its_field():
    wrong = Record(
        equipment="Box 1",
        attributes=Attributes(
            area="roof",
            team="nobody",
            purchased_on=date(2025, 1, 1),
            installed_on=date(2024, 1, 1),
            remark="x" * 501,
        ),
        dates=(
            DueDate(kind="party", next_due=date(2300, 1, 1)),
            DueDate(kind="lift_inspection", last_on=TODAY, next_due=date(2026, 1, 1)),
            DueDate(kind="lift_inspection", next_due=TODAY),
        ),
        parts=(SparePart(name="", quantity=-1),),
    )
    assert [field for field, _ in check(wrong, KNOWN)] == [
        "remark",
        "equipment",
        "name_zh",
        "equipment_class",
        "area",
        "team",
        "installed_on",
        "dates.0.kind",
        "dates.0.next_due",
        "dates.1.next_due",
        "dates.2.kind",
        "parts.0.name",
        "parts.0.quantity",
    ]
    moved = replace(PUMP, attributes=Attributes(area="roof"))
    assert [field for field, _ in check(moved, KNOWN)] == ["area"], "the site file says where it is"
    assert list(check(BOX, KNOWN)) == []


def test_a_workbook_that_was_exported_changes_nothing_when_it_comes_back():
    data = register_workbook.workbook(written(CURRENT.values(), KNOWN), [("a", "b")])
    found = read(register_workbook.cells(data), KNOWN, CURRENT)
    assert (found.changed, found.unchanged, found.errors) == ([], 2, ())


def test_a_workbook_changes_what_its_columns_say_and_nothing_else():
    sheets = {
        EQUIPMENT_SHEET: [
            ["equipment", "型号", "出厂编号 serial", "投用日期", "版本"],
            ["pump-1", "CR 32", 77.0, "2024年5月1日", 1],
            [None, None, None, None, None],
            ["pump-2", None, "A-1", datetime(2024, 5, 2), None],
        ],
        PARTS_SHEET: [["设备编号", "名称", "数量"], ["pump-1", "机械密封", "2"]],
    }
    found = read(sheets, KNOWN, CURRENT)
    assert found.errors == ()
    after = {one.equipment: one for _, one in found.changed}
    assert after["pump-1"] == Record(
        equipment="pump-1",
        version=1,
        attributes=Attributes(
            serial="77", team="water", model="CR 32", commissioned_on=date(2024, 5, 1)
        ),
        parts=(SparePart(name="机械密封", quantity=2.0),),
    )
    assert after["pump-2"].attributes.commissioned_on == date(2024, 5, 2)
    assert set(after) == {"pump-1", "pump-2"}, "box-1 is not named"
    (before,) = [one for one, _ in found.changed if one.equipment == "pump-1"]
    assert {one.field for one in differences(before, after["pump-1"])} == {
        "model",
        "serial",
        "commissioned_on",
        "parts.机械密封",
    }


def test_every_mistake_of_a_workbook_says_its_row_and_column():
    sheets = {
        EQUIPMENT_SHEET: [
            ["设备编号", "区域", "采购日期", "版本", "名称"],
            ["pump-1", "roof", "2024-13-01", 1, None],
            ["pump-1", None, None, 1, None],
            ["box-1", "b1", None, 2, "箱"],
            ["hose-9", None, None, None, "水带"],
            [None, "b1", None, None, None],
        ],
        DATES_SHEET: [
            ["设备编号", "类型", "下次到期"],
            ["box-1", "party", "2027-01-01"],
            ["ghost", "lift_inspection", "2027-01-01"],
            ["box-1", "lift_inspection", None],
        ],
        PARTS_SHEET: [["设备编号", "颜色", "数量"], ["box-1", "红", 1]],
    }
    found = read(sheets, KNOWN, CURRENT)
    assert found.changed == ()
    assert [(one.where, one.wrong.en.split(";")[0]) for one in found.errors] == [
        ("台账!B2", "is 'b1' by the site file: change it there"),
        ("台账!C2", "is no date, such as 2026-11-22"),
        ("台账!A3", "is in row 2 already"),
        ("台账!D4", "was changed since: it is version 3"),
        ("台账!A5", "is needed: it is not in the site file"),  # the class, which has no column
        ("台账!B5", "is needed: it is not in the site file"),
        ("台账!A6", "is needed"),
        ("法定日期!B2", "is none of lift_inspection"),
        ("法定日期!A3", "there is no such equipment"),
        ("法定日期!C4", "is needed"),
        ("备件!A1", "has no column name"),
        ("备件!B1", "is no column"),
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"%PDF-1.7"])
def test_what_is_no_workbook_is_refused(data):
    with pytest.raises(NotValidError, match="is no XLSX workbook"):
        register_workbook.cells(data)


def test_rows_behind_the_size_that_a_sheet_says_are_read_all_the_same():
    records = [replace(PUMP, equipment=f"pump-{number}") for number in range(3)]
    data = register_workbook.workbook(written(records, KNOWN), [])
    wrong = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(wrong, "w") as new:
        for name in old.namelist():
            said = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', old.read(name))
            new.writestr(name, said)
    assert register_workbook.cells(wrong.getvalue()) == register_workbook.cells(data)
    assert len(register_workbook.cells(data)[EQUIPMENT_SHEET]) == 4


def test_a_site_may_not_throw_records_of_lifts_away_within_four_years(tmp_path: Path):
    file = tmp_path / "register.yaml"
    file.write_text("advance_days: 30\ndates: {}\nkeep_years: {lift: 3, pump: 1}\n")
    (problem,) = read_register_book([tmp_path]).problems
    assert (problem.line, problem.name) == (3, "keep_years.lift")
    assert "4 at least" in problem.mend
    file.write_text("advance_days: 30\ndates: {}\nkeep_years: {lift: 4, others: 1}\n")
    assert read_register_book([tmp_path]).book.kept_for("lift") == 4


def test_records_are_kept_as_long_as_the_class_that_is_kept_longest():
    here = site(equipment("lift-1", "lift"), equipment("pump-1", "pump"))
    year = 366 * DAY

    def keeping(**years: int) -> Keeping:
        return Keeping(here, RegisterBook(keep_years=years), {BOX.equipment: BOX})

    assert keeping().of("lift-1") is None, "for ever"
    pumps = keeping(pump=2)
    assert (pumps.of("pump-1"), pumps.of("lift-1"), pumps.of("b1")) == (2 * year, None, None)
    assert pumps.of_all(["pump-1", "lift-1"]) is None
    others = keeping(others=1, extinguisher=6)
    assert others.of("lift-1") == 4 * year, "the law's years, whatever is said of the others"
    assert others.of("pump-1") == others.of("b1") == others.of_all([]) == year
    assert others.of("box-1") == others.of("scrapped-9") == 6 * year

"""Point tables in and out: what integrators deliver, every mistake by row and column."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.files.documents import ConfigurationError
from gateway.profile.files import SHIPPED, load_profile, load_profiles
from gateway.profile.text import profile_text
from gateway.table.csv_file import csv_of_table, table_of_csv
from gateway.table.export import rows_of
from gateway.table.point_table import read_table
from gateway.table.sheet import Cell, Table, heading
from gateway.table.xlsx_file import table_of_xlsx, xlsx_of_table

MODBUS = {
    name: file
    for name, file in load_profiles([SHIPPED]).items()
    if file.profile.protocol == "modbus"
}
SAID = {
    "profile": "acme-em3",
    "class": "meter",
    "model_zh": "EM3 电表",
    "source": "a test",
}
TABLE = """\
ACME EM3 三相电表 Modbus 点表,,,,,,
序号,点位名称,寄存器地址,功能码,数据类型,倍率,单位
1,A相电压,40001,03,无符号整型,0.1,V
2,A相电流,40002,03,uint16,÷100,A
3,有功功率,40003-40004,03,INT32,1,W
4,正向电能,40005,03,Float CDAB,,0.01kWh
5,断路器合位,40007.3,03,bit,,
"""


def points_of(text, **given):
    return read_table(table_of_csv("t.csv", text.encode()), {**SAID, **given}).document


def wrong_with(text, **given):
    with pytest.raises(ConfigurationError) as refused:
        points_of(text, **given)
    return [(p.line, p.name, p.wrong) for p in refused.value.problems]


def loaded(imported, folder):
    name = imported.document["profile"]
    path = folder / f"{name}.yaml"
    path.write_text(profile_text(imported.document, hexadecimal=imported.hexadecimal), "utf-8")
    file, problems = load_profile(path)
    assert problems == []
    return file


def test_a_table_as_it_is_delivered(tmp_path):
    imported = read_table(table_of_csv("t.csv", TABLE.encode()), SAID)
    file = loaded(imported, tmp_path)
    places = file.modbus_places({})
    told = [
        (
            one.name.zh,
            one.kind.value,
            one.unit,
            one.decimals,
            p.address,
            p.type.value,
            p.scale,
            p.order.value,
            p.bit,
        )
        for one, p in zip(file.profile.points, places.values(), strict=True)
    ]
    assert told == [
        ("A相电压", "number", "V", 1, 0, "uint16", 0.1, "ABCD", None),
        ("A相电流", "number", "A", 2, 1, "uint16", 0.01, "ABCD", None),
        ("有功功率", "number", "W", 0, 2, "int32", 1.0, "ABCD", None),
        ("正向电能", "number", "kWh", 3, 4, "float32", 0.01, "CDAB", None),
        ("断路器合位", "flag", "", 0, 6, "uint16", 1.0, "ABCD", 3),
    ]
    assert {p.function.value for p in places.values()} == {"holding"}
    assert file.document.first_register == 40001
    assert "addresses are in Modicon notation: 40001 is PDU address 0" in imported.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_and_delimiter_gives_the_same(encoding, delimiter):
    data = TABLE.replace(",", delimiter).encode(encoding)
    assert read_table(table_of_csv("t.csv", data), SAID).document == points_of(TABLE)


@pytest.mark.parametrize("name", sorted(MODBUS))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_exported_is_imported_as_the_same(name, form, tmp_path):
    file = MODBUS[name]
    rows = rows_of(file)
    if form == "csv":
        table = table_of_csv("t.csv", csv_of_table(rows))
    else:
        table = table_of_xlsx("t.xlsx", xlsx_of_table(rows))
    again = loaded(read_table(table, {}), tmp_path)
    assert again.profile.points == file.profile.points
    for end in ("low", "high"):
        parameters = {n: getattr(p, end) for n, p in file.document.parameters.items()}
        assert again.modbus_places(parameters) == file.modbus_places(parameters)
        assert again.writes(parameters, "") == file.writes(parameters, "")
    assert again.derived() == file.derived()
    assert again.limits() == file.limits()
    assert again.profile.generic == file.profile.generic
    assert again.profile.model == file.profile.model
    assert (again.profile.verified, again.profile.source) == (
        file.profile.verified,
        file.profile.source,
    )


@pytest.mark.parametrize(
    ("row", "column", "wrong"),
    [
        ("电压,001A,3,uint16,1,V", "column B (地址)", "hexadecimal without saying so"),
        ("电压,D-100,3,uint16,1,V", "column B (地址)", "is no register"),
        ("电压,,3,uint16,1,V", "column B (地址)", "is empty"),
        ("电压,70000,3,uint16,1,V", "column B (地址)", "reaches PDU address 70000"),
        ("电压,1,9,uint16,1,V", "column C (功能码)", "no function to read with"),
        ("电压,1,,uint16,1,V", "column C (功能码)", "nothing says with which function"),
        ("电压,1,3,uint17,1,V", "column D (类型)", "is no known type"),
        ("电压,1-3,3,float32,1,V", "column D (类型)", "takes 2 registers, and 3 are said"),
        ("电压,1,3,uint16,十,V", "column E (倍率)", "is no number"),
        ('电压,1,3,uint16,"1,000",V', "column E (倍率)", "a thousand or a fraction"),
        ("电压,1,3,uint16,0,V", "column E (倍率)", "is 0"),
        ("电压,1,3,uint16,0.1,0.01V", "column F (单位)", "the scale is 0.1"),
        ("电压,1,3,bit,,V", "column D (类型)", "is a bit of a register"),
        ("电压,1.17,3,uint16,1,", "(bit)", "no bit of a register"),
        (",1,3,uint16,1,V", "column A (名称)", "is empty"),
    ],
)
def test_a_mistake_is_named_by_row_and_column(row, column, wrong):
    text = f"名称,地址,功能码,类型,倍率,单位\n频率,100,3,uint16,0.01,Hz\n{row}\n"
    found = wrong_with(text)
    assert [(line, name) for line, name, _ in found] == [(3, column)], found
    assert wrong in found[0][2]


def test_all_mistakes_come_at_once_and_with_the_mend():
    text = "名称,地址,功能码,类型\nA,xx,3,uint16\nB,2,7,uint16\nC,3,3,uint99\nD,4,3,uint16\n"
    with pytest.raises(ConfigurationError) as refused:
        points_of(text)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["t.csv:2", "t.csv:3", "t.csv:4"]
    assert lines[1].endswith("write 1 coil, 2 discrete, 3 holding or 4 input")


def test_two_points_on_one_register_are_found_as_in_every_profile():
    found = wrong_with("名称,地址,功能码,类型\nA,1,3,float32\nB,2,3,uint16\n")
    assert found == [(3, "column B (地址)", "register 2 is part of a")]


def test_two_columns_that_say_the_same_are_not_chosen_between():
    found = wrong_with("名称,地址(十进制),地址(十六进制),功能码\nA,16,10,3\n")
    assert found[0][:2] == (1, "column C (地址(十六进制))")


def test_a_heading_that_says_hexadecimal_holds_for_the_column():
    found = points_of("名称,地址(hex),功能码\nA,10,3\nB,001A,3\nC,0x1B,3\n")
    assert [p["modbus"]["register"] for p in found["points"]] == [0x10, 0x1A, 0x1B]


def test_modicon_tables_side_by_side_become_pdu_addresses():
    found = points_of("name,address\nV,30001\nA,30003\nSet,40011\nRun,10001\nOut,00001\n")
    assert found["first_register"] == 0
    assert [(p["modbus"]["function"], p["modbus"]["register"]) for p in found["points"]] == [
        ("input", 0),
        ("input", 2),
        ("holding", 10),
        ("discrete", 0),
        ("coil", 0),
    ]


def test_a_mixture_of_notations_is_a_mistake_and_can_be_settled():
    text = "name,address,function\nV,40001,3\nA,12,3\n"
    assert wrong_with(text) == [
        (2, "column B (address)", "reads as Modicon notation, and other rows do not")
    ]
    most = "name,address,function\nV,40001,3\nA,12,3\nW,40003,3\n"
    assert wrong_with(most) == [
        (3, "column B (address)", "is not in Modicon notation (40001), and the other rows are")
    ]
    found = points_of(text, first_register="0")
    assert [p["modbus"]["register"] for p in found["points"]] == [40001, 12]


def test_modicon_notation_that_contradicts_the_function_is_a_mistake():
    found = wrong_with("name,address,function\nV,40001,4\nA,40002,3\n")
    assert found == [
        (2, "column B (address)", "40001 is in the table holding, and the function is input")
    ]


def test_what_is_not_said_of_the_profile_is_asked_for():
    with pytest.raises(ConfigurationError) as refused:
        read_table(table_of_csv("t.csv", TABLE.encode()), {})
    assert {p.name for p in refused.value.problems} == {
        "--profile",
        "--class",
        "--model",
        "--source",
    }


def test_a_file_without_headings_says_what_they_are():
    with pytest.raises(ConfigurationError, match="名称/name, 地址/address"):
        read_table(table_of_csv("t.csv", b"1,2,3\n4,5,6\n"), SAID)
    with pytest.raises(ConfigurationError, match="it is empty"):
        read_table(table_of_csv("t.csv", b""), SAID)


def test_titles_between_the_rows_are_left_aside_and_told():
    imported = read_table(
        table_of_csv("t.csv", "名称,地址,功能码\n一、电压,,\nUa,1,3\n".encode()), SAID
    )
    assert len(imported.document["points"]) == 1
    assert imported.notes[0] == "row 2 has one cell only: taken for a title"


def test_negative_numbers_stay_numbers():
    rows = [[Cell(text="-40", is_number=True), Cell(text="-12.5")]]
    assert csv_of_table(rows).decode("utf-8-sig").strip() == "-40,-12.5"


def workbook(**parts):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "no .xlsx workbook"),
        (b"PK\x03\x04 nonsense", "no .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "no .xlsx workbook"),
        (workbook(a="b"), "no workbook that can be read"),
        (workbook(bomb=b"\0" * 60_000_000), "unpacks to 60000000 bytes"),
        (workbook(x=b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "b">]>'), "document type"),
        (b"x" * 5_000_001, "has 5000001 bytes"),
    ],
)
def test_a_workbook_that_is_none_or_bursts_is_refused(data, wrong):
    with pytest.raises(ConfigurationError, match=wrong):
        table_of_xlsx("t.xlsx", data)


def test_a_formula_that_was_never_computed_is_no_empty_cell():
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["名称", "地址", "功能码", "倍率"])
    book.active.append(["电压", 1, 3, "=1/10"])
    target = io.BytesIO()
    book.save(target)
    with pytest.raises(ConfigurationError) as refused:
        table_of_xlsx("t.xlsx", target.getvalue())
    assert [(p.line, p.name) for p in refused.value.problems] == [(2, "Sheet column D")]


def test_a_register_with_a_bit_that_excel_took_for_a_number_is_asked_about():
    table = Table(
        file="t.xlsx",
        rows=[
            [Cell(text="名称"), Cell(text="地址"), Cell(text="功能码")],
            [Cell(text="A"), Cell(text="12.1", is_number=True), Cell(text="3")],
        ],
    )
    with pytest.raises(ConfigurationError, match=r"column B .*\.1 and \.10 are the same"):
        read_table(table, SAID)


def test_the_sheet_with_the_headings_is_taken():
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["封面"])
    sheet = book.create_sheet("点表")
    sheet.append(["名称", "地址", "功能码"])
    sheet.append(["电压", 1.0, 3])
    target = io.BytesIO()
    book.save(target)
    found = read_table(table_of_xlsx("t.xlsx", target.getvalue()), SAID)
    assert found.document["points"][0]["modbus"] == {"function": "holding", "register": 1}


def test_more_rows_than_a_device_has_are_refused():
    with pytest.raises(ConfigurationError, match="more than 5000 rows"):
        table_of_csv("t.csv", b"a,b\n" * 5001)
    with pytest.raises(ConfigurationError, match="quote"):
        table_of_csv("t.csv", b'name,address\n"open,1\n')


def test_bilingual_and_bracketed_headings_are_known():
    assert heading("寄存器地址 (Register Address)") == "register"
    assert heading("name 名称") == "name"
    assert heading("单位(unit)") == "unit"
    assert heading("厂家") is None


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_problem(data):
    for reader in (table_of_csv, table_of_xlsx):
        try:
            read_table(reader("t", data), SAID)
        except ConfigurationError as refused:
            assert refused.problems


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_table_is_a_profile_or_a_problem(seed):
    chance = random.Random(seed)
    data = bytearray(csv_of_table(rows_of(MODBUS[chance.choice(sorted(MODBUS))])))
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    try:
        imported = read_table(table_of_csv("t.csv", bytes(data)), {})
    except ConfigurationError as refused:
        assert all(problem.wrong and problem.mend for problem in refused.problems)
    else:
        assert imported.document["points"]


def test_a_damaged_workbook_is_a_table_or_a_problem():
    chance = random.Random(7)
    whole = xlsx_of_table(rows_of(MODBUS["eastron-sdm120"]))
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_table(table_of_xlsx("t.xlsx", bytes(data)), {})
        except ConfigurationError as refused:
            assert refused.problems


def test_no_shipped_profile_was_left_out():
    assert len(MODBUS) >= len(list(Path(SHIPPED).glob("meter/*.yaml")))

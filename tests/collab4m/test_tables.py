"""Tables in files: what may be read, what each kind of cell says, and what is written."""

import csv
import io
import re
import zipfile
from datetime import date, datetime

import pytest
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from collab4m.tables import TableRefused, as_csv, as_xlsx, day, download, open_table, text, whole_number, yes_or_no


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


def workbook(*rows, change=None):
    """A workbook's bytes; `change` may do more to its sheet."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content, name, body):
    """The workbook with one more part, or another in the place of the one with that name."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, body)
    return file.getvalue()


def read(name, content):
    table = open_table(name, content)
    return table.headings, list(table.rows())


ROWS = [["Skola", "Platser"], ["Ådö", "24"], ["Öster", ""]]


# What can be read


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_open_table_reads_csv_of_every_usual_kind(separator, encoding, ending):
    content = ending.join(separator.join(row) for row in ROWS).encode(encoding)

    assert read("a.csv", content) == (["Skola", "Platser"], [(2, ["Ådö", "24"]), (3, ["Öster", ""])])


def test_open_table_skips_empty_rows_and_empty_columns_at_the_end_but_counts_their_lines():
    content = b";;\r\nSkola;Platser;\r\n;;\r\nAdo;24;\r\n\r\nOster;5;\r\n"

    assert read("a.csv", content) == (["Skola", "Platser"], [(4, ["Ado", "24"]), (6, ["Oster", "5"])])


def test_open_table_reads_line_breaks_and_quotation_marks_in_quoted_cells():
    content = b'Skola;Not\r\n"A ""B""";"en\r\nrad"\r\nC;d\r\n'

    assert read("a.csv", content)[1] == [(2, ['A "B"', "en\r\nrad"]), (4, ["C", "d"])]


def test_open_table_reads_the_separator_that_excel_names():
    assert read("a.csv", b"sep=,\r\nSkola,Platser\r\nA,1\r\n") == (["Skola", "Platser"], [(3, ["A", "1"])])


def test_open_table_reads_a_workbook_with_its_days_and_numbers():
    content = workbook(["Skola", "Platser", "Per"], [], ["Ådö", 24, date(2022, 10, 15)])

    table = open_table("a.xlsx", content)

    assert (table.headings, table.line_of_headings, table.is_spreadsheet) == (["Skola", "Platser", "Per"], 1, True)
    assert list(table.rows()) == [(3, ["Ådö", 24, datetime(2022, 10, 15)])]  # noqa: DTZ001 spreadsheets know no zones
    assert [table.place(0), table.place(27)] == ["A", "AB"]


def test_place_is_a_number_in_csv():
    assert open_table("a.csv", b"a;b\n1;2").place(1) == "2"


def test_open_table_reads_the_only_sheet_with_anything_in_it():
    book = Workbook()
    book.create_sheet("Tom")
    sheet = book.create_sheet("Utbud")
    sheet.append(["Skola"])
    sheet.append(["Ådö"])
    file = io.BytesIO()
    book.save(file)

    assert read("a.xlsx", file.getvalue())[1] == [(2, ["Ådö"])]


def test_rows_can_be_read_again():
    table = open_table("a.csv", b"a;b\n1;2")

    assert list(table.rows()) == list(table.rows()) == [(2, ["1", "2"])]


# What is refused


def bomb():
    """A workbook of a few kilobytes that unpacks to 100 MB of rows."""
    return with_part(workbook(["a"], ["b"]), "xl/worksheets/sheet1.xml", b"<row/>" * 17_000_000)


def hidden_bomb():
    """A workbook whose list of parts says that the sheet is small."""
    content = with_part(workbook(["a"], ["b"]), "xl/worksheets/sheet1.xml", b"<row/>" * 2_000_000)
    return content.replace((12_000_000).to_bytes(4, "little"), (500).to_bytes(4, "little"))


def many_parts():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        for number in range(3000):
            parts.writestr(f"xl/{number}.xml", b"")
    return file.getvalue()


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr(name, b"hej")
    return file.getvalue()


def put(place, value):
    return lambda sheet: sheet.__setitem__(place, value)


BOOK = workbook(["Skola", "Platser"], ["A", 1])
NOT_A_TABLE = "The file is not a table. Choose a CSV file (.csv) or an Excel workbook (.xlsx)."
EMPTY = "The file is empty. Save it with headings and rows, and send it again."
TOO_MUCH = "The workbook holds much more than its size tells. Copy the rows to a new workbook, and send that one."
DAMAGED = "The workbook is damaged or not whole. Open it in Excel, save it anew, and send it again."
MACROS = "The workbook can hold macros. Save it as an Excel workbook without macros (.xlsx)."
DEFINES = "The workbook holds definitions of its own. Copy the rows to a new workbook, and send that one."
LINES = "Write a value or nothing between the separators for each heading."

REFUSED = {
    "empty": ("a.csv", b"", EMPTY, None, ""),
    "only blanks": ("a.csv", b" \r\n;;\r\n", EMPTY, None, ""),
    "only separators": ("a.csv", b";;;\r\n;;;\r\n", EMPTY, None, ""),
    "only headings": (
        "a.csv",
        b"Skola;Platser\r\n;\r\n",
        "The file has headings but no rows. Write at least one row below them.",
        1,
        "",
    ),
    "heading twice": (
        "a.csv",
        b"Skola;Platser;skola\r\n1;2;3\r\n",
        "The heading “skola” also stands in column 1. Give each column a heading of its own.",
        1,
        "3",
    ),
    "empty heading": (
        "a.csv",
        b"Skola;;Platser\r\n1;2;3\r\n",
        "The column has no heading. Give it one, or take the column away.",
        1,
        "2",
    ),
    "short row": (
        "a.csv",
        b"a;b;c\r\n1;2;3\r\n1;2\r\n",
        f"The row has 2 values, but there are 3 headings. {LINES}",
        3,
        "",
    ),
    "long row": (
        "a.csv",
        b"a;b\r\n1;2;3\r\n",
        "The row has a value where there is no heading. Give the column a heading, or take the value away.",
        2,
        "3",
    ),
    "open quotation": (
        "a.csv",
        b'a;b\r\n1;2\r\n3;"4\r\n5;6\r\n',
        "A quotation mark is opened but not closed here, or stands inside a value. Write it twice inside a value, "
        "or take it away.",
        3,
        "",
    ),
    "utf-16": (
        "a.csv",
        "a;b\r\n1;2".encode("utf-16"),
        "The file is saved as UTF-16 (“Unicode text”). Save it as “CSV UTF-8”, and send it again.",
        None,
        "",
    ),
    "utf-16 without mark": (
        "a.csv",
        "a;b\r\n1;2".encode("utf-16-le"),
        "The file holds characters that are no text. Save it as “CSV UTF-8”, and send it again.",
        1,
        "",
    ),
    "control character": (
        "a.csv",
        b"a;b\r\n1;2\r\n3;\x00\r\n",
        "The file holds characters that are no text. Save it as “CSV UTF-8”, and send it again.",
        3,
        "",
    ),
    "two encodings": (
        "a.csv",
        "Skola;Ort\r\nÅsö;b\r\n".encode() + b"\xc5s\xf6;b\r\n",
        "The file says its letters in two ways (UTF-8 and another one). Save it as “CSV UTF-8”, and send it again.",
        3,
        "",
    ),
    "no encoding": (
        "a.csv",
        b"Skola;Ort\r\n\x81\x8d;b\r\n",
        "The letters in the file cannot be read. Save it as “CSV UTF-8”, and send it again.",
        2,
        "",
    ),
    "pdf": ("a.pdf", b"%PDF-1.7", NOT_A_TABLE, None, ""),
    "pdf called csv": ("a.csv", b"%PDF-1.7", NOT_A_TABLE, None, ""),
    "image": ("a.xlsx", b"\x89PNG\r\n\x1a\n", NOT_A_TABLE, None, ""),
    "web page called csv": (
        "a.csv",
        b"<!DOCTYPE html><table>",
        "The file holds a web page, not a table. Save it as an Excel workbook (.xlsx) or as CSV.",
        None,
        "",
    ),
    "without ending": ("utbud", b"a;b", NOT_A_TABLE, None, ""),
    "old excel": (
        "a.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "A file that ends in .xls cannot be read. Save it as an Excel workbook (.xlsx) or as CSV.",
        None,
        "",
    ),
    "password": (
        "a.xlsx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
        "The workbook is protected with a password or of an older kind. Take away the password, and save it as an "
        "Excel workbook (.xlsx).",
        None,
        "",
    ),
    "macros by name": ("a.xlsm", BOOK, MACROS, None, ""),
    "macros inside": ("a.xlsx", with_part(BOOK, "xl/vbaProject.bin", b"x"), MACROS, None, ""),
    "ods": (
        "a.xlsx",
        zipped("mimetype"),
        "The workbook is of another kind. Save it as an Excel workbook (.xlsx) or as CSV.",
        None,
        "",
    ),
    "zip without workbook": (
        "a.xlsx",
        zipped("hej.txt"),
        "The file is a zip file without a workbook. Send the workbook itself (.xlsx).",
        None,
        "",
    ),
    "cut off": ("a.xlsx", BOOK[:-200], DAMAGED, None, ""),
    "cut in the middle": ("a.xlsx", BOOK[:1000] + BOOK[1200:], DAMAGED, None, ""),
    "broken xml": ("a.xlsx", with_part(BOOK, "xl/workbook.xml", b"<workbook"), DAMAGED, None, ""),
    "broken sheet": (
        "a.xlsx",
        with_part(BOOK, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"),
        DAMAGED,
        None,
        "",
    ),
    "entities": (
        "a.xlsx",
        with_part(BOOK, "xl/worksheets/sheet1.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'),
        DEFINES,
        None,
        "",
    ),
    "entities in utf-16": (
        "a.xlsx",
        with_part(BOOK, "xl/sharedStrings.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>".encode("utf-16")),
        DEFINES,
        None,
        "",
    ),
    "odd encoding": (
        "a.xlsx",
        with_part(BOOK, "xl/styles.xml", b'<?xml version="1.0" encoding="cp037"?><a/>'),
        DAMAGED,
        None,
        "",
    ),
    "many parts": ("a.xlsx", many_parts(), TOO_MUCH, None, ""),
    "formula": (
        "a.xlsx",
        workbook(["Skola", "Platser"], ["A", 1], ["B", "=1+1"]),
        "The cell holds a formula. Copy the column, and paste it as values.",
        3,
        "B",
    ),
    "error": (
        "a.xlsx",
        workbook(["Skola", "Platser"], ["#REF!", 1]),
        "The cell holds the error #REF!. Write the value, or leave the cell empty.",
        2,
        "A",
    ),
    "merged": (
        "a.xlsx",
        workbook(["Skola", "Platser"], ["A", 1], ["B", 2], change=lambda sheet: sheet.merge_cells("A2:A3")),
        "Cells are merged here. Divide them, so that each row has its own value in each column.",
        2,
        "A",
    ),
    "beyond the headings": (
        "a.xlsx",
        workbook(["Skola", "Platser"], ["A", 1], change=put("F2", "x")),
        "The row has a value where there is no heading. Give the column a heading, or take the value away.",
        2,
        "F",
    ),
    "too wide": (
        "a.csv",
        (";".join(f"r{number}" for number in range(300)) + "\n1").encode(),
        "The file has 300 columns, but may have 200. Take away those that are not needed.",
        1,
        "",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_open_table_refuses(kind):
    name, content, message, line, column = REFUSED[kind]

    with pytest.raises(TableRefused) as refused:
        read(name, content)

    assert (str(refused.value), refused.value.line, refused.value.column) == (message, line, column)


@pytest.mark.parametrize("content", [bomb, hidden_bomb])
def test_open_table_refuses_a_zip_bomb_before_it_fills_the_memory(content):
    with pytest.raises(TableRefused) as refused:
        read("a.xlsx", content())

    assert str(refused.value) in (TOO_MUCH, DAMAGED)


def test_open_table_names_the_sheets_when_several_hold_something():
    book = Workbook()
    book.active.title = "Utbud"
    book.active.append(["a"])
    book.create_sheet("Gammalt").append(["b"])
    file = io.BytesIO()
    book.save(file)

    with pytest.raises(
        TableRefused, match=re.escape("Several sheets hold something: “Utbud”, “Gammalt”. Keep the one")
    ):
        open_table("a.xlsx", file.getvalue())


def test_rows_stops_at_the_row_that_is_too_much(monkeypatch):
    monkeypatch.setattr("collab4m.tables.MOST_ROWS", 2)

    with pytest.raises(TableRefused) as refused:
        read("a.csv", b"a\n1\n2\n3\n")

    assert (str(refused.value), refused.value.line) == (
        "The file has more than 2 rows. Divide it into several files.", 4
    )  # fmt: skip


# Cells


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (None, ""), ("  Ado \xa0 gymnasium\n", "Ado gymnasium"), ("A\u030ado", "Ådo"), (24.0, "24"), (24, "24"),
        (True, "yes"), (date(2022, 10, 15), "2022-10-15"), ("'=1", "=1"), ("'s", "'s"),
    ],
)  # fmt: skip
def test_text(cell, said):
    assert text(cell) == said


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (None, None), ("", None), (" ", None), ("24", 24), ("1 200", 1200), ("1\xa0200", 1200), ("1\u202f200", 1200),
        ("24,0", 24), ("24.00", 24), (24, 24), (24.0, 24), ("007", 7), ("0", 0), ("32767", 32767),
    ],
)  # fmt: skip
def test_whole_number_reads_what_people_write(cell, number):
    assert whole_number(cell) == number


FIGURES = "Write a whole number in figures, for example 24, or leave the cell empty."


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-5", "The number cannot be below 0. Write how many they are, or leave the cell empty."),
        ("−5", "The number cannot be below 0. Write how many they are, or leave the cell empty."),
        (-5, "The number cannot be below 0. Write how many they are, or leave the cell empty."),
        ("24,5", "Write a whole number without decimals."),
        (24.5, "Write a whole number without decimals."),
        ("32768", "The number is too large. Write at most 32767."),
        ("9" * 5000, "The number is too large. Write at most 32767."),
        *((cell, FIGURES) for cell in (
            "1.000", "1,200", "12 00", "ca 20", "tjugo", "..", "-", "+5", "1e3", "٣", True, date(2022, 1, 1)
        )),
    ],
)  # fmt: skip
def test_whole_number_refuses_what_is_none(cell, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        whole_number(cell)


@pytest.mark.parametrize(
    "cell",
    ["2022-10-15", "15/10 2022", "15.10.2022", "15 oktober 2022", "15 okt. 2022", "20221015", 20221015,
     "2022-10-15 00:00:00", date(2022, 10, 15), datetime(2022, 10, 15, 12)],  # noqa: DTZ001
)  # fmt: skip
def test_day_reads_what_people_write(cell):
    assert day(cell) == date(2022, 10, 15)


@pytest.mark.parametrize(
    "cell", ["10/15/2022", "15/10/22", "05/06/2022", "i höstas", "0022-10-15", 44849, "2022-02-30"]
)
def test_day_refuses_what_is_none_or_can_be_read_two_ways(cell):
    with pytest.raises(ValueError, match=r"Write the day as 2022-10-15\."):
        day(cell)


def test_day_of_nothing_is_none():
    assert day(None) is day(" ") is None


@pytest.mark.parametrize(
    ("cell", "answer"), [("ja", True), ("X", True), (True, True), (1, True), ("Nej", False), ("0", False), (None, None)]
)
def test_yes_or_no(cell, answer):
    assert yes_or_no(cell) is answer


def test_yes_or_no_refuses_all_else():
    with pytest.raises(ValueError, match=r"Write yes or no\."):
        yes_or_no("kanske")


# Writing

MIXED = [
    ["Ådö", 1200, True, date(2022, 10, 15), None],
    ["=1+1", -5, False, None, "-5"],
    ["@a", 1.5, None, None, "\x00b"],
]


def test_as_csv_is_what_swedish_excel_opens_and_guards_against_formulas():
    content = as_csv(["Skola", "Platser", "Ja", "Per", "Not"], MIXED)

    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig") == (
        "Skola;Platser;Ja;Per;Not\r\nÅdö;1200;yes;2022-10-15;\r\n'=1+1;-5;no;;-5\r\n'@a;1,5;;;b\r\n"
    )


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_as_csv_guards_every_start_of_a_formula(start):
    row = next(
        csv.reader(io.StringIO(as_csv(["a"], [[f"{start}cmd"]]).decode("utf-8-sig").split("\r\n", 1)[1], newline=""))
    )

    assert row == [f"'{start}cmd"]


def test_as_xlsx_holds_texts_numbers_and_days_but_no_formulas():
    content = as_xlsx(["Skola", "Platser", "Ja", "Per", "Not"], MIXED, "Utbud: 4M")

    sheet = load_workbook(io.BytesIO(content)).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["Ådö", 1200, "yes", datetime(2022, 10, 15), None],  # noqa: DTZ001
        ["=1+1", -5, "no", None, "-5"],
        ["@a", 1.5, None, None, "b"],
    ]
    assert [sheet["A3"].data_type, sheet["B2"].data_type, sheet["E3"].data_type] == ["s", "n", "s"]
    assert (sheet.freeze_panes, sheet["A1"].font.bold, sheet["A2"].font.bold, sheet.title) == (
        "A2",
        True,
        False,
        "Utbud  4M",
    )
    assert sheet.column_dimensions["D"].width == 13


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_written_can_be_read_again(kind):
    response = download(kind, "utbud-4m", ["Skola", "Platser"], [['\'=Ådö; "B"', 24], ["=1", None]])

    _headings, rows = read(f"a.{kind}", response.content)
    assert [(text(cells[0]), whole_number(cells[1])) for _line, cells in rows] == [('=Ådö; "B"', 24), ("=1", None)]
    assert response["Content-Disposition"] == f'attachment; filename="utbud-4m.{kind}"'

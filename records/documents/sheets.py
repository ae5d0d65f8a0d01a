"""A document's tables as data: .xlsx with one sheet for each, and .csv. Each figure has its source beside it."""

import csv
from datetime import UTC
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

from records.documents import words
from records.documents.archive import zipped_again
from records.documents.content import Content, blocks_of
from records.documents.frame import Frame

YES, NO = "ja", "nej"
LONGEST_SHEET_NAME = 31
# What a spreadsheet would take for a formula; a sign before it makes it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tables_of(content: Content) -> list[Content]:
    """The tables of a document, charts' among them, in reading order."""
    return [block for block in blocks_of(content) if block["kind"] in ("table", "chart")]


def grid(table: Content, content: Content) -> list[list[Any]]:
    """Head and rows: text and numbers. A column with figures is followed by their units, sources and marks of examples.

    What is missing is said in words where the number would be.
    """
    with_figures = [any(_figure(row[place]) for row in table["rows"]) for place in range(len(table["columns"]))]
    head: list[Any] = []
    for column, has in zip(table["columns"], with_figures, strict=True):
        head.append(column["label"])
        if has:
            head += [f"{column['label']}, {name}" for name in ("enhet", "källa", words.EXAMPLE)]
    return [head, *([*_cells(row, with_figures, content)] for row in table["rows"])]


def _figure(cell: Any) -> Content | None:
    """The cell's one figure, if it holds nothing else."""
    alone = cell if isinstance(cell, list) and len(cell) == 1 else [None]
    return alone[0] if isinstance(alone[0], dict) and "value" in alone[0] else None


def _cells(row: list[Any], with_figures: list[bool], content: Content) -> list[Any]:
    cells: list[Any] = []
    for cell, has in zip(row, with_figures, strict=True):
        figure = _figure(cell)
        cells.append(_value(figure) if figure else words.shown(cell))
        if has and figure:
            named = words.source(content["sources"][figure["source"]])
            cells += [figure["unit"], named, YES if figure["example"] else NO]
        elif has:
            cells += ["", "", ""]
    return cells


def _value(figure: Content) -> int | float:
    value = figure["value"]
    return value if isinstance(value, int) else float(value)


def comma_separated(table: Content, content: Content) -> bytes:
    """One table as .csv for Swedish spreadsheets: semicolons, decimal comma, UTF-8 with its mark."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    head, *rows = grid(table, content)
    writer.writerow([_safe(cell) for cell in head])
    for row in rows:
        writer.writerow([str(cell).replace(".", ",") if isinstance(cell, float) else _safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def workbook(content: Content, frame: Frame) -> bytes:
    """All tables as .xlsx, and a sheet with the sources."""
    out = BytesIO()
    at = frame.at.astimezone(UTC).replace(tzinfo=None)
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": content["title"], "created": at, "author": "collab4m"})
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
        for number, table in enumerate(tables_of(content), 1):
            _sheet(book, _name(f"{number} {table['caption']}"), grid(table, content), bold, table["caption"])
        sources = [["Källa", "Inkom", "Adress"]]
        sources += [
            [words.source(source), words.CAME_IN[source["came_in"]], source["address"]]
            for source in content["sources"].values()
        ]
        _sheet(book, words.FRAME["sources"], sources, bold, words.FRAME["sources"])
        about = [
            ["Handling", content["title"]],
            [words.FRAME["version"], frame.number],
            [words.FRAME["checksum"], frame.sha256],
            [words.FRAME["how_to_verify"], frame.address],
        ]
        _sheet(book, "Om", about, None, words.FRAME["how_to_verify"])
    return zipped_again(out.getvalue(), frame.at)


def _name(wanted: str) -> str:
    """A name that a sheet may have; the number it begins with makes it the only one."""
    return "".join("_" if char in "[]:*?/\\'" else char for char in wanted)[:LONGEST_SHEET_NAME].strip()


def _sheet(book: Any, name: str, rows: list[list[Any]], head: Any, title: str) -> None:
    sheet = book.add_worksheet(name)
    for row_number, row in enumerate(rows):
        for place, cell in enumerate(row):
            write = sheet.write_number if isinstance(cell, int | float) else sheet.write_string
            write(row_number, place, cell, head if row_number == 0 else None)
    if head:
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_header(f"&L{title.replace('&', '&&')[:200]}")
    sheet.autofit(300)

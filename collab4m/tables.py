"""Tables in files: CSV and XLSX are opened, read cell by cell and written here, whoever they come from."""

from __future__ import annotations

import codecs
import csv
import io
import re
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from collab4m.errors import RuleBroken
from collab4m.forms import MONTHS

Cell = str | int | float | bool | date | datetime | time | None

MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_NUMBER = 32_767  # what the database keeps of a figure
# A workbook is a zip of XML: what its parts may come to when they are unpacked.
MOST_PARTS = 2_000
MOST_DIRECTORY_BYTES = 400_000
MOST_UNPACKED_BYTES = 200_000_000
MOST_WORDS_BYTES = 30_000_000  # shared strings, which are kept in memory
MOST_OTHER_BYTES = 5_000_000  # styles and the like
MOST_BYTES_IN_A_ROW = 4_000_000
WORST_RATIO = 100  # real sheets shrink to a tenth or a thirtieth
SMALL_PART_BYTES = 1_000_000

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER_LIKE = re.compile(r"[+-]?[0-9][0-9\s.,]*")
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TableRefused(RuleBroken):
    """A file is no table that can be read. `line` and `column` say where, when the fault has a place."""

    code = "table_refused"

    def __init__(self, message: str, line: int | None = None, column: str = "") -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass(frozen=True)
class Table:
    """A table in a file: its headings, and its rows as often as one asks for them."""

    headings: list[str]
    line_of_headings: int
    is_spreadsheet: bool
    about: int | None  # about how many rows there are, when the file tells
    _lines: Callable[[], Iterator[tuple[int, list[Cell]]]]

    def place(self, index: int) -> str:
        """What people call the column: B in a spreadsheet, 2 in a CSV file."""
        return _place(index, self.is_spreadsheet)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Line and cells of each row that holds something, as many cells as there are headings.

        Raises TableRefused at the first row that does not fit the headings or cannot be read.
        """
        width, count = len(self.headings), 0
        for line, cells in self._lines():
            if line <= self.line_of_headings or _is_empty(cells):
                continue
            count += 1
            if count > MOST_ROWS:
                message = _("The file has more than %(most)s rows. Divide it into several files.")
                raise TableRefused(message % {"most": MOST_ROWS}, line)
            yield line, self._fitted(line, cells, width)

    def _fitted(self, line: int, cells: list[Cell], width: int) -> list[Cell]:
        extra = next((place for place, cell in enumerate(cells) if place >= width and not _is_nothing(cell)), None)
        if extra is not None:
            message = _(
                "The row has a value where there is no heading. Give the column a heading, or take the value away."
            )
            raise TableRefused(message, line, self.place(extra))
        if len(cells) < width and not self.is_spreadsheet:
            message = _(
                "The row has %(found)s values, but there are %(wanted)s headings. Write a value or nothing between the "
                "separators for each heading."
            )
            raise TableRefused(message % {"found": len(cells), "wanted": width}, line)
        return cells[:width] + [None] * (width - len(cells))


def open_table(name: str, content: bytes) -> Table:
    """The table in a file that somebody sent. What the file is, is judged by its content, not only by its name.

    Raises TableRefused if it is no CSV or XLSX file, or one that may not be read, or has no table in it.
    """
    if not content.strip():
        raise TableRefused(_("The file is empty. Save it with headings and rows, and send it again."))
    if message := refused_kind(name) or _refused_content(content):
        raise TableRefused(message)
    if content.startswith(b"PK"):
        return _open_workbook(content)
    return _open_csv(content)


def refused_kind(name: str) -> str:
    """What to do instead of sending a file with such a name, or nothing when it may be a table."""
    ending = name.rpartition(".")[2].casefold() if "." in name else ""
    if ending in ("xlsm", "xltm", "xlam"):
        return _("The workbook can hold macros. Save it as an Excel workbook without macros (.xlsx).")
    if ending in ("xls", "xlt", "xlsb", "ods", "numbers"):
        return _("A file that ends in .%(ending)s cannot be read. Save it as an Excel workbook (.xlsx) or as CSV.") % {
            "ending": ending
        }
    if ending not in ("csv", "tsv", "txt", "xlsx"):
        return _("The file is not a table. Choose a CSV file (.csv) or an Excel workbook (.xlsx).")
    return ""


def _refused_content(content: bytes) -> str:
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _(
            "The workbook is protected with a password or of an older kind. Take away the password, and save it as an "
            "Excel workbook (.xlsx)."
        )
    if content.startswith(
        (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
    ):
        return _("The file is not a table. Choose a CSV file (.csv) or an Excel workbook (.xlsx).")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)", content[:200].lower()):
        return _("The file holds a web page, not a table. Save it as an Excel workbook (.xlsx) or as CSV.")
    return ""


def _place(index: int, is_spreadsheet: bool) -> str:
    return get_column_letter(index + 1) if is_spreadsheet else str(index + 1)


def _is_nothing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_empty(cells: Iterable[Cell]) -> bool:
    return all(_is_nothing(cell) for cell in cells)


def _table(is_spreadsheet: bool, about: int | None, lines: Callable[[], Iterator[tuple[int, list[Cell]]]]) -> Table:
    """A table whose first row that holds anything is its headings."""
    found = (pair for pair in lines() if not _is_empty(pair[1]))
    line, cells = next(found, (0, []))
    if not cells:
        raise TableRefused(_("The file is empty. Save it with headings and rows, and send it again."))
    headings = [text(cell) for cell in cells]
    while not headings[-1]:
        headings.pop()
    if len(headings) > MOST_COLUMNS:
        message = _("The file has %(found)s columns, but may have %(most)s. Take away those that are not needed.")
        raise TableRefused(message % {"found": len(headings), "most": MOST_COLUMNS}, line)
    seen: dict[str, int] = {}
    for index, heading in enumerate(headings):
        place = _place(index, is_spreadsheet)
        if not heading:
            raise TableRefused(_("The column has no heading. Give it one, or take the column away."), line, place)
        if heading.casefold() in seen:
            message = _(
                "The heading “%(heading)s” also stands in column %(other)s. Give each column a heading of its own."
            )
            other = _place(seen[heading.casefold()], is_spreadsheet)
            raise TableRefused(message % {"heading": heading[:80], "other": other}, line, place)
        seen[heading.casefold()] = index
    if next(found, None) is None:
        raise TableRefused(_("The file has headings but no rows. Write at least one row below them."), line)
    return Table(headings, line, is_spreadsheet, about, lines)


# CSV


def _open_csv(content: bytes) -> Table:
    encoding = _encoding_of(content)
    first, skipped = _first_line(content, encoding)
    if told := re.fullmatch(r"sep=(.)", first.strip("\r\n"), re.IGNORECASE):
        separator, skipped = told[1], skipped + 1
    else:
        bare = re.sub(r'"[^"]*"', "", first)
        separator = max(";\t,", key=bare.count)

    def lines() -> Iterator[tuple[int, list[Cell]]]:
        with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as file:
            for _skip in range(skipped):
                file.readline()
            yield from _csv_rows(file, separator, skipped)

    return _table(False, content.count(b"\n"), lines)


def _first_line(content: bytes, encoding: str) -> tuple[str, int]:
    """The first line with anything on it, and how many stand before it."""
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as file:
        for skipped, line in enumerate(file):
            if line.strip():
                return line, skipped
    return "", 0


def _csv_rows(file: Iterable[str], separator: str, skipped: int) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(file, delimiter=separator, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = _(
                "A quotation mark is opened but not closed here, or stands inside a value. Write it twice inside a "
                "value, or take it away."
            )
            raise TableRefused(message, line) from None
        yield line, list(cells)


def _encoding_of(content: bytes) -> str:
    """UTF-8 or Windows-1252, whichever the file can be. Raises TableRefused for all others."""
    advice = _("Save it as “CSV UTF-8”, and send it again.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableRefused(_("The file is saved as UTF-16 (“Unicode text”). %(advice)s") % {"advice": advice})
    if control := re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]", content):
        try:
            content.decode("utf-8-sig")
        except UnicodeDecodeError:
            is_text = control[0][0] == 0xC2
        else:
            is_text = False
        if not is_text:
            message = _("The file holds characters that are no text. %(advice)s") % {"advice": advice}
            raise TableRefused(message, _line_at(content, control.start()))
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = error.start
    else:
        return "utf-8-sig"
    where = _line_at(content, fault)
    if content.startswith(codecs.BOM_UTF8) or re.search(rb"\xc3[\xa5\xa4\xb6\x85\x84\x96]", content):
        message = _("The file says its letters in two ways (UTF-8 and another one). %(advice)s") % {"advice": advice}
        raise TableRefused(message, where)
    try:
        content.decode("cp1252")
    except UnicodeDecodeError as error:
        message = _("The letters in the file cannot be read. %(advice)s") % {"advice": advice}
        raise TableRefused(message, _line_at(content, error.start)) from None
    return "cp1252"


def _line_at(content: bytes, position: int) -> int:
    before = content[:position]
    return max(before.count(b"\n"), before.count(b"\r")) + 1


# XLSX


def _open_workbook(content: bytes) -> Table:
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            _check_parts(parts)
        sheet, about = _only_sheet(content)
    except TableRefused:
        raise
    except Exception as error:  # zipfile answers a broken file with whatever broke
        raise _damaged() from error

    def lines() -> Iterator[tuple[int, list[Cell]]]:
        yield from _sheet_rows(content, sheet)

    return _table(True, about, lines)


def _damaged() -> TableRefused:
    return TableRefused(_("The workbook is damaged or not whole. Open it in Excel, save it anew, and send it again."))


def _too_much() -> TableRefused:
    return TableRefused(
        _("The workbook holds much more than its size tells. Copy the rows to a new workbook, and send that one.")
    )


def _check_directory(content: bytes) -> None:
    """Judge the zip's list of parts before anything reads it into memory."""
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if end < 0 or end + 22 > len(content):
        raise _damaged()
    count, size = struct.unpack_from("<HI", content, end + 10)
    if count > MOST_PARTS or size > MOST_DIRECTORY_BYTES or content[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise _too_much()


def _check_parts(parts: zipfile.ZipFile) -> None:
    """Judge every part, by what the list says of it and by unpacking it once without keeping it."""
    listed = {part.filename: part for part in parts.infolist()}
    names = {name.casefold() for name in listed}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise TableRefused(_("The workbook can hold macros. Save it as an Excel workbook without macros (.xlsx)."))
    if "mimetype" in names or "xl/workbook.bin" in names:
        raise TableRefused(_("The workbook is of another kind. Save it as an Excel workbook (.xlsx) or as CSV."))
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise TableRefused(_("The file is a zip file without a workbook. Send the workbook itself (.xlsx)."))
    total = 0
    for name, part in listed.items():
        if part.flag_bits & 1:
            raise TableRefused(
                _("The workbook is protected with a password. Take the password away, and send it again.")
            )
        total += part.file_size
        is_out_of_proportion = part.file_size > SMALL_PART_BYTES and part.file_size > WORST_RATIO * max(
            part.compress_size, 1
        )
        if total > MOST_UNPACKED_BYTES or part.file_size > _most_of(name) or is_out_of_proportion:
            raise _too_much()
    for name in listed:
        if name.casefold().endswith((".xml", ".rels")):
            _check_part(parts, name)


def _most_of(name: str) -> int:
    if "worksheets/" in name.casefold() or "media/" in name.casefold():
        return MOST_UNPACKED_BYTES
    return MOST_WORDS_BYTES if name.casefold().endswith("sharedstrings.xml") else MOST_OTHER_BYTES


def _check_part(parts: zipfile.ZipFile, name: str) -> None:
    """Refuse XML that defines things of its own, cells that are merged, and a row without end."""
    is_sheet = "worksheets/" in name.casefold() and name.casefold().endswith(".xml")
    since_row, unpacked, before = 0, 0, b""
    with parts.open(name) as part:
        while chunk := part.read(256 * 1024):
            told = None if unpacked else re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([^\"']*)", chunk)
            if told and told[1].lower() not in (b"utf-8", b"utf-16", b"us-ascii"):
                raise _damaged()  # an odd encoding could hide what is looked for below
            unpacked += len(chunk)
            if unpacked > _most_of(name):
                raise _too_much()
            window = before + chunk.replace(b"\0", b"")
            if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                raise TableRefused(
                    _("The workbook holds definitions of its own. Copy the rows to a new workbook, and send that one.")
                )
            if is_sheet:
                if merged := re.search(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]+)([0-9]+)[^\"]*\"", window):
                    raise TableRefused(
                        _("Cells are merged here. Divide them, so that each row has its own value in each column."),
                        int(merged[2]),
                        merged[1].decode(),
                    )
                since_row = 0 if re.search(rb"[<:/]row[ />]", window) else since_row + len(chunk)
                if since_row > MOST_BYTES_IN_A_ROW:
                    raise _too_much()
            before = window[-200:]


def _workbook(content: bytes) -> Any:
    """The workbook, to be read part by part; formulas come as formulas, never as what they gave the last time."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except Exception as error:  # openpyxl answers a broken workbook with whatever broke
        raise _damaged() from error


def _only_sheet(content: bytes) -> tuple[str, int | None]:
    """The sheet that holds the table: its name, and about how many rows it says it has.

    Raises TableRefused if no sheet holds anything, or more than one.
    """
    book = _workbook(content)
    try:
        about = {sheet.title: sheet.max_row for sheet in book.worksheets}
        found = [sheet.title for sheet in book.worksheets if _holds_something(sheet)]
    finally:
        book.close()
    if not found:
        raise TableRefused(_("The file is empty. Save it with headings and rows, and send it again."))
    if len(found) > 1:
        message = _("Several sheets hold something: %(sheets)s. Keep the one you mean, and take the others away.")
        sheets = ", ".join(_("“%(text)s”") % {"text": title} for title in found[:10])
        raise TableRefused(message % {"sheets": sheets})
    return found[0], about[found[0]]


def _holds_something(sheet: Any) -> bool:
    return any(not _is_nothing(cell.value) for row in _read_quietly(sheet) for cell in row)


def _read_quietly(sheet: Any) -> Iterator[Sequence[Any]]:
    """The rows as openpyxl has them; what it warns of does not concern values."""
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    while True:
        try:
            with warnings.catch_warnings(action="ignore"):
                row = next(rows, None)
        except Exception as error:  # as above
            raise _damaged() from error
        if row is None:
            return
        yield row


def _sheet_rows(content: bytes, title: str) -> Iterator[tuple[int, list[Cell]]]:
    book = _workbook(content)
    try:
        for line, row in enumerate(_read_quietly(book[title]), start=1):
            yield line, [_value(cell, line, place) for place, cell in enumerate(row)]
    finally:
        book.close()


def _value(cell: Any, line: int, place: int) -> Cell:
    kind, value = getattr(cell, "data_type", "n"), cell.value
    if kind == "f":
        message = _("The cell holds a formula. Copy the column, and paste it as values.")
        raise TableRefused(message, line, get_column_letter(place + 1))
    if kind == "e":
        message = _("The cell holds the error %(error)s. Write the value, or leave the cell empty.")
        raise TableRefused(message % {"error": str(value)[:20]}, line, get_column_letter(place + 1))
    if isinstance(value, str) and CONTROL.search(value):
        message = _("The cell holds characters that are no text. Write its value anew.")
        raise TableRefused(message, line, get_column_letter(place + 1))
    return value


# What a cell says


def text(cell: Cell) -> str:
    """A cell as text on one line, without the apostrophe that guards against formulas; empty for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return _("yes") if cell else _("no")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    said = unicodedata.normalize("NFC", " ".join(str(cell).split()))
    return said[1:] if said.startswith("'") and said[1:].startswith(FORMULA_STARTS) else said


def whole_number(cell: Cell) -> int | None:
    """A number of people or places, 0 to 32 767, as people write it: 24, 1 200, 24,0. None for nothing.

    Raises ValueError with what to write instead.
    """
    if isinstance(cell, bool | date | time):
        raise ValueError(_("Write a whole number in figures, for example 24, or leave the cell empty."))
    said = text(cell)
    if not said:
        return None
    if re.match(r"[-−–]\s*[0-9]", said):
        raise ValueError(_("The number cannot be below 0. Write how many they are, or leave the cell empty."))
    if re.fullmatch(r"[0-9]+[.,][0-9]*[1-9][0-9]*", said) and not re.fullmatch(r"[0-9]{1,3}[.,][0-9]{3}", said):
        raise ValueError(_("Write a whole number without decimals."))
    found = re.fullmatch(r"([0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:[.,]0{1,2})?", said)
    if not found:
        raise ValueError(_("Write a whole number in figures, for example 24, or leave the cell empty."))
    digits = found[1].replace(" ", "").lstrip("0") or "0"
    if len(digits) > 5 or int(digits) > MOST_NUMBER:
        raise ValueError(_("The number is too large. Write at most %(most)s.") % {"most": MOST_NUMBER})
    return int(digits)


def sek(cell: Cell) -> Decimal:
    """SEK as people write them: 137 000, 137000,50, 137 000 kr. Raises ValueError with what to write instead."""
    wanted = _("Write the price in figures, for example 137 000 or 137000,50.")
    if isinstance(cell, bool | date | time):
        raise ValueError(wanted)
    if isinstance(cell, int | float):
        said = f"{Decimal(str(cell)):f}"
    else:
        said = re.sub(r"(?<=[0-9])\s*(kr|sek|:-)\.?$", "", text(cell).casefold()).strip()
    if re.match(r"[-−–]\s*[0-9]", said):
        raise ValueError(_("A price cannot be below 0."))
    if re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]{3})+", said):
        raise ValueError(_("Write the price without a point or comma between thousands, for example 137 000."))
    found = re.fullmatch(r"([0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:[.,]([0-9]{1,2})0*)?", said)
    if not found:
        raise ValueError(wanted)
    return Decimal(f"{found[1].replace(' ', '')}.{(found[2] or '').ljust(2, '0')}")


def day(cell: Cell) -> date | None:
    """A day as people write it: 2022-10-15, 15/10 2022, 15 oktober 2022, or a spreadsheet's own. None for nothing.

    Raises ValueError with what to write instead; so for what can be read two ways.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    said = text(cell).casefold()
    if not said:
        return None
    found: date | None = None
    try:
        if parts := re.fullmatch(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})(?: 00:00(?::00)?)?", said):
            found = date(int(parts[1]), int(parts[3]), int(parts[4]))
        elif parts := re.fullmatch(r"([0-9]{1,2})(?:/([0-9]{1,2})[ -]|\.([0-9]{1,2})\.)([0-9]{4})", said):
            found = date(int(parts[4]), int(parts[2] or parts[3]), int(parts[1]))
        elif parts := re.fullmatch(r"([0-9]{1,2})\.? ([^\W\d_]{3,})\.? ([0-9]{4})", said):
            found = date(int(parts[3]), MONTHS.get(parts[2][:3], 0), int(parts[1]))
    except ValueError:
        raise ValueError(_("There is no such day. Write the day as 2022-10-15.")) from None
    if found is None or not 1990 <= found.year <= 2100:
        raise ValueError(_("Write the day as 2022-10-15."))
    return found


def yes_or_no(cell: Cell) -> bool | None:
    """Yes or no, in Swedish or English, as a word, a letter or a tick. None for nothing; ValueError for all else."""
    if isinstance(cell, bool):
        return cell
    said = text(cell).casefold()
    if not said:
        return None
    if said in ("ja", "j", "yes", "y", "x", "1", "sant", "true"):
        return True
    if said in ("nej", "n", "no", "0", "falskt", "false"):
        return False
    raise ValueError(_("Write yes or no."))


# Writing


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file as Excel in Swedish opens it: semicolons, and UTF-8 with its mark."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    for row in chain([headings], rows):
        writer.writerow([_guarded(_written(value)) for value in row])
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(headings: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> bytes:
    """A workbook with one sheet: texts are texts, never formulas, and numbers and days are what they are."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\\*?:/\[\]']", " ", title)[:31] or None)
    rows = iter(rows)
    first = list(islice(rows, 200))
    for place, heading in enumerate(headings):
        longest = max((len(str(_written(row[place]))) for row in first), default=0)
        sheet.column_dimensions[get_column_letter(place + 1)].width = min(max(longest, len(heading)) + 3, 60)
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    sheet.append([_cell(sheet, heading, bold) for heading in headings])
    for row in chain(first, rows):
        sheet.append([_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def download(kind: str, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The answer to somebody who asks for a table as a file; `kind` is csv or xlsx, `name` is without the ending."""
    is_csv = kind == "csv"
    content = as_csv(headings, rows) if is_csv else as_xlsx(headings, rows, name)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8" if is_csv else XLSX_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{kind}") or ""
    return response


def _written(value: Any) -> Any:
    """A value as it stands in a file: numbers as they are, all else as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float | Decimal):
        return str(value).replace(".", ",")
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return (localtime(value) if is_aware(value) else value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return CONTROL.sub("", str(value))


def _guarded(value: Any) -> Any:
    """No spreadsheet may take a text for a formula; what is only a number is left alone."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not NUMBER_LIKE.fullmatch(value):
        return f"'{value}"
    return value


def _cell(sheet: Any, value: Any, font: Font | None = None) -> Any:
    if value is None:
        return None
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    cell = WriteOnlyCell(sheet, value if is_number or is_day else _written(value))
    if is_day:
        cell.number_format = "yyyy-mm-dd"
    elif not is_number:
        cell.data_type = "s"  # openpyxl takes what begins with = for a formula
    if font:
        cell.font = font
    return cell

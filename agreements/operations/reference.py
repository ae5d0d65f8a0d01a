"""What comes with the portal about agreements, from its files: published prices, the yearly clock and clauses."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agreements.models import ClockDay, PriceList, PriceRow
from agreements.operations.clauses import load_clauses
from agreements.operations.clock import forget_removed
from organisations.operations import BadReference, Loaded, Table
from organisations.operations import load_reference as load_tables
from programmes.models import Orientation, Programme
from records.models import CameIn, Source

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
TABLES = (
    Table("sources", Source, ("publisher", "title", "year", "address")),
    Table(
        "price_lists",
        PriceList,
        ("kind", "municipality", "area", "year", "number", "title", "incl_meals", "incl_vat", "decided_on"),
        same=("kind", "municipality_id", "area_id", "year", "incl_meals", "number"),
    ),
    Table(
        "clock_days",
        ClockDay,
        ("area", "event", "year", "month", "day", "lead_days"),
        same=("area_id", "event", "year"),
        drops=True,
    ),
)
PRICES = "prices.csv"
PRICE_COLUMNS = ("price_list", "programme", "orientation", "label", "sek_per_pupil_year")


@transaction.atomic
def load_reference(folder: Path = REFERENCE, *, history: bool = True) -> list[Loaded]:
    """Make price lists, the yearly clock and the portal's clauses what the files say. Needs the catalogue.

    All or nothing: raises BadReference, with file, line and column; so for a price of a list that is published already.
    """
    loaded = load_tables(folder, TABLES, history=history)
    loaded[-1].created -= forget_removed()
    return [*loaded, _load_prices(folder), load_clauses(folder)]


def _load_prices(folder: Path) -> Loaded:
    """The prices of the lists that have none yet. A list is published whole, and what is published never changes."""
    loaded = Loaded("prices")
    lists = {row.reference_key: row for row in PriceList.objects.exclude(reference_key=None)}
    programmes = {row.reference_key: row.pk for row in Programme.objects.exclude(reference_key=None)}
    orientations = {row.reference_key: row for row in Orientation.objects.exclude(reference_key=None)}
    wanted: dict[int, dict[tuple[int, int | None], PriceRow]] = defaultdict(dict)
    lines: dict[tuple[int, int, int | None], int] = {}
    for line, cells in _lines(folder):
        price_list = _named(lists, cells, "price_list", line)
        loaded.rows += 1
        if price_list.came_in != CameIn.REFERENCE:  # somebody published the same edition before
            loaded.left += 1
            continue
        programme = _named(programmes, cells, "programme", line)
        orientation = _named(orientations, cells, "orientation", line) if cells["orientation"] else None
        if orientation and orientation.programme_id != programme:
            raise BadReference(PRICES, line, "orientation", _("the orientation belongs to another programme"))
        key = (programme, orientation.pk if orientation else None)
        if key in wanted[price_list.pk]:
            raise BadReference(PRICES, line, "programme", _("the list has a price for this already"))
        lines[(price_list.pk, *key)] = line
        wanted[price_list.pk][key] = PriceRow(
            price_list=price_list,
            programme_id=programme,
            orientation=orientation,
            label=cells["label"],
            sek_per_pupil_year=_price(cells, line),
        )
    there: dict[int, dict[tuple[int, int | None], Decimal]] = defaultdict(dict)
    for row in PriceRow.objects.filter(price_list__in=wanted):
        there[row.price_list_id][row.programme_id, row.orientation_id] = row.sek_per_pupil_year
    new: list[PriceRow] = []
    for pk, rows in wanted.items():
        if pk not in there:
            new += rows.values()
            continue
        for key, row in rows.items():
            if there[pk].get(key) != row.sek_per_pupil_year:
                why = _("the list is published with another price; make a new edition of it")
                raise BadReference(PRICES, lines[(pk, *key)], "sek_per_pupil_year", why)
    PriceRow.objects.bulk_create(new)
    loaded.created = len(new)
    return loaded


def _lines(folder: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = (folder / PRICES).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadReference(PRICES, why=error) from error
    lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if tuple(lines.fieldnames or ()) != PRICE_COLUMNS:
        raise BadReference(PRICES, 1, why=_("the columns must be %(columns)s") % {"columns": ", ".join(PRICE_COLUMNS)})
    found = []
    try:
        for cells in lines:
            if None in cells or None in cells.values():
                raise BadReference(PRICES, lines.line_num, why=_("the row has too many or too few columns"))
            found.append((lines.line_num, cells))
    except csv.Error as error:
        raise BadReference(PRICES, lines.line_num, why=error) from error
    return found


def _named(rows: dict[Any, Any], cells: dict[str, str], column: str, line: int) -> Any:
    if cells[column] not in rows:
        why = _("“%(key)s” is not a key in the file it refers to") % {"key": cells[column]}
        raise BadReference(PRICES, line, column, why)
    return rows[cells[column]]


def _price(cells: dict[str, str], line: int) -> Decimal:
    try:
        found = Decimal(cells["sek_per_pupil_year"])
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise BadReference(PRICES, line, "sek_per_pupil_year", _("write a number with a point, such as 59.638"))
    return found

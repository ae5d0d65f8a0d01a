"""Reading the file: its rows in words, whatever they mean."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext

from collab4m.tables import FORMULA_STARTS, Cell, Table, TableRefused, open_table, text
from programmes.operations import FileRefused, Problem
from resources.operations.importing.columns import INVENTORY_COLUMNS, LONG, MOST_ROWS


@dataclass(frozen=True)
class Inventory:
    """What a file says: for each row its line and the words of each known column, and what people call the columns."""

    name: str
    places: dict[str, tuple[str, str]]  # column -> where it stands, and its heading
    rows: list[tuple[int, dict[str, str]]]


def read_inventory(name: str, content: bytes) -> Inventory:
    """The rows of a file. What they mean is judged by `plan_inventory`. Raises FileRefused, by line and column."""
    try:
        table = open_table(name, content)
        columns = _columns(name, table)
        rows = []
        for line, cells in table.rows():
            rows.append((line, {column: said_in(cells[place], column) for column, place in columns.items()}))
            if len(rows) > MOST_ROWS:
                message = gettext("An inventory holds at most %(most)s rows. Divide it into several files.")
                raise TableRefused(message % {"most": MOST_ROWS}, line)
    except TableRefused as error:
        raise FileRefused(name, [Problem(error.line, error.column, "", "", str(error))], 1) from error
    places = {column: (table.place(place), table.headings[place]) for column, place in columns.items()}
    return Inventory(name, places, rows)


def _columns(name: str, table: Table) -> dict[str, int]:
    headings = {heading.casefold(): place for place, heading in enumerate(table.headings)}
    found = {}
    for column in INVENTORY_COLUMNS:
        place = next((headings[heading] for heading in column.known_headings if heading in headings), None)
        if place is not None:
            found[column.name] = place
    missing = [str(column.label) for column in INVENTORY_COLUMNS if column.required and column.name not in found]
    if missing:
        message = gettext("These headings are missing: %(wanted)s. Write them on the first line of the file.")
        raise TableRefused(message % {"wanted": ", ".join(missing)}, table.line_of_headings)
    return dict(sorted(found.items(), key=lambda column: column[1]))


def said_in(cell: Cell, column: str) -> str:
    """A cell's words: on one line, but for what may be long, where lines stay lines."""
    if column not in LONG or not isinstance(cell, str):
        return text(cell)
    lines = (" ".join(line.split()) for line in cell.splitlines())
    said = unicodedata.normalize("NFC", "\n".join(lines).strip())
    return said[1:] if said.startswith("'") and said[1:].startswith(FORMULA_STARTS) else said

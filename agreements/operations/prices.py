"""Price lists: read from files or written by hand, and published as editions that nobody changes afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import PriceKind, PriceList, PriceRow
from collab4m.errors import RuleBroken, refused
from collab4m.tables import Cell, Table, TableRefused, open_table, sek, text
from organisations.models import Body, CollaborationArea, Membership, Municipality, RoleKind, User
from programmes.models import Orientation, Programme
from programmes.operations import Column, FileRefused, Problem
from records.models import CameIn
from records.operations import record

MOST_PRICES = 1_000  # several times the whole catalogue
MOST_SEK = Decimal("9999999.99")
MOST_PROBLEMS = 200  # told of at once; more help nobody
LONGEST_LABEL = 150
LONGEST_SHOWN = 80
_NUMBERING = 4_041_301  # names the lock under which editions get their numbers, one at a time

LIST_KINDS = [PriceKind.SELF_COST, PriceKind.OWN_LIST, PriceKind.COMMON_LIST, PriceKind.NATIONAL_LIST]
PRICE_COLUMNS = (
    Column(
        "programme",
        _("Programme code"),
        ("programkod", "program", "programme", "kod"),
        _("The code, for example BA, or the name as in the catalogue."),
        required=True,
    ),
    Column(
        "orientation",
        _("Orientation code"),
        ("inriktningskod",),
        _("Empty when the price holds for the whole programme."),
    ),
    Column("orientation_name", _("Orientation"), ("inriktning",), _("Read when there is no orientation code.")),
    Column("label", _("As the list has it"), ("benämning", "text"), _("What the price is called in the list.")),
    Column(
        "price",
        _("SEK per pupil and year"),
        ("kronor per elev och år", "pris", "belopp", "kr", "price"),
        _("In figures, for example 137 000 or 137000,50."),
        required=True,
    ),
)


class NotYourList(RuleBroken):
    code = "not_your_list"
    message = _(
        "A municipality publishes its own lists, a member of an area the area's. Choose a list that you may publish."
    )


class NoPrices(RuleBroken):
    code = "no_prices"
    message = _("Write at least one price. A list without prices says nothing.")


class TooManyPrices(RuleBroken):
    code = "too_many_prices"
    message = _("A list may hold at most 1,000 prices. Take away what is not needed.")


class PriceTwice(RuleBroken):
    code = "price_twice"
    message = _("There are two prices for the same programme or orientation. Keep one of them.")


class EditionTaken(RuleBroken):
    code = "edition_taken"
    message = _("Somebody published an edition of the same list at the same moment. Look at it, and publish again.")


@dataclass(frozen=True)
class NewPrice:
    """A price that is to be published: SEK per pupil and year, and what the list calls it."""

    programme: int
    orientation: int | None
    price_sek: Decimal
    label: str = ""

    @property
    def key(self) -> tuple[int, int | None]:
        return self.programme, self.orientation


@transaction.atomic
def publish_prices(
    *,
    kind: str,
    municipality: Municipality | None,
    area: CollaborationArea | None,
    year: int,
    title: str,
    incl_meals: bool | None,
    incl_vat: bool | None,
    rows: Sequence[NewPrice],
    by: User,
    on_behalf_of: Body,
    decided_on: date | None = None,
    source_note: str = "",
    came_in: str = CameIn.FORM,
) -> PriceList:
    """Publish a price list whole, as the next edition of its kind, year and meals; earlier editions stay as they are.

    Raises NotYourList, NoPrices, TooManyPrices or PriceTwice.
    """
    _refuse_others_list(kind, municipality, area, by, on_behalf_of)
    if not rows:
        raise NoPrices
    if len(rows) > MOST_PRICES:
        raise TooManyPrices
    if len({row.key for row in rows}) < len(rows):
        raise PriceTwice
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERING])
    same = PriceList.objects.filter(kind=kind, municipality=municipality, area=area, year=year, incl_meals=incl_meals)
    latest = same.aggregate(latest=Max("number"))["latest"] or 0
    with refused(price_list_edition_once=EditionTaken), transaction.atomic():
        price_list = PriceList.objects.create(
            kind=kind,
            municipality=municipality,
            area=area,
            year=year,
            number=latest + 1,
            title=title,
            incl_meals=incl_meals,
            incl_vat=incl_vat,
            decided_on=decided_on,
            source_note=source_note,
            came_in=came_in,
            example=by.example,
            by=by,
            on_behalf_of=on_behalf_of,
        )
    PriceRow.objects.bulk_create(
        PriceRow(
            price_list=price_list,
            programme_id=row.programme,
            orientation_id=row.orientation,
            label=row.label,
            sek_per_pupil_year=row.price_sek,
        )
        for row in rows
    )
    record(
        "price_list.published", price_list, by=by, on_behalf_of=on_behalf_of,
        title=str(price_list), edition=price_list.number, prices=len(rows),
    )  # fmt: skip
    return price_list


def _refuse_others_list(
    kind: str, municipality: Municipality | None, area: CollaborationArea | None, by: User, on_behalf_of: Body
) -> None:
    """Raises NotYourList unless it is a list that the body may publish and `by` administers that body."""
    own = kind in (PriceKind.SELF_COST, PriceKind.OWN_LIST)
    is_right = on_behalf_of.pk in by.bodies_where(RoleKind.ADMINISTRATOR) and kind in LIST_KINDS
    is_right &= (municipality is not None) == own and (area is not None) == (kind == PriceKind.COMMON_LIST)
    if own and municipality is not None:
        is_right &= municipality.pk == on_behalf_of.pk
    if is_right and area is not None:
        is_right = Membership.objects.on().filter(area=area, municipality=on_behalf_of.pk).exists()
    if not is_right:
        raise NotYourList


# Reading


class PriceCatalogue:
    """Programmes and orientations by their codes and names, as price lists have them. Two queries."""

    def __init__(self) -> None:
        self.programmes: dict[str, Programme] = {}
        self.orientations: dict[str, list[Orientation]] = {}
        self.by_id: dict[int, Programme] = {}
        for programme in Programme.objects.order_by("-pk"):  # of two with the same name the one that was there first
            self.by_id[programme.pk] = programme
            for word in filter(None, (programme.name_en, programme.name_sv, programme.code)):
                self.programmes[word.casefold()] = programme
        for orientation in Orientation.objects.order_by("pk"):
            for word in filter(None, {orientation.code, orientation.name_sv, orientation.name_en}):
                self.orientations.setdefault(word.casefold(), []).append(orientation)

    def programme(self, said: str) -> Programme:
        """Raises ValueError with what to write instead."""
        if not said:
            raise ValueError(gettext("Write the programme's code, for example BA."))
        found = self.programmes.get(said.casefold())
        if found is None:
            message = gettext("“%(found)s” is no programme in the catalogue. Write a code, for example BA.")
            raise ValueError(message % {"found": said[:LONGEST_SHOWN]})
        return found

    def orientation(self, programme: Programme, said: str) -> Orientation | None:
        """Raises ValueError with what to write instead."""
        if not said:
            return None
        for found in self.orientations.get(said.casefold(), ()):
            if found.programme_id == programme.pk:
                return found
        message = gettext("%(programme)s has no orientation “%(found)s”. Write a code from the catalogue, or nothing.")
        raise ValueError(message % {"programme": programme.code, "found": said[:LONGEST_SHOWN]})

    def either(self, said: str) -> tuple[Programme, Orientation | None]:
        """The code of a programme, or of an orientation alone. Raises ValueError with what to write instead."""
        orientations = self.orientations.get(said.casefold(), ())
        if said.casefold() not in self.programmes and len(orientations) == 1:
            return self.by_id[orientations[0].programme_id], orientations[0]
        return self.programme(said), None


def price_of(cell: Cell) -> Decimal:
    """SEK per pupil and year as people write them. Raises ValueError with what to write instead."""
    price = sek(cell)
    if price > MOST_SEK:
        raise ValueError(gettext("The price is too large. Write it in SEK per pupil and year."))
    return price


@dataclass(frozen=True)
class ReadPrice:
    """A price that a file or a form says, with the line where it stands."""

    line: int
    price: NewPrice
    programme: Programme
    orientation: Orientation | None


def read_prices(name: str, content: bytes) -> list[ReadPrice]:
    """The prices in a file. Raises FileRefused with every fault, by line and column."""
    try:
        table = open_table(name, content)
    except TableRefused as error:
        raise FileRefused(name, [Problem(error.line, error.column, "", "", str(error))], 1) from error
    reader = _PriceReader(table)
    if not reader.problems:
        try:
            for line, cells in table.rows():
                reader.read(line, cells)
        except TableRefused as error:
            reader.note(Problem(error.line, error.column, "", "", str(error)))
    if not reader.problems and not reader.found:
        reader.note(Problem(None, "", "", "", gettext("No row has a price. Fill in at least one row.")))
    if len(reader.found) > MOST_PRICES:
        reader.note(Problem(None, "", "", "", str(TooManyPrices.message)))
    if reader.problems:
        raise FileRefused(name, reader.problems, reader.total_problems)
    return reader.found


@dataclass
class _PriceReader:
    """Turns the rows of a file into prices, and notes every fault."""

    table: Table
    problems: list[Problem] = field(default_factory=list)
    total_problems: int = 0
    found: list[ReadPrice] = field(default_factory=list)
    lines: dict[tuple[int, int | None], int] = field(default_factory=dict)  # what a price is for -> its line

    def __post_init__(self) -> None:
        places = {heading.casefold(): place for place, heading in enumerate(self.table.headings)}
        self.columns: dict[str, int] = {}
        for column in PRICE_COLUMNS:
            known = next((places[heading] for heading in column.known_headings if heading in places), None)
            if known is not None:
                self.columns[column.name] = known
        missing = [str(column.label) for column in PRICE_COLUMNS if column.required and column.name not in self.columns]
        if missing:
            message = gettext("These headings are missing: %(wanted)s. Write them on the first line of the file.")
            line = self.table.line_of_headings
            self.note(Problem(line, "", "", "", message % {"wanted": ", ".join(missing)}))
        self.catalogue = PriceCatalogue()

    def read(self, line: int, cells: Sequence[Cell]) -> None:
        programme = self._value(line, cells, "programme", lambda cell: self.catalogue.programme(text(cell)))
        where = "orientation" if text(self._cell(cells, "orientation")) else "orientation_name"
        orientation: Orientation | None = None
        before = self.total_problems
        if programme:
            orientation = self._value(
                line, cells, where, lambda cell: self.catalogue.orientation(programme, text(cell))
            )
        price = self._value(line, cells, "price", price_of)
        label = self._value(line, cells, "label", _label)
        if programme is None or self.total_problems > before:
            return
        found = NewPrice(programme.pk, orientation.pk if orientation else None, price, label)
        if found.key in self.lines:
            message = gettext("The same stands on line %(line)s. Keep one of the rows.") % {
                "line": self.lines[found.key]
            }
            self._blame(line, "programme", programme.code, message)
            return
        self.lines[found.key] = line
        self.found.append(ReadPrice(line, found, programme, orientation))

    def _cell(self, cells: Sequence[Cell], name: str) -> Cell:
        place = self.columns.get(name)
        return cells[place] if place is not None else None

    def _value(self, line: int, cells: Sequence[Cell], name: str, read: Callable[[Cell], Any]) -> Any:
        cell = self._cell(cells, name)
        try:
            return read(cell)
        except ValueError as error:
            self._blame(line, name, cell, str(error))
            return None

    def _blame(self, line: int, name: str, value: Any, message: str) -> None:
        place = self.columns.get(name)
        column = self.table.place(place) if place is not None else ""
        heading = self.table.headings[place] if place is not None else ""
        self.note(Problem(line, column, heading, text(value)[:LONGEST_SHOWN], message))

    def note(self, problem: Problem) -> None:
        self.total_problems += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _label(cell: Cell) -> str:
    said = text(cell)
    if len(said) > LONGEST_LABEL:
        message = gettext("Shorten the text to %(most)s characters. It has %(length)s now.")
        raise ValueError(message % {"most": LONGEST_LABEL, "length": len(said)})
    return said


def named_prices(prices: Iterable[NewPrice]) -> list[tuple[NewPrice, Programme, Orientation | None]]:
    """Prices with the programmes and orientations that they name, in their own order. Two queries."""
    found = list(prices)
    programmes = Programme.objects.in_bulk({price.programme for price in found})
    orientations = Orientation.objects.in_bulk({price.orientation for price in found if price.orientation})
    return [
        (price, programmes[price.programme], orientations[price.orientation] if price.orientation else None)
        for price in found
        if price.programme in programmes and (not price.orientation or price.orientation in orientations)
    ]

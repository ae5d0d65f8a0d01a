"""An inventory in a file: read with every fault named, shown as what would change, and then taken in whole or not."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Prefetch
from django.utils import translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.swedish import swedish_key
from collab4m.tables import FORMULA_STARTS, Cell, Table, TableRefused, open_table, sek, text, whole_number
from organisations.models import Body, Site, User
from programmes.operations import Column, FileRefused, Problem
from records.models import CameIn
from records.people import answering
from resources.models import (
    Approval,
    Askers,
    Category,
    Feature,
    PriceRule,
    PriceUnit,
    Resource,
    ResourceKind,
    Rivalry,
    Takes,
    Unit,
    VatTreatment,
)
from resources.operations.claiming import lock_units
from resources.operations.sharing import (
    MOST_UNITS,
    add_units,
    bodies_shared_for,
    change_resource,
    names_of_run,
    place_of,
    set_price,
    share_resource,
)

MOST_ROWS = 1_000
MOST_PROBLEMS = 200  # told of at once; more help nobody
LONGEST_SHOWN = 80
MOST_SEK = Decimal("9999999.99")
MOST_MINUTES = 400 * 24 * 60

_SPAN = _("As 30 min, 2 h or 3 days. A number alone is minutes.")
INVENTORY_COLUMNS = (
    Column("name", _("Name"), ("namn", "resurs"), _("What people know it by. One name once for each owner."), True),
    Column("owner", _("Owner"), ("ägare",), _("A body that you share for. Empty: the one you choose above.")),
    Column("kind", pgettext_lazy("of a resource", "Kind"), ("slag", "typ"), _("Vehicle, premises or equipment.")),
    Column("category", _("Category"), ("kategori",), _("As in the portal’s list, for example Minibuss."), True),
    Column("description", _("Description"), ("beskrivning",), _("At most 2,000 characters.")),
    Column("capacity", _("Seats or places"), ("platser", "antal platser"), _("A whole number, or empty.")),
    Column("features", _("Features"), ("egenskaper",), _("As in the portal’s list, with commas between.")),
    Column("site", _("Site"), ("plats",), _("A site in the owner’s municipality, as in the portal. Empty: none.")),
    Column(
        "units", _("Pieces"), ("exemplar",),
        _("Names with semicolons between, or as iPad 1–30. Empty: one piece of its own name."),
    ),
    Column("parts", _("Consists of"), ("består av", "delar"), _("Names of the owner’s resources, for a whole.")),
    Column("takes", _("A booking takes"), ("en bokning tar", "tar"), _("All of them, or as many as are asked for.")),
    Column("turnaround_minutes", _("Turnaround"), ("omställning", "omställningstid"), _SPAN),
    Column("lead_minutes", _("Ask at the latest before"), ("framförhållning",), _SPAN),
    Column("longest_minutes", _("Longest booking"), ("längst", "längsta bokning"), _SPAN),
    Column("cancel_hours", _("Cancel at the latest before"), ("avbokning",), _("As 24 h or 2 days.")),
    Column("askers", _("Who may ask"), ("vem får fråga",), _("Everyone in the area, or the owner’s own schools.")),
    Column("approval", _("Approved"), ("godkänns", "godkännande"), _("Approved at once, or the owner decides.")),
    Column(
        "rivalry", _("Rival requests"), ("flera frågar",),
        _("Hold: the first holds the time. Compete: the owner chooses."),
    ),
    Column("decide_hours", _("Time to decide"), ("svarstid",), _("Whole hours or days, from 1 h to 60 days.")),
    Column("terms", _("Terms"), ("villkor",), _("At most 2,000 characters.")),
    Column("permits", _("Permits needed"), ("krav",), _("What the driver or the group must have.")),
    Column("price", _("Price, SEK"), ("pris", "kronor"), _("In figures. 0 is a price; empty leaves it as it is.")),
    Column("price_unit", _("Price per"), ("prisenhet",), _("Hour, day or occasion.")),
    Column("vat", _("VAT"), ("moms",), _("Without VAT, with VAT, or ask the finance department.")),
)  # fmt: skip
BY_NAME = {column.name: column for column in INVENTORY_COLUMNS}
LONG = {"description": 2000, "terms": 2000, "permits": 500}
# Words for a choice besides its own label and value.
SYNONYMS: dict[str, tuple[str, ...]] = {
    Takes.ALL: ("alla", "allt"),
    Takes.SOME: ("några", "antal"),
    Askers.AREA: ("alla", "området"),
    Askers.OWNER: ("egna", "ägaren"),
    Approval.AUTOMATIC: ("direkt", "automatiskt"),
    Approval.BY_OWNER: ("ägaren",),
    Rivalry.HOLD: ("håller",),
    Rivalry.COMPETE: ("konkurrerar", "tävlar"),
    PriceUnit.HOUR: ("tim", "h"),
    PriceUnit.DAY: ("dag", "dygn"),
    PriceUnit.OCCASION: ("gång", "tillfälle"),
    VatTreatment.WITHOUT: ("utan",),
    VatTreatment.WITH: ("med",),
    VatTreatment.ASK: ("fråga",),
    ResourceKind.PREMISES: ("lokal",),
}
CHOICES: dict[str, type[models.TextChoices]] = {
    "kind": ResourceKind, "takes": Takes, "askers": Askers, "approval": Approval, "rivalry": Rivalry,
    "price_unit": PriceUnit, "vat": VatTreatment,
}  # fmt: skip
MINUTES = ("turnaround_minutes", "lead_minutes", "longest_minutes")
HOURS = ("cancel_hours", "decide_hours")
FACTS = (
    "category", "kind", "description", "capacity", "site", "takes", "turnaround_minutes", "lead_minutes",
    "longest_minutes", "cancel_hours", "askers", "approval", "rivalry", "decide_hours", "terms", "permits",
)  # fmt: skip
# What a row with an empty cell leaves as it stands; in others an empty cell means nothing.
KEPT_WHEN_EMPTY = {
    "owner", "kind", "category", "units", "parts", "takes", "askers", "approval", "rivalry", "decide_hours", "price",
    "price_unit", "vat",
}  # fmt: skip


class InventoryChanged(RuleBroken):
    code = "inventory_changed"
    message = _("Something has changed since the rows were shown. Nothing is saved. Look through them again.")


@dataclass(frozen=True)
class Inventory:
    """What a file says: for each row its line and the words of each known column, and what people call the columns."""

    name: str
    places: dict[str, tuple[str, str]]  # column -> where it stands, and its heading
    rows: list[tuple[int, dict[str, str]]]


@dataclass
class Planned:
    """A row as it would be taken in: what is new or changes, as the portal writes it before and after."""

    line: int
    name: str
    owner: Body
    resource: Resource | None
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # label, before, after
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """What changes; of something new all that the row says."""
        if self.resource is not None:
            return self.changes
        said = self.values.items()
        return [(str(BY_NAME[name].label), "", in_words(name, value)) for name, value in said if name != "kind"]

    @property
    def state(self) -> str:
        if self.resource is None:
            return "new"
        return "changed" if self.changes else "unchanged"


# Reading


def read_inventory(name: str, content: bytes) -> Inventory:
    """The rows of a file. What they mean is judged by `plan_inventory`. Raises FileRefused, by line and column."""
    try:
        table = open_table(name, content)
        columns = _columns(name, table)
        rows = []
        for line, cells in table.rows():
            rows.append((line, {column: _said(cells[place], column) for column, place in columns.items()}))
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


def _said(cell: Cell, column: str) -> str:
    """A cell's words: on one line, but for what may be long, where lines stay lines."""
    if column not in LONG or not isinstance(cell, str):
        return text(cell)
    lines = (" ".join(line.split()) for line in cell.splitlines())
    said = unicodedata.normalize("NFC", "\n".join(lines).strip())
    return said[1:] if said.startswith("'") and said[1:].startswith(FORMULA_STARTS) else said


# Writing


def shared_by(user: User) -> list[Resource]:
    """What the user's bodies share, by owner and name, with all that an inventory says of it. Four queries."""
    rows = Resource.objects.in_use().filter(answering(user, "owner"))
    return sorted(_with_all(rows), key=lambda row: (swedish_key(row.owner.name), swedish_key(row.name), row.pk))


def _with_all(rows: Any) -> list[Resource]:
    units = Prefetch("units", Unit.objects.order_by("pk"))
    prices = Prefetch("price_rules", PriceRule.objects.filter(valid__contains=today()), to_attr="prices_today")
    return list(rows.select_related("owner", "category", "site").prefetch_related("features", units, prices))


def inventory_headings() -> list[str]:
    return [str(column.label) for column in INVENTORY_COLUMNS]


def inventory_rows(resources: Sequence[Resource]) -> Iterator[list[Any]]:
    """Each resource as a row of a file, with whether it is an example last."""
    wholes = _parts_of(resources)
    for resource in resources:
        said = _written(resource, wholes[resource.pk])
        yield [*(_as_cell(said[column.name]) for column in INVENTORY_COLUMNS), resource.example]


def _as_cell(said: str) -> Any:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 6 and not said.startswith("0") else said


def _parts_of(resources: Iterable[Resource]) -> dict[int, list[Resource]]:
    """What each whole consists of: the largest of the owner's resources that take up some, not all, of its units."""
    pieces = {one.pk: {unit.pk for unit in one.units.all()} for one in resources}
    by_owner: dict[int, list[Resource]] = defaultdict(list)
    for one in resources:
        by_owner[one.owner_id].append(one)
    found: dict[int, list[Resource]] = {}
    for whole in resources:
        inside = [one for one in by_owner[whole.owner_id] if pieces[one.pk] < pieces[whole.pk]]
        found[whole.pk] = [one for one in inside if not any(pieces[one.pk] < pieces[other.pk] for other in inside)]
    return found


def _written(resource: Resource, parts: Sequence[Resource]) -> dict[str, str]:
    """What an inventory says of a resource, column by column, in the reader's language."""
    in_parts = {unit.pk for part in parts for unit in part.units.all()}
    own = [unit.name for unit in resource.units.all() if unit.pk not in in_parts]
    price = resource.prices_today[0] if resource.prices_today else None  # type: ignore[attr-defined]
    said = {
        "name": resource.name,
        "owner": resource.owner.name,
        "category": resource.category.name,
        "features": ", ".join(sorted((feature.name for feature in resource.features.all()), key=swedish_key)),
        "capacity": "" if resource.capacity is None else str(resource.capacity),
        "site": resource.site.name if resource.site else "",
        "units": "" if own == [resource.name] and not parts else "; ".join(own),
        "parts": "; ".join(sorted((part.name for part in parts), key=swedish_key)),
        "price": f"{price.sek.normalize():f}".replace(".", ",") if price else "",
        "price_unit": str(price.get_unit_display()) if price else "",
        "vat": str(price.get_vat_display()) if price else "",
    }
    said |= {name: str(CHOICES[name](getattr(resource, name)).label) for name in CHOICES if name not in said}
    said |= {name: in_span(getattr(resource, name)) for name in MINUTES}
    said |= {name: in_span(getattr(resource, name) * 60) for name in HOURS}
    return said | {name: _said(getattr(resource, name), name) for name in LONG}


def in_span(minutes: int | None) -> str:
    """Minutes as a file says them, in the largest unit that divides them."""
    if not minutes:
        return "" if minutes is None else "0"
    for size, words in ((1440, gettext("%(number)s days")), (60, gettext("%(number)s h"))):
        if minutes % size == 0:
            return words % {"number": minutes // size}
    return gettext("%(number)s min") % {"number": minutes}


# What the cells mean


_SIZES = {"min": 1, "minut": 1, "minuter": 1, "minutes": 1, "h": 60, "tim": 60, "timme": 60, "timmar": 60, "hour": 60}
_SIZES |= {"hours": 60, "dygn": 1440, "dag": 1440, "dagar": 1440, "day": 1440, "days": 1440}


def span_of_words(said: str) -> int | None:
    """Minutes. Raises ValueError with what to write instead."""
    if not said:
        return None
    found = re.fullmatch(r"([0-9]{1,6})\s*([^\W\d_]*)\.?", said.casefold())
    size = _SIZES.get(found[2] or "min") if found else None
    if found is None or size is None:
        raise ValueError(gettext("Write how long as 30 min, 2 h or 3 days."))
    minutes = int(found[1]) * size
    if minutes > MOST_MINUTES:
        raise ValueError(gettext("That is too long. Write at most 400 days."))
    return minutes


def hours_of_words(said: str) -> int | None:
    minutes = span_of_words(said if not said.isdecimal() else f"{said} h")
    if minutes is not None and minutes % 60:
        raise ValueError(gettext("Write whole hours or days, as 24 h or 2 days."))
    return None if minutes is None else minutes // 60


def units_of_words(said: str) -> list[str]:
    """Names of pieces: with semicolons between, or else commas; iPad 1–30 is thirty."""
    names: list[str] = []
    for one in filter(None, (part.strip() for part in said.split(";" if ";" in said else ","))):
        names += names_of_run(one)
        if len(names) > MOST_UNITS:
            raise ValueError(gettext("A resource has %(most)s pieces at most.") % {"most": MOST_UNITS})
    if any(len(name) > 100 for name in names):
        raise ValueError(gettext("Shorten the names of the pieces to 100 characters each."))
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ValueError(
                gettext("“%(name)s” stands there twice. Give each piece its own name.") % {"name": name[:LONGEST_SHOWN]}
            )
        seen.add(name.casefold())
    return names


def _choice_words(choices: type[models.TextChoices]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in choices:
        for code, _name in settings.LANGUAGES:
            with translation.override(code):
                found[str(one.label).casefold()] = one.value
        found |= dict.fromkeys([one.value, *SYNONYMS.get(one, ())], one.value)
    return found


def _by_words(rows: Iterable[Any]) -> dict[str, Any]:
    """Categories or features by every name they have; what was there first keeps a name that two have."""
    return {word.casefold(): row for row in rows for word in (row.slug, row.name_en, row.name_sv) if word}


class _Planner:
    """Judges the rows against what is there, and notes every fault."""

    def __init__(self, inventory: Inventory, user: User, owner: Body) -> None:
        self.inventory, self.default_owner = inventory, owner
        self.problems: list[Problem] = []
        self.total = 0
        owners = bodies_shared_for(user)
        self.owners = {body.name.casefold(): body for body in owners}
        rows = _with_all(Resource.objects.filter(owner__in=owners))
        in_use = [row for row in rows if not row.is_retired]
        parts = _parts_of(in_use)
        self.there = {(row.owner_id, _said(row.name, "name")): row for row in rows}
        self.written = {row.pk: _written(row, parts.get(row.pk, [])) for row in rows}
        self.categories: dict[str, Category] = _by_words(Category.objects.order_by("-pk"))
        self.features: dict[str, Feature] = _by_words(Feature.objects.order_by("-pk"))
        self.places = {body.pk: place_of(body) for body in owners}
        self.sites: dict[tuple[int, str], Site] = {}
        for site in Site.objects.filter(municipality__in=self.places.values()):
            self.sites[site.municipality_id, site.name.casefold()] = site
        self.choices = {name: _choice_words(choices) for name, choices in CHOICES.items()}
        self.lines: dict[tuple[int, str], int] = {}

    def blame(self, line: int, column: str, said: str, message: str) -> None:
        self.total += 1
        if len(self.problems) < MOST_PROBLEMS:
            place, heading = self.inventory.places.get(column, ("", ""))
            self.problems.append(Problem(line, place, heading, said[:LONGEST_SHOWN], message))

    def plan(self) -> list[Planned]:
        found = [one for one in (self._row(line, said) for line, said in self.inventory.rows) if one is not None]
        if self.problems:
            raise FileRefused(self.inventory.name, self.problems, self.total)
        return found

    def _row(self, line: int, said: dict[str, str]) -> Planned | None:
        before = self.total
        owner = self._owner(line, said.get("owner", ""))
        name = said["name"]
        if not name:
            self.blame(line, "name", "", gettext("Give it a name that people know it by."))
        elif len(name) > 100:
            self.blame(line, "name", name, gettext("Shorten the name to 100 characters."))
        if owner is None or self.total > before:
            return None
        if (owner.pk, name) in self.lines:
            message = gettext("The same stands on line %(line)s. Keep one of the rows.")
            self.blame(line, "name", name, message % {"line": self.lines[owner.pk, name]})
        self.lines.setdefault((owner.pk, name), line)
        resource = self.there.get((owner.pk, name))
        if resource is not None and resource.is_retired:
            message = gettext("It is no longer shared. Share it again on its page, or choose another name.")
            self.blame(line, "name", name, message)
            return None
        planned = Planned(line, name, owner, resource)
        self._values(planned, said)
        if resource is not None:
            self._compare(planned, said)
        return planned if self.total == before else None

    def _owner(self, line: int, said: str) -> Body | None:
        if not said:
            return self.default_owner
        found = self.owners.get(said.casefold())
        if found is None:
            self.blame(line, "owner", said, gettext("You do not share for this body. Write one that you share for."))
        return found

    def _values(self, planned: Planned, said: dict[str, str]) -> None:
        """What each cell means, where it says something else than what stands."""
        stands = self.written[planned.resource.pk] if planned.resource else {}
        for column, words in said.items():
            if column in ("name", "owner") or (planned.resource and words == _said(stands[column], column)):
                continue
            is_left = planned.resource is None and column != "category"  # which whatever is new must have
            if not words and (is_left or (planned.resource is not None and column in KEPT_WHEN_EMPTY)):
                continue
            try:
                planned.values[column] = self._value(planned, column, words)
            except ValueError as error:
                self.blame(planned.line, column, words, str(error))
        self._check_price(planned, said)
        self._check_kind(planned, said)

    def _value(self, planned: Planned, column: str, words: str) -> Any:
        if column in CHOICES:
            return self._choice(column, words)
        if column in LONG:
            if len(words) > LONG[column]:
                raise ValueError(gettext("Shorten it to %(most)s characters.") % {"most": LONG[column]})
            return words
        if column in MINUTES:
            minutes = span_of_words(words)
            return minutes if column == "longest_minutes" else minutes or 0
        if column in HOURS:
            hours = hours_of_words(words) or 0
            if hours > 32_767:
                raise ValueError(gettext("That is too long. Write at most 400 days."))
            return hours
        readers: dict[str, Callable[[Planned, str], Any]] = {
            "category": self._category,
            "capacity": lambda _planned, said: whole_number(said),
            "features": self._features,
            "site": self._site,
            "units": lambda _planned, said: units_of_words(said),
            "parts": self._parts,
            "price": lambda _planned, said: _sek(said),
        }
        return readers[column](planned, words)

    def _choice(self, column: str, words: str) -> str:
        found = self.choices[column].get(words.casefold())
        if found is None:
            known = ", ".join(str(label) for label in CHOICES[column].labels)
            raise ValueError(gettext("Write one of these: %(known)s.") % {"known": known})
        return found

    def _category(self, _planned: Planned, words: str) -> Category:
        if not words:
            raise ValueError(gettext("Write a category, for example Minibuss."))
        found = self.categories.get(words.casefold())
        if found is None:
            raise ValueError(gettext("The portal has no such category. Write one from its list."))
        return found

    def _features(self, _planned: Planned, words: str) -> list[Feature]:
        found = {}
        for word in filter(None, (part.strip() for part in re.split("[;,]", words))):
            feature = self.features.get(word.casefold())
            if feature is None:
                message = gettext("The portal has no feature “%(name)s”. Write those in its list, or leave it out.")
                raise ValueError(message % {"name": word[:LONGEST_SHOWN]})
            found[feature.pk] = feature
        return list(found.values())

    def _site(self, planned: Planned, words: str) -> Site | None:
        if not words:
            return None
        place = self.places[planned.owner.pk]
        found = self.sites.get((place.pk, words.casefold()))
        if found is None:
            known = ", ".join(site.name for (where, _name), site in self.sites.items() if where == place.pk)
            message = gettext(
                "%(place)s has no such site in the portal. Write one of these, or leave it out: %(known)s."
            )
            raise ValueError(message % {"place": place.name, "known": known or gettext("there are none")})
        return found

    def _parts(self, planned: Planned, words: str) -> list[str]:
        names = [part.strip() for part in words.split(";") if part.strip()]
        for name in names:
            if (planned.owner.pk, name) not in self.lines and (planned.owner.pk, name) not in self.there:
                message = gettext("The owner has nothing called “%(name)s”. Put the parts on rows above the whole.")
                raise ValueError(message % {"name": name[:LONGEST_SHOWN]})
            if name == planned.name:
                raise ValueError(gettext("A whole does not consist of itself. Write the names of its parts."))
        return names

    def _check_price(self, planned: Planned, said: dict[str, str]) -> None:
        """A price needs what it is for."""
        told = {"price", "price_unit", "vat"} & planned.values.keys()
        if not told:
            return
        rule = planned.resource.prices_today[0] if planned.resource and planned.resource.prices_today else None  # type: ignore[attr-defined]
        stands = {"price": rule.sek, "price_unit": rule.unit, "vat": rule.vat} if rule else {"vat": VatTreatment.ASK}
        price = {**stands, **{name: planned.values.pop(name) for name in told}}
        if "price" not in price:
            if not said.get("price"):  # one that cannot be read is a fault already
                self.blame(planned.line, "price", "", gettext("Write the price, or leave all three empty."))
        elif "price_unit" not in price:
            message = gettext("Write what the price is for: %(known)s.")
            known = ", ".join(str(label) for label in PriceUnit.labels)
            self.blame(planned.line, "price_unit", said.get("price_unit", ""), message % {"known": known})
        else:
            planned.values["price"] = (price["price"], price["price_unit"], price["vat"])

    def _check_kind(self, planned: Planned, said: dict[str, str]) -> None:
        """The category tells the kind; a kind that says otherwise is a fault."""
        kind = planned.values.pop("kind", None)
        category = planned.values.get("category") or (planned.resource.category if planned.resource else None)
        if category is None:
            return
        if kind is not None and kind != category.kind:
            message = gettext("%(category)s is another kind: %(kind)s. Correct one of them.")
            words = {"category": category.name, "kind": category.get_kind_display()}
            self.blame(planned.line, "kind", said.get("kind", ""), message % words)
        if "category" in planned.values:
            planned.values["kind"] = category.kind

    def _compare(self, planned: Planned, said: dict[str, str]) -> None:
        """What would change in something that is shared already; what no file may change is a fault."""
        resource = planned.resource
        assert resource is not None
        stands = self.written[resource.pk]
        if set(planned.values.get("parts", ())) == {part for part in stands["parts"].split("; ") if part}:
            planned.values.pop("parts", None)
        if "parts" in planned.values:
            message = gettext("What a whole consists of is not changed by a file. Leave it as it is: %(stands)s.")
            words = {"stands": stands["parts"] or gettext("nothing")}
            self.blame(planned.line, "parts", said["parts"], message % words)
        if "units" in planned.values:
            self._compare_units(planned, said)
        for column in ("features", *FACTS):
            if column in planned.values and _is_same(getattr(resource, column), planned.values[column]):
                del planned.values[column]
        if "price" in planned.values and resource.prices_today:  # type: ignore[attr-defined]
            rule = resource.prices_today[0]  # type: ignore[attr-defined]
            if planned.values["price"] == (rule.sek, rule.unit, rule.vat):
                del planned.values["price"]
        for column, value in planned.values.items():
            if column != "kind" or "category" not in planned.values:
                before = stands[column]
                if column == "price" and before:
                    before = _price_in_words(*(stands[one] for one in _PRICE))
                planned.changes.append((str(BY_NAME[column].label), before, in_words(column, value)))

    def _compare_units(self, planned: Planned, said: dict[str, str]) -> None:
        resource = planned.resource
        assert resource is not None
        there = [_said(unit.name, "name") for unit in resource.units.all()]
        wanted = planned.values.pop("units")
        gone = [name for name in there if name.casefold() not in {one.casefold() for one in wanted}]
        new = [name for name in wanted if name.casefold() not in {one.casefold() for one in there}]
        if gone:
            message = gettext("A file adds pieces but takes none away. Write “%(name)s” too.")
            self.blame(planned.line, "units", said["units"], message % {"name": gone[0][:LONGEST_SHOWN]})
        elif new and planned.values.get("takes", resource.takes) != Takes.SOME:
            message = gettext("Bookings of this take all of it, so it cannot get more pieces.")
            self.blame(planned.line, "units", said["units"], message)
        elif len(there) + len(new) > MOST_UNITS:
            message = gettext("A resource has %(most)s pieces at most.")
            self.blame(planned.line, "units", said["units"], message % {"most": MOST_UNITS})
        elif new:
            planned.values["units"] = new


_PRICE = ("price", "price_unit", "vat")


def _sek(said: str) -> Decimal:
    try:
        price = sek(said)
    except ValueError:
        raise ValueError(gettext("Write the price in figures, for example 400 or 137,50.")) from None
    if price > MOST_SEK:
        raise ValueError(gettext("Write kronor and at most two decimals, less than ten million."))
    return price


def _is_same(stands: Any, value: Any) -> bool:
    if hasattr(stands, "all"):
        return {one.pk for one in stands.all()} == {one.pk for one in value}
    return bool(stands == value)


def _price_in_words(sek: Any, unit: Any, vat: Any) -> str:
    return gettext("%(sek)s kr per %(unit)s, %(vat)s") % {"sek": sek, "unit": unit, "vat": vat}


def in_words(column: str, value: Any) -> str:
    """A value as the portal writes it in a file."""
    if column == "price":
        sek, unit, vat = value
        said = f"{sek:.2f}".removesuffix(".00").replace(".", ",")
        return _price_in_words(said, PriceUnit(unit).label, VatTreatment(vat).label)
    if column in CHOICES:
        return str(CHOICES[column](value).label)
    if column in (*MINUTES, *HOURS):
        return in_span(value * 60 if column in HOURS else value)
    if isinstance(value, list):
        return ("; " if column == "units" else ", ").join(str(one) for one in value)
    return "" if value is None else str(value)


def plan_inventory(inventory: Inventory, *, owner: Body, by: User) -> list[Planned]:
    """What would happen to each row, in the order of the file. Raises FileRefused with every fault."""
    return _Planner(inventory, by, owner).plan()


def plan_seen(planned: Iterable[Planned]) -> str:
    """A sum by which one knows whether the same would happen that somebody was shown."""
    told = [
        (one.line, one.owner.pk, one.resource.pk if one.resource else None, one.resource.edit if one.resource else 0,
         one.changes, sorted((name, in_words(name, value)) for name, value in one.values.items()))
        for one in planned
    ]  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()


@transaction.atomic
def import_inventory(inventory: Inventory, *, seen: str, by: User, on_behalf_of: Body) -> list[Planned]:
    """Share what is new and change what differs, all of it or nothing. `seen` is the sum of the plan that was shown.

    Raises FileRefused with every fault, InventoryChanged if something else would happen than what was shown.
    """
    plan = plan_inventory(inventory, owner=on_behalf_of, by=by)
    if plan_seen(plan) != seen:
        raise InventoryChanged
    touched = [one.resource for one in plan if one.resource is not None and one.changes]
    lock_units(*touched)  # before any resource: whoever books locks in that order
    list(Resource.objects.filter(pk__in=[one.pk for one in touched]).order_by("pk").select_for_update(no_key=True))
    made: dict[tuple[int, str], Resource] = {}
    problems = []
    for one in plan:
        try:
            with transaction.atomic():
                made[one.owner.pk, one.name] = _take_in(one, made, by)
        except RuleBroken as broken:
            place, heading = inventory.places.get(broken.field or "", ("", ""))
            problems.append(Problem(one.line, place, heading, "", str(broken)))
    if problems:
        raise FileRefused(inventory.name, problems[:MOST_PROBLEMS], len(problems))
    return plan


def _take_in(one: Planned, made: Mapping[tuple[int, str], Resource], by: User) -> Resource:
    facts = {name: value for name, value in one.values.items() if name in FACTS}
    if one.resource is None:
        parts = [made.get((one.owner.pk, name)) or Resource.objects.get(owner=one.owner, name=name)
                 for name in one.values.get("parts", ())]  # fmt: skip
        resource = share_resource(
            owner=one.owner,
            facts={"name": one.name, **facts},
            features=one.values.get("features", ()),
            units=one.values.get("units", ()),
            parts=parts,
            by=by,
            example=by.example,
            came_in=CameIn.IMPORT,
        )
    else:
        resource = one.resource
        if facts or "features" in one.values:
            resource = change_resource(
                resource, facts=facts, features=one.values.get("features"), seen=resource.edit, by=by,
                on_behalf_of=one.owner,
            )  # fmt: skip
        if "units" in one.values:
            add_units(resource, names=one.values["units"], by=by, on_behalf_of=one.owner)
    if "price" in one.values:
        sek, unit, vat = one.values["price"]
        set_price(resource, unit=unit, sek=sek, vat=vat, first_day=today(), by=by, on_behalf_of=one.owner)
    return resource

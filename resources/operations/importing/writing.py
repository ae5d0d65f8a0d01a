"""Writing: what is shared, as an inventory says it. What goes out comes in again unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext

from collab4m.clock import today
from collab4m.swedish import swedish_key
from organisations.models import User
from records.people import answering
from resources.models import PriceRule, PriceUnit, Resource, Unit, VatTreatment
from resources.operations.importing.columns import CHOICES, HOURS, INVENTORY_COLUMNS, LONG, MINUTES
from resources.operations.importing.reading import said_in
from resources.operations.sharing import opening_of
from resources.operations.stretches import week_in_words


def shared_by(user: User) -> list[Resource]:
    """What the user's bodies share, by owner and name, with all that an inventory says of it. Five queries."""
    rows = Resource.objects.in_use().filter(answering(user, "owner"))
    return sorted(with_all(rows), key=lambda row: (swedish_key(row.owner.name), swedish_key(row.name), row.pk))


def with_all(rows: Any) -> list[Resource]:
    units = Prefetch("units", Unit.objects.order_by("pk"))
    prices = Prefetch("price_rules", PriceRule.objects.filter(valid__contains=today()), to_attr="prices_today")
    rows = rows.select_related("owner", "municipality", "category", "site")
    return list(rows.prefetch_related("features", "open_rules", units, prices))


def inventory_headings() -> list[str]:
    return [str(column.label) for column in INVENTORY_COLUMNS]


def inventory_rows(resources: Sequence[Resource]) -> Iterator[list[Any]]:
    """Each resource as a row of a file, with whether it is an example last."""
    wholes = parts_of(resources)
    for resource in resources:
        said = written(resource, wholes[resource.pk])
        yield [*(_as_cell(said[column.name]) for column in INVENTORY_COLUMNS), resource.example]


def _as_cell(said: str) -> Any:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 6 and not said.startswith("0") else said


def parts_of(resources: Iterable[Resource]) -> dict[int, list[Resource]]:
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


def written(resource: Resource, parts: Sequence[Resource]) -> dict[str, str]:
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
        "openings": week_in_words(opening_of(rule) for rule in resource.open_rules.all()),
        "parts": "; ".join(sorted((part.name for part in parts), key=swedish_key)),
        "price": f"{price.sek.normalize():f}".replace(".", ",") if price else "",
        "price_unit": str(price.get_unit_display()) if price else "",
        "vat": str(price.get_vat_display()) if price else "",
    }
    said |= {name: str(CHOICES[name](getattr(resource, name)).label) for name in CHOICES if name not in said}
    said |= {name: in_span(getattr(resource, name)) for name in MINUTES}
    said |= {name: in_span(getattr(resource, name) * 60) for name in HOURS}
    return said | {name: said_in(getattr(resource, name), name) for name in LONG}


def in_span(minutes: int | None) -> str:
    """Minutes as a file says them, in the largest unit that divides them."""
    if not minutes:
        return "" if minutes is None else "0"
    for size, words in ((1440, gettext("%(number)s days")), (60, gettext("%(number)s h"))):
        if minutes % size == 0:
            return words % {"number": minutes // size}
    return gettext("%(number)s min") % {"number": minutes}


PRICE = ("price", "price_unit", "vat")


def price_in_words(sek: Any, unit: Any, vat: Any) -> str:
    return gettext("SEK %(sek)s per %(unit)s, %(vat)s") % {"sek": sek, "unit": unit, "vat": vat}


def in_words(column: str, value: Any) -> str:
    """A value as the portal writes it in a file."""
    if column == "price":
        sek, unit, vat = value
        said = f"{sek:.2f}".removesuffix(".00").replace(".", ",")
        return price_in_words(said, PriceUnit(unit).label, VatTreatment(vat).label)
    if column == "openings":
        return week_in_words(value)
    if column in CHOICES:
        return str(CHOICES[column](value).label)
    if column in (*MINUTES, *HOURS):
        return in_span(value * 60 if column in HOURS else value)
    if isinstance(value, list):
        return ("; " if column == "units" else ", ").join(str(one) for one in value)
    return "" if value is None else str(value)

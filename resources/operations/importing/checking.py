"""Judging the rows against what is shared: what would be new or change, and every fault."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from collab4m.tables import whole_number
from organisations.models import Body, Site, User
from programmes.operations import FileRefused, Problem
from resources.models import Category, Feature, PriceUnit, Resource, Takes, VatTreatment
from resources.operations.importing.columns import (
    BY_NAME,
    CHOICES,
    FACTS,
    HOURS,
    KEPT_WHEN_EMPTY,
    LONG,
    LONGEST_SHOWN,
    MINUTES,
    MOST_PROBLEMS,
)
from resources.operations.importing.reading import Inventory, said_in
from resources.operations.importing.words import (
    by_words,
    choice_words,
    hours_of_words,
    sek_of_words,
    span_of_words,
    units_of_words,
)
from resources.operations.importing.writing import PRICE, in_words, parts_of, price_in_words, with_all, written
from resources.operations.sharing import MOST_UNITS, bodies_shared_for, opening_of, place_of
from resources.operations.stretches import read_week


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


class _Planner:
    """Judges the rows against what is there, and notes every fault."""

    def __init__(self, inventory: Inventory, user: User, owner: Body) -> None:
        self.inventory, self.default_owner = inventory, owner
        self.problems: list[Problem] = []
        self.total = 0
        owners = bodies_shared_for(user)
        self.owners = {body.name.casefold(): body for body in owners}
        rows = with_all(Resource.objects.filter(owner__in=owners))
        in_use = [row for row in rows if not row.is_retired]
        parts = parts_of(in_use)
        self.there = {(row.owner_id, said_in(row.name, "name")): row for row in rows}
        self.written = {row.pk: written(row, parts.get(row.pk, [])) for row in rows}
        self.categories: dict[str, Category] = by_words(Category.objects.order_by("-pk"))
        self.features: dict[str, Feature] = by_words(Feature.objects.order_by("-pk"))
        self.places = {body.pk: place_of(body) for body in owners}
        self.sites: dict[tuple[int, str], Site] = {}
        for site in Site.objects.filter(municipality__in=self.places.values()):
            self.sites[site.municipality_id, site.name.casefold()] = site
        self.choices = {name: choice_words(choices) for name, choices in CHOICES.items()}
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
            if column in ("name", "owner") or (planned.resource and words == said_in(stands[column], column)):
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
            return hours_of_words(words) or 0
        readers: dict[str, Callable[[Planned, str], Any]] = {
            "category": self._category,
            "capacity": lambda _planned, said: whole_number(said),
            "features": self._features,
            "site": self._site,
            "openings": lambda _planned, said: read_week(said),
            "units": lambda _planned, said: units_of_words(said),
            "parts": self._parts,
            "price": lambda _planned, said: sek_of_words(said),
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
        if planned.values.get("openings") == [opening_of(rule) for rule in resource.open_rules.all()]:
            del planned.values["openings"]
        if "price" in planned.values and resource.prices_today:  # type: ignore[attr-defined]
            rule = resource.prices_today[0]  # type: ignore[attr-defined]
            if planned.values["price"] == (rule.sek, rule.unit, rule.vat):
                del planned.values["price"]
        for column, value in planned.values.items():
            if column != "kind" or "category" not in planned.values:
                before = stands[column]
                if column == "price" and before:
                    before = price_in_words(*(stands[one] for one in PRICE))
                planned.changes.append((str(BY_NAME[column].label), before, in_words(column, value)))

    def _compare_units(self, planned: Planned, said: dict[str, str]) -> None:
        resource = planned.resource
        assert resource is not None
        there = [said_in(unit.name, "name") for unit in resource.units.all()]
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


def _is_same(stands: Any, value: Any) -> bool:
    if hasattr(stands, "all"):
        return {one.pk for one in stands.all()} == {one.pk for one in value}
    return bool(stands == value)


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

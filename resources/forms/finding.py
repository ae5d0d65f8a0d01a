"""What is sought, in fields: what, for how many, when, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import dates
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now, today
from collab4m.forms import WrittenDateField
from organisations.models import Membership, Municipality, Site, User
from resources.forms.spans import HourField
from resources.models import Category, Feature, ResourceKind
from resources.operations import Need, local
from resources.operations.opening import DAYS_AHEAD

LONGEST_SEARCH, MOST_PLACES, MOST_PIECES, MOST_WEEKS, MOST_HOURS, LONGEST_DAYS = 100, 32767, 1000, 40, 24, 62
WEEKS_AHEAD, WEEKS_TOGETHER = 78, 26
WEEKDAYS = [(str(day + 1), capfirst(name)) for day, name in dates.WEEKDAYS.items()]
SCHOOL_DAYS = {1, 2, 3, 4, 5}
DAY_BEGINS, DAY_ENDS = 8 * 60, 17 * 60  # when no hours are written
SOME_HOURS = ("timmar", "vecka", "till_vecka", "tidigast", "senast", "vardag")  # the part of the form about them


def number(label: Any, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "w-num"})
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=False, widget=widget, help_text=help_text
    )


class SearchForm(forms.Form):
    """Every answer is free to leave out. A certain time, or some hours at any time in some weeks, not both."""

    all_optional = True

    q = forms.CharField(
        label=_("Name, what it is for, owner"),
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    slag = forms.ChoiceField(label=_("Kind"), required=False)
    kategori = forms.ChoiceField(label=_("Category"), required=False)
    platser = number(_("Seats or places at least"), 1, MOST_PLACES)
    antal = number(_("How many pieces"), 1, MOST_PIECES)
    hemma = forms.ChoiceField(label=_("From where"), required=False)
    egenskap = forms.MultipleChoiceField(label=_("Features"), required=False, widget=forms.CheckboxSelectMultiple)
    dag = WrittenDateField(label=_("Day, as 2026-12-08"), required=False)
    fran = HourField(label=_("From the hour"), required=False)
    till = HourField(label=_("To the hour"), required=False, midnight=True)
    till_dag = WrittenDateField(label=_("Until another day"), required=False)
    veckor = number(_("Weeks in a row"), 1, MOST_WEEKS)
    timmar = number(_("How many hours"), 1, MOST_HOURS)
    vecka = forms.ChoiceField(label=_("From week"), required=False)
    till_vecka = forms.ChoiceField(label=_("Through week"), required=False)
    tidigast = HourField(label=_("Not before"), required=False)
    senast = HourField(label=_("Ends at the latest"), required=False, midnight=True)
    vardag = forms.MultipleChoiceField(
        label=_("Weekdays"), required=False, choices=WEEKDAYS, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        self.sent = data.copy()
        super().__init__(self.sent)
        self.categories = {one.slug: one for one in Category.objects.order_by("kind", "name_sv")}
        self.features = {one.slug: one for one in Feature.objects.order_by("name_sv")}
        self.weeks = list(coming_weeks())
        self._read_places(user)
        weeks = [("", _("Choose")), *((value, label) for value, label, _monday in self.weeks)]
        choices: dict[str, Any] = {
            "slag": [("", _("All")), *((value, str(label).capitalize()) for value, label in ResourceKind.choices)],
            "kategori": [("", _("All")), *self._category_choices()],
            "egenskap": [(slug, feature.name) for slug, feature in self.features.items()],
            "hemma": self._place_choices(),
            "vecka": weeks,
            "till_vecka": [("", _("The same week")), *weeks[1:]],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]
        if "hemma" not in self.sent and self.home is not None:
            self.sent["hemma"] = self.home.code

    def _read_places(self, user: User) -> None:
        members = Membership.objects.around(user).select_related("municipality").in_agreed_order()
        self.municipalities = {one.municipality.code: one.municipality for one in members}
        bodies = user.bodies_today()
        own = Municipality.objects.filter(Q(pk__in=bodies) | Q(schools__pk__in=bodies)).distinct()
        self.own = {one.code: one for one in own.order_by("pk")}
        self.sites = {
            f"plats-{site.pk}": site
            for site in Site.objects.on(today()).filter(municipality__in=[one.pk for one in self.own.values()])
        }
        self.home = next((one for code, one in self.municipalities.items() if code in self.own), None)
        if self.home is None:
            self.home = next(iter(self.own.values()), None)

    def _place_choices(self) -> list[Any]:
        towns = {**self.municipalities, **self.own}
        choices: list[Any] = [("", _("Anywhere")), *((code, one.name) for code, one in towns.items())]
        if self.sites:
            choices.append((_("Sites"), [(value, site.name) for value, site in self.sites.items()]))
        return choices

    def _category_choices(self) -> Iterator[Any]:
        below: dict[int | None, list[Category]] = {}
        for one in self.categories.values():
            below.setdefault(one.parent_id, []).append(one)

        def in_turn(parent: int | None, kind: str, depth: int) -> Iterator[tuple[str, str]]:
            for one in below.get(parent, ()):
                if one.kind == kind:
                    yield one.slug, "– " * depth + one.name
                    yield from in_turn(one.pk, kind, depth + 1)

        for kind, label in ResourceKind.choices:
            if found := list(in_turn(None, kind, 0)):
                yield str(label).capitalize(), found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        sought_day = any(cleaned.get(name) for name in ("dag", "till_dag", "veckor")) or any(
            cleaned.get(name) is not None for name in ("fran", "till")
        )
        sought_hours = any(cleaned.get(name) not in (None, "", []) for name in SOME_HOURS)
        if sought_day and sought_hours:
            self.add_error("timmar", _("Fill in a certain time, or some hours in some weeks. Leave the other empty."))
        elif not self.errors and sought_day:
            self._clean_day(cleaned)
        elif not self.errors and sought_hours:
            self._clean_hours(cleaned)
        return cleaned

    def _clean_day(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("dag"):
            return self.add_error("dag", _("Write which day."))
        for name in ("fran", "till"):
            if cleaned.get(name) is None:
                return self.add_error(name, _("Write from which hour to which, for example 9.00 to 14.00."))
        first, last = cleaned["dag"], cleaned.get("till_dag") or cleaned["dag"]
        weeks = cleaned.get("veckor") or 1
        if first < today():
            return self.add_error("dag", _("That day has passed. Choose a later one."))
        if last < first:
            return self.add_error("till_dag", _("The last day comes before the first. Change one of them."))
        if (last - first).days > LONGEST_DAYS:
            return self.add_error("till_dag", _("Search for two months at a time at most."))
        if (first - today()).days + 7 * weeks > DAYS_AHEAD:
            return self.add_error("dag", _("That is too far ahead. Search at most eighteen months ahead."))
        steps = [timedelta(weeks=week) for week in range(weeks)]
        times = tuple((at(first + step, cleaned["fran"]), at(last + step, cleaned["till"])) for step in steps)
        if any(ends <= begins for begins, ends in times):
            return self.add_error("till", _("Write an end after the start. Over midnight: fill in until which day."))
        if times[0][0] < now():
            return self.add_error("fran", _("That time has passed. Choose a later one."))
        cleaned["times"] = times
        return None

    def _clean_hours(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("timmar"):
            return self.add_error("timmar", _("Write how many hours, for example 3."))
        if not cleaned.get("vecka"):
            return self.add_error("vecka", _("Choose from which week."))
        mondays = {value: monday for value, _label, monday in self.weeks}
        first = mondays[cleaned["vecka"]]
        last = mondays[cleaned.get("till_vecka") or cleaned["vecka"]]
        if last < first:
            return self.add_error("till_vecka", _("The last week comes before the first. Change one of them."))
        if (last - first).days > 7 * WEEKS_TOGETHER:
            return self.add_error("till_vecka", _("Search for half a year at a time at most."))
        length = timedelta(hours=cleaned["timmar"])
        opens = DAY_BEGINS if cleaned.get("tidigast") is None else cleaned["tidigast"]
        closes = DAY_ENDS if cleaned.get("senast") is None else cleaned["senast"]
        if closes <= opens:
            return self.add_error("senast", _("The last hour comes before the first. Change one of them."))
        windows = tuple(self._windows(first, last, opens, closes))
        if not windows:
            return self.add_error("vecka", _("Those days have passed. Choose later weeks or other weekdays."))
        if not any(ends - begins >= length for begins, ends in windows):
            return self.add_error("senast", _("So many hours do not fit between those hours. Write other hours."))
        cleaned["windows"], cleaned["length"] = windows, length
        return None

    def _windows(self, first: date, last: date, opens: int, closes: int) -> Iterator[tuple[datetime, datetime]]:
        weekdays = {int(one) for one in self.cleaned_data.get("vardag", ())} or SCHOOL_DAYS
        moment = now()
        for step in range((last - first).days + 7):
            day = first + timedelta(days=step)
            if day.isoweekday() not in weekdays:
                continue
            begins, ends = at(day, opens), at(day, closes)
            if ends > moment:
                yield max(begins, moment), ends

    @property
    def is_chosen(self) -> bool:
        """Whether anything is sought; from where one goes is not enough."""
        return any(value not in (None, "", []) for name, value in self.cleaned_data.items() if name != "hemma")

    @property
    def need(self) -> Need:
        chosen = self.cleaned_data
        site = self.sites.get(chosen["hemma"])
        towns = {**self.municipalities, **self.own}
        home = next((one for one in self.own.values() if site and one.pk == site.municipality_id), None)
        return Need(
            words=" ".join(chosen["q"].split()),
            kind=chosen["slag"],
            category=self.categories.get(chosen["kategori"]),
            features=[self.features[slug] for slug in chosen["egenskap"]],
            capacity=chosen["platser"],
            quantity=chosen["antal"] or 1,
            times=chosen.get("times", ()),
            windows=chosen.get("windows", ()),
            length=chosen.get("length"),
            from_municipality=home or towns.get(chosen["hemma"]),
            from_site=site,
        )

    @property
    def open_parts(self) -> set[str]:
        """The folded parts of the form in which something is written or wrong."""
        parts = {"features": ["egenskap"], "hours": SOME_HOURS}
        return {
            part
            for part, names in parts.items()
            if any(name in self.errors or self.sent.getlist(name) not in ([], [""]) for name in names)
        }


def at(day: date, minutes: int) -> datetime:
    """So many minutes past midnight by the clock on the wall; 24 hours is the next day's beginning."""
    return local(day + timedelta(days=minutes // (24 * 60)), time(minutes // 60 % 24, minutes % 60))


def coming_weeks() -> Iterator[tuple[str, str, date]]:
    """This week and those to come: value, words, Monday."""
    monday = today() - timedelta(days=today().weekday())
    for step in range(WEEKS_AHEAD):
        first = monday + timedelta(weeks=step)
        last = first + timedelta(days=4)
        year, week, _weekday = first.isocalendar()
        begins = date_format(first, "j" if first.month == last.month else "j b")
        words = _("w. %(week)s, %(first)s–%(last)s") % {"week": week, "first": begins, "last": date_format(last, "j b")}
        yield f"{year}-{week:02}", words + (f" {year}" if year != today().year else ""), first

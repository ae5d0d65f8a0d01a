"""Input about what is shared: what it is, when it can be booked, what it costs, and who decides meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from itertools import groupby, pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.swedish import swedish_key
from collab4m.templatetags.shell import capital
from organisations.forms.facts import text_field
from organisations.forms.people import RADIO_LIMIT, DayField
from organisations.models import Body, Site, User
from records.values import as_text, identity
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
    VatTreatment,
)
from resources.operations import Opening

ONE, SOME, WHOLE = "en", "exemplar", "helhet"
ALWAYS, HOURS = "alltid", "tider"
MOST_PIECES = 200
EXTRA_ROWS = 2
MOST_ROWS = 28


def whole_number(label: Any, least: int, most: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
        **kwargs,
    )


def long_text(label: Any, most: int, rows: int = 3, **kwargs: Any) -> forms.CharField:
    return text_field(label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


def choices(labels: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    return [(value, capital(str(label))) for value, label in labels]


def owner_field(bodies: Sequence[Body], label: Any) -> forms.ChoiceField:
    few = len(bodies) <= RADIO_LIMIT
    options = [(str(body.pk), str(body)) for body in bodies]
    return forms.ChoiceField(
        choices=options if few else [("", _("Choose whose it is")), *options],
        label=label,
        widget=forms.RadioSelect if few else forms.Select,
        error_messages={"required": _("Choose whose it is.")},
    )


class Written(forms.CharField):
    """A number as people write it, with a comma or a point."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "w-s", "autocomplete": "off"})

    def number(self, value: Any) -> Decimal | None:
        text = re.sub(r"\s", "", str(value or "")).replace(",", ".")
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise ValidationError(self.error_messages["invalid"]) from error
        if not number.is_finite() or number < 0 or len(text) > 12:
            raise ValidationError(self.error_messages["invalid"])
        return number


class HoursField(Written):
    """Hours, kept as minutes."""

    default_error_messages = {"invalid": _("Write hours in figures, for example 24 or 1,5.")}

    def __init__(self, *, most_hours: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most_hours = most_hours

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        hours = (Decimal(value) / 60).quantize(Decimal("0.01"))
        return f"{hours:f}".rstrip("0").rstrip(".").replace(".", ",")

    def to_python(self, value: Any) -> Any:
        hours = self.number(value)
        if hours is not None and hours > self.most_hours:
            raise ValidationError(gettext("Write %(most)s hours at most.") % {"most": self.most_hours})
        return None if hours is None else int((hours * 60).to_integral_value())


class SekField(Written):
    """An amount in SEK, to the öre. 0 is one."""

    default_error_messages = {"invalid": _("Write the price in figures, for example 450 or 0.")}

    def prepare_value(self, value: Any) -> Any:
        return f"{value:f}".removesuffix(".00").replace(".", ",") if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        sek = self.number(value)
        if sek is not None and (sek >= 10_000_000 or sek != sek.quantize(Decimal("0.01"))):
            raise ValidationError(gettext("Write kronor and at most two decimals, less than ten million."))
        return sek


class SeenEdit(forms.Form):
    """A form that carries which edit of the resource it showed. After a conflict it tells what now stands."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self) -> int:
        """Nothing that was never an edit is one."""
        said = self.cleaned_data["seen"]
        return int(said) if re.fullmatch(r"[0-9]{1,9}", said) else -1

    def show_what_stands(self, stands: dict[str, Any], seen: int) -> None:
        """`stands`: what now is, by field. The next save goes through."""
        data: Any = self.data
        self.data = data.copy()
        self.data["seen"] = str(seen)  # type: ignore[index]
        for name, value in stands.items():
            if name not in self.fields or identity(self.cleaned_data.get(name)) == identity(value):
                continue
            words = {"label": self[name].label, "value": self.in_words(name, value)}
            now = gettext("%(label)s: now it says “%(value)s”.") if words["value"] else gettext("%(label)s: empty now.")
            self.add_error(name, now % words)

    def in_words(self, name: str, value: Any) -> str:
        field = self.fields[name]
        if isinstance(field, Written):
            return str(field.prepare_value(value)) if value is not None else ""
        if isinstance(field, forms.ModelMultipleChoiceField):
            return ", ".join(str(one) for one in value)
        if isinstance(field, forms.ModelChoiceField):
            return str(value or "")
        if isinstance(field, forms.ChoiceField):
            return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
        return as_text(value)


# What it is


class SiteField(forms.ModelChoiceField):
    """Sites, by municipality where there are several."""

    def __init__(self, municipalities: Iterable[int], **kwargs: Any) -> None:
        sites = Site.objects.on().filter(municipality__in=list(municipalities)).select_related("municipality")
        super().__init__(sites.in_swedish_order(), empty_label=_("No site, or another place"), **kwargs)
        found = sorted(sites, key=lambda site: (swedish_key(site.municipality.name), swedish_key(site.name)))
        groups = [
            (name, [(site.pk, site.name) for site in group])
            for name, group in groupby(found, key=lambda site: site.municipality.name)
        ]
        rows: list[Any] = groups if len(groups) > 1 else [one for _name, group in groups for one in group]
        self.choices = [("", self.empty_label or ""), *rows]


class ResourceForm(SeenEdit):
    """What a resource is and what holds for whoever borrows it."""

    FACTS = ("name", "category", "description", "capacity", "site", "terms", "permits")

    name = text_field(
        _("Name"), _("Give it a name that people know it by."), max_length=100, help_text=_("For example Minibuss A.")
    )
    description = long_text(_("Description"), 2000)
    capacity = whole_number(
        _("Seats or places"),
        1,
        30_000,
        required=False,
        help_text=_("Whoever searches by number finds only what has one stated."),
    )
    terms = long_text(_("Terms"), 2000, help_text=_("For example who refuels, and where the keys are."))
    permits = long_text(
        _("Permits needed"),
        500,
        2,
        help_text=_(
            "What the driver or the group must have, for example driving licence C. Empty: nothing in particular."
        ),
    )
    confirmed = forms.BooleanField(label=_("We have checked that these permits are what is needed"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        category: Category,
        places: Iterable[int],
        resource: Resource | None = None,
        features: Iterable[Feature] = (),
    ) -> None:
        initial: dict[str, Any] = {"category": category}
        if resource:
            initial |= {name: getattr(resource, name) for name in self.FACTS}
            initial |= {"features": [one.pk for one in features], "seen": resource.edit}
        super().__init__(data, initial=initial)
        self.resource, self.category = resource, category
        kinds = Feature.objects.filter(kind__in=("", category.kind)).order_by("name_sv", "pk")
        if resource:
            kinds = kinds | Feature.objects.filter(pk__in=[one.pk for one in features])
        if kinds.exists():
            self.fields["features"] = forms.ModelMultipleChoiceField(
                kinds.distinct(), label=_("Features"), required=False, widget=forms.CheckboxSelectMultiple
            )
        self.fields["site"] = SiteField(places, label=_("Where it stands"), required=False)
        if resource:
            same = Category.objects.filter(kind=category.kind)
            self.fields["category"] = forms.ModelChoiceField(
                same, label=_("Category"), empty_label=None, error_messages={"required": _("Choose a category.")}
            )
            self.fields["category"].choices = category_choices(same)  # type: ignore[attr-defined]
            if resource.permits_confirmed_at:
                self.fields["confirmed"].help_text = _("Tick again if you change them, or when you have checked anew.")

    @property
    def sections(self) -> list[tuple[str, list[Any]]]:
        return self._sections(
            (_("What it is"), ("owner", "name", "category", "description", "features", "capacity", "site")),
            (_("What holds for whoever borrows it"), ("terms", "permits", "confirmed")),
        )

    def _sections(self, *parts: tuple[Any, Sequence[str]]) -> list[tuple[str, list[Any]]]:
        found = [(str(legend), [self[name] for name in names if name in self.fields]) for legend, names in parts]
        return [(legend, fields) for legend, fields in found if fields]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        permits = cleaned.get("permits", "")
        is_new = permits != (self.resource.permits if self.resource else "")
        if permits and is_new and not cleaned.get("confirmed"):
            self.add_error("confirmed", _("Tick that you have checked which permits are needed, or leave them empty."))
        return cleaned

    def facts(self) -> dict[str, Any]:
        said = self.cleaned_data
        facts = {name: said[name] for name in self.FACTS if name in said}
        category = said.get("category") or self.category
        return {**facts, "category": category, "kind": category.kind}


class NewResourceForm(ResourceForm):
    """The same of something new, with whose it is and the pieces it consists of."""

    how = forms.ChoiceField(
        label=_("How is it booked?"),
        choices=[
            (ONE, _("As one: whoever has it has all of it")),
            (SOME, _("Piece by piece: a booking takes as many as it needs")),
            (WHOLE, _("As a whole of parts that are shared on their own too, such as a hall and its halves")),
        ],
        widget=forms.RadioSelect,
        initial=ONE,
        error_messages={"required": _("Choose how it is booked.")},
    )
    names = text_field(
        _("The pieces by name"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on each line, if it is booked piece by piece."),
    )
    pieces = whole_number(
        _("Or how many"),
        1,
        MOST_PIECES,
        required=False,
        help_text=_("They get the name of the resource and a number each."),
    )

    def __init__(self, data: Any = None, *, bodies: Sequence[Body], parts: Sequence[Resource], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.bodies = {str(body.pk): body for body in bodies}
        del self.fields["seen"]
        if len(bodies) > 1:
            self.fields["owner"] = owner_field(bodies, _("Whose is it?"))
        if parts:
            several = len({part.owner_id for part in parts}) > 1
            self.fields["parts"] = forms.ModelMultipleChoiceField(
                Resource.objects.filter(pk__in=[part.pk for part in parts]),
                label=_("Its parts"),
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=_("Share each part first. When the whole is booked, so are its parts."),
            )
            self.fields["parts"].choices = [  # type: ignore[attr-defined]
                (part.pk, f"{part.name}, {part.owner}" if several else part.name) for part in parts
            ]
        else:
            how: Any = self.fields["how"]
            how.choices = how.choices[:2]
            how.help_text = _("A whole of parts can be shared when its parts are.")
        self.order_fields([field.name for _legend, fields in self.sections for field in fields])

    @property
    def sections(self) -> list[tuple[str, list[Any]]]:
        first, second = super().sections
        return [first, *self._sections((_("How it is booked"), ("how", "names", "pieces", "parts"))), second]

    @property
    def owner(self) -> Body:
        return self.bodies[self.cleaned_data["owner"]] if "owner" in self.fields else next(iter(self.bodies.values()))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        how, names = cleaned.get("how"), cleaned.get("names", "")
        if how == SOME and "names" in cleaned and "pieces" in cleaned:
            if bool(names) == bool(cleaned["pieces"]):
                either = _("Write the pieces by name, or how many they are. Not both.")
                self.add_error("names", either)
            elif names:
                cleaned["names"] = self._names(names)
        if how == WHOLE and "parts" in cleaned and len(cleaned["parts"]) < 2:
            self.add_error("parts", _("Choose at least two parts."))
        return cleaned

    def _names(self, text: str) -> list[str]:
        try:
            return lines_in(text)
        except ValidationError as error:
            self.add_error("names", error)
            return []

    def units(self) -> list[str]:
        """The names of the pieces that are new with it."""
        said = self.cleaned_data
        if said["how"] != SOME:
            return []
        if said["pieces"]:
            return [f"{said['name'][:90]} {number}" for number in range(1, said["pieces"] + 1)]
        return list(said["names"])

    def parts(self) -> list[Resource]:
        return list(self.cleaned_data.get("parts", ())) if self.cleaned_data["how"] == WHOLE else []

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"takes": Takes.SOME if self.cleaned_data["how"] == SOME else Takes.ALL}


def lines_in(text: str) -> list[str]:
    """Names, one on each line. ValidationError for one that is too long or stands twice."""
    names = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if len(names) > MOST_PIECES:
        raise ValidationError(gettext("Write %(most)s lines at most at a time.") % {"most": MOST_PIECES})
    seen: set[str] = set()
    for name in names:
        if len(name) > 100:
            raise ValidationError(gettext("Shorten “%(name)s…” to 100 characters.") % {"name": name[:30]})
        if name.casefold() in seen:
            raise ValidationError(gettext("“%(name)s” stands twice. Give each piece its own name.") % {"name": name})
        seen.add(name.casefold())
    return names


def category_tree(categories: Iterable[Category]) -> list[tuple[str, list[tuple[Category, list[Category]]]]]:
    """By kind in words: the groups at the top, each with what lies under it."""
    found = sorted(categories, key=lambda one: swedish_key(one.name))
    under: dict[int | None, list[Category]] = {}
    for one in found:
        under.setdefault(one.parent_id, []).append(one)
    return [
        (capital(str(kind.label)), [(top, under.get(top.pk, [])) for top in under.get(None, []) if top.kind == kind])
        for kind in ResourceKind
        if any(top.kind == kind for top in under.get(None, []))
    ]


def category_choices(categories: Iterable[Category]) -> list[Any]:
    """For a select box: a group as a heading with what lies under it, then what lies in no group."""
    rows: list[Any] = []
    for _kind, tops in category_tree(categories):
        for top, below in tops:
            if below:
                rows.append((top.name, [(one.pk, one.name) for one in below] + [(top.pk, _other(top))]))
            else:
                rows.append((top.pk, top.name))
    return rows


def _other(top: Category) -> str:
    return gettext("Other: %(group)s") % {"group": top.name.lower()}


# When it can be booked


def read_stretches(text: str) -> list[tuple[time, time]]:
    """What is written of a day, such as "8–12, 13–16.30". ValidationError in words for what cannot be read."""
    found = []
    for part in re.split(r"[,;]|\boch\b|\band\b", text):
        if not part.strip():
            continue
        match = re.fullmatch(r"(\d{1,2})(?:[.:](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[.:](\d{2}))?", part.strip())
        wrong = gettext("Write times like 8–16 or 8.30–12, 13–17. “%(text)s” cannot be read.") % {
            "text": part.strip()[:30]
        }
        if not match:
            raise ValidationError(wrong)
        opens, closes = ((int(match[one]), int(match[one + 1] or 0)) for one in (1, 3))
        if opens[0] > 23 or opens[1] > 59 or closes[1] > 59 or closes > (24, 0):
            raise ValidationError(wrong)
        if opens == closes:
            raise ValidationError(gettext("A stretch cannot end when it begins. The whole day is written 0–24."))
        found.append((time(*opens), time(closes[0] % 24, closes[1])))
    for one, following in pairwise(sorted(found)):
        if one[1] <= one[0] or following[0] < one[1]:
            raise ValidationError(gettext("Two of the times overlap. Change one of them."))
    return found


def stretch(opens: time, closes: time) -> str:
    """A stretch of a day as one writes it: 8–16.30."""
    ends = "24" if closes == time() else _clock(closes)
    return f"{_clock(opens)}–{ends}"


def _clock(at: time) -> str:
    return f"{at.hour}.{at.minute:02}" if at.minute else f"{at.hour}"


def _row_of(one: Opening) -> tuple[int, bool, bool]:
    return one.weekday, one.in_breaks, one.on_red_days


def _in_rows(one: Opening) -> Any:
    return *_row_of(one), one.opens


def hours_by_day(openings: Iterable[Opening]) -> list[tuple[str, str]]:
    """When it is open, day by day in words."""
    rows = []
    for (weekday, in_breaks, on_red_days), some in groupby(
        openings, lambda one: (one.weekday, one.in_breaks, one.on_red_days)
    ):
        hours = ", ".join(stretch(one.opens, one.closes) for one in some)
        also = {
            (True, True): gettext("also in breaks and on red days"),
            (True, False): gettext("also in breaks"),
            (False, True): gettext("also on red days"),
        }.get((in_breaks, on_red_days))
        rows.append((capital(str(WEEKDAYS[weekday - 1])), f"{hours}, {also}" if also else hours))
    return rows


class OpeningForm(SeenEdit):
    """When a resource can be booked, and the rules for whoever asks.

    A row for each weekday; a day of which only a part is open in breaks takes one of the rows below.
    """

    RULES = (
        "turnaround_minutes", "lead_minutes", "longest_minutes", "cancel_hours", "askers", "approval", "decide_hours",
        "rivalry",
    )  # fmt: skip

    when = forms.ChoiceField(
        label=_("When can it be booked?"),
        choices=[(ALWAYS, _("Always: day and night, in breaks and on red days")), (HOURS, _("At these times"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose when it can be booked.")},
    )
    turnaround_minutes = whole_number(
        _("Turnaround, minutes"),
        0,
        7 * 24 * 60,
        help_text=_("Time after each booking to clean, charge or refuel. It is counted once, after the end. 0: none."),
    )
    lead_minutes = HoursField(
        most_hours=365 * 24,
        label=_("Ask at the latest, hours before"),
        help_text=_("0: until it begins."),
        error_messages={"required": _("Write how many hours before, or 0.")},
    )
    longest_minutes = HoursField(
        most_hours=550 * 24,
        label=_("Longest booking, hours"),
        required=False,
        help_text=_("Empty: as long as one wants."),
    )
    cancel_hours = whole_number(
        _("Cancel at the latest, hours before"),
        0,
        365 * 24,
        help_text=_("0: until it begins. After that only you can cancel."),
    )
    askers = forms.ChoiceField(
        label=_("Who may ask?"),
        choices=lambda: choices(Askers.choices),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who may ask.")},
    )
    approval = forms.ChoiceField(
        label=_("Who decides?"),
        choices=[
            (Approval.AUTOMATIC, _("Nobody: whoever asks gets it at once if it is free")),
            (Approval.BY_OWNER, _("You or your deputy answer each request")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who decides.")},
    )
    decide_hours = whole_number(
        _("Hours to decide"),
        1,
        24 * 60,
        help_text=_("If you decide: a request that nobody has answered by then is over, and the time is free again."),
    )
    rivalry = forms.ChoiceField(
        label=_("While a request waits for your answer"),
        choices=[
            (Rivalry.HOLD, _("the time is held for whoever asked first")),
            (Rivalry.COMPETE, _("others may ask for the same time, and you choose")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what happens while a request waits.")},
    )

    def __init__(self, data: Any = None, *, resource: Resource, openings: Sequence[Opening]) -> None:
        initial: dict[str, Any] = {name: getattr(resource, name) for name in self.RULES}
        initial |= {"seen": resource.edit, "when": HOURS if openings else ALWAYS if resource.edit else None}
        super().__init__(data, initial=initial)
        self.rows = self._add_rows(openings)

    def _add_rows(self, openings: Sequence[Opening]) -> list[dict[str, Any]]:
        known = [
            (weekday, in_breaks, on_red_days, ", ".join(stretch(one.opens, one.closes) for one in some))
            for (weekday, in_breaks, on_red_days), some in groupby(sorted(openings, key=_in_rows), _row_of)
        ]
        first = {row[0]: row for row in reversed(known)}
        more = [row for row in known if first[row[0]] is not row]
        number = 7 + len(more) + EXTRA_ROWS
        if self.is_bound:
            number = next((one for one in range(7, MOST_ROWS) if f"times_{one}" not in self.data), MOST_ROWS)
        rows = []
        for place in range(number):
            extra = place - 7
            row = first.get(place + 1) if extra < 0 else (more[extra] if extra < len(more) else None)
            label = str(WEEKDAYS[place]) if extra < 0 else gettext("more times %(number)s") % {"number": extra + 1}
            rows.append(self._add_row(place, label, row))
        return rows

    def _add_row(self, place: int, label: str, row: tuple[int, bool, bool, str] | None) -> dict[str, Any]:
        weekday, in_breaks, on_red_days, times = row or (None, False, False, "")
        said = {"label": capital(label)}
        names = {"times": f"times_{place}", "breaks": f"breaks_{place}", "red": f"red_{place}"}
        self.fields[names["times"]] = text_field(
            gettext("%(label)s, times") % said,
            max_length=100,
            initial=times,
            widget=forms.TextInput(attrs={"autocomplete": "off", "class": "w-s"}),
        )
        for key, words, value in (
            ("breaks", gettext("%(label)s, in breaks too"), in_breaks),
            ("red", gettext("%(label)s, on red days too"), on_red_days),
        ):
            self.fields[names[key]] = forms.BooleanField(label=words % said, required=False, initial=value)
        if place >= 7:
            names["weekday"] = f"weekday_{place}"
            self.fields[names["weekday"]] = forms.TypedChoiceField(
                label=gettext("%(label)s, day") % said,
                choices=[("", _("Choose a day")), *((n + 1, capital(str(WEEKDAYS[n]))) for n in range(7))],
                coerce=int,
                empty_value=None,
                required=False,
                initial=weekday,
            )
        return {"label": capital(label), "place": place, "names": names}

    @property
    def drawn_rows(self) -> list[dict[str, Any]]:
        """The rows of the table with their fields."""
        return [{"label": row["label"], **{key: self[name] for key, name in row["names"].items()}} for row in self.rows]

    @property
    def rules(self) -> list[tuple[str, list[Any]]]:
        return [
            (gettext("Around each booking"), [self[name] for name in self.RULES[:4]]),
            (gettext("Who asks and who decides"), [self[name] for name in self.RULES[4:]]),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.openings: list[Opening] = []
        for row in self.rows if cleaned.get("when") == HOURS else ():
            self._read(row, cleaned)
        self._refuse_overlaps()
        if cleaned.get("when") == HOURS and not self.openings and not self.errors:
            self.add_error("when", _("Write at least one time in the table, or choose always."))
        return cleaned

    def _read(self, row: dict[str, Any], cleaned: dict[str, Any]) -> None:
        names = row["names"]
        text = cleaned.get(names["times"], "")
        weekday = cleaned.get(names["weekday"]) if "weekday" in names else row["place"] + 1
        if not text:
            return
        if weekday is None:
            if names.get("weekday") not in self.errors:
                self.add_error(names["weekday"], _("Choose the day that the times are of."))
            return
        try:
            stretches = read_stretches(text)
        except ValidationError as error:
            self.add_error(names["times"], error)
            return
        flags = (bool(cleaned.get(names["breaks"])), bool(cleaned.get(names["red"])))
        self.openings += [Opening(weekday, opens, closes, *flags) for opens, closes in stretches]

    def _refuse_overlaps(self) -> None:
        """Between rows of the same day: the error stands at the row below."""
        self.openings.sort(key=lambda one: (one.weekday, one.opens))
        for one, following in pairwise(self.openings):
            if one.weekday == following.weekday and (one.closes <= one.opens or following.opens < one.closes):
                words = {"weekday": capital(str(WEEKDAYS[one.weekday - 1]))}
                text = gettext("%(weekday)s: two stretches overlap. Change one of them.") % words
                self.add_error(f"times_{one.weekday - 1}", text)
                return

    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.RULES}


# What it costs


class PriceForm(SeenEdit):
    """What a resource costs from a day on."""

    unit = forms.ChoiceField(
        label=_("The price is per"),
        choices=lambda: choices(PriceUnit.choices),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the price is per.")},
    )
    sek = SekField(
        label=_("Price, SEK"),
        help_text=_("0 is a price: it costs nothing."),
        error_messages={"required": _("Write the price in figures, for example 450 or 0.")},
    )
    vat = forms.ChoiceField(
        label=_("VAT"),
        choices=lambda: choices(VatTreatment.choices),
        widget=forms.RadioSelect,
        help_text=_("The portal does not judge whether VAT is due. If you do not know, choose to ask."),
        error_messages={"required": _("Choose how VAT is treated.")},
    )
    first_day = DayField(label=_("From"), error_messages={"required": _("Write from which day the price holds.")})

    def __init__(self, data: Any = None, *, latest: PriceRule | None) -> None:
        initial: dict[str, Any] = {"first_day": today(), "seen": latest.number if latest else 0}
        if latest:
            initial |= {"unit": latest.unit, "sek": latest.sek, "vat": latest.vat}
        super().__init__(data, initial=initial)


# Its pieces


class UnitsForm(forms.Form):
    names = text_field(
        _("New pieces by name"),
        _("Write at least one name."),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("One on each line."),
    )

    def clean_names(self) -> list[str]:
        return lines_in(self.cleaned_data["names"])


# Who decides meanwhile


class DeputyForm(forms.Form):
    """Who decides in an owner's place, from when to when."""

    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Deputy"),
        empty_label=_("Choose a person"),
        error_messages={"required": _("Choose a person."), "invalid_choice": _("Choose a person in the list.")},
    )
    first_day = DayField(label=_("First day"), error_messages={"required": _("Write the first day.")})
    last_day = DayField(label=_("Last day"), error_messages={"required": _("Write the last day.")})

    def __init__(self, data: Any = None, *, bodies: Sequence[Body], people: Sequence[tuple[User, str]]) -> None:
        super().__init__(data, initial={"first_day": today()})
        self.bodies = {str(body.pk): body for body in bodies}
        person: Any = self.fields["user"]
        person.queryset = User.objects.filter(pk__in=[user.pk for user, _roles in people])
        person.choices = [("", person.empty_label), *((user.pk, words) for user, words in people)]
        if len(bodies) > 1:
            self.fields["owner"] = owner_field(bodies, _("For whom does the deputy decide?"))
            self.order_fields(["owner"])

    @property
    def owner(self) -> Body:
        return self.bodies[self.cleaned_data["owner"]] if "owner" in self.fields else next(iter(self.bodies.values()))

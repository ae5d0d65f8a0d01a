"""Input about what is shared: what it is, when it can be booked, what it costs, and who decides meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
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
    Category,
    Feature,
    PriceRule,
    PriceUnit,
    Resource,
    ResourceKind,
    Takes,
    VatTreatment,
)
from resources.operations import names_of_run

ONE, SOME, WHOLE = "en", "exemplar", "helhet"
MOST_PIECES = 200


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

# Help with examples of each kind: nobody refuels a hall.
EXAMPLES: dict[ResourceKind, dict[str, Any]] = {
    ResourceKind.VEHICLE: {
        "name": _("For example Minibus A."),
        "terms": _("For example who refuels, and where the keys are."),
        "permits": _("What the driver must have, for example driving licence C. Empty: nothing in particular."),
        "names": _("If it is booked piece by piece: one on each line, or in a run such as Bus 1–3."),
    },
    ResourceKind.PREMISES: {
        "name": _("For example Sports hall, northern half."),
        "terms": _("For example who locks up, and how the room is left."),
        "permits": _("What the group must have, for example a trained leader. Empty: nothing in particular."),
        "names": _("If it is booked piece by piece: one on each line, or in a run such as Lane 1–6."),
    },
    ResourceKind.EQUIPMENT: {
        "name": _("For example Cameras of the film course."),
        "terms": _("For example who charges it, and where it is fetched."),
        "permits": _("What the group must have, for example a trained leader. Empty: nothing in particular."),
        "names": _("If it is booked piece by piece: one on each line, or in a run such as iPad 1–30."),
    },
}  # fmt: skip


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

    name = text_field(_("Name"), _("Give it a name that people know it by."), max_length=100)
    description = long_text(_("Description"), 2000)
    capacity = whole_number(
        _("Seats or places"),
        1,
        30_000,
        required=False,
        help_text=_("Whoever searches by number finds only what has one stated."),
    )
    terms = long_text(_("Terms"), 2000)
    permits = long_text(_("Permits needed"), 500, 2)
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
        for name, words in EXAMPLES[ResourceKind(category.kind)].items():
            if name in self.fields:
                self.fields[name].help_text = words
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
        if how in (ONE, WHOLE) and (names or cleaned.get("pieces")):
            field = "names" if names else "pieces"
            self.add_error(field, _("Choose above that it is booked piece by piece, or leave this empty."))
        if how in (ONE, SOME) and cleaned.get("parts"):
            self.add_error("parts", _("Choose above that it is a whole of parts, or take away the ticks."))
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
    """Names, one on each line or some in a run. ValidationError for one that is too long or stands twice."""
    names: list[str] = []
    for line in (" ".join(line.split()) for line in text.splitlines() if line.strip()):
        names += names_of_run(line, typed=True)
        if len(names) > MOST_PIECES:
            raise ValidationError(gettext("Write %(most)s pieces at most at a time.") % {"most": MOST_PIECES})
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
        help_text=_("One on each line, or in a run such as iPad 1–30."),
    )

    def clean_names(self) -> list[str]:
        return lines_in(self.cleaned_data["names"])


class UnitNameForm(forms.Form):
    name = text_field(_("Name"), _("Give the piece a name."), max_length=100)


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

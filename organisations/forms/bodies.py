"""Input about boards, schools, providers and sites, and about a municipality's contacts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.forms.facts import FactForm, SeenForm, checked_field, text_field
from organisations.models import Contact, ContactPurpose, Municipality, Provider, ProviderKind, School, Site
from organisations.models.bodies import check_school_unit_code
from organisations.models.case_numbers import check_case_number_mask


class BoardForm(FactForm):
    fields_of_fact = (
        "name",
        "administration",
        "memo_head",
        "case_number_pattern",
        "case_number_example",
    )

    name = text_field(
        _("Name"),
        _("Write the board's name."),
        max_length=150,
        help_text=_("Without the municipality, for example utbildnings- och arbetsmarknadsnämnden."),
    )
    administration = text_field(
        _("Administration"), max_length=150, help_text=_("The administration that works for the board.")
    )
    memo_head = text_field(
        _("Head of memos"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The lines at the top of a memo to the board, one per line."),
    )
    case_number_pattern = text_field(
        _("Pattern of case numbers"),
        max_length=200,
        validators=[check_case_number_mask],
        help_text=_(
            "Write a case number and put {år} for a year with four figures, {nr} for a number and {text} for letters. "
            "Example: {år}/{nr}-UAN-{nr} fits 2015/1536-UAN-041. Other signs must be exactly as you write them."
        ),
    )
    case_number_example = text_field(
        _("Example of a case number"), max_length=60, help_text=_("Shown as help to whoever writes a case number.")
    )


class SchoolForm(FactForm):
    fields_of_fact = ("name", "provider", "school_unit_code", "status")

    name = text_field(_("Name"), _("Write the school's name."), max_length=150)
    provider = forms.ModelChoiceField(
        Provider.objects.none(),
        label=_("Provider"),
        required=False,
        empty_label=_("Not known"),
        help_text=_("Whoever is responsible for the school in law."),
    )
    school_unit_code = text_field(
        _("School unit code"),
        max_length=8,
        help_text=_("Eight figures."),
        validators=[check_school_unit_code],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
    )
    status = text_field(
        _("Status"), max_length=250, help_text=_("A short sentence, for example that the school is open.")
    )
    sites = forms.ModelMultipleChoiceField(
        Site.objects.none(), label=_("Sites"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, municipality: Municipality, school: School | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        providers, sites = Q(valid__contains=today()), Q(municipality=municipality, valid__contains=today())
        if school:  # what the school has stays to be chosen, also when it has ended
            providers |= Q(pk=school.provider_id)
            sites |= Q(pk__in=school.sites.values("pk"))
            self.initial["sites"] = school.sites.all()
        self.fields["provider"].queryset = Provider.objects.filter(providers).in_swedish_order()  # type: ignore[attr-defined]
        choices = Site.objects.filter(sites).in_swedish_order()
        if choices:
            self.fields["sites"].queryset = choices  # type: ignore[attr-defined]
        else:
            del self.fields["sites"]
        self.order_fields(["name", "provider", "sites"])


class ProviderForm(forms.Form):
    name = text_field(_("Name"), _("Write the provider's name."), max_length=150)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=ProviderKind,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what kind of provider it is.")},
    )
    municipality = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=_("Municipality"),
        required=False,
        empty_label=_("None"),
        help_text=_("Only for a municipal provider."),
    )
    source_note = text_field(
        _("How do you know?"), max_length=500, help_text=_("For example a register or a web page.")
    )
    checked = checked_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["municipality"].queryset = Municipality.objects.on().in_swedish_order()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_municipal = cleaned.get("kind") == ProviderKind.MUNICIPAL
        if is_municipal and not cleaned.get("municipality"):
            self.add_error("municipality", _("Choose the municipality."))
        elif cleaned.get("municipality") and not is_municipal:
            self.add_error("municipality", _("Only a municipal provider belongs to a municipality. Choose none."))
        return cleaned


class DegreesField(forms.DecimalField):
    """Degrees with a point or a comma, as maps write them, in either language."""

    def __init__(self, *, least: int, most: int, outside: Any, invalid: Any, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_digits=8,
            decimal_places=5,
            validators=[MinValueValidator(least, outside), MaxValueValidator(most, outside)],
            widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "w-s"}),
            help_text=_("In degrees, with at most five decimals."),
            error_messages={"invalid": invalid},
            **kwargs,
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class SiteForm(FactForm):
    fields_of_fact = ("name", "address", "latitude", "longitude")

    name = text_field(_("Name"), _("Write the site's name."), max_length=150)
    address = text_field(_("Address"), max_length=200)
    latitude = DegreesField(
        label=_("Latitude"),
        least=55,
        most=70,
        outside=_("Write a latitude in Sweden, 55 to 70."),
        invalid=_("Write the latitude with figures, for example 59.63304."),
    )
    longitude = DegreesField(
        label=_("Longitude"),
        least=10,
        most=25,
        outside=_("Write a longitude in Sweden, 10 to 25."),
        invalid=_("Write the longitude with figures, for example 17.0784."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None) and not self.errors:
            self.add_error("longitude", _("Write both latitude and longitude, or neither."))
        return cleaned


class ContactForm(SeenForm):
    """Who answers for one purpose. All four may be empty, which is shown as not stated."""

    owner = text_field(
        _("Who is responsible"),
        max_length=150,
        help_text=_("The authority, for example the municipal executive board."),
    )
    unit = text_field(_("Contact"), max_length=150, help_text=_("A function or a unit, not a person's name."))
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        required=False,
        error_messages={"invalid": _("Write an e-mail address with @, for example name@municipality.se.")},
    )
    phone = text_field(
        _("Telephone"),
        max_length=40,
        validators=[RegexValidator(r"^[0-9+() -]+$", _("Write the telephone number with figures."))],
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )

    def __init__(self, data: Any = None, *, purpose: ContactPurpose, contact: Contact | None) -> None:
        known = {field: getattr(contact, field) for field in self.base_fields} if contact else {}
        super().__init__(data, prefix=purpose.value, initial=known)
        self.remember(known)
        self.purpose = purpose

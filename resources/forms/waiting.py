"""Input about the waiting list: the whole need, and the word on an offer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from organisations.forms.facts import number_field, text_field
from programmes.models import Programme
from resources.forms.spans import SpanForm
from resources.models import Booking, Resource, ResourceKind, Takes

MOST = 32767  # what the columns hold


WORDS = {
    "syfte": "purpose",
    "program": "programme",
    "elever": "pupils",
    "kostnad": "cost_place",
    "for": "on_behalf_of",
}


def what_of_address(given: Any) -> dict[str, Any]:
    """What was typed for another resource, or before one stood in line, by field."""
    return {name: given[word] for word, name in WORDS.items() if given.get(word)}


def licence_field(resource: Resource) -> forms.BooleanField:
    return forms.BooleanField(
        label=_("The driver has what is needed"),
        help_text=resource.permits,
        error_messages={"required": _("Confirm that the driver has what is needed.")},
    )


def needs_licence(resource: Resource) -> bool:
    """Whether whoever asks confirms that the driver has what the owner demands."""
    return bool(resource.kind == ResourceKind.VEHICLE and resource.permits)


class WaitForm(ForBody, SpanForm):
    """What one waits for: time, how many, for what and whom."""

    quantity = number_field(_("How many"), _("Write how many in figures, for example 2."), MOST)
    purpose = text_field(
        _("What it is for"), _("Write what it is for. The owner decides by that."),
        max_length=Booking._meta.get_field("purpose").max_length,
    )  # fmt: skip
    programme = forms.ModelChoiceField(
        Programme.objects.none(), label=_("Programme"), required=False, empty_label=_("none in particular")
    )
    pupils = number_field(_("How many pupils"), _("Write how many in figures, for example 12."), MOST, required=False)
    cost_place = text_field(_("Cost place"), max_length=60)

    def __init__(self, *args: Any, resource: Resource, programmes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].queryset = programmes  # type: ignore[attr-defined]
        if resource.takes == Takes.ALL:
            del self.fields["quantity"]
        if needs_licence(resource):
            self.fields["licence_confirmed"] = licence_field(resource)
        span = ["first_day", "begins", "last_day", "ends"]
        self.order_fields([*span, "quantity", "purpose", "programme", "pupils", "licence_confirmed", "cost_place"])

    @property
    def need(self) -> dict[str, Any]:
        names = ("quantity", "purpose", "programme", "pupils", "licence_confirmed", "cost_place")
        return {name: self.cleaned_data[name] for name in names if name in self.fields}


class OfferForm(forms.Form):
    """Yes to an offer; the driver's licence is confirmed anew when the owner demands one."""

    def __init__(self, *args: Any, resource: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if needs_licence(resource):
            self.fields["licence_confirmed"] = licence_field(resource)

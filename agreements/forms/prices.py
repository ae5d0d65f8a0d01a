"""Input about price lists, and about what municipalities owe each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from agreements.models import PriceKind
from agreements.operations import LIST_KINDS, Candidate, NewPrice, PriceCatalogue, price_of
from collab4m.forms import ForBody
from collab4m.templatetags.shell import capital
from collab4m.uploads import TableFileField
from organisations.forms.facts import text_field
from organisations.forms.people import DayField
from organisations.models import CollaborationArea

MORE_ROWS = 8
THREE_ANSWERS = [("ja", _("Yes")), ("nej", _("No")), ("vet-inte", _("The list does not say"))]
_ANSWERS = {"ja": True, "nej": False, "vet-inte": None}


def _three_answers(label: Any, required: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=THREE_ANSWERS, widget=forms.RadioSelect, error_messages={"required": required}
    )


class PriceListForm(ForBody):
    """What a price list is: whose, for which year, what its prices include, and where it is from."""

    kind = forms.ChoiceField(
        label=_("What kind of list?"),
        choices=lambda: [(kind.value, capital(str(kind.label))) for kind in LIST_KINDS],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what kind of list it is.")},
    )
    area = forms.ModelChoiceField(
        CollaborationArea.objects.none(),
        label=_("Area"),
        required=False,
        help_text=_("Only for the area's common list."),
    )
    year = forms.IntegerField(
        label=_("Calendar year"),
        min_value=2000,
        max_value=2100,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
        help_text=_("The autumn semester is paid by the list of that year, the spring semester by the next year's."),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Write the year with four figures, for example 2027.")
        ),
    )
    title = text_field(_("Title"), _("Write what the list is called."), max_length=150)
    incl_meals = _three_answers(_("Are meals included?"), _("Choose whether meals are included."))
    incl_vat = _three_answers(_("Is VAT included?"), _("Choose whether VAT is included."))
    decided_on = DayField(label=_("Decided on"), required=False)
    source_note = text_field(
        _("Where is the list from?"),
        _("Write where the list is from, for example a decision or a web page."),
        max_length=500,
        help_text=_("For example a decision, a register or a web page."),
    )

    def __init__(self, *args: Any, areas: Sequence[CollaborationArea], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.areas = list(areas)
        if len(self.areas) > 1:
            found = CollaborationArea.objects.filter(pk__in=[area.pk for area in self.areas])
            self.fields["area"].queryset = found.order_by("name")  # type: ignore[attr-defined]
        else:
            del self.fields["area"]
        if "on_behalf_of" in self.fields:
            self.order_fields(["on_behalf_of"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") == PriceKind.COMMON_LIST:
            if not self.areas:
                self.add_error("kind", _("Your municipality is a member of no area. Choose another kind of list."))
            elif "area" in self.fields and not cleaned.get("area"):
                self.add_error("area", _("Choose the area whose common list it is."))
        return cleaned

    def facts(self) -> dict[str, Any]:
        """What the list is, as `publish_prices` asks for it, with rows by their ids."""
        said = self.cleaned_data
        is_common = said["kind"] == PriceKind.COMMON_LIST
        area = said.get("area") or (self.areas[0] if self.areas else None)
        return {
            "kind": said["kind"],
            "municipality": self.body.pk if said["kind"] in (PriceKind.SELF_COST, PriceKind.OWN_LIST) else None,
            "area": area.pk if area and is_common else None,
            "year": said["year"],
            "title": said["title"],
            "incl_meals": _ANSWERS[said["incl_meals"]],
            "incl_vat": _ANSWERS[said["incl_vat"]],
            "decided_on": said["decided_on"].isoformat() if said["decided_on"] else None,
            "source_note": said["source_note"],
        }


class PriceFileForm(PriceListForm):
    """A price list in a file."""

    file = TableFileField(label=_("File"))


class PriceRowForm(forms.Form):
    """A price written by hand. A row in which nothing is written says nothing."""

    all_optional = True

    code = forms.CharField(
        label=_("Programme or orientation, code"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"class": "w-s", "autocomplete": "off", "spellcheck": "false"}),
    )
    price = forms.CharField(
        label=_("SEK per pupil and year"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"class": "w-s", "inputmode": "decimal", "autocomplete": "off"}),
    )
    label = forms.CharField(label=_("As the list has it"), required=False, max_length=150)

    def __init__(self, *args: Any, catalogue: PriceCatalogue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue = catalogue
        self.found: NewPrice | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        code, price = cleaned.get("code", ""), cleaned.get("price", "")
        if not any(cleaned.values()):
            return cleaned
        place = None
        try:
            place = self.catalogue.either(code)
        except ValueError as error:
            self.add_error("code", ValidationError(str(error)))
        try:
            sek = price_of(price)
        except ValueError as error:
            self.add_error("price", ValidationError(str(error)))
        else:
            if place:
                programme, orientation = place
                self.found = NewPrice(
                    programme.pk, orientation.pk if orientation else None, sek, cleaned.get("label", "")
                )
        return cleaned


class BasePriceRows(BaseFormSet):
    def clean(self) -> None:
        seen: set[Any] = set()
        for form in self.forms:
            if form.found and form.found.key in seen:
                form.add_error("code", _("The same stands on a row above. Keep one of them."))
            elif form.found:
                seen.add(form.found.key)
        if not seen and not any(form.errors for form in self.forms):
            raise ValidationError(_("Write at least one price. A list without prices says nothing."))

    def prices(self) -> list[NewPrice]:
        return [form.found for form in self.forms if form.found]


def price_rows(data: Any, catalogue: PriceCatalogue, initial: Sequence[dict[str, Any]] = ()) -> Any:
    """The rows to write prices in: those in `data`, or `initial` and some empty ones."""
    rows = formset_factory(
        PriceRowForm, formset=BasePriceRows, extra=MORE_ROWS, max_num=200, absolute_max=200, validate_max=True
    )
    return rows(
        data, initial=None if data is not None else list(initial), prefix="rad", form_kwargs={"catalogue": catalogue}
    )


# Statements


class ChoosePriceForm(forms.Form):
    """Which of the prices that fit a line has, and why."""

    choice = forms.ChoiceField(
        label=_("Price"), widget=forms.RadioSelect, error_messages={"required": _("Choose one of the prices.")}
    )
    why = text_field(
        _("Why this one?"),
        _("Write why this price is the right one. The other municipality reads it."),
        max_length=300,
    )

    def __init__(self, *args: Any, candidates: Sequence[tuple[Candidate, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choice"].choices = [  # type: ignore[attr-defined]
            (candidate.key, words) for candidate, words in candidates
        ]


class DisputeForm(forms.Form):
    text = text_field(
        _("What is wrong?"),
        _("Write what is wrong in the line, and how you know."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class SettleForm(forms.Form):
    settlement = text_field(
        _("How was it settled?"),
        _("Write how the dispute was settled."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class LockForm(forms.Form):
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
    sure = forms.BooleanField(
        label=_("I have compared pupils and prices, and the statement is right"),
        error_messages={"required": _("Tick that the statement is right before you lock it.")},
    )

"""Input about calculations: what is compared, each assumption with its source, and which draft it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import Agreement, Calculation
from agreements.operations import (
    ASSUMPTIONS,
    LONGEST_SOURCE,
    SIDES,
    Assumption,
    CalculationChanged,
    rows_of,
    value_of,
)
from collab4m.swedish import swedish_key
from collab4m.templatetags.shell import capital
from organisations.forms.facts import text_field
from organisations.models import Municipality
from programmes.models import Orientation, Programme


class WhatForm(forms.Form):
    """Which programme, for whose pupils, and with which neighbour. Sent in the address, in its words."""

    kommun = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=_("Home municipality"),
        to_field_name="code",
        empty_label=None,
        error_messages={"required": _("Choose whose pupils it is about.")},
    )
    program = forms.ModelChoiceField(
        Programme.objects.none(),
        label=_("Programme"),
        to_field_name="code",
        empty_label=_("Choose a programme"),
        error_messages={"required": _("Choose a programme.")},
    )
    inriktning = forms.ModelChoiceField(
        Orientation.objects.none(), label=_("Orientation"), required=False, empty_label=_("The programme as a whole")
    )
    hos = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=_("Neighbour"),
        to_field_name="code",
        required=False,
        empty_label=_("Not chosen yet"),
    )

    def __init__(self, data: Any = None, *, own: Iterable[Municipality], neighbours: Iterable[Municipality]) -> None:
        super().__init__(data)
        programmes = Programme.objects.in_swedish_order()
        orientations = Orientation.objects.select_related("programme")
        self.fields["kommun"].queryset = Municipality.objects.filter(  # type: ignore[attr-defined]
            pk__in=[one.pk for one in own]
        ).in_swedish_order()
        self.fields["hos"].queryset = Municipality.objects.filter(  # type: ignore[attr-defined]
            pk__in=[one.pk for one in neighbours]
        ).in_swedish_order()
        self.fields["program"].queryset = programmes  # type: ignore[attr-defined]
        self.fields["inriktning"].queryset = orientations  # type: ignore[attr-defined]
        ordered = sorted(orientations, key=lambda one: (one.programme.code, swedish_key(one.name_sv)))
        self.fields["inriktning"].choices = [  # type: ignore[attr-defined]
            ("", _("The programme as a whole")),
            *((one.pk, f"{one.programme.code}: {one.name}") for one in ordered),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        orientation, programme = cleaned.get("inriktning"), cleaned.get("program")
        if orientation and programme and orientation.programme_id != programme.pk:
            self.add_error("inriktning", _("Choose an orientation of the programme."))
        if cleaned.get("hos") and cleaned.get("hos") == cleaned.get("kommun"):
            self.add_error("hos", _("Choose another municipality than the pupils' own."))
        return cleaned


class AssumptionField(forms.CharField):
    """What is assumed, as text: a number in figures, or one of the choices."""

    def __init__(self, assumption: Assumption) -> None:
        self.assumption = assumption
        label = f"{assumption.name}, {assumption.unit}" if assumption.unit else assumption.name
        widget: forms.Widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "w-s", "autocomplete": "off"})
        if assumption.choices:
            words = [(key, capital(str(word))) for key, word in assumption.choices]
            widget = forms.Select(choices=[("", gettext("Not stated")), *words])
        super().__init__(label=label, required=False, help_text=assumption.hint, widget=widget)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            value_of(self.assumption, text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return str(text)


class CalculationForm(forms.Form):
    """The title, and for each assumption what is assumed and where that is from. Everything may be left open."""

    all_optional = True

    title = text_field(_("Title"), _("Fill in a title, so that the calculation can be found again."), max_length=150)
    edit = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        calculation: Calculation | None = None,
        title: str = "",
        known: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        initial: dict[str, Any] = {"title": calculation.title if calculation else title}
        if calculation:
            initial["edit"] = calculation.edit
            known = {one.key: (value, source) for one, value, source in rows_of(calculation)}
        for key, (value, source) in (known or {}).items():
            initial[key], initial[f"{key}-kalla"] = value.replace(".", ","), source
        super().__init__(data, initial=initial)
        for one in ASSUMPTIONS:
            self.fields[one.key] = AssumptionField(one)
            self.fields[f"{one.key}-kalla"] = text_field(
                _("Source: %(name)s") % {"name": one.name}, max_length=LONGEST_SOURCE
            )

    def sides(self) -> list[tuple[Any, list[tuple[BoundField, BoundField]]]]:
        """The fields of each side, each assumption with its source."""
        return [
            (heading, [(self[one.key], self[f"{one.key}-kalla"]) for one in ASSUMPTIONS if one.side == side])
            for side, heading in SIDES
        ]

    def assumptions(self) -> list[dict[str, str]]:
        said = self.cleaned_data
        return [
            {"key": one.key, "value": said[one.key], "source": said[f"{one.key}-kalla"]} for one in ASSUMPTIONS
        ]  # fmt: skip

    def show_what_stands(self, changed: CalculationChanged) -> None:
        """Tell what stands now beside each field that differs, and let the next save go through."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
        data["edit"] = str(changed.now.edit)
        self.data = data
        typed = dict(self.cleaned_data)
        if typed["title"] != changed.now.title:
            self._tell("title", changed.now.title)
        for one, value, source in rows_of(changed.now):
            if value_of(one, typed[one.key]) != value_of(one, value):
                self._tell(one.key, capital(str(dict(one.choices).get(value, value.replace(".", ",")))))
            if typed[f"{one.key}-kalla"] != source:
                self._tell(f"{one.key}-kalla", source)

    def _tell(self, name: str, stands: str) -> None:
        self.add_error(
            name, gettext("Now it says “%(value)s”.") % {"value": stands} if stands else gettext("Empty now.")
        )


class AttachForm(forms.Form):
    """Which draft a calculation belongs to."""

    agreement = forms.ModelChoiceField(
        Agreement.objects.none(),
        label=_("Draft agreement"),
        empty_label=_("Choose a draft"),
        help_text=_("The administrators of all its parties then see the calculation."),
        error_messages={"required": _("Choose a draft.")},
    )

    def __init__(self, data: Any = None, *, drafts: Any) -> None:
        super().__init__(data)
        self.fields["agreement"].queryset = drafts  # type: ignore[attr-defined]
        self.has_drafts = drafts.exists()

"""Input about school years and their breaks, and about the time it takes to travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organisations.forms.facts import FactForm, SeenForm, checked_field, number_field, text_field
from organisations.forms.people import DayField
from organisations.models import Municipality, SchoolBreak, Semester, SemesterKind, TravelMode
from organisations.operations import ChangedMeanwhile, Days, year_in_words


class SemestersForm(SeenForm):
    """First and last day of both semesters; a semester that is not decided is left empty."""

    all_optional = True

    ht_first = DayField(label=_("First day of the autumn semester"), required=False)
    ht_last = DayField(label=_("Last day of the autumn semester"), required=False)
    vt_first = DayField(label=_("First day of the spring semester"), required=False)
    vt_last = DayField(label=_("Last day of the spring semester"), required=False)

    checked = checked_field()

    def __init__(self, data: Any = None, *, semesters: Sequence[Semester], breaks: Sequence[SchoolBreak]) -> None:
        known: dict[str, date | None] = {}
        for semester in semesters:
            kind = semester.kind.lower()
            known |= {f"{kind}_first": semester.first_day, f"{kind}_last": semester.last_day}
        super().__init__(data, initial=known)
        self.remember(year_in_words(semesters, breaks))

    def show_what_stands(self, meanwhile: ChangedMeanwhile) -> None:
        super().show_what_stands(meanwhile)
        if "breaks" in meanwhile.differs:
            now = meanwhile.now["breaks"] or gettext("none")
            self.add_error(None, gettext("These breaks stand now: %(breaks)s.") % {"breaks": now})

    def standing(self, differs: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{kind.lower()}_first": differs[kind] for kind in SemesterKind.values if kind in differs}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for kind in ("ht", "vt"):
            first, last = f"{kind}_first", f"{kind}_last"
            if first in cleaned and last in cleaned and bool(cleaned[first]) != bool(cleaned[last]):
                self.add_error(
                    last if cleaned[first] else first, _("Write both the first and the last day, or neither.")
                )
        return cleaned

    def semesters(self) -> dict[str, Days | None]:
        found: dict[str, Days | None] = {}
        for kind in SemesterKind.values:
            first, last = (self.cleaned_data[f"{kind.lower()}_{end}"] for end in ("first", "last"))
            found[kind] = (first, last) if first and last else None
        return found


class BreakForm(forms.Form):
    all_optional = True  # said once above the form, not at each field
    number = 0  # among the new ones

    name = text_field(_("Break"), max_length=60)
    first_day = DayField(label=_("First day"), required=False, help_text="")
    last_day = DayField(label=_("Last day"), required=False, help_text="")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = {key: cleaned.get(key) for key in self.fields}
        if any(given.values()) and not self.errors:
            reasons = {
                "name": _("Write what the break is called, for example sportlov."),
                "first_day": _("Write the first day of the break."),
                "last_day": _("Write the last day of the break."),
            }
            for key, value in given.items():
                if not value:
                    self.add_error(key, reasons[key])
        return cleaned


BreakFormSet = formset_factory(BreakForm, extra=3, max_num=20, validate_max=True)


def breaks_form(data: Any, breaks: Sequence[SchoolBreak]) -> Any:
    """The breaks that are known, and three empty rows. Emptying a row takes the break away."""
    known = [{"name": row.name, "first_day": row.first_day, "last_day": row.last_day} for row in breaks]
    formset = BreakFormSet(data, initial=known, prefix="lov")
    for number, form in enumerate(formset.extra_forms, start=1):
        form.number = number
    return formset


def breaks_in(formset: Any) -> list[tuple[str, date, date]]:
    rows = [form.cleaned_data for form in formset.forms if form.cleaned_data.get("name")]
    return [(row["name"], row["first_day"], row["last_day"]) for row in rows]


class TravelTimeForm(FactForm):
    fields_of_fact = ("minutes",)

    minutes = number_field(
        _("Minutes"),
        _("Write the minutes with figures, for example 35."),
        600,
        required=False,
        help_text=_("One way between the main towns. Leave it empty while it is not known."),
    )


class NewTravelTimeForm(TravelTimeForm):
    destination = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=_("To and from"),
        empty_label=_("Choose a municipality"),
        error_messages={"required": _("Choose a municipality.")},
    )
    mode = forms.ChoiceField(
        label=_("Mode of travel"),
        choices=TravelMode,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how one travels.")},
    )

    def __init__(self, *args: Any, origin: Municipality, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Municipality.objects.on().exclude(pk=origin.pk)
        self.fields["destination"].queryset = others.in_swedish_order()  # type: ignore[attr-defined]
        self.order_fields(["destination", "mode", "minutes"])

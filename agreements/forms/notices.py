"""Input about notice: who gives it, when, and that one has read what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agreements.models import Party
from collab4m.forms import WrittenDateField
from organisations.forms.facts import text_field


class NoticeForm(forms.Form):
    """When notice was given and received. `party` is asked for when the reader administers several parties."""

    party = forms.ModelChoiceField(
        Party.objects.none(),
        label=_("Who gives notice?"),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose who gives notice.")},
    )
    given_on = WrittenDateField(
        label=_("Given on"),
        help_text=_("The day on the letter of notice, year-month-day."),
        error_messages={"required": _("Write the day on which notice was given, for example 2026-09-30.")},
    )
    received_on = WrittenDateField(
        label=_("Received on"),
        help_text=_("The day when the last of the other parties received it. The period of notice counts from it."),
        error_messages={"required": _("Write the day on which the last of the others received it.")},
    )
    reason = text_field(
        _("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("All parties and the area read it."),
    )

    def __init__(self, *args: Any, parties: Sequence[Party], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parties = parties
        if len(parties) == 1:
            del self.fields["party"]
        else:
            field: Any = self.fields["party"]
            field.queryset = Party.objects.filter(pk__in=[party.pk for party in parties]).select_related("municipality")
            field.label_from_instance = lambda party: party.municipality.name

    @property
    def giver(self) -> Party:
        """The party chosen, or the only one there is."""
        pk = self.cleaned_data["party"].pk if "party" in self.fields else self.parties[0].pk
        return next(party for party in self.parties if party.pk == pk)

    @property
    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("given_on", "received_on", "reason")}


class ConfirmForm(forms.Form):
    """That one has read what is lost; `effective_on` is the last day that was shown."""

    effective_on = forms.DateField(widget=forms.HiddenInput)
    understood = forms.BooleanField(
        label=_("I have read what is lost, and our municipality gives notice"),
        error_messages={"required": _("Tick that you have read what is lost.")},
    )


class IfItEndsForm(forms.Form):
    """Which end to show: sent in the address, in its words."""

    kommun = forms.ModelChoiceField(
        Party.objects.none(), label=_("Who would give notice?"), to_field_name="pk", empty_label=None, required=False
    )
    dag = WrittenDateField(label=_("Received on"), required=False)

    def __init__(self, data: Any = None, *, parties: Sequence[Party]) -> None:
        super().__init__(data)
        field: Any = self.fields["kommun"]
        field.queryset = Party.objects.filter(pk__in=[party.pk for party in parties]).select_related("municipality")
        field.label_from_instance = lambda party: party.municipality.name

    def clean_dag(self) -> Any:
        day = self.cleaned_data["dag"]
        if day is not None and not 2000 <= day.year <= 2100:
            raise forms.ValidationError(_("Write a day from 2000 to 2100."))
        return day

"""What the register of agreements is chosen by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agreements.models import AgreementKind, Standing
from agreements.operations import Choice, Stage
from organisations.models import CollaborationArea, Municipality
from programmes.models import Programme

LONGEST_SEARCH = 100


class RegisterFilter(forms.Form):
    """Which agreements to list; always usable, since an unknown choice only means no choice."""

    q = forms.CharField(
        label=_("Title, number, case number, programme or party"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    omrade = forms.ChoiceField(label=_("Area"), required=False)
    lage = forms.ChoiceField(label=_("State"), required=False)
    part = forms.ChoiceField(label=pgettext_lazy("agreement", "Party"), required=False)
    program = forms.ChoiceField(label=_("Programme"), required=False)
    stallning = forms.ChoiceField(label=_("Standing"), required=False)
    slag = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(
        self,
        *args: Any,
        areas: Iterable[CollaborationArea],
        parties: Iterable[Municipality],
        programmes: Iterable[Programme],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.areas = {area.slug: area for area in areas}
        self.parties = {party.code: party for party in parties}
        self.programmes = {programme.code: programme for programme in programmes}
        choices: dict[str, list[tuple[str, Any]]] = {
            "omrade": [(slug, area.name) for slug, area in self.areas.items()],
            "lage": [(value, str(label).capitalize()) for value, label in Stage.choices],
            "part": [(code, party.name) for code, party in self.parties.items()],
            "program": [(code, f"{code} {programme.name}") for code, programme in self.programmes.items()],
            "stallning": [(value, str(label).capitalize()) for value, label in Standing.choices],
            "slag": [(value, str(label).capitalize()) for value, label in AgreementKind.choices],
        }
        for name, found in choices.items():
            self.fields[name].choices = [("", _("All")), *found]  # type: ignore[attr-defined]

    @property
    def choice(self) -> Choice:
        self.full_clean()
        chosen = self.cleaned_data
        return Choice(
            words=" ".join(chosen.get("q", "").split())[:LONGEST_SEARCH],
            area=self.areas.get(chosen.get("omrade", "")),
            stage=chosen.get("lage", ""),
            party=self.parties.get(chosen.get("part", "")),
            programme=self.programmes.get(chosen.get("program", "")),
            standing=chosen.get("stallning", ""),
            kind=chosen.get("slag", ""),
        )

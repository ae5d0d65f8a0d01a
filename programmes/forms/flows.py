"""Input about where pupils go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYear
from organisations.forms.facts import text_field
from organisations.models import Municipality, RoleKind, SemesterKind, User
from programmes.models import Programme


class FlowForm(forms.Form):
    """How many pupils of one municipality study a programme in another, in a semester."""

    on_behalf_of = forms.ModelChoiceField(
        Municipality.objects.none(), label=_("For whom do you write?"), widget=forms.RadioSelect, empty_label=None
    )
    home = forms.ModelChoiceField(Municipality.objects.none(), label=_("Home municipality"))
    provider_municipality = forms.ModelChoiceField(
        Municipality.objects.none(), label=_("Municipality where they study")
    )
    programme = forms.ModelChoiceField(Programme.objects.none(), label=_("Programme"))
    school_year = forms.ChoiceField(label=_("School year"))
    semester = forms.ChoiceField(label=_("Semester"), choices=SemesterKind, widget=forms.RadioSelect)
    pupils = forms.IntegerField(
        label=_("Pupils"), min_value=0, max_value=100_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
    )  # fmt: skip
    source_note = text_field(_("How do you know?"), max_length=500)

    def __init__(self, *args: Any, user: User, years: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Municipality.objects.filter(pk__in=user.bodies_where(RoleKind.ADMINISTRATOR)).in_swedish_order()
        self.own = list(own)
        if len(self.own) == 1:
            del self.fields["on_behalf_of"]
        else:
            self.fields["on_behalf_of"].queryset = own  # type: ignore[attr-defined]
        everywhere = Municipality.objects.in_swedish_order()
        self.fields["home"].queryset = everywhere  # type: ignore[attr-defined]
        self.fields["provider_municipality"].queryset = everywhere  # type: ignore[attr-defined]
        self.fields["programme"].queryset = Programme.objects.in_swedish_order()  # type: ignore[attr-defined]
        self.fields["school_year"].choices = years  # type: ignore[attr-defined]

    @property
    def body(self) -> Any:
        """The municipality for which one reports."""
        return self.cleaned_data.get("on_behalf_of") or self.own[0]

    def facts(self) -> dict[str, Any]:
        said = {name: value for name, value in self.cleaned_data.items() if name not in ("on_behalf_of", "school_year")}
        return {**said, "school_year": SchoolYear.parse(self.cleaned_data["school_year"])}

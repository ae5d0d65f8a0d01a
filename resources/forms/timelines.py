"""What the timeline shows, and from which day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.forms import WrittenDateField
from organisations.models import Municipality
from resources.models import Category
from resources.models.catalogue import ResourceKind
from resources.operations import Scale

FIRST_DAY, LAST_DAY = date(2000, 7, 3), date(2100, 6, 27)  # the days that an address may speak of
LIST = "lista"
WHOLE = "hela"


class TimelineFilter(forms.Form):
    """Which resources to show and when; always usable, since an unknown choice only means no choice."""

    datum = WrittenDateField(
        label=_("Day"), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )
    kategori = forms.ChoiceField(label=_("Category"), required=False)
    agare = forms.ChoiceField(label=_("Municipality"), required=False)
    slag = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(
        self, *args: Any, categories: Iterable[Category], municipalities: Iterable[Municipality], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.categories = {category.slug: category for category in categories}
        self.municipalities = {one.code: one for one in municipalities}
        choices: dict[str, list[tuple[str, Any]]] = {
            "kategori": [(slug, category.name) for slug, category in self.categories.items()],
            "agare": [(code, one.name) for code, one in self.municipalities.items()],
            "slag": [(value, str(label).capitalize()) for value, label in ResourceKind.choices],
        }
        for name, found in choices.items():
            self.fields[name].choices = [("", _("All")), *found]  # type: ignore[attr-defined]
        self.full_clean()

    @property
    def scale(self) -> str:
        asked = self.data.get("vy", "")
        return asked if asked in Scale.values else str(Scale.WEEK)

    @property
    def is_list(self) -> bool:
        """The list holds days; months and school years have tables only."""
        return self.data.get("form") == LIST and self.scale in (Scale.DAY, Scale.WEEK)

    @property
    def is_whole(self) -> bool:
        """All hours of a day or a week in the table; the list has them anyway."""
        return self.data.get("dygnet") == WHOLE and self.scale in (Scale.DAY, Scale.WEEK) and not self.is_list

    @property
    def day(self) -> date:
        asked = self.cleaned_data.get("datum")
        return asked if asked and FIRST_DAY <= asked <= LAST_DAY else today()

    @property
    def day_refused(self) -> bool:
        """Whether a day was written that is none, or none that the timeline knows."""
        return bool(self.data.get("datum")) and self.day != self.cleaned_data.get("datum")

    @property
    def category(self) -> Category | None:
        return self.categories.get(self.cleaned_data.get("kategori", ""))

    @property
    def municipality(self) -> Municipality | None:
        return self.municipalities.get(self.cleaned_data.get("agare", ""))

    @property
    def kind(self) -> str:
        return str(self.cleaned_data.get("slag", ""))

    @property
    def is_chosen(self) -> bool:
        return bool(self.category or self.municipality or self.kind)

"""What the directory's forms share: fields for text and numbers, and from when to when a fact holds."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.forms.people import DayField
from records.models import span


def text_field(label: Any, required: Any = "", **kwargs: Any) -> forms.CharField:
    """One line of text; `required` is what to say when it is missing."""
    errors = {"required": required} if required else {}
    return forms.CharField(label=label, required=bool(required), error_messages=errors, **kwargs)


def number_field(label: Any, what_to_do: Any, most: int, **kwargs: Any) -> forms.IntegerField:
    """A whole number from 1; `what_to_do` is said whatever is wrong with it."""
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), what_to_do),
        **kwargs,
    )


class FactForm(forms.Form):
    """A fact in the directory, from when to when it holds, and how one knows."""

    fields_of_fact: ClassVar[tuple[str, ...]] = ()

    first_day = DayField(label=_("First day"), required=False)
    last_day = DayField(label=_("Last day"), required=False)
    source_note = text_field(
        _("How do you know?"), max_length=500, help_text=_("For example a decision, a register or a web page.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*self.fields_of_fact, "first_day", "last_day", "source_note"])

    @classmethod
    def about(cls, fact: Any, data: Any = None, **kwargs: Any) -> Self:
        """The form filled with what is known of `fact`."""
        known = {field: getattr(fact, field) for field in (*cls.fields_of_fact, "first_day", "last_day", "source_note")}
        return cls(data, initial=known, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first_day, last_day = cleaned.get("first_day"), cleaned.get("last_day")
        if first_day and last_day and last_day < first_day:
            self.add_error("last_day", _("Write a last day that is not before the first day."))
        return cleaned

    def facts(self) -> dict[str, Any]:
        """What the operation needs."""
        facts = {key: value for key, value in self.cleaned_data.items() if key not in ("first_day", "last_day")}
        return {**facts, "valid": span(self.cleaned_data["first_day"], self.cleaned_data["last_day"])}

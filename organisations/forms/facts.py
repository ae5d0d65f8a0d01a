"""What the directory's forms share: fields for text and numbers, and from when to when a fact holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organisations.forms.people import DayField
from organisations.operations import ChangedMeanwhile, held_by, seen_of
from records.models import Dated, span
from records.values import as_text


class TextField(forms.CharField):
    """Text with lines as the portal keeps them: browsers send every line break as two signs."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


def text_field(label: Any, required: Any = "", **kwargs: Any) -> TextField:
    """A text, of one line unless the widget has more; `required` is what to say when it is missing."""
    errors = {"required": required} if required else {}
    return TextField(label=label, required=bool(required), error_messages=errors, **kwargs)


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


def checked_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("I have checked that this is right"),
        required=False,
        help_text=_("Without the tick, what you change is shown as not checked."),
    )


class SeenForm(forms.Form):
    """A form that carries a sum of what it showed, so that a save on top of somebody else's is noticed."""

    def remember(self, shown: Mapping[str, Any]) -> None:
        self.fields["seen"] = forms.CharField(
            required=False, max_length=64, widget=forms.HiddenInput, initial=seen_of(shown)
        )

    def remember_fact(self, fact: Any) -> None:
        fields = {*self.fields} - {"first_day", "last_day", "checked"}
        self.remember(held_by(fact, fields | {"valid"} if isinstance(fact, Dated) else fields))

    def show_what_stands(self, meanwhile: ChangedMeanwhile) -> None:
        """Tell what stands now beside each field that differs, and let the next save go through."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("seen")] = seen_of(meanwhile.now)  # type: ignore[index]
        for name, value in self.standing(meanwhile.differs).items():
            said = {"label": self[name].label, "value": as_text(value)}
            stands = (
                gettext("%(label)s: now it says “%(value)s”.") if said["value"] else gettext("%(label)s: empty now.")
            )
            self.add_error(name, stands % said)

    def standing(self, differs: Mapping[str, Any]) -> dict[str, Any]:
        """What differs, by the field that asks for it."""
        found = dict(differs)
        if valid := found.pop("valid", None):
            days = {"first_day": valid.lower, "last_day": valid.upper and valid.upper - timedelta(days=1)}
            found |= {end: day for end, day in days.items() if self.cleaned_data[end] != day}
        return found


class FactForm(SeenForm):
    """A fact in the directory, from when to when it holds, and how one knows."""

    fields_of_fact: ClassVar[tuple[str, ...]] = ()

    first_day = DayField(label=_("First day"), required=False)
    last_day = DayField(label=_("Last day"), required=False)
    source_note = text_field(
        _("How do you know?"), max_length=500, help_text=_("For example a decision, a register or a web page.")
    )

    checked = checked_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*self.fields_of_fact, "first_day", "last_day", "source_note", "checked"])

    @classmethod
    def about(cls, fact: Any, data: Any = None, **kwargs: Any) -> Self:
        """The form filled with what is known of `fact`."""
        known = {field: getattr(fact, field) for field in (*cls.fields_of_fact, "first_day", "last_day", "source_note")}
        form = cls(data, initial=known, **kwargs)
        form.remember_fact(fact)
        return form

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

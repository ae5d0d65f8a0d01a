"""Input from those who decide: yes with a note, no with a reason, a question, or a word on each date of a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from collab4m.templatetags.shell import capital, span_in_words
from organisations.forms.facts import text_field
from resources.models import Booking

LONGEST_ANSWER = 1000


def _answer(label: Any, required: Any = "", **kwargs: Any) -> Any:
    widget = forms.Textarea(attrs={"rows": 3})
    return text_field(label, required, max_length=LONGEST_ANSWER, widget=widget, **kwargs)


class IdsField(forms.Field):
    """Ids with commas between, as a page has kept what it showed."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> set[int]:
        parts = str(value or "").split(",")[:2000]
        return {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19}

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else ",".join(str(pk) for pk in sorted(value))


class ApproveForm(forms.Form):
    """Yes, and what whoever asked should know. `seen`: the rivals that were shown."""

    seen = IdsField(required=False)
    note = _answer(_("To whoever asked"), help_text=_("For example where the key is."))


class DeclineForm(forms.Form):
    reason = _answer(_("Why not"), _("Say why. Whoever asked for it reads it."), help_text=_("Whoever asked reads it."))


class AskForm(forms.Form):
    question = _answer(
        _("What you need to know"),
        _("Write what you need to know."),
        help_text=_("The request comes back to you with the answer. The deadline stays."),
    )


class SeriesForm(forms.Form):
    """Which dates of a series are approved; the others are declined with one reason. `shown`: what the page showed."""

    shown = IdsField(required=False)
    approve = forms.MultipleChoiceField(
        label=_("Approve these dates"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("The dates without a tick are declined."),
    )  # fmt: skip
    reason = _answer(_("Why the others are declined"), help_text=_("Only when some date is without a tick."))
    note = _answer(_("To whoever asked"), help_text=_("For example where the key is."))

    def __init__(self, *args: Any, dates: Sequence[Booking], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["approve"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), capital(span_in_words(one.during))) for one in dates
        ]

    @property
    def approved(self) -> set[int]:
        return {int(pk) for pk in self.cleaned_data["approve"]}

"""Input about the yearly clock: what happens on which day."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from agreements.models import ClockDay, ClockEvent
from agreements.operations import facts_of
from collab4m.templatetags.shell import capital
from organisations.forms.facts import SeenForm, checked_field, text_field


def _whole(label: Any, what_to_do: Any, most: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), what_to_do),
        **kwargs,
    )


class ClockDayForm(SeenForm):
    """A day of the year, and how long before it people are reminded."""

    event = forms.ChoiceField(label=_("What happens"))
    day = _whole(_("Day"), _("Write the day of the month in figures, for example 15."), 31)
    month = forms.TypedChoiceField(label=_("Month"), coerce=int)
    year = _whole(
        _("Year"),
        _("Write the year with four figures, or nothing if the day is the same every year."),
        9999,
        required=False,
        help_text=_("Empty: the same day every year."),
    )
    lead_days = _whole(
        _("Remind, days before"),
        _("Write a number of days from 1 to 365, or nothing."),
        365,
        required=False,
        help_text=_("The members' administrators get a message. Empty: no reminder."),
    )
    source_note = text_field(
        _("How do you know?"), max_length=500, help_text=_("For example a decision, a register or a web page.")
    )
    checked = checked_field()

    def __init__(self, data: Any = None, *, clock_day: ClockDay | None = None) -> None:
        initial = {**facts_of(clock_day), "checked": clock_day.verified} if clock_day else {}
        super().__init__(data, initial=initial)
        self.fields["month"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a month")),
            *((number, capital(str(name))) for number, name in MONTHS.items()),
        ]
        if clock_day:
            del self.fields["event"]
            self.remember(facts_of(clock_day))
        else:
            self.fields["event"].choices = [  # type: ignore[attr-defined]
                ("", _("Choose what happens")),
                *((value, capital(str(label))) for value, label in ClockEvent.choices),
            ]

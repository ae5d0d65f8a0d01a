"""Input from those who ask: when, how often and for what; another time; that one lets go; which bookings to list."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from collab4m.clock import today
from organisations.forms.facts import text_field
from organisations.forms.people import DayField
from organisations.models import Municipality
from resources.forms.spans import SpanForm
from resources.forms.waiting import WaitForm
from resources.models import Booking, RequestState, Resource
from resources.operations import Pattern, Scope

WEEKDAYS = range(1, 8)
MOST_WEEKS = 52
LONGEST_REASON = 1000
ENDED, ALL = "ended", "all"  # more than one state at once
# Where what an operation refuses is shown: its names are those of times, the form's those of fields.
FIELDS = {"starts_at": "begins", "ends_at": "ends", "last_day": "until"}


def weekday_choices() -> list[tuple[str, str]]:
    """Monday to Sunday by their names."""
    monday = today() - timedelta(days=today().weekday())
    return [(str(day), date_format(monday + timedelta(days=day - 1), "l").capitalize()) for day in WEEKDAYS]


class OneSpanForm(SpanForm):
    """A time that ends on the day it begins, unless another day is written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].required = False
        self.fields["last_day"].help_text = gettext_lazy("Leave it out when it is the same day.")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("first_day") and "last_day" in given and given["last_day"] is None:
            given["last_day"] = given["first_day"]
        whole = all(given.get(name) is not None for name in ("first_day", "begins", "last_day", "ends"))
        if whole and self.minutes <= 0:
            self.add_error("ends", _("The end comes before the start. Change one of them."))
        return given

    @property
    def minutes(self) -> int:
        """How long it is by the clock."""
        given = self.cleaned_data
        return (given["last_day"] - given["first_day"]).days * 24 * 60 + given["ends"] - given["begins"]


class BookingForm(WaitForm, OneSpanForm):
    """What is asked for: once, or on weekdays until a last day."""

    until = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Leave it out when it is once only. Year-month-day, for example 2027-06-11."),
    )
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On which weekdays"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("No tick: the weekday of the first time."),
    )
    every_weeks = forms.IntegerField(
        label=gettext_lazy("Every how many weeks"),
        required=False,
        min_value=1,
        max_value=MOST_WEEKS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-num"}),
        help_text=gettext_lazy("1 is every week, 2 every other."),
    )
    breaks_of = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=gettext_lazy("Leave out the breaks of"),
        required=False,
        empty_label=gettext_lazy("nobody: breaks are asked for too"),
    )

    WHEN = ("first_day", "begins", "last_day", "ends")
    REPEATS = ("until", "weekdays", "every_weeks", "breaks_of")

    def __init__(self, *args: Any, resource: Resource, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, resource=resource, **kwargs)
        self.fields["weekdays"].choices = weekday_choices()  # type: ignore[attr-defined]
        self.fields["breaks_of"].queryset = members  # type: ignore[attr-defined]
        if "on_behalf_of" in self.fields:
            self.fields["on_behalf_of"].label = _("For whom do you ask?")
            self.fields["on_behalf_of"].error_messages["required"] = _("Choose for whom you ask.")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("until") is None and "until" not in self.errors and given.get("weekdays"):
            self.add_error("until", _("Write the last day, or take away the weekdays."))
        return given

    @property
    def when(self) -> list[Any]:
        return [self[name] for name in self.WHEN]

    @property
    def repeats(self) -> list[Any]:
        return [self[name] for name in self.REPEATS]

    @property
    def is_repeated(self) -> bool:
        """Whether anything about repeating is filled in, so that its fields stand open."""
        return any(self[name].value() for name in self.REPEATS if name != "every_weeks") or any(
            name in self.errors for name in self.REPEATS
        )

    @property
    def what(self) -> list[Any]:
        shown = {*self.WHEN, *self.REPEATS}
        return [self[name] for name in self.fields if name not in shown]

    @property
    def pattern(self) -> Pattern | None:
        """The rule of the series, or None when it is once only."""
        given = self.cleaned_data
        if given["until"] is None:
            return None
        return Pattern(
            first_day=given["first_day"],
            last_day=given["until"],
            starts=time(*divmod(given["begins"], 60)),
            minutes=self.minutes,
            weekdays=[int(day) for day in given["weekdays"]],
            every_weeks=given["every_weeks"] or 1,
            breaks_of=given["breaks_of"],
        )


def span_initial(booking: Booking) -> dict[str, Any]:
    """A booking's time as the fields have it."""
    begins, ends = localtime(booking.starts_at), localtime(booking.ends_at)
    filled = {
        "first_day": begins.date(),
        "begins": begins.hour * 60 + begins.minute,
        "last_day": ends.date(),
        "ends": ends.hour * 60 + ends.minute,
    }
    if not filled["ends"]:
        filled |= {"last_day": ends.date() - timedelta(days=1), "ends": 24 * 60}
    return filled


def scope_field(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[(value, str(words).capitalize()) for value, words in Scope.choices],
        initial=Scope.ONE,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how much of the series.")},
    )


class TimeForm(OneSpanForm):
    """Another time, and for how much of the series."""

    def __init__(self, *args: Any, in_series: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if in_series:
            self.fields["scope"] = scope_field(_("Which bookings move?"))

    @property
    def chosen_scope(self) -> str:
        return str(self.cleaned_data.get("scope") or Scope.ONE)


class WhatForm(WaitForm):
    """What a booking is for."""

    NAMES = ("purpose", "programme", "pupils", "cost_place")

    def __init__(self, *args: Any, resource: Resource, programmes: Any, **kwargs: Any) -> None:
        super().__init__(*args, bodies=(), resource=resource, programmes=programmes, **kwargs)
        for name in list(self.fields):
            if name not in self.NAMES:
                del self.fields[name]


class CancelForm(forms.Form):
    """That one lets go: how much of the series, why, and that one has read what happens."""

    def __init__(self, *args: Any, in_series: bool, must_say_why: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if in_series:
            self.fields["scope"] = scope_field(_("Which bookings?"))
        self.fields["reason"] = text_field(
            _("Why"),
            _("Say why. Whoever asked for it reads it.") if must_say_why else "",
            max_length=LONGEST_REASON,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("The other side reads it."),
        )
        self.fields["understood"] = forms.BooleanField(
            label=_("I have read what happens, and it is to be let go of"),
            error_messages={"required": _("Tick that you have read what happens.")},
        )

    @property
    def chosen_scope(self) -> str:
        return str(self.cleaned_data.get("scope") or Scope.ONE)


class AnswerForm(forms.Form):
    """The answer to the owner's question."""

    answer = text_field(
        gettext_lazy("Your answer"),
        gettext_lazy("Write what the owner needs to know."),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class BookingFilter(forms.Form):
    """Which bookings to list; always usable, since an unknown choice only means no choice."""

    tid = forms.ChoiceField(label=gettext_lazy("When"), required=False)
    lage = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    vilka = forms.ChoiceField(label=gettext_lazy("Whose"), required=False)
    organ = forms.ChoiceField(label=pgettext_lazy("booking", "For or from"), required=False)

    def __init__(self, *args: Any, bodies: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies = {str(body.pk): body for body in bodies}
        choices: dict[str, list[tuple[str, Any]]] = {
            "tid": [("", _("Coming")), ("tidigare", _("Past"))],
            "lage": [
                ("", _("Waiting or approved")),
                (ENDED, _("Came to nothing")),
                (ALL, _("All")),
                *((value, str(label).capitalize()) for value, label in RequestState.choices),
            ],
            "vilka": [("", _("All")), ("vara", _("What we asked for")), ("hos-oss", _("Asked of us"))],
            "organ": [("", _("All")), *((pk, str(body)) for pk, body in self.bodies.items())],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]
        self.full_clean()

    @property
    def is_past(self) -> bool:
        return bool(self.cleaned_data.get("tid") == "tidigare")

    @property
    def is_chosen(self) -> bool:
        return any(self.cleaned_data.get(name) for name in ("lage", "vilka", "organ"))

    def get(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")

    @property
    def is_alive(self) -> bool:
        """Whether nobody has asked for what came to nothing too."""
        return not self.cleaned_data.get("lage")

    @property
    def body(self) -> Any:
        return self.bodies.get(self.get("organ"))

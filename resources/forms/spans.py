"""From when to when, as people write it: days and times of day, or what an address has filled in."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from organisations.forms.people import DayField
from resources.operations import local

WHEN = re.compile(r"\s*(\d{1,2})(?:[.:](\d{2}))?\s*")


class HourField(forms.Field):
    """A time of day: 9, 9.30 or 09:30. With `midnight`, 24 is the end of the day. Minutes since midnight."""

    widget = forms.TextInput

    def __init__(self, *, midnight: bool = False, **kwargs: Any) -> None:
        self.latest = 24 * 60 - (not midnight)
        super().__init__(widget=forms.TextInput(attrs={"class": "w-s", "autocomplete": "off"}), **kwargs)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        found = WHEN.fullmatch(str(value))
        minutes = int(found[1]) * 60 + int(found[2] or 0) if found else -1
        if found is None or int(found[2] or 0) > 59 or not 0 <= minutes <= self.latest:
            raise forms.ValidationError(_("Write the time in hours and minutes, for example 9.30."))
        return minutes

    def prepare_value(self, value: Any) -> Any:
        return f"{value // 60}.{value % 60:02}" if isinstance(value, int) else value


class SpanForm(forms.Form):
    """From a day and a time to a day and a time, in Sweden. The fields stand first."""

    first_day = DayField(
        label=_("From, day"), error_messages={"required": _("Write from which day.")},
        help_text=_("Year-month-day, for example 2027-03-09."),
    )  # fmt: skip
    begins = HourField(
        label=_("From, time"), error_messages={"required": _("Write from what time, for example 9.30.")},
        help_text=_("For example 9.30."),
    )  # fmt: skip
    last_day = DayField(
        label=_("Until, day"), error_messages={"required": _("Write until which day.")},
        help_text=_("The same day, or a later one."),
    )  # fmt: skip
    ends = HourField(
        midnight=True, label=_("Until, time"), error_messages={"required": _("Write until what time, for example 15.")},
        help_text=_("24 is the end of the day."),
    )  # fmt: skip

    @property
    def starts_at(self) -> datetime:
        return _moment(self.cleaned_data["first_day"], self.cleaned_data["begins"])

    @property
    def ends_at(self) -> datetime:
        return _moment(self.cleaned_data["last_day"], self.cleaned_data["ends"])


def _moment(day: date, minutes: int) -> datetime:
    if minutes == 24 * 60:
        return local(day + timedelta(days=1), time())
    return local(day, time(*divmod(minutes, 60)))


def span_of_address(given: Any) -> dict[str, Any]:
    """What `fran` and `till` in an address fill in; what cannot be read is left to the reader to write."""
    begins, ends = (_read(given.get(name, "")) for name in ("fran", "till"))
    filled: dict[str, Any] = {}
    if begins is not None:
        filled |= {"first_day": begins.date(), "begins": begins.hour * 60 + begins.minute}
    if ends is not None:
        filled |= {"last_day": ends.date(), "ends": ends.hour * 60 + ends.minute}
        if not filled["ends"] and begins is not None and ends > begins:
            filled |= {"last_day": ends.date() - timedelta(days=1), "ends": 24 * 60}
    return filled


def _read(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or abs(found.year - now().year) > 100:
        return None
    return timezone.localtime(found).replace(tzinfo=None) if timezone.is_aware(found) else found

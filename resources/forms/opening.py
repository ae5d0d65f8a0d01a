"""When a resource can be used, written as people write it: "8–12, 13–16.30" per weekday."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.templatetags.shell import capital
from organisations.forms.facts import text_field
from resources.forms.sharing import SeenEdit, Written, choices, whole_number
from resources.models import Approval, Askers, Resource, Rivalry
from resources.operations import Opening, also_when, read_stretches, stretch

ALWAYS, HOURS = "alltid", "tider"
EXTRA_ROWS = 2
MOST_ROWS = 28


class HoursField(Written):
    """Hours, kept as minutes."""

    default_error_messages = {"invalid": _("Write hours in figures, for example 24 or 1,5.")}

    def __init__(self, *, most_hours: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most_hours = most_hours

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        hours = (Decimal(value) / 60).quantize(Decimal("0.01"))
        return f"{hours:f}".rstrip("0").rstrip(".").replace(".", ",")

    def to_python(self, value: Any) -> Any:
        hours = self.number(value)
        if hours is not None and hours > self.most_hours:
            raise ValidationError(gettext("Write %(most)s hours at most.") % {"most": self.most_hours})
        return None if hours is None else int((hours * 60).to_integral_value())


def _row_of(one: Opening) -> tuple[int, bool, bool]:
    return one.weekday, one.in_breaks, one.on_red_days


def _in_rows(one: Opening) -> Any:
    return *_row_of(one), one.opens


def hours_by_day(openings: Iterable[Opening]) -> list[tuple[str, str]]:
    """When it is open, day by day in words."""
    rows = []
    for (weekday, in_breaks, on_red_days), some in groupby(openings, _row_of):
        hours = ", ".join(stretch(one.opens, one.closes) for one in some)
        also = also_when(in_breaks, on_red_days)
        rows.append((capital(str(WEEKDAYS[weekday - 1])), f"{hours}, {also}" if also else hours))
    return rows


class OpeningForm(SeenEdit):
    """When a resource can be booked, and the rules for whoever asks.

    A row for each weekday; a day of which only a part is open in breaks takes one of the rows below.
    """

    RULES = (
        "turnaround_minutes", "lead_minutes", "longest_minutes", "cancel_hours", "askers", "approval", "decide_hours",
        "rivalry",
    )  # fmt: skip

    when = forms.ChoiceField(
        label=_("When can it be booked?"),
        choices=[(ALWAYS, _("Always: day and night, in breaks and on red days")), (HOURS, _("At these times"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose when it can be booked.")},
    )
    turnaround_minutes = whole_number(
        _("Turnaround, minutes"),
        0,
        7 * 24 * 60,
        help_text=_("Time after each booking to clean, charge or refuel. It is counted once, after the end. 0: none."),
    )
    lead_minutes = HoursField(
        most_hours=365 * 24,
        label=_("Ask at the latest, hours before"),
        help_text=_("0: until it begins."),
        error_messages={"required": _("Write how many hours before, or 0.")},
    )
    longest_minutes = HoursField(
        most_hours=550 * 24,
        label=_("Longest booking, hours"),
        required=False,
        help_text=_("Empty: as long as one wants."),
    )
    cancel_hours = whole_number(
        _("Cancel at the latest, hours before"),
        0,
        365 * 24,
        help_text=_("0: until it begins. After that only you can cancel."),
    )
    askers = forms.ChoiceField(
        label=_("Who may ask?"),
        choices=lambda: choices(Askers.choices),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who may ask.")},
    )
    approval = forms.ChoiceField(
        label=_("Who decides?"),
        choices=[
            (Approval.AUTOMATIC, _("Nobody: whoever asks gets it at once if it is free")),
            (Approval.BY_OWNER, _("You or your deputy answer each request")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who decides.")},
    )
    decide_hours = whole_number(
        _("Hours to decide"),
        1,
        24 * 60,
        help_text=_("If you decide: a request that nobody has answered by then is over, and the time is free again."),
    )
    rivalry = forms.ChoiceField(
        label=_("While a request waits for your answer"),
        choices=[
            (Rivalry.HOLD, _("the time is held for whoever asked first")),
            (Rivalry.COMPETE, _("others may ask for the same time, and you choose")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what happens while a request waits.")},
    )

    def __init__(self, data: Any = None, *, resource: Resource, openings: Sequence[Opening]) -> None:
        initial: dict[str, Any] = {name: getattr(resource, name) for name in self.RULES}
        initial |= {"seen": resource.edit, "when": HOURS if openings else ALWAYS if resource.edit else None}
        super().__init__(data, initial=initial)
        self.rows = self._add_rows(openings)

    def _add_rows(self, openings: Sequence[Opening]) -> list[dict[str, Any]]:
        known = [
            (weekday, in_breaks, on_red_days, ", ".join(stretch(one.opens, one.closes) for one in some))
            for (weekday, in_breaks, on_red_days), some in groupby(sorted(openings, key=_in_rows), _row_of)
        ]
        first = {row[0]: row for row in reversed(known)}
        more = [row for row in known if first[row[0]] is not row]
        number = 7 + len(more) + EXTRA_ROWS
        if self.is_bound:
            number = next((one for one in range(7, MOST_ROWS) if f"times_{one}" not in self.data), MOST_ROWS)
        rows = []
        for place in range(number):
            extra = place - 7
            row = first.get(place + 1) if extra < 0 else (more[extra] if extra < len(more) else None)
            label = str(WEEKDAYS[place]) if extra < 0 else gettext("more times %(number)s") % {"number": extra + 1}
            rows.append(self._add_row(place, label, row))
        return rows

    def _add_row(self, place: int, label: str, row: tuple[int, bool, bool, str] | None) -> dict[str, Any]:
        weekday, in_breaks, on_red_days, times = row or (None, False, False, "")
        said = {"label": capital(label)}
        names = {"times": f"times_{place}", "breaks": f"breaks_{place}", "red": f"red_{place}"}
        self.fields[names["times"]] = text_field(
            gettext("%(label)s, times") % said,
            max_length=100,
            initial=times,
            widget=forms.TextInput(attrs={"autocomplete": "off", "class": "w-s"}),
        )
        for key, words, value in (
            ("breaks", gettext("%(label)s, in breaks too"), in_breaks),
            ("red", gettext("%(label)s, on red days too"), on_red_days),
        ):
            self.fields[names[key]] = forms.BooleanField(label=words % said, required=False, initial=value)
        if place >= 7:
            names["weekday"] = f"weekday_{place}"
            self.fields[names["weekday"]] = forms.TypedChoiceField(
                label=gettext("%(label)s, day") % said,
                choices=[("", _("Choose a day")), *((n + 1, capital(str(WEEKDAYS[n]))) for n in range(7))],
                coerce=int,
                empty_value=None,
                required=False,
                initial=weekday,
            )
        return {"label": capital(label), "place": place, "names": names}

    @property
    def drawn_rows(self) -> list[dict[str, Any]]:
        """The rows of the table with their fields."""
        return [{"label": row["label"], **{key: self[name] for key, name in row["names"].items()}} for row in self.rows]

    @property
    def rules(self) -> list[tuple[str, list[Any]]]:
        return [
            (gettext("Around each booking"), [self[name] for name in self.RULES[:4]]),
            (gettext("Who asks and who decides"), [self[name] for name in self.RULES[4:]]),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.openings: list[Opening] = []
        for row in self.rows if cleaned.get("when") == HOURS else ():
            self._read(row, cleaned)
        self._refuse_overlaps()
        if cleaned.get("when") == HOURS and not self.openings and not self.errors:
            self.add_error("when", _("Write at least one time in the table, or choose always."))
        return cleaned

    def _read(self, row: dict[str, Any], cleaned: dict[str, Any]) -> None:
        names = row["names"]
        text = cleaned.get(names["times"], "")
        weekday = cleaned.get(names["weekday"]) if "weekday" in names else row["place"] + 1
        if not text:
            return
        if weekday is None:
            if names.get("weekday") not in self.errors:
                self.add_error(names["weekday"], _("Choose the day that the times are of."))
            return
        try:
            stretches = read_stretches(text)
        except ValueError as error:
            self.add_error(names["times"], str(error))
            return
        flags = (bool(cleaned.get(names["breaks"])), bool(cleaned.get(names["red"])))
        self.openings += [Opening(weekday, opens, closes, *flags) for opens, closes in stretches]

    def _refuse_overlaps(self) -> None:
        """Between rows of the same day: the error stands at the first of them."""
        self.openings.sort(key=lambda one: (one.weekday, one.opens))
        for one, following in pairwise(self.openings):
            if one.weekday == following.weekday and (one.closes <= one.opens or following.opens < one.closes):
                words = {"weekday": capital(str(WEEKDAYS[one.weekday - 1]))}
                text = gettext("%(weekday)s: two stretches overlap. Change one of them.") % words
                self.add_error(f"times_{one.weekday - 1}", text)
                return

    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.RULES}


# What it costs

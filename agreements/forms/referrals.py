"""Input about referrals: the last day to answer, what a party answers, and what comes of a wanted change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import AnswerKind, Outcome, ReferralAnswer
from agreements.operations import SUGGESTED_WEEKS, Said
from collab4m.clock import today
from collab4m.forms import ForBody
from organisations.forms.facts import text_field
from organisations.forms.people import DayField

WHOLE = ""


def long_text(
    label: Any, required: Any = "", *, model: Any = ReferralAnswer, field: str = "text", **kwargs: Any
) -> Any:
    most = model._meta.get_field(field).max_length
    rows = kwargs.pop("rows", 4)
    return text_field(label, required, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class SendForm(ForBody):
    """Until when the parties may answer."""

    last_day = DayField(
        label=_("Last day to answer"),
        help_text=_("That day included. Three weeks is suggested. Write year-month-day, for example 2027-06-30."),
        error_messages={"required": _("Write the last day to answer.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"last_day": today() + timedelta(weeks=SUGGESTED_WEEKS)})
        super().__init__(*args, **kwargs)


class ReasonForm(ForBody):
    """Why something is taken back."""

    reason = long_text(
        _("Why it is taken back"),
        _("Say why. The other parties read it."),
        field="outcome_reason",
        help_text=_("The other parties read it."),
    )


class ActForm(ForBody):
    """Nothing to fill in but, if it could be for more than one municipality, for which."""


ANSWERS = [
    (AnswerKind.NO_OBJECTION, _("No objection")),
    (AnswerKind.CHANGE_WANTED, _("We want a change")),
    (AnswerKind.COMMENT, _("Only a comment")),
]
OF_SECTION = [("", _("Say nothing about the section")), *ANSWERS]
OF_WHOLE = [("", _("Say nothing about the whole")), *ANSWERS]


@dataclass(frozen=True)
class Row:
    """A section with its two fields, and what the party has said of it before."""

    key: str
    kind: BoundField
    text: BoundField
    earlier: Sequence[ReferralAnswer]


class AnswerForm(ForBody):
    """What a party says of each section and of the whole, sent together."""

    all_optional = True

    def __init__(
        self,
        data: Any = None,
        *,
        bodies: Iterable[Any],
        sections: Mapping[str, str],
        earlier: Mapping[str, Sequence[ReferralAnswer]],
    ) -> None:
        super().__init__(data, bodies=bodies)
        self.sections = {WHOLE: gettext("The whole"), **sections}
        self.earlier = earlier
        for key, heading in self.sections.items():
            self.fields[self.name_of(key, "kind")] = forms.ChoiceField(
                label=gettext("Answer about “%(heading)s”") % {"heading": heading}
                if key
                else gettext("What you answer"),
                choices=OF_SECTION if key else OF_WHOLE,
                required=False,
                widget=forms.RadioSelect,
                initial="",
            )
            self.fields[self.name_of(key, "text")] = long_text(_("What you want, and why"), rows=3)

    @staticmethod
    def name_of(key: str, field: str) -> str:
        return f"{key}-{field}" if key else field

    def row(self, key: str) -> Row:
        kind, text = self[self.name_of(key, "kind")], self[self.name_of(key, "text")]
        return Row(key, kind, text, self.earlier.get(key, ()))

    @property
    def is_quick(self) -> bool:
        """Whether it was sent by the button that says "no objection" to the whole."""
        return "quick" in self.data

    def said(self) -> list[Said]:
        if self.is_quick:
            return [Said(AnswerKind.NO_OBJECTION)]
        found = []
        for key in self.sections:
            if kind := self.cleaned_data.get(self.name_of(key, "kind")):
                found.append(Said(kind, key, self.cleaned_data.get(self.name_of(key, "text"), "")))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        anything = False
        for key, heading in self.sections.items():
            kind_name, text_name = self.name_of(key, "kind"), self.name_of(key, "text")
            kind, text = cleaned.get(kind_name), cleaned.get(text_name)
            anything = anything or bool(kind or text)
            if text and not kind and kind_name not in self.errors:
                message = gettext("You have written about “%(heading)s”. Choose whether it is a change or a comment.")
                self.add_error(kind_name, message % {"heading": heading})
            elif kind and kind != AnswerKind.NO_OBJECTION and not text and text_name not in self.errors:
                message = gettext("Write what you want with “%(heading)s”, and why.")
                self.add_error(text_name, message % {"heading": heading})
        if self.is_quick and anything:
            self.add_error(
                None,
                gettext(
                    "You have also answered about something below. Send those answers with the button at the end,"
                    " or take them away first."
                ),
            )
        elif not self.is_quick and not anything and not self.errors:
            self.add_error(None, gettext("Answer about the whole or about a section."))
        return cleaned


class SettleForm(ForBody):
    """Whether a wanted change is accepted, and why not."""

    outcome = forms.ChoiceField(choices=Outcome.choices, error_messages={"required": _("Accept or decline.")})
    reason = long_text(
        _("Reason"),
        model=ReferralAnswer,
        field="outcome_reason",
        rows=2,
        help_text=_("Needed when you decline. Whoever asked reads it."),
    )

"""Input about the library of clauses: a new clause, and a new wording of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agreements.models import Clause, ClauseVersion
from agreements.operations import SECTIONS_WITH_CLAUSES, ClauseChanged
from organisations.forms.facts import TextField, text_field


def _wording() -> TextField:
    return TextField(
        label=_("Text"),
        max_length=ClauseVersion._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_(
            "Leave a blank line between paragraphs. Write what differs between agreements in square brackets, for"
            " example [number of days]: it has to be filled in before anybody can decide."
        ),
        error_messages={"required": _("Write the text of the clause.")},
    )


class ClauseForm(forms.Form):
    """A clause of the area's own."""

    section = forms.ChoiceField(label=_("Section"), error_messages={"required": _("Choose a section.")})
    name = text_field(
        _("Name"),
        _("Write what the clause is called."),
        max_length=Clause._meta.get_field("name").max_length,
        help_text=_("So that it can be told from the others of the section."),
    )
    text = _wording()

    def __init__(self, data: Any = None, *, section: str = "") -> None:
        super().__init__(data, initial={"section": section})
        self.fields["section"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a section")),
            *((one.key, one.heading) for one in SECTIONS_WITH_CLAUSES),
        ]


class WordingForm(forms.Form):
    """A new version of a clause. `base` is the number of the one it is written from."""

    text = _wording()
    base = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, latest: ClauseVersion) -> None:
        super().__init__(data, initial={"text": latest.text, "base": latest.number})
        self.meanwhile: ClauseVersion | None = None

    def show_what_stands(self, changed: ClauseChanged) -> None:
        """Show the version that was written meanwhile, and let the next save come after it."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
        data["base"] = str(changed.latest.number)
        self.data, self.meanwhile = data, changed.latest

"""Input about reports: a board's own front."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organisations.forms.facts import text_field
from organisations.forms.people import DayField
from reports.models import Cover


class CoverForm(forms.Form):
    """What a board has on its own front of a report."""

    case_number = text_field(
        _("Case number"), max_length=60, help_text=_("The registrar gives it. It is never made up here.")
    )
    day = DayField(label=_("Date"), required=False)
    official = text_field(_("Official"), max_length=100, help_text=_("Name and title, as the memo is to have it."))
    decision_points = forms.CharField(
        label=_("Proposal for a decision"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("One point on each line. Each begins with “att” and stands alone in an extract."),
    )
    send_to = forms.CharField(
        label=_("Send the decision to"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One receiver on each line."),
    )

    def __init__(self, data: Any = None, *, cover: Cover) -> None:
        initial = {name: getattr(cover, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
        if example := cover.board.case_number_example:
            told = gettext("The registrar gives it, written as %(example)s.") % {"example": example}
            self.fields["case_number"].help_text = told

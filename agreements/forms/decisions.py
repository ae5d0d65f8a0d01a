"""Input about decisions: what a board decided, and under which number it has the case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.forms.referrals import long_text
from agreements.models import Party
from collab4m.forms import ForBody
from collab4m.templatetags.shell import capital
from collab4m.uploads import DocumentFileField
from organisations.forms.facts import text_field
from organisations.forms.people import DayField, confirm_field
from organisations.models import Board
from records.models import Decision, DecisionResult
from records.operations import DocumentFile, document_file

OTHER = "other"
LATER = _("Leave it empty if it is not known yet. It can be filled in later.")


def document_of(form: forms.Form) -> DocumentFile | None:
    """The document that was handed in. Raises DocumentRefused."""
    file = form.cleaned_data.get("document")
    return document_file(file.name, file.read()) if file else None


def _case_number_hint(boards: Iterable[Board]) -> str:
    examples = dict.fromkeys(board.case_number_example for board in boards if board.case_number_example)
    if not examples:
        return gettext("The registrar gives it. It is never made up here.")
    return gettext("The registrar gives it, written as %(example)s.") % {"example": ", ".join(examples)}


class DecisionForm(forms.Form):
    """What a party's board, or another body there, decided about a content."""

    content_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    corrects = forms.IntegerField(required=False, widget=forms.HiddenInput)
    board = forms.ChoiceField(
        label=_("Who decided?"), widget=forms.RadioSelect, error_messages={"required": _("Choose who decided.")}
    )
    board_name = text_field(
        _("The other body, in words"),
        max_length=150,
        help_text=_("Such as the municipal council, or an official by delegation."),
    )
    result = forms.ChoiceField(
        label=_("What was decided?"),
        choices=[
            (DecisionResult.APPROVED, _("Approved")),
            (DecisionResult.REMITTED, _("Sent back for changes. The text becomes a draft again, for a new version")),
            (DecisionResult.REJECTED, _("Rejected. That is the end of it for all parties")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what was decided.")},
    )
    remark = long_text(
        _("What the board wants changed, or why it says no"),
        model=Decision,
        field="remark",
        help_text=_("Needed unless it is approved. The other parties read it."),
    )
    day = DayField(label=_("Day of the meeting"), error_messages={"required": _("Write the day of the meeting.")})
    paragraph = text_field(
        _("Paragraph"),
        _("Write the paragraph in the minutes, such as § 84."),
        max_length=30,
        widget=forms.TextInput(attrs={"class": "w-s"}),
        help_text=_("As in the minutes, such as § 84."),
    )
    case_number = text_field(
        _("Case number"),
        _("Write the case number. The registrar gives it."),
        max_length=60,
        widget=forms.TextInput(attrs={"class": "w-m"}),
    )
    final_on = DayField(label=_("Final on"), required=False, help_text=LATER)
    document = DocumentFileField(
        label=_("The board's decision, as a file"),
        required=False,
        help_text=_("An extract of the minutes, as PDF, PNG or JPEG. It can be handed in later."),
    )

    def __init__(self, *args: Any, party: Party, boards: list[Board], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.boards = {str(board.pk): board for board in boards}
        self.fields["board"].choices = [  # type: ignore[attr-defined]
            *((pk, f"{capital(board.name)}, {party.municipality.name}") for pk, board in self.boards.items()),
            (OTHER, _("Another body")),
        ]
        self.fields["case_number"].help_text = _case_number_hint(boards)

    @property
    def chosen(self) -> Board | None:
        return self.boards.get(self.cleaned_data["board"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("board") == OTHER and not cleaned.get("board_name") and "board_name" not in self.errors:
            self.add_error("board_name", gettext("Write which body decided."))
        if cleaned.get("document") and self.errors:
            self.add_error("document", gettext("Choose the file again: browsers do not keep it."))
        return cleaned


class FillInForm(forms.Form):
    """What was left empty in a decision, once signing has begun: only those fields that still are."""

    all_optional = True

    content_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    corrects = forms.IntegerField(required=False, widget=forms.HiddenInput)
    final_on = DayField(label=_("Final on"), required=False)
    remark = long_text(_("Remark"), model=Decision, field="remark")
    document = DocumentFileField(
        label=_("The board's decision, as a file"),
        required=False,
        help_text=_("An extract of the minutes, as PDF, PNG or JPEG."),
    )

    def __init__(self, *args: Any, decision: Decision, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("final_on", "remark", "document"):
            if getattr(decision, name):
                del self.fields[name]

    @property
    def has_something_open(self) -> bool:
        return len(self.fields) > 2

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in ("final_on", "remark", "document")):
            self.add_error(None, gettext("Fill in what is known now, or leave the page."))
        return cleaned


class CaseNumberForm(forms.Form):
    """Under which number a party has the case, which board decides there, and when it meets."""

    all_optional = True

    board = forms.ChoiceField(label=_("Who decides?"), widget=forms.RadioSelect, required=False)
    case_number = text_field(_("Case number"), max_length=60, widget=forms.TextInput(attrs={"class": "w-m"}))
    meets_on = DayField(
        label=_("The meeting that takes it up"),
        required=False,
        help_text=_("All parties see it. Write year-month-day, for example 2027-06-30."),
    )

    def __init__(self, data: Any = None, *, party: Party, boards: list[Board]) -> None:
        initial = {"case_number": party.case_number, "board": str(party.board_id or ""), "meets_on": party.meets_on}
        super().__init__(data, initial=initial)
        self.boards = {str(board.pk): board for board in boards}
        self.fields["board"].choices = [  # type: ignore[attr-defined]
            (pk, f"{capital(board.name)}, {party.municipality.name}") for pk, board in self.boards.items()
        ]
        if not self.boards:
            del self.fields["board"]
        self.fields["case_number"].help_text = _case_number_hint(boards)

    @property
    def chosen(self) -> Board | None:
        return self.boards.get(self.cleaned_data.get("board", ""))


class ToDecisionForm(ForBody):
    """That somebody knows what it means to send a text to decision."""

    sure = confirm_field(_("The text is ready. It is locked for all parties, and a later change becomes a new version"))

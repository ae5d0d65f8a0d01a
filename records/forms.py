"""Input about questions, corrections, texts written together and what is to be verified."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from records.models import LONGEST_TEXT, Choice, Correction, Question, Reply
from records.people import Body
from records.uploads import LARGEST
from records.values import as_text, one_newline
from records.verifying import hash_in


class LongText(forms.CharField):
    """Several lines, which end as we keep them: a browser posts two characters for each."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        return one_newline(super().to_python(value) or "")


def _long_text(model: type[models.Model], field: str, label: Any, **kwargs: Any) -> forms.CharField:
    most = model._meta.get_field(field).max_length  # type: ignore[union-attr]
    return LongText(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": 6}), **kwargs)


class QuestionForm(ForBody):
    to_body = forms.ChoiceField(
        label=_("Whom do you ask?"),
        help_text=_("The question goes to those who answer for the municipality or the school in the portal."),
        error_messages={"required": _("Choose whom you ask.")},
    )
    title = forms.CharField(
        label=_("What is it about, in a few words?"),
        max_length=Question._meta.get_field("title").max_length,
        error_messages={"required": _("Write in a few words what the question is about.")},
    )
    text = _long_text(Question, "text", _("Your question"), error_messages={"required": _("Write your question.")})

    field_order = ["on_behalf_of", "to_body", "title", "text"]

    def __init__(self, *args: Any, neighbours: Sequence[Body], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.neighbours = {str(body.pk): body for body in neighbours}
        self.fields["to_body"].choices = [("", _("Choose")), *_by_municipality(neighbours)]  # type: ignore[attr-defined]
        self.order_fields(self.field_order)

    @property
    def to(self) -> Body:
        return self.neighbours[self.cleaned_data["to_body"]]


def _by_municipality(bodies: Sequence[Body]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The bodies as choices in the order they come, each municipality with its schools."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for body in bodies:
        if body.kind == "school":
            groups.setdefault(body.as_school.municipality.name, []).append((str(body.pk), body.name))
        else:
            whole = _("%(name)s, the administration") % {"name": body.name}
            groups.setdefault(body.name, []).append((str(body.pk), str(whole)))
    return list(groups.items())


class ReplyForm(ForBody):
    text = _long_text(Reply, "text", _("Your answer"), error_messages={"required": _("Write your answer.")})

    field_order = ["on_behalf_of", "text"]

    def __init__(self, *args: Any, label: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label:
            self.fields["text"].label = label
        self.order_fields(self.field_order)


class CloseForm(ForBody):
    """For whom a question is closed, when that is not clear."""


class CorrectionForm(ForBody):
    reason = _long_text(
        Correction, "reason", _("How do you know?"), error_messages={"required": _("Write how you know.")}
    )
    source_note = forms.CharField(
        label=_("Where can the owner look it up?"),
        help_text=_("For example a web address, or a document with page and year."),
        max_length=500,
        required=False,
    )

    field_order = ["on_behalf_of", "proposed", "reason", "source_note"]

    def __init__(self, *args: Any, subject: models.Model, field: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_field: Any = subject._meta.get_field(field)
        self.fields["proposed"] = model_field.formfield(
            label=_("What should it say?"), initial=None, help_text="", required=not model_field.null
        )
        self.fields["proposed"].error_messages["required"] = _("Write what it should say.")
        self.order_fields(self.field_order)

    def clean_proposed(self) -> str:
        proposed = as_text(self.cleaned_data["proposed"])
        most = Correction._meta.get_field("proposed").max_length or 0
        if len(proposed) > most:
            raise ValidationError(MaxLengthValidator.message, params={"limit_value": most, "show_value": len(proposed)})
        return proposed


class AcceptForm(ForBody):
    seen = LongText(widget=forms.HiddenInput, required=False, strip=False)
    verified = forms.BooleanField(
        label=_("I have checked it against the source"), required=False,
        help_text=_("The figure is then shown as checked."),
    )  # fmt: skip


class DeclineForm(ForBody):
    answer = _long_text(
        Correction,
        "answer",
        _("Why does it stay as it is?"),
        error_messages={"required": _("Write why the figure stays as it is.")},
    )


class PartForm(ForBody):
    """A part's text, from the version that the page showed."""

    all_optional = True
    text = LongText(
        label=_("Text"),
        help_text=_(
            "An empty line begins a new paragraph. Begin a line with ## for a heading, - for a point in a list."
        ),
        max_length=LONGEST_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "autocomplete": "off", "lang": "sv"}),
    )
    base_version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)

    field_order = ["on_behalf_of", "text", "base_version"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(self.field_order)

    @property
    def body(self) -> Body | None:
        """For whom one writes; None for those who act for no body, such as members of a council."""
        return super().body if self.bodies else None

    @property
    def chosen(self) -> str:
        return ""

    @property
    def standing(self) -> str:
        """The text that is to stand."""
        return str(self.cleaned_data["text"])


class SettleForm(PartForm):
    """Two texts written from the same one: `text` is one's own, and `choice` says what is to stand."""

    choice = forms.ChoiceField(choices=Choice, widget=forms.HiddenInput)
    joined = LongText(
        label=_("The two texts, to be joined"),
        max_length=LONGEST_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "autocomplete": "off", "lang": "sv"}),
    )

    @property
    def chosen(self) -> str:
        return str(self.cleaned_data["choice"])

    @property
    def standing(self) -> str:
        return str(self.cleaned_data["joined" if self.chosen == Choice.JOINED else "text"])


class VerifyForm(forms.Form):
    file = forms.FileField(
        label=_("The file"),
        help_text=_("The file is not saved. Only its checksum is computed."),
        error_messages={
            "required": _("Choose the file that you want to verify."),
            "empty": _("The file is empty. Choose another one."),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.is_too_large:
            most = LARGEST // 1024 // 1024
            raise ValidationError(
                _("The file is larger than %(most)s MB, and no file from here is. Choose another one.") % {"most": most}
            )
        return file


class HashForm(forms.Form):
    kontrollsumma = forms.CharField(
        label=_("The checksum"),
        help_text=_("64 figures and letters from a to f, with or without spaces."),
        max_length=200,
        error_messages={"required": _("Write the checksum that stands last in the document.")},
    )

    def clean_kontrollsumma(self) -> str:
        text: str = self.cleaned_data["kontrollsumma"]
        if hash_in(text) is None:
            raise ValidationError(
                _("Write all 64 figures and letters of the checksum that stands last in the document.")
            )
        return text

"""Input about questions and corrections."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from records.models import Correction, Question, Reply
from records.people import Body
from records.values import as_text, one_newline


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

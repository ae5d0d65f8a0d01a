"""How forms are drawn: one renderer for every form of the portal."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    DecimalValidator,
    EmailValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
)
from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    ChoiceField,
    DateField,
    DateInput,
    DecimalField,
    EmailField,
    EmailInput,
    Field,
    FloatField,
    Form,
    IntegerField,
    ModelChoiceField,
    ModelMultipleChoiceField,
    MultipleChoiceField,
    NumberInput,
    PasswordInput,
    RadioSelect,
)
from django.forms.renderers import TemplatesSetting
from django.forms.utils import ErrorList
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.errors import RuleBroken

# The first letters of the months, in both languages of the portal.
MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "maj": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "okt": 10}
MONTHS |= {"may": 5, "oct": 10, "nov": 11, "dec": 12}
# A browser cuts what is pasted at the limit without a word: done to codes, never to names and texts.
LONGEST_CUT = 30
# A field is as wide as its answer.
WIDTHS = {(DateInput, NumberInput): "w-s", (EmailInput, PasswordInput): "w-m"}
# Django's own sentences, which say neither which field nor what to do.
CHOICES = (ChoiceField, MultipleChoiceField, ModelChoiceField, ModelMultipleChoiceField)
NOT_RIGHT = [
    Field.default_error_messages["required"],
    *(kind.default_error_messages["invalid_choice"] for kind in CHOICES),
    *(kind.default_error_messages["invalid"] for kind in (IntegerField, FloatField, DecimalField)),
    EmailValidator.message,
]
TOO_MUCH = [
    MinValueValidator.message,
    MaxValueValidator.message,
    MaxLengthValidator.message,
    *DecimalValidator.messages.values(),
]


class PortalField(BoundField):
    """A field as the portal draws it: the design system's class, and what a screen reader is told."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Any = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        if not widget.is_hidden:
            width = next((css for kinds, css in WIDTHS.items() if isinstance(widget, kinds)), "")
            own = widget.attrs.get("class", width)
            attrs["class"] = f"ds-input {own} {attrs.get('class', '')}".strip()
            attrs["placeholder"] = False  # a hint that vanishes as one writes is no hint
            if int(widget.attrs.get("maxlength") or 0) > LONGEST_CUT:
                attrs["maxlength"] = False
        if isinstance(widget, DateInput):
            attrs.setdefault("inputmode", "numeric")
            attrs.setdefault("autocomplete", "off")
        return attrs

    @property
    def errors(self) -> ErrorList:
        """What to do about each error, in the field's own words or in ours, never in Django's."""
        errors = super().errors
        if not errors:
            return errors
        texts = [self.advice(error) for error in errors.as_data()]
        return self.form.error_class(texts, renderer=self.form.renderer, field_id=self.auto_id)

    def advice(self, error: ValidationError) -> str:
        if any(error.message is stock for stock in TOO_MUCH):
            return self.what_fits(error.params or {})
        if any(error.message is stock for stock in NOT_RIGHT):
            return self.what_to_do
        return str(error.messages[0])

    def what_fits(self, params: Any) -> str:
        """What to write instead of what was too long, too large or too small."""
        if isinstance(self.field, DecimalField) and self.field.max_digits and self.field.decimal_places:
            whole, decimals = self.field.max_digits - self.field.decimal_places, self.field.decimal_places
            return _("Write a number with at most %(whole)s figures before the comma and %(decimals)s after it.") % {
                "whole": whole,
                "decimals": decimals,
            }
        if isinstance(self.field, IntegerField):
            least, most = self.field.min_value, self.field.max_value
            if least is not None and most is not None:
                return _("Write a number from %(least)s to %(most)s.") % {"least": least, "most": most}
            if most is not None:
                return _("Write a number that is at most %(most)s.") % {"most": most}
            return _("Write a number that is at least %(least)s.") % {"least": least}
        return _("Shorten “%(label)s” to %(most)s characters. It has %(length)s now.") % {
            "label": self.label,
            "most": number_format(params.get("limit_value", ""), force_grouping=True),
            "length": number_format(params.get("show_value", ""), force_grouping=True),
        }

    @property
    def what_to_do(self) -> str:
        if not self.is_empty and isinstance(self.field, EmailField):
            return _("Write the whole e-mail address, for example namn@kommun.se.")
        if not self.is_empty and isinstance(self.field, IntegerField):
            return _("Write “%(label)s” in figures, for example 12.") % {"label": self.label}
        if self.is_tick:
            return _("Tick “%(label)s”") % {"label": self.label}
        if isinstance(self.field, ChoiceField):
            return _("Choose an answer to “%(label)s”") % {"label": self.label}
        return _("Fill in “%(label)s”") % {"label": self.label}

    @property
    def is_empty(self) -> bool:
        return self.data in self.field.empty_values

    @property
    def is_tick(self) -> bool:
        """A single box to tick, with its label behind it."""
        return isinstance(self.field.widget, CheckboxInput)

    @property
    def target(self) -> str:
        """The id that the error summary links to: the field, or the first of its choices."""
        return self.id_for_label or (self.auto_id and f"{self.auto_id}_0") or ""


class FieldRenderer(TemplatesSetting):
    form_template_name = "components/fields.html"
    field_template_name = "components/field.html"
    bound_field_class = PortalField


class WrittenDateField(DateField):
    """A day as people write it: 2026-12-13, 13.12.2026, 13 december 2026. Nothing that can be read two ways."""

    default_error_messages = {"invalid": gettext_lazy("Write the day as year-month-day, for example 2027-06-30.")}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            words = re.fullmatch(r"\s*(\d{1,2})\.?\s+([^\W\d_]{3,})\.?\s+(\d{4})\s*", value.lower())
            if words and (month := MONTHS.get(words[2][:3])):
                value = f"{words[3]}-{month:02}-{int(words[1]):02}"
        return super().to_python(value)


class ForBody(Form):
    """Mixin: asks for whom one acts, when it could be for more than one of `bodies`."""

    def __init__(self, *args: Any, bodies: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies = {str(body.pk): body for body in bodies}
        if len(self.bodies) > 1:
            self.fields["on_behalf_of"] = ChoiceField(
                choices=[(pk, str(body)) for pk, body in self.bodies.items()],
                label=_("For whom do you write?"),
                widget=RadioSelect,
                error_messages={"required": _("Choose for whom you write.")},
            )

    @property
    def body(self) -> Any:
        """The body chosen, or the only one there is."""
        if "on_behalf_of" in self.fields:
            return self.bodies[self.cleaned_data["on_behalf_of"]]
        return next(iter(self.bodies.values()))


def tried(form: BaseForm, do: Callable[[], object]) -> bool:
    """Whether the form was right and the operation done; a broken rule becomes an error in the form."""
    if not form.is_valid():
        return False
    try:
        do()
    except RuleBroken as broken:
        refuse(form, broken)
        return False
    return True


def refuse(form: BaseForm, broken: RuleBroken) -> None:
    """Show what an operation answered, at the field that is to blame."""
    form.add_error(broken.field if broken.field in form.fields else None, str(broken))

"""How forms are drawn: one renderer for every form of the portal."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    ChoiceField,
    DateField,
    DateInput,
    EmailInput,
    Field,
    Form,
    NumberInput,
    PasswordInput,
    RadioSelect,
)
from django.forms.renderers import TemplatesSetting
from django.forms.utils import ErrorList
from django.utils.translation import gettext as _

from collab4m.errors import RuleBroken

# The first letters of the months, in both languages of the portal.
MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "maj": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "okt": 10}
MONTHS |= {"may": 5, "oct": 10, "nov": 11, "dec": 12}
# A field is as wide as its answer.
WIDTHS = {(DateInput, NumberInput): "w-s", (EmailInput, PasswordInput): "w-m"}


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
        if isinstance(widget, DateInput):
            attrs.setdefault("inputmode", "numeric")
            attrs.setdefault("autocomplete", "off")
        return attrs

    @property
    def errors(self) -> ErrorList:
        """Django's "This field is required" says neither which nor what to do; this does."""
        errors = super().errors
        bare = str(Field.default_error_messages["required"])
        if bare not in errors:
            return errors
        texts = [self.what_to_do if text == bare else str(text) for text in errors]
        return self.form.error_class(texts, renderer=self.form.renderer, field_id=self.auto_id)

    @property
    def what_to_do(self) -> str:
        if self.is_tick:
            return _("Tick “%(label)s”") % {"label": self.label}
        if isinstance(self.field, ChoiceField):
            return _("Choose an answer to “%(label)s”") % {"label": self.label}
        return _("Fill in “%(label)s”") % {"label": self.label}

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

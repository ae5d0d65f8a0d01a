"""Input about areas and the municipalities that are their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.forms.facts import SeenForm, checked_field, number_field, text_field
from organisations.forms.people import DayField, confirm_field
from organisations.models import CollaborationArea, Membership, Municipality
from organisations.operations import LastDayTooEarly


class AreaForm(SeenForm):
    name = text_field(_("Name"), _("Write the area's name."), max_length=120)
    short_name = text_field(
        _("Short name"), _("Write a short name, for example 4M."), max_length=30, help_text=_("For tables, such as 4M.")
    )
    slug = forms.SlugField(
        label=_("Short name in addresses"),
        max_length=50,
        help_text=_("Small letters a–z, figures and hyphens, for example 4m. Links to the area change with it."),
        error_messages={
            "required": _("Write a short name for the address, for example 4m."),
            "invalid": _("Use only the letters a–z, figures and hyphens."),
        },
    )
    source_note = text_field(_("How do you know?"), max_length=500, help_text=_("For example an agreement."))
    checked = checked_field()

    def clean_slug(self) -> str:
        return str(self.cleaned_data["slug"]).lower()

    @classmethod
    def about(cls, area: CollaborationArea, data: Any = None) -> Self:
        known = {field: getattr(area, field) for field in cls.base_fields if field != "checked"}
        form = cls(data, initial=known)
        form.remember_fact(area)
        return form


class PlaceForm(forms.Form):
    """A member's place in the agreed order and its mark."""

    position = number_field(
        _("Place in the agreed order"),
        _("Write the place as a number from 1 to 400."),
        400,
        help_text=_(
            "Members are always listed in this order. If another member has the place, the two change places with "
            "each other."
        ),
    )
    mark = text_field(
        _("Mark"),
        _("Write a mark of one to three letters."),
        max_length=3,
        help_text=_("One to three letters that stand for the municipality in tables, for example En."),
        validators=[RegexValidator(r"^[^\W\d_]+$", _("Use only letters."))],
        widget=forms.TextInput(attrs={"class": "w-s"}),
    )


class MemberForm(PlaceForm):
    municipality = forms.ModelChoiceField(
        Municipality.objects.none(),
        label=_("Municipality"),
        empty_label=_("Choose a municipality"),
        error_messages={"required": _("Choose a municipality.")},
    )
    first_day = DayField(label=_("First day as a member"), error_messages={"required": _("Write the first day.")})

    def __init__(self, *args: Any, members: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["municipality"].queryset = Municipality.objects.on().in_swedish_order()  # type: ignore[attr-defined]
        self.fields["position"].help_text = _("Members are always listed in this order.")
        self.fields["position"].initial = max((member.position for member in members), default=0) + 1
        self.fields["first_day"].initial = today
        self.order_fields(["municipality", "first_day", "position", "mark"])


class ChangeMemberForm(PlaceForm):
    first_day = DayField(label=_("First day as a member"), error_messages={"required": _("Write the first day.")})

    def __init__(self, data: Any = None, *, membership: Membership) -> None:
        known = {field: getattr(membership, field) for field in ("position", "mark", "first_day")}
        super().__init__(data, initial=known)
        self.fields["first_day"].required = membership.first_day is not None  # one that is known can only be put right


class EndMembershipForm(forms.Form):
    last_day = DayField(label=_("Last day as a member"), error_messages={"required": _("Write the last day.")})

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.membership = membership
        self.fields["last_day"].initial = membership.last_day or today()
        self.fields["confirm"] = confirm_field(
            _("%(municipality)s is no longer to be a member of %(area)s after that day")
            % {"municipality": membership.municipality.name, "area": membership.area.name}
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        last_day, first_day = cleaned.get("last_day"), self.membership.first_day
        if last_day and first_day and last_day < first_day:
            self.add_error("last_day", LastDayTooEarly.message)
        return cleaned

"""Input about people, their roles and themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import get_default_password_validators, validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.forms import WrittenDateField
from collab4m.swedish import swedish_key, swedish_order
from organisations.models import (
    CollaborationArea,
    Invitation,
    MailRhythm,
    Membership,
    Municipality,
    Role,
    RoleKind,
    School,
    User,
)
from organisations.operations import LONGEST_TOKEN_DAYS, USUAL_TOKEN_DAYS, DayOutOfOrder, LeftBehind, heirs_of
from records.messages import mail_kinds

RADIO_LIMIT = 7


class DayField(WrittenDateField):
    """A day that is typed, within the years that any role or key could concern."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Write year-month-day, for example 2027-06-30."))
        nearby = _("Choose a day between 1950 and 2150.")
        super().__init__(
            validators=[MinValueValidator(date(1950, 1, 1), nearby), MaxValueValidator(date(2150, 12, 31), nearby)],
            **kwargs,
        )


def name_field(**kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=_("Name"),
        max_length=120,
        error_messages={"required": _("Write first name and last name.")},
        **kwargs,
    )


def language_field(**kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, widget=forms.RadioSelect, **kwargs)


def confirm_field(label: Any) -> forms.BooleanField:
    """A check box in words, for what cannot be undone."""
    return forms.BooleanField(label=label, error_messages={"required": _("Tick the box to show that this is meant.")})


# Roles and invitations

KIND_HELP = {
    RoleKind.ADMINISTRATOR: _("Official at a municipality's education administration."),
    RoleKind.PRINCIPAL: _("Head of a school."),
    RoleKind.COUNCIL_MEMBER: _("Takes part in programme councils in an area."),
    RoleKind.COMMITTEE: _("Politician, secretary or registrar of a board."),
    RoleKind.SYSTEM_ADMINISTRATOR: _("Runs the installation. Sees no cases."),
}


class RoleKindForm(forms.Form):
    """The first of two steps: which role it is about."""

    roll = forms.ChoiceField(
        label=_("Which role?"), widget=forms.RadioSelect, error_messages={"required": _("Choose a role.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roll"].choices = [  # type: ignore[attr-defined]
            (kind.value, f"{str(kind.label).capitalize()}. {KIND_HELP[kind]}") for kind in RoleKind
        ]


class SchoolsByMunicipality(forms.ModelChoiceField):
    """Schools, grouped by the municipality where they lie."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(School.objects.on().select_related("municipality"), **kwargs)
        self.choices = self._grouped

    def _grouped(self) -> Iterable[Any]:
        schools = sorted(
            self.queryset or (), key=lambda school: (swedish_key(school.municipality.name), swedish_key(school.name))
        )
        yield ("", _("Choose a school"))
        for municipality, group in groupby(schools, key=lambda school: school.municipality.name):
            yield (municipality, [(school.pk, school.name) for school in group])

    def __deepcopy__(self, memo: Any) -> Any:
        field = super().__deepcopy__(memo)
        field.choices = field._grouped
        return field


def scope_field(kind: str) -> forms.ModelChoiceField | None:
    """The question of what the role is for; None for the role that is for nothing in particular."""
    if kind == RoleKind.PRINCIPAL:
        return SchoolsByMunicipality(label=_("School"), error_messages={"required": _("Choose a school.")})
    if kind == RoleKind.COUNCIL_MEMBER:
        return _choice(CollaborationArea.objects.in_swedish_order(), _("Area"), _("Choose an area."))
    if kind == RoleKind.SYSTEM_ADMINISTRATOR:
        return None
    return _choice(_municipalities_in_agreed_order(), _("Municipality"), _("Choose a municipality."))


def _municipalities_in_agreed_order() -> QuerySet[Municipality]:
    """Area by area as its members agreed, then in Swedish order those that belong to none today."""
    first = Membership.objects.on().filter(municipality=OuterRef("pk")).in_agreed_order()
    return Municipality.objects.on().order_by(
        Subquery(first.values("area")[:1]).asc(nulls_last=True),
        Subquery(first.values("position")[:1]).asc(nulls_last=True),
        swedish_order("name"),
        "pk",
    )


def _choice(queryset: QuerySet[Any], label: Any, required: Any) -> forms.ModelChoiceField:
    few = queryset.count() <= RADIO_LIMIT
    return forms.ModelChoiceField(
        queryset,
        label=label,
        widget=forms.RadioSelect if few else forms.Select,
        empty_label=None if few else required,
        error_messages={"required": required, "invalid_choice": required},
    )


class ScopedForm(forms.Form):
    """A form about a role of a given kind: asks what the role is for where that is a question."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if field := scope_field(kind):
            self.fields["scope"] = field
            self.order_fields(["scope"])

    def role(self) -> dict[str, Any]:
        """What operations need to know of the role: kind, body, area."""
        scope = self.cleaned_data.get("scope")
        area = scope if isinstance(scope, CollaborationArea) else None
        return {"kind": self.kind, "area": area, "body": scope.body if scope and not area else None}


class InviteForm(ScopedForm):
    email = forms.EmailField(
        label=_("E-mail address"),
        error_messages={
            "required": _("Write the e-mail address."),
            "invalid": _("Write an e-mail address with @, for example name@municipality.se."),
        },
    )
    name = name_field()
    language = language_field(initial="sv", help_text=_("The invitation is written in this language."))
    last_day = DayField(label=_("Last day of the role"), required=False)


class RoleForm(ScopedForm):
    first_day = DayField(label=_("First day"), error_messages={"required": _("Write the first day.")})
    last_day = DayField(label=_("Last day"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_day"].initial = today


class EndRoleForm(forms.Form):
    """When the role ends and who takes over each thing it leaves behind."""

    last_day = DayField(label=_("Last day of the role"), error_messages={"required": _("Write the last day.")})

    def __init__(
        self,
        *args: Any,
        role: Role,
        things: Sequence[LeftBehind],
        heirs: Sequence[User],
        open_to_me: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.role = role
        self.fields["last_day"].initial = today
        self._heirs = {str(heir.pk): heir for heir in heirs}
        people = [(pk, heir.name) for pk, heir in self._heirs.items()]
        for thing in things if heirs else ():
            self.fields[thing.key] = forms.ChoiceField(
                label=thing.label,
                choices=[*people, ("none", _("Nobody"))],
                widget=forms.RadioSelect if len(people) < RADIO_LIMIT else forms.Select,
                initial=people[0][0] if len(people) == 1 else None,
                help_text=_what_else(thing, thing.key in open_to_me),
                error_messages={"required": _("Choose who takes over, or nobody.")},
            )
        self.fields["confirm"] = confirm_field(
            _("%(person)s is no longer to be %(role)s after that day") % {"person": role.user, "role": _as_words(role)}
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        last_day = cleaned.get("last_day")
        if last_day and self.role.first_day and last_day < self.role.first_day:
            self.add_error("last_day", DayOutOfOrder.message)
        elif last_day:
            self._require_successors_that_stay(max(last_day, today()) + timedelta(days=1))
        return cleaned

    def _require_successors_that_stay(self, the_day_after: date) -> None:
        chosen = self.hand_over()
        staying = heirs_of(self.role, the_day_after) if chosen else []
        for key, heir in chosen.items():
            if heir not in staying:
                leaves = _("%(person)s's own role has ended by then. Choose somebody else, or nobody.")
                self.add_error(key, leaves % {"person": heir})

    def hand_over(self) -> dict[str, User]:
        """The people chosen, by the key of what they take over."""
        return {key: self._heirs[pk] for key, pk in self.cleaned_data.items() if pk in self._heirs}


def _what_else(thing: LeftBehind, may_open: bool) -> str:
    """What happens if nobody takes the thing over, and the way to it."""
    otherwise = gettext("If nobody takes over: %(otherwise)s") % {"otherwise": thing.otherwise}
    link = format_html(
        ' <a href="{}">{}<span class="visually-hidden"> {}</span></a>', thing.url, gettext("Open"), thing.label
    )
    return format_html("{}{}", otherwise, link if may_open else "")


def _as_words(role: Role) -> str:
    kind = role.get_kind_display()
    return str(_("%(role)s for %(scope)s") % {"role": kind, "scope": role.scope} if role.scope else kind)


class ForgetForm(forms.Form):
    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"] = confirm_field(
            _("Name, e-mail address and log-in of %(person)s are to be removed for good") % {"person": person}
        )


def password_help() -> str:
    """What AUTH_PASSWORD_VALIDATORS ask for, in one breath."""
    lengths = [getattr(validator, "min_length", 0) for validator in get_default_password_validators()]
    return gettext(
        "At least %(length)s characters. Not only figures, not a common password, not like your name or e-mail address."
    ) % {"length": max(lengths, default=0)}


class AcceptForm(forms.Form):
    """Name and password of a new person."""

    name = name_field(widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": invitation.name}
        super().__init__(*args, **kwargs)
        self.invitation = invitation
        self.fields["password"].help_text = password_help()

    def clean(self) -> None:
        super().clean()
        if password := self.cleaned_data.get("password"):
            person = User(email=self.invitation.email, name=self.cleaned_data.get("name", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)


class PeopleFilter(forms.Form):
    """Which people to list; always valid, since an unknown choice only means no choice."""

    q = forms.CharField(label=_("Name or e-mail address"), required=False, max_length=100)
    kommun = forms.ModelChoiceField(
        Municipality.objects.none(), label=_("Municipality"), required=False, empty_label=_("All")
    )
    roll = forms.ChoiceField(label=_("Role"), required=False)

    def __init__(self, *args: Any, municipalities: QuerySet[Municipality], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kommun"].queryset = municipalities  # type: ignore[attr-defined]
        self.fields["roll"].choices = [("", _("All")), *RoleKind.choices]  # type: ignore[attr-defined]


# Oneself


class PreferencesForm(forms.Form):
    name = name_field(widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = language_field()
    mail_rhythm = forms.ChoiceField(
        label=_("When do you want mail?"),
        choices=MailRhythm,
        widget=forms.RadioSelect,
        help_text=_("Mail about log-in, invitations and roles that end is always sent at once."),
    )
    muted_kinds = forms.MultipleChoiceField(
        label=_("What do you not want mail about?"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["muted_kinds"].choices = list(mail_kinds().items())  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What is the key for?"),
        max_length=80,
        help_text=_("For example the name of the program that is to use it."),
        error_messages={"required": _("Write what the key is for.")},
    )
    access = forms.ChoiceField(
        label=_("What may the program do?"),
        choices=[("read", _("Read what I may see")), ("write", _("Read, and change what I may change"))],
        initial="read",
        widget=forms.RadioSelect,
    )
    last_day = DayField(label=_("Last day"), error_messages={"required": _("Write the last day.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day = today() + timedelta(days=USUAL_TOKEN_DAYS)
        latest = today() + timedelta(days=LONGEST_TOKEN_DAYS)
        self.fields["last_day"].initial = day
        self.fields["last_day"].help_text = _("At the latest %(day)s.") % {"day": latest.isoformat()}

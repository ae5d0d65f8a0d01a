"""Input about a draft: how it begins, what is filled in section by section, its terms and parties, and how it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.validators import MinValueValidator
from django.utils.dates import MONTHS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import (
    LONGEST_NOTICE,
    Agreement,
    AgreementKind,
    ClauseVersion,
    NoticeEffect,
    NoticeEnds,
    PriceKind,
    Revision,
    RevisionKind,
    Standing,
    Term,
)
from agreements.operations import ChangedMeanwhile, providers_of
from agreements.outline import ANNEX, FOLLOW_UP, PRICE, VALIDITY
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key
from collab4m.templatetags.shell import capital
from organisations.forms.facts import TextField, text_field
from organisations.forms.people import DayField
from organisations.models import CollaborationArea, Municipality
from organisations.operations import held_by, seen_of
from programmes.models import Orientation, Programme
from programmes.operations import Gap
from records.models import span
from records.values import as_text

CHANGE = "andring"  # what a later revision is called and from when it holds; not a section of the text
MOST_SEATS = 9999
YEARS_BACK, YEARS_AHEAD = 6, 10
NOT_YET = _("Not decided yet")
YES, NO = _("yes"), _("no")


def _choices(choices: Iterable[tuple[Any, Any]], empty: Any = "") -> list[tuple[str, str]]:
    """Choices as people read them, with a way to leave it open if `empty` says how."""
    made = [(str(value), capital(str(label))) for value, label in choices]
    return [*made, ("", str(empty))] if empty else made


def _radio(label: Any, choices: Iterable[tuple[Any, Any]], empty: Any = "", **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=lambda: _choices(choices, empty),  # in the language of whoever reads them
        widget=forms.RadioSelect,
        required=not empty,
        **more,
    )


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or not decided yet."""

    def __init__(self, label: Any, yes: Any = YES, no: Any = NO, **more: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            empty_value=None,
            coerce=lambda value: value == "True",
            choices=lambda: _choices([(True, yes), (False, no)], NOT_YET),
            widget=forms.RadioSelect,
            **more,
        )

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else str(value)


class YearField(forms.TypedChoiceField):
    """A school year, of those around now and the one that stands."""

    def __init__(self, label: Any, empty: Any, **more: Any) -> None:
        more.setdefault("required", False)
        super().__init__(label=label, empty_value=None, coerce=SchoolYear.parse, **more)
        self.empty = empty

    def offer(self, *stands: SchoolYear | None) -> None:
        this_year = SchoolYear.of(today())
        years = {this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)} | {one for one in stands if one}
        self.choices = [("", str(self.empty)), *((str(year), str(year)) for year in sorted(years, reverse=True))]


def _whole(label: Any, what_to_do: Any, least: int, most: int, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-s", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), what_to_do),
        **more,
    )


def _seats() -> forms.IntegerField:
    return _whole(
        _("Seats per intake"),
        _("Write the number of seats in figures, for example 12."),
        1,
        MOST_SEATS,
        help_text=_("Leave it empty while it is not decided. It is then marked as open."),
    )


def _price() -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Price per pupil and school year, SEK"),
        required=False,
        max_digits=9,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "w-s", "autocomplete": "off"}),
        help_text=_("Only where the agreement has a fixed price."),
        error_messages={"invalid": _("Write the price in figures, for example 137000,50.")},
    )


def _municipalities(found: Iterable[Municipality]) -> list[tuple[str, str]]:
    return [(str(one.pk), one.name) for one in found]


class StandingForm(forms.Form):
    """A form that says what stands now where somebody else has saved since it was shown."""

    def remember(self, held: Mapping[str, Any]) -> None:
        self.held = held
        self.fields["seen"] = forms.CharField(
            required=False, max_length=64, widget=forms.HiddenInput, initial=seen_of(held)
        )

    def require_seen(self) -> None:
        """Raises ChangedMeanwhile if what stands is no longer what the form showed."""
        if self.cleaned_data["seen"] and self.cleaned_data["seen"] != seen_of(self.held):
            raise ChangedMeanwhile

    def show_what_stands(self, now: StandingForm) -> None:
        """Tell what stands now beside each field that differs, and let the next save go through."""
        typed = dict(self.cleaned_data)
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
        data[self.add_prefix("seen")] = seen_of(now.held)
        self.data = data
        for name in set(typed) - {"seen"}:
            stands = now.get_initial_for_field(self.fields[name], name)
            if as_text(typed[name]) != as_text(stands):
                self.add_error(name, self._says(name, stands))

    def _says(self, name: str, stands: Any) -> str:
        field = self.fields[name]
        words = as_text(stands)
        if isinstance(field, forms.MultipleChoiceField):
            choices: Any = field.choices
            words = ", ".join(str(label) for value, label in choices if value in stands)
        elif isinstance(field, forms.ChoiceField):
            value = field.prepare_value(stands)
            labels: Any = field.choices
            flat = {str(key): str(label) for key, label in labels}
            words = flat.get("" if value is None else str(value), words)
        return gettext("Now it says “%(value)s”.") % {"value": words} if words else gettext("Empty now.")


# Beginning


class StartForm(forms.Form):
    """What an agreement begins with: who the parties are, what it is about, and what it is called."""

    rows = forms.MultipleChoiceField(label=_("What is missing"), required=False, widget=forms.CheckboxSelectMultiple)
    area = forms.ChoiceField(label=_("Area"), widget=forms.RadioSelect)
    parties = forms.MultipleChoiceField(
        label=_("With whom?"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("All parties are equal. Each decides and signs for itself."),
        error_messages={"required": _("Tick at least one municipality beside your own.")},
    )
    title = text_field(
        _("Title"),
        _("Fill in a title, so that the agreement can be found again."),
        max_length=150,
        help_text=_("In Swedish, as it is to stand on the agreement."),
    )
    kind = _radio(_("What is it about?"), AgreementKind.choices)
    standing = _radio(
        _("Standing"),
        Standing.choices,
        help_text=_(
            "A primary agreement is the one with which the municipalities plan their offer together. A secondary one"
            " adds to it. A bilateral one stands alone."
        ),
    )
    replaces = forms.ChoiceField(
        label=_("Does it replace another agreement?"),
        required=False,
        help_text=_("The other one then ends the day before this one begins to hold."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        home: Municipality,
        areas: Mapping[CollaborationArea, Sequence[Municipality]],
        gaps: Sequence[Gap],
        replaceable: Sequence[Agreement],
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, initial={"kind": AgreementKind.EDUCATION, "standing": Standing.BILATERAL, **initial})
        self.home, self.areas, self.gaps, self.replaceable = home, areas, gaps, replaceable
        self.members = {one.pk: one for members in areas.values() for one in members}
        fields: Any = self.fields
        fields["parties"].choices = _municipalities(one for one in self.members.values() if one != home)
        fields["replaces"].choices = [("", gettext("No")), *((str(one.pk), str(one)) for one in replaceable)]
        if not replaceable:
            del fields["replaces"]
        if len(areas) > 1:
            fields["area"].choices = [(str(area.pk), area.name) for area in areas]
        else:
            del fields["area"]
        if gaps:
            fields["rows"].choices = [(gap.key, gap.name) for gap in gaps]
        else:
            del fields["rows"]

    @property
    def ticked(self) -> set[str]:
        """The keys of the rows that are ticked in the table, which is drawn by hand."""
        return set(self["rows"].value() or []) if "rows" in self.fields else set()

    @property
    def rest(self) -> list[Any]:
        return [self[name] for name in self.fields if name != "rows"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        parties = [one for one in self.members.values() if str(one.pk) in cleaned.get("parties", [])]
        area = self._area()
        if area and (outside := [one.name for one in parties if one not in self.areas[area]]):
            words = {"names": ", ".join(outside), "area": area.name}
            self.add_error("parties", gettext("%(names)s is not a member of %(area)s. Choose others.") % words)
        alone = [
            gap.name
            for gap in self.gaps
            if gap.key in cleaned.get("rows", []) and not set(providers_of(gap, self.home)) & set(parties)
        ]
        if parties and alone:
            said = gettext("None of those that you have ticked offers %(names)s. Tick one that does, or leave it out.")
            self.add_error("rows", said % {"names": ", ".join(alone)})
        return cleaned

    def _area(self) -> CollaborationArea | None:
        if "area" not in self.fields:
            return next(iter(self.areas))
        return next((area for area in self.areas if str(area.pk) == self.cleaned_data.get("area")), None)

    def chosen(self) -> dict[str, Any]:
        """What the operation needs, but for the terms: all parties in the area's order."""
        cleaned = self.cleaned_data
        others = {int(pk) for pk in cleaned["parties"]}
        area = self._area()
        assert area is not None  # a valid form has one
        return {
            "area": area,
            "title": cleaned["title"],
            "kind": cleaned["kind"],
            "standing": cleaned["standing"],
            "municipalities": [one for pk, one in self.members.items() if pk in others or one == self.home],
            "replaces": next((one for one in self.replaceable if str(one.pk) == cleaned.get("replaces")), None),
        }

    def chosen_gaps(self) -> list[Gap]:
        return [gap for gap in self.gaps if gap.key in self.cleaned_data.get("rows", [])]


# What the agreement is, and between whom


class AboutForm(StandingForm):
    """What an agreement is called and is, and what its files must be kept secret for."""

    title = text_field(_("Title"), _("Fill in a title, so that the agreement can be found again."), max_length=150)
    kind = _radio(_("What is it about?"), AgreementKind.choices)
    standing = _radio(_("Standing"), Standing.choices)
    replaces = forms.ChoiceField(label=_("Does it replace another agreement?"), required=False)
    secrecy_note = TextField(
        label=_("Note on secrecy"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the registrar: what may have to be kept secret if somebody asks for the documents, and why."),
    )

    def __init__(self, data: Any = None, *, agreement: Agreement, replaceable: Sequence[Agreement]) -> None:
        self.others = [one for one in replaceable if one != agreement]
        if agreement.replaces and agreement.replaces not in self.others:
            self.others.append(agreement.replaces)
        held = held_by(agreement, [name for name in self.base_fields if name != "replaces"])
        held["replaces"] = str(agreement.replaces_id or "")
        super().__init__(data, initial=held)
        choices = [("", gettext("No")), *((str(one.pk), str(one)) for one in self.others)]
        self.fields["replaces"].choices = choices  # type: ignore[attr-defined]
        self.remember(held)

    def values(self) -> dict[str, Any]:
        cleaned = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        replaces = next((one for one in self.others if str(one.pk) == cleaned["replaces"]), None)
        return {**cleaned, "replaces": replaces}


class PartiesForm(StandingForm):
    """Who the parties are, beside the municipality of whoever says so."""

    parties = forms.MultipleChoiceField(
        label=_("Parties beside your own municipality"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Terms with a municipality that you take away go with it."),
        error_messages={"required": _("Tick at least one municipality beside your own.")},
    )

    def __init__(
        self, data: Any = None, *, own: Municipality, members: Sequence[Municipality], parties: Sequence[Municipality]
    ) -> None:
        ticked = [str(one.pk) for one in parties if one != own]
        super().__init__(data, initial={"parties": ticked})
        self.all = {one.pk: one for one in [*members, *parties]}
        self.own = own
        others = [one for one in self.all.values() if one != own]
        self.fields["parties"].choices = _municipalities(others)  # type: ignore[attr-defined]
        self.remember({"parties": sorted(ticked)})

    def municipalities(self) -> list[Municipality]:
        """All of them in the area's order."""
        return [one for pk, one in self.all.items() if str(pk) in self.cleaned_data["parties"] or one == self.own]


# Facts, section by section


class FactsForm(StandingForm):
    """Facts of a section. Whatever is not known stays empty, and is marked as open in the text."""

    all_optional = True
    facts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, data: Any = None, *, revision: Revision) -> None:
        held = held_by(revision, self.facts)
        super().__init__(data, initial=self.shown(held))
        self.remember(held)

    def shown(self, held: dict[str, Any]) -> dict[str, Any]:
        """What the fields show of what is known."""
        return held

    def values(self) -> dict[str, Any]:
        """What the operation needs."""
        return {name: self.cleaned_data[name] for name in self.facts}


class ValidityForm(FactsForm):
    facts = ("first_day", "last_day", "is_open_ended", "notice_months", "notice_effect", "notice_ends")

    first_day = DayField(label=_("First day"), required=False)
    is_open_ended = YesNoField(_("How long does it hold?"), _("until further notice"), _("to a last day"))
    last_day = DayField(
        label=_("Last day"), required=False, help_text=_("Only if it has one. Write year-month-day, as 2027-06-30.")
    )
    notice_months = _whole(
        _("Period of notice, months"),
        _("Write the number of months in figures, for example 12. At most 120."),
        0,
        LONGEST_NOTICE,
    )
    notice_effect = _radio(_("When the period has passed, the agreement ends"), NoticeEffect.choices, NOT_YET)
    notice_ends = _radio(_("If one party gives notice"), NoticeEnds.choices, NOT_YET)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("last_day") and cleaned.get("is_open_ended") is None:
            cleaned["is_open_ended"] = False  # a last day says so
        return cleaned


class PriceForm(FactsForm):
    facts = ("price_kind", "incl_meals", "incl_vat", "independents_percent")

    price_kind = _radio(_("The home municipality pays"), PriceKind.choices, NOT_YET)
    incl_meals = YesNoField(_("Are meals included?"))
    incl_vat = YesNoField(_("Is VAT included?"))
    independents_percent = forms.DecimalField(
        label=_("Supplement for independent schools, per cent"),
        required=False,
        max_digits=4,
        decimal_places=2,
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "w-s", "autocomplete": "off"}),
        help_text=_("Usually 6, for value added tax. Leave it empty if the agreement says nothing of it."),
        error_messages={"invalid": _("Write the percentage in figures, for example 6.")},
    )


class YearlyDayForm(FactsForm):
    """A day that comes every year."""

    day = _whole(_("Day"), _("Write the day of the month in figures, for example 15."), 1, 31)
    month = forms.TypedChoiceField(label=_("Month"), required=False, coerce=int, empty_value=None)
    suggestion: ClassVar[tuple[int, int] | None] = None  # day and month

    def __init__(self, data: Any = None, *, revision: Revision) -> None:
        super().__init__(data, revision=revision)
        names = [(str(number), capital(str(name))) for number, name in MONTHS.items()]
        self.fields["month"].choices = [("", str(NOT_YET)), *names]  # type: ignore[attr-defined]

    def shown(self, held: dict[str, Any]) -> dict[str, Any]:
        month, day = (held[name] for name in self.facts)
        if (day, month) == (None, None) and self.suggestion:
            day, month = self.suggestion
        return {"day": day, "month": month}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "day" in cleaned and "month" in cleaned and (cleaned["day"] is None) != (cleaned["month"] is None):
            self.add_error("day", gettext("Fill in both day and month, or leave both empty."))
        return cleaned

    def values(self) -> dict[str, Any]:
        month, day = self.facts
        return {month: self.cleaned_data["month"], day: self.cleaned_data["day"]}


class AnnexDayForm(YearlyDayForm):
    facts = ("annex_month", "annex_day")
    suggestion = (15, 12)


class FollowUpForm(YearlyDayForm):
    facts = ("follow_up_month", "follow_up_day")


class ChangeForm(FactsForm):
    """What an annex, an amendment or a renewal is called, and from when it holds."""

    facts = ("title", "applies_from", "first_day")

    title = text_field(_("Title"), max_length=150, help_text=_("Empty: the agreement's title and what it is."))
    applies_from = YearField(_("From which intake"), NOT_YET)
    first_day = DayField(
        label=_("It holds from"),
        required=False,
        help_text=_("Empty: from the first day of that school year. Otherwise year-month-day, as 2027-07-01."),
    )

    def __init__(self, data: Any = None, *, revision: Revision) -> None:
        super().__init__(data, revision=revision)
        self.fields["applies_from"].offer(revision.applies_from)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("applies_from") and "first_day" in cleaned and cleaned["first_day"] is None:
            cleaned["first_day"] = cleaned["applies_from"].first_day
        return cleaned


FACT_FORMS: dict[str, type[FactsForm]] = {
    CHANGE: ChangeForm,
    VALIDITY: ValidityForm,
    PRICE: PriceForm,
    ANNEX: AnnexDayForm,
    FOLLOW_UP: FollowUpForm,
}


# Terms


class TermsForm(forms.Form):
    """New terms: one for each home municipality that is ticked."""

    what = forms.ChoiceField(
        label=_("Programme or orientation"), error_messages={"required": _("Choose a programme or an orientation.")}
    )
    provider = forms.ChoiceField(
        label=_("Who offers it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the municipality that offers it.")},
    )
    homes = forms.MultipleChoiceField(
        label=_("For pupils from"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each becomes a term of its own, with its own seats."),
        error_messages={"required": _("Tick at least one home municipality.")},
    )
    seats = _seats()
    unlimited = forms.BooleanField(label=_("No limit is agreed"), required=False)
    intake_from = YearField(_("From intake"), _("The first that the agreement concerns"))
    intake_to = YearField(_("To intake"), _("Until the agreement ends"))
    price_sek = _price()

    def __init__(self, data: Any = None, *, revision: Revision, parties: Sequence[Municipality]) -> None:
        super().__init__(data)
        self.parties = {str(one.pk): one for one in parties}
        fields: Any = self.fields
        fields["provider"].choices = fields["homes"].choices = _municipalities(parties)
        fields["what"].choices = [("", gettext("Choose")), *self._catalogue(revision)]
        for name in ("intake_from", "intake_to"):
            fields[name].offer(revision.agreement.gap_year)
        if revision.price_kind != PriceKind.FIXED:
            del fields["price_sek"]

    def _catalogue(self, revision: Revision) -> list[Any]:
        """Programmes on which pupils may begin while the agreement holds, each with its orientations."""
        begins = revision.first_day or (revision.agreement.gap_year or SchoolYear.of(today())).first_day
        current = {"valid__overlap": span(begins, None)}
        self.orientations = {one.pk: one for one in Orientation.objects.filter(**current)}
        self.programmes = {one.pk: one for one in Programme.objects.filter(**current).in_swedish_order()}
        groups = []
        for programme in self.programmes.values():
            inner = [one for one in self.orientations.values() if one.programme_id == programme.pk]
            rows = [(f"p{programme.pk}", gettext("%(programme)s: the whole") % {"programme": programme.code})]
            rows += [
                (f"o{one.pk}", f"{programme.code}: {one.name}")
                for one in sorted(inner, key=lambda one: swedish_key(one.name_sv))
            ]
            groups.append((str(programme), rows))
        return groups

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("provider") and cleaned["provider"] in cleaned.get("homes", []):
            self.add_error("homes", gettext("The one that offers it needs no term for its own pupils. Untick it."))
        return cleaned

    def terms(self) -> list[dict[str, Any]]:
        """What each new term says."""
        cleaned = self.cleaned_data
        pk = int(cleaned["what"][1:])
        orientation = self.orientations[pk] if cleaned["what"].startswith("o") else None
        programme = self.programmes[orientation.programme_id if orientation else pk]
        same = {
            "provider": self.parties[cleaned["provider"]],
            "programme": programme,
            "orientation": orientation,
            **{name: cleaned[name] for name in ("seats", "unlimited", "intake_from", "intake_to")},
            "price_sek": cleaned.get("price_sek"),
        }
        return [{"home": self.parties[home], **same} for home in cleaned["homes"]]


class TermForm(StandingForm):
    """Seats, intakes and price of a term."""

    all_optional = True
    facts = ("seats", "unlimited", "intake_from", "intake_to", "price_sek")

    seats = _seats()
    unlimited = forms.BooleanField(label=_("No limit is agreed"), required=False)
    intake_from = YearField(_("From intake"), _("The first that the agreement concerns"))
    intake_to = YearField(_("To intake"), _("Until the agreement ends"))
    price_sek = _price()

    def __init__(self, data: Any = None, *, term: Term) -> None:
        held = held_by(term, self.facts)
        super().__init__(data, initial=held)
        for name in ("intake_from", "intake_to"):
            self.fields[name].offer(term.revision.agreement.gap_year, held[name])  # type: ignore[attr-defined]
        if term.revision.price_kind != PriceKind.FIXED and term.price_sek is None:
            del self.fields["price_sek"]
        self.remember(held)

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


# Texts


class OwnClauseForm(forms.Form):
    """A section of the parties' own."""

    heading = text_field(
        _("Heading"),
        _("Write the heading of the section."),
        max_length=200,
        help_text=_("In Swedish. You write the text in the next step."),
    )


class UseClauseForm(forms.Form):
    """Which clause of the library is to stand in a section. `base_version` is the text that it is to replace."""

    clause = forms.ChoiceField(
        label=_("Clause"), widget=forms.RadioSelect, error_messages={"required": _("Choose a clause.")}
    )
    base_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, clauses: Sequence[ClauseVersion], base_version: int) -> None:
        super().__init__(data, initial={"base_version": base_version})
        self.clauses = {str(one.pk): one for one in clauses}
        self.fields["clause"].choices = [(pk, one.clause.name) for pk, one in self.clauses.items()]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> ClauseVersion:
        return self.clauses[self.cleaned_data["clause"]]


# Ends and new beginnings


class WithdrawForm(forms.Form):
    """Why what is under way is stopped."""

    reason = TextField(
        label=_("Why is it withdrawn?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The other parties read it. It stays in the history."),
        error_messages={"required": _("Say why it is withdrawn. The other parties read it.")},
    )


class RevisionForm(forms.Form):
    """An annex, an amendment or a renewal of what is signed."""

    kind = forms.ChoiceField(
        label=_("What do you want to make?"),
        widget=forms.RadioSelect,
        choices=lambda: _choices(choice for choice in RevisionKind.choices if choice[0] != RevisionKind.ORIGINAL),
        error_messages={"required": _("Choose an annex, an amendment or a renewal.")},
    )
    sections = forms.MultipleChoiceField(
        label=_("Which sections are changed?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A yearly annex changes programmes, seats and compensation unless you tick otherwise. A renewal always"
            " changes term and notice."
        ),
    )
    applies_from = YearField(
        _("From which intake?"),
        _("Choose a school year"),
        required=True,
        error_messages={"required": _("Choose the first intake that the change concerns.")},
    )
    title = text_field(_("Title"), max_length=150, help_text=_("Empty: the agreement's title and what it is."))

    def __init__(self, data: Any = None, *, sections: Collection[tuple[str, str]], initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        fields: Any = self.fields
        fields["sections"].choices = list(sections)
        fields["applies_from"].offer()

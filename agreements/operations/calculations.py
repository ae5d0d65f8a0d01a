"""Making, changing and attaching calculations, and what the portal already knows for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements.models import Agreement, Calculation, PriceKind, PriceList, PriceRow, RevisionState
from agreements.operations.calculating import ASSUMPTIONS, BY_KEY, Assumption, value_of
from agreements.operations.errors import ChangedMeanwhile
from collab4m.clock import today
from collab4m.errors import RuleBroken
from organisations.models import Body, Membership, Municipality, TravelTime, User
from programmes.models import Orientation, Programme
from records.operations import record

LANGUAGE = "sv"
LONGEST_SOURCE = 300
NATIONAL_YEARS = "3"


class NotYourCalculation(RuleBroken):
    code = "not_your_calculation"
    message = gettext_lazy("You calculate for your own municipality only.")


class CalculationRefused(RuleBroken):
    code = "calculation_refused"


class AssumptionRefused(RuleBroken):
    """`field` is the key of the assumption that is to blame."""

    code = "assumption_refused"


class CalculationChanged(ChangedMeanwhile):
    """Others have saved since the form was shown. `now` is the calculation as it stands."""

    def __init__(self, now: Calculation) -> None:
        super().__init__()
        self.now = now


class NoDraftToAttach(RuleBroken):
    code = "no_draft_to_attach"
    message = gettext_lazy("Choose a draft to which the municipality is a party.")


def calculation_address(
    home: Municipality,
    provider: Municipality | None = None,
    programme: Programme | None = None,
    orientation: Orientation | None = None,
) -> str:
    """Where one begins a calculation, with what is known of it filled in."""
    chosen = {
        "program": programme.code if programme else "",
        "inriktning": str(orientation.pk) if orientation else "",
        "kommun": home.code,
        "hos": provider.code if provider else "",
    }
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('calculation_new')}?{query}"


def given_by(calculation: Calculation) -> dict[str, Decimal | str | None]:
    """What is assumed, by key, as `compare` takes it."""
    texts = {row["key"]: row["value"] for row in calculation.assumptions}
    return {one.key: value_of(one, texts.get(one.key, "")) for one in ASSUMPTIONS}


def rows_of(calculation: Calculation) -> list[tuple[Assumption, str, str]]:
    """Each assumption with its value as text, "" where there is none, and its source."""
    said = {row["key"]: row for row in calculation.assumptions}
    return [
        (one, said.get(one.key, {}).get("value", ""), said.get(one.key, {}).get("source", "")) for one in ASSUMPTIONS
    ]


@transaction.atomic
def make_calculation(
    *,
    title: str,
    municipality: Municipality,
    programme: Programme,
    provider: Municipality | None = None,
    orientation: Orientation | None = None,
    assumptions: Iterable[Mapping[str, str]] = (),
    by: User,
    on_behalf_of: Body,
) -> Calculation:
    """A new calculation. Raises NotYourCalculation, CalculationRefused or AssumptionRefused."""
    if on_behalf_of.pk != municipality.pk or not by.has_perm(
        "agreements.change_calculation", Calculation(municipality=municipality)
    ):
        raise NotYourCalculation
    if provider is not None and provider.pk == municipality.pk:
        raise CalculationRefused(_("Choose another municipality than the pupils' own."), field="provider")
    if orientation is not None and orientation.programme_id != programme.pk:
        raise CalculationRefused(_("Choose an orientation of the programme."), field="orientation")
    made = Calculation.objects.create(
        title=_titled(title),
        municipality=municipality,
        provider=provider,
        programme=programme,
        orientation=orientation,
        assumptions=_cleaned(assumptions),
        by=by,
        on_behalf_of=on_behalf_of,
        example=by.example,
    )
    record("calculation.made", made, by=by, on_behalf_of=on_behalf_of, title=made.title)
    return made


@transaction.atomic
def change_calculation(
    calculation: Calculation,
    *,
    edit: int | None,
    title: str,
    assumptions: Iterable[Mapping[str, str]],
    by: User,
    on_behalf_of: Body,
) -> Calculation:
    """Change title and assumptions; those that are not named become empty. `edit` None: whatever stands.

    Raises NotYourCalculation, CalculationRefused, AssumptionRefused, or CalculationChanged if others have saved since
    `edit` was read, unless that is what is wanted anyway.
    """
    calculation = _locked(calculation, by, on_behalf_of)
    wanted = _cleaned(assumptions)
    changes = _differences(calculation, title := _titled(title), wanted)
    if not changes:
        return calculation
    if edit is not None and edit != calculation.edit:
        raise CalculationChanged(calculation)
    calculation.title, calculation.assumptions = title, wanted
    calculation.edit += 1
    calculation.save(update_fields=["title", "assumptions", "edit"])
    record("calculation.changed", calculation, by=by, on_behalf_of=on_behalf_of, changes=changes)
    return calculation


def drafts_to_attach(calculation: Calculation, user: User) -> QuerySet[Agreement]:
    """The drafts that `user` sees and to which the calculation's municipality is a party, latest first."""
    drafts = Agreement.objects.visible_to(user).filter(
        pk__in=Agreement.objects.filter(revisions__state=RevisionState.DRAFT).values("pk")
    )
    return drafts.of_party([calculation.municipality_id]).order_by("-year", "-sequence", "pk")


@transaction.atomic
def attach_calculation(calculation: Calculation, agreement: Agreement, *, by: User, on_behalf_of: Body) -> Calculation:
    """Let the administrators of all parties to a draft see it. Raises NotYourCalculation or NoDraftToAttach."""
    calculation = _locked(calculation, by, on_behalf_of)
    if not drafts_to_attach(calculation, by).filter(pk=agreement.pk).exists():
        raise NoDraftToAttach(field="agreement")
    if calculation.agreement_id != agreement.pk:
        calculation.agreement = agreement
        calculation.save(update_fields=["agreement"])
        _record_about("calculation.attached", calculation, agreement, by, on_behalf_of)
    return calculation


@transaction.atomic
def detach_calculation(calculation: Calculation, *, by: User, on_behalf_of: Body) -> Calculation:
    """Take it back to the municipality's own administrators. Raises NotYourCalculation."""
    calculation = _locked(calculation, by, on_behalf_of)
    if calculation.agreement:
        _record_about("calculation.detached", calculation, calculation.agreement, by, on_behalf_of)
        calculation.agreement = None
        calculation.save(update_fields=["agreement"])
    return calculation


def _record_about(name: str, calculation: Calculation, agreement: Agreement, by: User, on_behalf_of: Body) -> None:
    number, title = agreement.number, agreement.title
    record(name, calculation, by=by, on_behalf_of=on_behalf_of, number=number, title=title)


def _locked(calculation: Calculation, by: User, on_behalf_of: Body) -> Calculation:
    found = Calculation.objects.select_for_update(no_key=True).get(pk=calculation.pk)
    if on_behalf_of.pk != found.municipality_id or not by.has_perm("agreements.change_calculation", found):
        raise NotYourCalculation
    return found


def _titled(title: str) -> str:
    title = " ".join(title.split())
    longest = Calculation._meta.get_field("title").max_length or 0
    if not title:
        raise CalculationRefused(_("Fill in a title, so that the calculation can be found again."), field="title")
    if len(title) > longest:
        raise CalculationRefused(_("Shorten the title to %(most)s characters.") % {"most": longest}, field="title")
    return title


def _cleaned(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """All assumptions in their order, with numbers written in one way."""
    said: dict[str, dict[str, str]] = {}
    for row in rows:
        key, source = row["key"], " ".join(row.get("source", "").split())
        if key not in BY_KEY:
            raise AssumptionRefused(_("There is no assumption called “%(key)s”.") % {"key": key[:50]}, field="key")
        if key in said:
            raise AssumptionRefused(_("“%(key)s” is there twice.") % {"key": key}, field=key)
        if len(source) > LONGEST_SOURCE:
            raise AssumptionRefused(
                _("Shorten the source to %(most)s characters.") % {"most": LONGEST_SOURCE}, field=key
            )
        try:
            value = value_of(BY_KEY[key], row.get("value", ""))
        except ValueError as error:
            raise AssumptionRefused(str(error), field=key) from error
        text = f"{value:f}" if isinstance(value, Decimal) else value or ""
        said[key] = {"key": key, "value": text, "source": source}
    return [said.get(one.key, {"key": one.key, "value": "", "source": ""}) for one in ASSUMPTIONS]


def _differences(calculation: Calculation, title: str, wanted: list[dict[str, str]]) -> dict[str, list[str]]:
    """What is new, in the words that history keeps: the assumptions' names, in Swedish as they are on paper."""
    changes = {} if calculation.title == title else {"title": [calculation.title, title]}
    with translation.override(LANGUAGE):
        for (one, value, source), row in zip(rows_of(calculation), wanted, strict=True):
            words = {key: str(label) for key, label in one.choices}
            if value != row["value"]:
                changes[str(one.name)] = [words.get(text, text) for text in (value, row["value"])]
            if source != row["source"]:
                changes[_("%(name)s, source") % {"name": one.name}] = [source, row["source"]]
    return changes


# What is known


def known_for(
    home: Municipality, provider: Municipality | None, programme: Programme, orientation: Orientation | None = None
) -> dict[str, tuple[str, str]]:
    """Value and source of the assumptions that the portal knows something of; the others are for people to make."""
    found: dict[str, tuple[str, str]] = {}
    if programme.is_national:
        found["years"] = (NATIONAL_YEARS, _("A national programme is three school years"))
    if provider is not None:
        found |= _known_price(home, provider, programme, orientation)
        found |= _known_travel(home, provider)
    return found


def _known_price(
    home: Municipality, provider: Municipality, programme: Programme, orientation: Orientation | None
) -> dict[str, tuple[str, str]]:
    """The provider's own list before their area's, and that before the national one; of each the latest year's."""
    areas = Membership.objects.on().filter(municipality=home).values("area")
    shared = Membership.objects.on().filter(municipality=provider, area__in=areas).values("area")
    lists = Q(price_list__municipality=provider) | Q(price_list__area__in=shared)
    rows = PriceRow.objects.filter(lists | Q(price_list__kind=PriceKind.NATIONAL_LIST), programme=programme)
    nearest = Case(
        When(price_list__municipality__isnull=False, then=Value(0)),
        When(price_list__area__isnull=False, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    whole = Case(When(orientation=None, then=Value(1)), default=Value(0), output_field=IntegerField())
    with_meals = Case(When(price_list__incl_meals=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    row = (
        rows.filter(Q(orientation=None) | Q(orientation=orientation) if orientation else Q(orientation=None))
        .select_related("price_list__source")
        .order_by(nearest, "-price_list__year", whole, with_meals, "-price_list__number", "pk")
        .first()
    )
    if row is None:
        return {}
    source = source_of_price(row.price_list)
    words = {True: "yes", False: "no", None: ""}
    price = row.sek_per_pupil_year
    return {
        "price": (f"{price.normalize():f}", source),
        "price_kind": (row.price_list.kind, source),
        "price_meals": (words[row.price_list.incl_meals], source),
        "price_vat": (words[row.price_list.incl_vat], source),
    }


def source_of_price(price_list: PriceList) -> str:
    """Where a price is from, in words that stay when the list changes: title, year, edition, publisher."""
    parts = [str(price_list)]
    if price_list.number > 1:
        parts.append(_("edition %(number)s") % {"number": price_list.number})
    if price_list.source and str(price_list.source) not in str(price_list):
        parts.append(str(price_list.source))
    if price_list.source_note:
        parts.append(price_list.source_note)
    return _shortened(", ".join(parts), price_list)


def _known_travel(home: Municipality, provider: Municipality) -> dict[str, tuple[str, str]]:
    """The fastest way between the two main towns that is known today."""
    times = TravelTime.objects.filter(
        Q(origin=home, destination=provider) | Q(origin=provider, destination=home), valid__contains=today()
    )
    found = times.exclude(minutes=None).select_related("source").order_by("minutes", "pk").first()
    if found is None:
        return {}
    parts = [_("Between the main towns: %(mode)s") % {"mode": found.get_mode_display()}]
    parts += [str(text) for text in (found.source, found.source_note) if text]
    return {"travel_minutes": (str(found.minutes), _shortened(", ".join(parts), found))}


def _shortened(text: str, fact: Any) -> str:
    """With a word on what is not checked or only an example, and never longer than a source may be."""
    marks = [_("not checked")] * (not fact.verified) + [_("example")] * fact.example
    tail = f" ({', '.join(marks)})" if marks else ""
    most = LONGEST_SOURCE - len(tail)
    return (text if len(text) <= most else f"{text[: most - 1]}…") + tail

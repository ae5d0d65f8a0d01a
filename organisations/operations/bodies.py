"""What can be done with boards, schools, providers and sites, and with a municipality's contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from collab4m.errors import refused
from collab4m.swedish import swedish_key
from organisations.models import Board, Body, Contact, Municipality, Provider, School, Site, User
from organisations.models.case_numbers import check_case_number_mask
from organisations.operations.facts import (
    BlamesField,
    change_fact,
    create_fact,
    first_values,
    locked,
    locked_as_seen,
    require_seen,
)
from records.models import Event, span
from records.operations import differences, record

_NAMING_A_PROVIDER = 4_041_202  # names the lock under which providers are made, one at a time
_MASK_FIELDS = ("case_number_pattern", "case_number_example")


class BoardExists(BlamesField):
    code = "board_exists"
    message = _("The municipality already has a board with this name.")
    blames = "name"


class CaseNumberPatternUnusable(BlamesField):
    code = "case_number_pattern_unusable"
    message = _("The pattern cannot be used.")
    blames = "case_number_pattern"


class CaseNumberExampleDiffers(BlamesField):
    code = "case_number_example_differs"
    message = _("The example is not written as the pattern says. Change one of them.")
    blames = "case_number_example"


class SchoolExists(BlamesField):
    code = "school_exists"
    message = _("The municipality already has a school with this name.")
    blames = "name"


class SiteElsewhere(BlamesField):
    code = "site_elsewhere"
    message = _("A school's sites lie in the same municipality as the school.")
    blames = "sites"


class ProviderExists(BlamesField):
    code = "provider_exists"
    message = _("There is already a provider with this name.")
    blames = "name"


class ProviderForMunicipalityExists(BlamesField):
    code = "provider_for_municipality_exists"
    message = _("The municipality already has its provider.")
    blames = "municipality"


class SiteExists(BlamesField):
    code = "site_exists"
    message = _("The municipality already has a site with this name.")
    blames = "name"


# Boards


@transaction.atomic
def create_board(
    *, municipality: Municipality, name: str, by: User, on_behalf_of: Body | None = None, **facts: Any
) -> Board:
    """A board with administration, memo_head, case_number_pattern, case_number_example and valid as `facts`.

    Raises BoardExists, CaseNumberPatternUnusable or CaseNumberExampleDiffers.
    """
    _require_mask(facts)
    locked(municipality)  # rivals for the same name wait here, instead of for each other
    with refused(board_once_in_a_municipality=BoardExists):
        board = create_fact(Board, by, municipality=municipality, name=name, **facts)
    changes = first_values(board, facts)
    record("board.created", board, by=by, on_behalf_of=on_behalf_of, changes=changes, board=str(board))
    return board


@transaction.atomic
def change_board(
    board: Board,
    *,
    by: User,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
    **facts: Any,
) -> Board:
    """Raises ChangedMeanwhile, BoardExists, CaseNumberPatternUnusable or CaseNumberExampleDiffers."""
    locked(board.municipality)
    board = locked_as_seen(board, seen, facts)
    _require_mask({field: facts.get(field, getattr(board, field)) for field in _MASK_FIELDS})
    with refused(board_once_in_a_municipality=BoardExists):
        change_fact("board.changed", board, facts, by=by, on_behalf_of=on_behalf_of, checked=checked, board=str(board))
    return board


def _require_mask(facts: Mapping[str, Any]) -> None:
    board = Board(**{field: facts.get(field, "") for field in _MASK_FIELDS})
    if not board.case_number_pattern:
        return
    try:
        check_case_number_mask(board.case_number_pattern)
    except ValidationError as error:
        raise CaseNumberPatternUnusable(error.messages[0]) from error
    if not board.example_is_accepted:
        raise CaseNumberExampleDiffers


# Schools, providers and sites


@transaction.atomic
def create_school(
    *,
    municipality: Municipality,
    name: str,
    by: User,
    sites: Iterable[Site] = (),
    on_behalf_of: Body | None = None,
    **facts: Any,
) -> School:
    """A school with provider, school_unit_code, status and valid as `facts`.

    Raises SchoolExists or SiteElsewhere.
    """
    sites = list(sites)
    _require_sites_in(municipality.pk, sites)
    locked(municipality)  # a school's name and days lie in another table than its municipality: no constraint sees both
    _require_no_rival(School(municipality=municipality, name=name, valid=facts.get("valid", span(None, None))))
    school = create_fact(School, by, municipality=municipality, name=name, **facts)
    school.sites.set(sites)
    changes = first_values(school, {"sites": sites, **facts})
    record("school.created", school, by=by, on_behalf_of=on_behalf_of, changes=changes, school=school.name)
    return school


@transaction.atomic
def change_school(
    school: School,
    *,
    by: User,
    sites: Iterable[Site] | None = None,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
    **facts: Any,
) -> School:
    """Change a school's facts and, if given, its sites. Raises ChangedMeanwhile, SchoolExists or SiteElsewhere."""
    locked(school.municipality)
    sites = sites if sites is None else list(sites)
    school = locked_as_seen(school, seen, facts if sites is None else {**facts, "sites": sites})
    named = {field: facts.get(field, getattr(school, field)) for field in ("name", "valid")}
    if (named["name"], named["valid"]) != (school.name, school.valid):
        _require_no_rival(School(pk=school.pk, municipality_id=school.municipality_id, **named))
    changes = {}
    if sites is not None:
        _require_sites_in(school.municipality_id, sites)
        before, after = _names(school.sites.all()), _names(sites)
        if before != after:
            school.sites.set(sites)
            changes["sites"] = [before, after]
    change_fact(
        "school.changed",
        school,
        facts,
        by=by,
        on_behalf_of=on_behalf_of,
        changed_already=changes,
        checked=checked,
        school=school.name,
    )
    return school


def _require_no_rival(school: School) -> None:
    if School.objects.rivals_of(school).exists():
        raise SchoolExists


def _require_sites_in(municipality_id: int, sites: Sequence[Site]) -> None:
    if any(site.municipality_id != municipality_id for site in sites):
        raise SiteElsewhere


def _names(rows: Iterable[Any]) -> str:
    return ", ".join(sorted((str(row) for row in rows), key=swedish_key))


@transaction.atomic
def create_provider(
    *,
    name: str,
    kind: str,
    by: User,
    municipality: Municipality | None = None,
    on_behalf_of: Body | None = None,
    **facts: Any,
) -> Provider:
    """Raises ProviderExists or ProviderForMunicipalityExists."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NAMING_A_PROVIDER])
    with refused(
        provider_once_by_name=ProviderExists,
        organisations_provider_municipality_id_key=ProviderForMunicipalityExists,
    ):
        provider = create_fact(Provider, by, name=name, kind=kind, municipality=municipality, **facts)
    changes = first_values(provider, {"kind": kind, "municipality": municipality, **facts})
    record("provider.created", provider, by=by, on_behalf_of=on_behalf_of, changes=changes, provider=provider.name)
    return provider


@transaction.atomic
def create_site(
    *, municipality: Municipality, name: str, by: User, on_behalf_of: Body | None = None, **facts: Any
) -> Site:
    """A site with address, latitude, longitude and valid as `facts`. Raises SiteExists."""
    locked(municipality)
    with refused(site_once_in_a_municipality=SiteExists):
        site = create_fact(Site, by, municipality=municipality, name=name, **facts)
    record(
        "site.created", site, by=by, on_behalf_of=on_behalf_of,
        changes=first_values(site, facts), site=site.name, municipality=municipality.name,
    )  # fmt: skip
    return site


@transaction.atomic
def change_site(
    site: Site,
    *,
    by: User,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
    **facts: Any,
) -> Site:
    """Raises ChangedMeanwhile or SiteExists."""
    locked(site.municipality)
    site = locked_as_seen(site, seen, facts)
    with refused(site_once_in_a_municipality=SiteExists):
        change_fact("site.changed", site, facts, by=by, on_behalf_of=on_behalf_of, checked=checked, site=site.name)
    return site


# Contacts


@transaction.atomic
def change_contact(
    municipality: Municipality,
    purpose: str,
    *,
    by: User,
    owner: str = "",
    unit: str = "",
    email: str = "",
    phone: str = "",
    on_behalf_of: Body | None = None,
    seen: str = "",
) -> Contact:
    """Say who answers for `purpose` in the municipality. Raises ChangedMeanwhile.

    What a person who is not an example says is no example."""
    municipality = locked(municipality)
    contact = Contact.objects.filter(municipality=municipality, purpose=purpose).first()
    contact = contact or Contact(municipality=municipality, purpose=purpose, example=by.example)
    facts = {"owner": owner, "unit": unit, "email": email, "phone": phone}
    told = Event.objects.about(municipality).filter(name="contact.changed", data__purpose=purpose)
    require_seen(seen, {field: getattr(contact, field) for field in facts}, facts, told)
    if differences(contact, facts):
        before = _who(contact)
        for field, value in facts.items():
            setattr(contact, field, value)
        contact.example = by.example
        contact.save()
        words: dict[str, Any] = {
            "purpose": purpose,
            "municipality": municipality.name,
            "before": before,
            "after": _who(contact),
        }
        record("contact.changed", municipality, by=by, on_behalf_of=on_behalf_of, **words)
    return contact


def _who(contact: Contact) -> str:
    return ", ".join(part for part in (contact.owner, contact.unit, contact.email, contact.phone) if part)

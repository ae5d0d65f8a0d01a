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
from organisations.models.case_numbers import check_case_number_mask, matches_case_number_mask
from organisations.operations.facts import BlamesField, change_fact, create_fact, locked
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
        board = create_fact(Board, by, on_behalf_of, municipality=municipality, name=name, **facts)
    record("board.created", board, by=by, on_behalf_of=on_behalf_of, board=str(board))
    return board


@transaction.atomic
def change_board(board: Board, *, by: User, on_behalf_of: Body | None = None, **facts: Any) -> Board:
    """Raises BoardExists, CaseNumberPatternUnusable or CaseNumberExampleDiffers."""
    locked(board.municipality)
    board = locked(board)
    _require_mask({field: facts.get(field, getattr(board, field)) for field in _MASK_FIELDS})
    with refused(board_once_in_a_municipality=BoardExists):
        change_fact("board.changed", board, facts, by=by, on_behalf_of=on_behalf_of, board=str(board))
    return board


def _require_mask(facts: Mapping[str, Any]) -> None:
    mask, example = (facts.get(field, "") for field in _MASK_FIELDS)
    if not mask:
        return
    try:
        check_case_number_mask(mask)
    except ValidationError as error:
        raise CaseNumberPatternUnusable(error.messages[0]) from error
    if example and not matches_case_number_mask(mask, example):
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
    """A school with provider, school_unit_code, status and valid as `facts`. Raises SiteElsewhere."""
    sites = list(sites)
    _require_sites_in(municipality.pk, sites)
    school = create_fact(School, by, on_behalf_of, municipality=municipality, name=name, **facts)
    school.sites.set(sites)
    record("school.created", school, by=by, on_behalf_of=on_behalf_of, school=school.name)
    return school


@transaction.atomic
def change_school(
    school: School, *, by: User, sites: Iterable[Site] | None = None, on_behalf_of: Body | None = None, **facts: Any
) -> School:
    """Change a school's facts and, if given, its sites. Raises SiteElsewhere."""
    school = locked(school)
    changes = {}
    if sites is not None:
        sites = list(sites)
        _require_sites_in(school.municipality_id, sites)
        before, after = _names(school.sites.all()), _names(sites)
        if before != after:
            school.sites.set(sites)
            changes["sites"] = [before, after]
    change_fact(
        "school.changed", school, facts, by=by, on_behalf_of=on_behalf_of, changed_already=changes, school=school.name
    )
    return school


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
        provider = create_fact(Provider, by, on_behalf_of, name=name, kind=kind, municipality=municipality, **facts)
    record("provider.created", provider, by=by, on_behalf_of=on_behalf_of, provider=provider.name)
    return provider


@transaction.atomic
def create_site(
    *, municipality: Municipality, name: str, by: User, on_behalf_of: Body | None = None, **facts: Any
) -> Site:
    """A site with address, latitude, longitude and valid as `facts`. Raises SiteExists."""
    locked(municipality)
    with refused(site_once_in_a_municipality=SiteExists):
        site = create_fact(Site, by, on_behalf_of, municipality=municipality, name=name, **facts)
    record("site.created", site, by=by, on_behalf_of=on_behalf_of, site=site.name, municipality=municipality.name)
    return site


@transaction.atomic
def change_site(site: Site, *, by: User, on_behalf_of: Body | None = None, **facts: Any) -> Site:
    """Raises SiteExists."""
    locked(site.municipality)
    site = locked(site)
    with refused(site_once_in_a_municipality=SiteExists):
        change_fact("site.changed", site, facts, by=by, on_behalf_of=on_behalf_of, site=site.name)
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
) -> Contact:
    """Say who answers for `purpose` in the municipality. What a person who is not an example says is no example."""
    municipality = locked(municipality)
    contact = Contact.objects.filter(municipality=municipality, purpose=purpose).first()
    contact = contact or Contact(municipality=municipality, purpose=purpose, example=by.example)
    facts = {"owner": owner, "unit": unit, "email": email, "phone": phone}
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

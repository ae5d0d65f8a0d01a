"""What the pages share: which area, municipality, school year and kind of programme the reader has chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from collab4m.clock import today
from collab4m.school_year import SchoolYear, year_named
from organisations.models import CollaborationArea, Membership, Municipality, RoleKind, School, User
from organisations.operations import area_named
from programmes.models import ProgrammeKind, year_in_address
from programmes.operations import NATIONAL, latest_year, members_of, reported_years

YEARS_BACK, YEARS_AHEAD = 1, 2


class Request(HttpRequest):
    """A request by somebody who is logged in; the log-in middleware sees to that."""

    user: User


class Named(Protocol):
    name: str


def area_chosen(request: Request) -> CollaborationArea:
    """The area named in the address, else the reader's own, else the first there is. 404 if there is none such."""
    found = area_named(request.user, request.GET.get("omrade", ""))
    if found is None:
        raise Http404
    return found


def year_chosen(request: Request, municipalities: Iterable[int]) -> SchoolYear:
    """The school year in the address, else the latest that anybody there has reported, else this one."""
    if text := request.GET.get("lasar", ""):
        return year_named(text)
    return latest_year(municipalities) or SchoolYear.of(today())


def years_to_choose(municipalities: Iterable[int], chosen: SchoolYear) -> list[tuple[str, str]]:
    """Reported years and those around now, latest first, as address and words."""
    this_year = SchoolYear.of(today())
    years = {this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)} | {chosen}
    years |= set(reported_years(municipalities))
    return [(year_in_address(year), str(year)) for year in sorted(years, reverse=True)]


def members_chosen(area: CollaborationArea, request: Request) -> list[int]:
    """Ids of those who are members of the area today or in the year of the address."""
    text = request.GET.get("lasar", "")
    year = year_named(text) if text else SchoolYear.of(today())
    return [municipality.pk for municipality, _membership in members_of(area, year)]


KINDS: dict[str, tuple[Callable[[], str], Sequence[str]]] = {
    "nationella": (lambda: _("All national programmes"), NATIONAL),
    "yrkes": (lambda: _("Vocational programmes"), [ProgrammeKind.VOCATIONAL]),
    "hogskole": (lambda: _("Preparatory programmes"), [ProgrammeKind.PREPARATORY]),
    "introduktion": (lambda: _("Introductory programmes"), [ProgrammeKind.INTRODUCTORY]),
    "alla": (lambda: _("All kinds"), list(ProgrammeKind)),
}


def kind_chosen(request: Request) -> str:
    """The kind of programme in the address; the national ones unless it says otherwise."""
    kind = request.GET.get("typ", "nationella")
    return kind if kind in KINDS else "nationella"


def kinds_to_choose() -> list[tuple[str, str]]:
    return [(key, label()) for key, (label, _kinds) in KINDS.items()]


def own_municipalities(user: User) -> list[Municipality]:
    """The municipalities one works for, and those where the schools lie that one works for."""
    bodies = user.bodies_today()
    schools = School.objects.filter(pk__in=bodies).values_list("municipality", flat=True)
    return list(Municipality.objects.filter(pk__in={*bodies, *schools}).in_swedish_order()) if bodies else []


def municipality_chosen(request: Request) -> Municipality:
    """The municipality whose code is in the address, else the reader's own, else the first member of their area."""
    municipalities = Municipality.objects.visible_to(request.user)
    if code := request.GET.get("kommun", ""):
        found = municipalities.filter(code=code).first() if code.isascii() and code.isdigit() else None
    else:
        own = own_municipalities(request.user)
        area = None if own else area_chosen(request)
        members = members_of(area, SchoolYear.of(today())) if area else []
        found = own[0] if own else (members[0][0] if members else municipalities.in_swedish_order().first())
    if found is None:
        raise Http404
    return found


def neighbours_to_choose(municipality: Municipality) -> list[Municipality]:
    """The members of the areas that a municipality belongs to today, in the agreed order; itself at least."""
    areas = municipality.memberships.on().values("area")
    members = Membership.objects.on().filter(area__in=areas).select_related("municipality").in_agreed_order()
    found = {member.municipality_id: member.municipality for member in members}
    return list(found.values()) or [municipality]


def administered(user: User) -> list[Municipality]:
    """The municipalities where one is an administrator today, in Swedish order."""
    return list(Municipality.objects.filter(pk__in=user.bodies_where(RoleKind.ADMINISTRATOR)).in_swedish_order())


def body_for(user: User, school: School) -> Any:
    """The body as which `user` reports for the school: the municipality first, else the school itself."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    return school.municipality.body if school.municipality_id in own else school.body

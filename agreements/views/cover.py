"""Cover: what each municipality's pupils may apply for by agreement, and how many seats of it are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from agreements.cover_tables import cover_headings, cover_rows
from agreements.forms.seat_use import SeatUseForm
from agreements.operations import CoverLine, CoverMatrix, CoverState, covered_leaves, matrix_of_cover
from agreements.views.shared import Request
from collab4m.clock import today
from collab4m.school_year import SchoolYear, year_named
from collab4m.tables import download
from organisations.models import CollaborationArea, Membership, RoleKind
from programmes.models import Programme, ProgrammeKind, year_in_address
from programmes.operations import NATIONAL, latest_year, members_of, reported_years

YEARS_BACK, YEARS_AHEAD = 1, 3
ENDING_SHOWN = 30

KINDS: dict[str, tuple[Callable[[], str], Sequence[str]]] = {
    "nationella": (lambda: _("All national programmes"), NATIONAL),
    "yrkes": (lambda: _("Vocational programmes"), [ProgrammeKind.VOCATIONAL]),
    "hogskole": (lambda: _("Preparatory programmes"), [ProgrammeKind.PREPARATORY]),
    "introduktion": (lambda: _("Introductory programmes"), [ProgrammeKind.INTRODUCTORY]),
    "alla": (lambda: _("All kinds"), list(ProgrammeKind)),
}
SHOWN: dict[str, tuple[Callable[[], str], Sequence[CoverState]]] = {
    "": (lambda: _("Everything"), ()),
    "luckor": (lambda: _("Gaps that a neighbour can cover"), (CoverState.UNCOVERED,)),
    "slutar": (lambda: _("Cover that ends"), (CoverState.EXPIRING,)),
    "atgard": (lambda: _("Gaps and cover that ends"), (CoverState.UNCOVERED, CoverState.EXPIRING)),
}


@dataclass(frozen=True)
class Block:
    """A programme with its leaves: itself alone, or its orientations under it."""

    programme: Programme
    lines: Sequence[CoverLine]
    whole: Sequence[CoverLine]  # those too that the filter hides

    @property
    def is_leaf(self) -> bool:
        return self.lines[0].orientation is None

    @property
    def controls(self) -> str:
        return " ".join(f"rad-{line.key}" for line in self.lines)


def _areas(request: Request) -> list[CollaborationArea]:
    """Those that the reader belongs to: cover is open within the area only."""
    members = Membership.objects.around(request.user).select_related("area").order_by("area")
    return list({member.area_id: member.area for member in members}.values())


def _area_chosen(request: Request, areas: Sequence[CollaborationArea]) -> CollaborationArea:
    slug = request.GET.get("omrade", "")
    found = next((area for area in areas if not slug or area.slug == slug), None)
    if found is None:
        raise Http404
    return found


def _year_chosen(request: Request, municipalities: Sequence[int]) -> SchoolYear:
    """The intake in the address, else the latest year that anybody there has reported, else this one."""
    if text := request.GET.get("lasar", ""):
        return year_named(text)
    return latest_year(municipalities) or SchoolYear.of(today())


def _years_to_choose(municipalities: Sequence[int], chosen: SchoolYear) -> list[tuple[str, str]]:
    this_year = SchoolYear.of(today())
    years = {this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)} | {chosen, chosen + 1}
    years |= set(reported_years(municipalities))
    return [(year_in_address(year), str(year)) for year in sorted(years, reverse=True)]


def _chosen(request: Request) -> tuple[list[CollaborationArea], CoverMatrix, list[int], str, str]:
    areas = _areas(request)
    area = _area_chosen(request, areas)
    members = [one.pk for one, _membership in members_of(area, SchoolYear.of(today()))]
    kind, shown = request.GET.get("typ", ""), request.GET.get("visa", "")
    kind, shown = kind if kind in KINDS else "nationella", shown if shown in SHOWN else ""
    found = matrix_of_cover(area, _year_chosen(request, members), request.user, KINDS[kind][1])
    return areas, found, members, kind, shown


@require_GET
def cover(request: Request) -> HttpResponse:
    areas, whole, members, kind, shown = _chosen(request)
    matrix = whole.only(SHOWN[shown][1])
    groups: dict[str, dict[int, list[CoverLine]]] = {}
    for line in matrix.lines:
        blocks = groups.setdefault(ProgrammeKind(line.programme.kind).plural, {})
        blocks.setdefault(line.programme.pk, []).append(line)
    all_lines: dict[int, list[CoverLine]] = {}
    for line in whole.lines:
        all_lines.setdefault(line.programme.pk, []).append(line)
    own = set(request.user.bodies_where(RoleKind.ADMINISTRATOR))
    context = {
        "area": whole.area,
        "areas": areas,
        "year": whole.year,
        "year_address": year_in_address(whole.year),
        "years": _years_to_choose(members, whole.year),
        "kind": kind,
        "kinds": [(key, label()) for key, (label, _kinds) in KINDS.items()],
        "shown": shown,
        "shown_choices": [(key, label()) for key, (label, _states) in SHOWN.items()],
        "matrix": matrix,
        "groups": [
            (label, [Block(lines[0].programme, lines, all_lines[pk]) for pk, lines in blocks.items()])
            for label, blocks in groups.items()
        ],
        "gaps": whole.counts[CoverState.UNCOVERED],
        "covered": whole.counts[CoverState.COVERED] + whole.counts[CoverState.EXPIRING],
        "ending": whole.ending,
        "ending_shown": whole.ending if shown else whole.ending[:ENDING_SHOWN],
        "own": own,
        "opens": "yes" if shown else "no",
        "query": request.GET.urlencode(),
        "has_examples": any(covering.agreement.example for cell in matrix.cells for covering in cell.coverings)
        or any(cell.own.example for cell in matrix.cells),
        "may_report": any(member.municipality.pk in own for member in whole.members),
    }
    return render(request, "agreements/cover.html", context)


@require_GET
def cover_file(request: Request, kind: str) -> HttpResponse:
    """The same rows as the page."""
    _areas_there, whole, _members, _kind, shown = _chosen(request)
    matrix = whole.only(SHOWN[shown][1])
    name = f"tackning-{whole.area.slug}-{year_in_address(whole.year)}"
    return download(kind, name, cover_headings(), cover_rows(matrix))


def seat_use(request: Request) -> HttpResponse:
    """To report how many were admitted to what is covered, for all leaves of an intake at once."""
    own = request.user.bodies_where(RoleKind.ADMINISTRATOR)
    if not own:
        raise PermissionDenied
    year = _year_chosen(request, own)
    leaves = covered_leaves(own, year, request.user)
    form = SeatUseForm(request.POST if request.method == "POST" else None, leaves=leaves, own=own, intake=year)
    if request.method == "POST" and form.is_valid() and form.save(by=request.user):
        _tell(request, form)
        return redirect(f"{reverse('seat_use')}?lasar={year_in_address(year)}")
    context = {
        "form": form,
        "year": year,
        "year_address": year_in_address(year),
        "years": _years_to_choose(own, year),
        "has_examples": any(leaf.covering.agreement.example for leaf in leaves),
    }
    return render(request, "agreements/seat_use.html", context)


def _tell(request: Request, form: Any) -> None:
    if not form.saved:
        messages.info(request, _("Nothing was changed."))
        return
    text = ngettext("%(number)s number is saved.", "%(number)s numbers are saved.", form.saved)
    messages.success(request, text % {"number": form.saved})
    for leaf in covered_leaves(form.own, form.intake, request.user):
        if leaf.covering.over and leaf.key in form.changed:
            words = {"what": leaf.what, "over": leaf.covering.over, "provider": leaf.covering.provider.name}
            messages.warning(request, _("%(what)s, %(provider)s: %(over)s more were admitted than agreed.") % words)

"""The offer matrix: programmes against the municipalities of an area, or against their schools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.swedish import swedish_key
from collab4m.tables import download
from organisations.models import CollaborationArea
from organisations.operations import areas_in_order
from programmes import tables
from programmes.models import FIGURES, Answer, Orientation, Programme, ProgrammeKind, year_in_address
from programmes.operations import Cell, MunicipalityOffer, Offer, SchoolOffer, offer_of
from programmes.views.shared import (
    KINDS,
    Request,
    area_chosen,
    kind_chosen,
    kinds_to_choose,
    members_chosen,
    year_chosen,
    years_to_choose,
)

# A wider area opens on municipalities, since its schools would not fit on any screen.
MOST_MEMBERS_BY_SCHOOL = 6


@dataclass(frozen=True)
class Column:
    """A school, a municipality's own schools together, or what names no school."""

    member: MunicipalityOffer
    school: SchoolOffer | None = None
    unplaced: bool = False
    is_edge: bool = False


@dataclass(frozen=True)
class Line:
    """A programme or one of its orientations, with its cells."""

    programme: Programme
    orientation: Orientation | None
    cells: list[Cell]
    squares: list[str]  # by member, what its own schools say: yes, no, unknown
    controls: str = ""  # ids of the rows of its orientations

    @property
    def key(self) -> str:
        return f"{self.programme.pk}-{self.orientation.pk if self.orientation else 0}"

    @property
    def name(self) -> str:
        return self.orientation.name if self.orientation else str(self.programme)


@dataclass(frozen=True)
class Matrix:
    """Everything the page shows."""

    offer: Offer
    by_school: bool
    columns: list[Column]
    groups: list[tuple[str, list[Line]]]
    known: dict[int, int]  # municipality -> of how many programmes its answer is known
    programmes: int

    @property
    def heads(self) -> list[tuple[MunicipalityOffer, int, int]]:
        """Each member, over how many columns it stands, and of how many programmes its answer is known."""
        widths: dict[int, int] = {}
        for column in self.columns:
            widths[column.member.municipality.pk] = widths.get(column.member.municipality.pk, 0) + 1
        ids = [(member, member.municipality.pk) for member in self.offer.members]
        return [(member, widths[pk], self.known[pk]) for member, pk in ids]

    @property
    def width(self) -> int:
        return len(self.columns) + 1


def matrix_of(offer: Offer, by_school: bool, words: str, only_open: bool) -> Matrix:
    columns = _columns(offer, by_school)
    groups: dict[str, list[Line]] = {}
    known = {member.municipality.pk: 0 for member in offer.members}
    shown = 0
    for programme in offer.programmes:
        own = [offer.at_municipality(member, programme) for member in offer.members]
        orientations = offer.orientations.get(programme.pk, [])
        hits = [one for one in orientations if _resembles(one.name_sv, words) or _resembles(one.name, words)]
        names = (programme.name_sv, programme.name, programme.code)
        if words and not hits and not any(_resembles(name, words) for name in names):
            continue
        if only_open and all(cell.answer != Answer.NOT_REPORTED for cell in own):
            continue
        shown += 1
        for member, cell in zip(offer.members, own, strict=True):
            known[member.municipality.pk] += cell.answer != Answer.NOT_REPORTED
        lines = groups.setdefault(ProgrammeKind(programme.kind).plural, [])
        controls = " ".join(f"rad-{programme.pk}-{orientation.pk}" for orientation in orientations)
        lines.append(_line(offer, columns, programme, None, own, controls))
        for orientation in orientations:
            said = [offer.at_municipality(member, programme, orientation) for member in offer.members]
            lines.append(_line(offer, columns, programme, orientation, said))
    return Matrix(offer, by_school, columns, list(groups.items()), known, shown)


def _resembles(name: str, words: str) -> bool:
    return swedish_key(words) in swedish_key(name)


def _columns(offer: Offer, by_school: bool) -> list[Column]:
    if not by_school:
        return [Column(member, is_edge=True) for member in offer.members]
    columns = []
    for member in offer.members:
        mine = [Column(member, school) for school in member.schools]
        if not member.is_complete and any(offer.unplaced(member, programme) for programme in offer.programmes):
            mine.append(Column(member, unplaced=True))
        mine = mine or [Column(member)]
        last = mine[-1]
        columns += [*mine[:-1], Column(last.member, last.school, last.unplaced, is_edge=True)]
    return columns


def _line(
    offer: Offer,
    columns: list[Column],
    programme: Programme,
    orientation: Orientation | None,
    own: list[Cell],
    controls: str = "",
) -> Line:
    by_member = {id(member): cell for member, cell in zip(offer.members, own, strict=True)}
    cells = []
    for column in columns:
        if column.school:
            cells.append(offer.at_school(column.school, programme, orientation))
        elif column.unplaced:
            fact = offer.unplaced(column.member, programme) if orientation is None else None
            cells.append(Cell(Answer.NOT_REPORTED, fact=fact))
        else:
            cells.append(by_member[id(column.member)])
    squares = [_SQUARES[cell.answer] for cell in own]
    return Line(programme, orientation, cells, squares, controls)


_SQUARES = {Answer.OFFERED: "yes", Answer.NOT_OFFERED: "no", Answer.NOT_REPORTED: "unknown"}


def _chosen(request: Request) -> tuple[CollaborationArea, Any, list[int]]:
    area = area_chosen(request)
    members = members_chosen(area, request)
    return area, year_chosen(request, members), members


@require_GET
def matrix(request: Request) -> HttpResponse:
    area, year, members = _chosen(request)
    kind = kind_chosen(request)
    offer = offer_of(area, year, KINDS[kind][1])
    view = request.GET.get("visning", "")
    by_school = view == "skola" or (view != "kommun" and len(offer.members) <= MOST_MEMBERS_BY_SCHOOL)
    words = " ".join(request.GET.get("q", "").split())[:100]
    only_open = request.GET.get("svar") == "saknas"
    figure = request.GET.get("visa", "")
    found = matrix_of(offer, by_school, words, only_open)
    query = request.GET.copy()
    query.pop("visning", None)
    context = {
        "area": area,
        "areas": areas_in_order(),
        "year": year,
        "year_address": year_in_address(year),
        "years": years_to_choose(members, year),
        "kind": kind,
        "kinds": kinds_to_choose(),
        "figure": figure if figure in FIGURES else FIGURES[0],
        "figures": list(zip(FIGURES, figure_names(), strict=True)),
        "words": words,
        "only_open": only_open,
        "matrix": found,
        "rest": query.urlencode(),
        "query": request.GET.urlencode(),
        "schools": len(offer.schools),
        "opens": "yes" if words else "no",
        "has_examples": any(one.report and one.report.example for one in offer.schools.values()),
        "reports": sum(one.report is not None for one in offer.schools.values()),
    }
    return render(request, "programmes/matrix.html", context)


def figure_names() -> list[str]:
    return [_("Seats"), _("First-choice applicants"), _("Admitted"), _("Places for workplace-based learning")]


@require_GET
def matrix_file(request: Request, kind: str) -> HttpResponse:
    """The same content as the page: the chosen area, year, kind of programme and words."""
    area, year, _members = _chosen(request)
    offer = offer_of(area, year, KINDS[kind_chosen(request)][1])
    if code := request.GET.get("kommun", ""):  # only that member, as a template for its next report
        offer.members = [member for member in offer.members if member.municipality.code == code]
    words = " ".join(request.GET.get("q", "").split())[:100]
    found = matrix_of(offer, False, words, request.GET.get("svar") == "saknas")
    rows = tables.offer_rows(offer, _lines(found))
    name = f"utbud-{area.slug}-{year_in_address(year)}"
    return download(kind, name, tables.offer_headings(), rows)


def _lines(matrix: Matrix) -> Iterator[tuple[Programme, Orientation | None]]:
    for _kind, lines in matrix.groups:
        for line in lines:
            yield line.programme, line.orientation

"""The catalogue: what there is to study, from when to when, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from collab4m.access import get_visible
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from collab4m.swedish import matching, swedish_key
from organisations.models import CollaborationArea
from programmes.models import Answer, Curriculum, Orientation, Programme, ProgrammeKind, Succession
from programmes.operations import Cell, SchoolOffer, latest_year, members_of
from programmes.operations.offer import KIND_ORDER, Offer
from programmes.views.shared import Request, area_chosen

CURRICULA = {"gy25": Curriculum.GY25, "gy11": Curriculum.GY11}


@dataclass
class Group:
    """Programmes of one kind."""

    kind: ProgrammeKind
    programmes: list[Programme] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.kind.plural


@require_GET
def programmes(request: Request) -> HttpResponse:
    words = " ".join(request.GET.get("q", "").split())[:100]
    curriculum = request.GET.get("laroplan", "")
    rows: QuerySet[Programme] = Programme.objects.visible_to(request.user).select_related("source")
    if curriculum in CURRICULA:
        rows = rows.filter(curriculum__in=[CURRICULA[curriculum], ""])
    if words:
        by_orientation = matching(Orientation.objects.all(), words, "name_sv", "name_en", "code")
        hits = {one.pk for one in matching(rows, words, "name_sv", "name_en", "code")}
        hits |= set(by_orientation.values_list("programme", flat=True))
        rows = rows.filter(pk__in=hits)
    groups = {kind: Group(ProgrammeKind(kind)) for kind in KIND_ORDER}
    found = sorted(rows, key=lambda one: (swedish_key(one.name_sv), one.curriculum, one.code))
    counts: dict[int, int] = defaultdict(int)
    for programme in Orientation.objects.filter(programme__in=found).values_list("programme", flat=True):
        counts[programme] += 1
    for programme in found:
        programme.orientation_count = counts[programme.pk]  # type: ignore[attr-defined]
        groups[programme.kind].programmes.append(programme)
    context = {
        "groups": [group for group in groups.values() if group.programmes],
        "count": len(found),
        "words": words,
        "curriculum": curriculum,
        "today": today(),
    }
    return render(request, "programmes/programmes.html", context)


@dataclass(frozen=True)
class Place:
    """A school of the reader's area that offers the programme, or is known to have done so."""

    school: SchoolOffer
    programme: Programme
    cell: Cell

    @property
    def address(self) -> str:
        if self.cell.offerings:
            return self.cell.offerings[0].get_absolute_url()
        return self.school.school.get_absolute_url()


@require_GET
def programme(request: Request, code: str) -> HttpResponse:
    found = get_visible(Programme.objects.select_related("source"), request.user, code=code)
    orientations = sorted(found.orientations.select_related("source"), key=lambda one: swedish_key(one.name_sv))
    for orientation in orientations:
        orientation.programme = found
    steps = _steps(found, orientations)
    for orientation in orientations:
        orientation.came_from = [step for step in steps if step.to_orientation_id == orientation.pk]
        orientation.led_to = [step for step in steps if step.from_orientation_id == orientation.pk]
    area = area_chosen(request)
    year, places = _where(found, area)
    context = {
        "programme": found,
        "orientations": orientations,
        "came_from": [step for step in steps if step.to_programme_id == found.pk and step.from_programme_id],
        "led_to": [step for step in steps if step.from_programme_id == found.pk],
        "from_orientations": [step for step in steps if step.to_programme_id == found.pk and step.from_orientation_id],
        "outcome_of": None if found.outcome_sv else _predecessor_with_outcome(found),
        "area": area,
        "year": year,
        "places": places,
        "family": Programme.objects.filter(family=found.family).exclude(pk=found.pk).order_by("code"),
        "is_open": found.holds_on(today()),
        "today": today(),
    }
    return render(request, "programmes/programme.html", context)


def _steps(programme: Programme, orientations: Sequence[Orientation]) -> list[Succession]:
    """Every step to and from the programme and its orientations."""
    ids = [orientation.pk for orientation in orientations]
    steps = Succession.objects.select_related(
        "from_programme", "to_programme", "from_orientation__programme", "to_orientation__programme", "source"
    )
    rows = (
        steps.filter(from_programme=programme)
        | steps.filter(to_programme=programme)
        | steps.filter(from_orientation__in=ids)
        | steps.filter(to_orientation__in=ids)
    )
    return list(rows.order_by("since", "kind", "pk"))


def _predecessor_with_outcome(programme: Programme) -> Programme | None:
    """Whose words on what pupils become still tell something, where none are known for this one."""
    family = Programme.objects.filter(family=programme.family).exclude(outcome_sv="").select_related("source")
    return family.order_by("-valid").first()


def _where(programme: Programme, area: CollaborationArea) -> tuple[SchoolYear, list[Place]]:
    """Where in the area the programme, or what it became or was before, is offered, in the latest reported year."""
    ids = [municipality.pk for municipality, _membership in members_of(area, SchoolYear.of(today()))]
    year = latest_year(ids) or SchoolYear.of(today())
    offer = Offer(year, members_of(area, year))
    kin = [one for one in offer.programmes if one.family == programme.family]
    places = []
    for one in kin or [programme]:
        for member in offer.members:
            for school in member.schools:
                cell = offer.at_school(school, one)
                if cell.answer == Answer.OFFERED or (cell.fact and cell.fact.offered):
                    places.append(Place(school, one, cell))
    return year, places

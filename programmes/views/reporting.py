"""Reporting: how far it has come, a school's report, and the form for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, get_visible, require
from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.school_year import SchoolYear, year_named
from collab4m.templatetags.shell import in_words
from organisations.models import CollaborationArea, Municipality, School
from organisations.operations import areas_in_order
from programmes.forms.reporting import DeadlineForm, ReportForm
from programmes.models import (
    FIGURES,
    Offering,
    OfferingReport,
    Orientation,
    Programme,
    ProgrammeKind,
    year_in_address,
)
from programmes.operations import (
    Catalogue,
    Cell,
    IntakeRefused,
    Offer,
    ReportedMeanwhile,
    deadline_of,
    intakes_of,
    progress_of,
    remind_of_offering,
    report_no_school,
    report_of,
    report_offering,
    seen_of_report,
    set_deadline,
    suggested_intakes,
    take_back_no_school,
)
from programmes.operations.reporting import REMIND_AGAIN_AFTER
from programmes.rules import neighbours_of
from programmes.tables import lines_of
from programmes.views.shared import (
    Request,
    administered,
    area_chosen,
    body_for,
    members_chosen,
    year_chosen,
    years_to_choose,
)


@require_GET
def reporting(request: Request) -> HttpResponse:
    area = area_chosen(request)
    members = members_chosen(area, request)
    year = year_chosen(request, members)
    return render(request, "programmes/reporting.html", _reporting(request, area, members, year))


def _reporting(
    request: Request, area: CollaborationArea, members: list[int], year: SchoolYear, form: DeadlineForm | None = None
) -> dict[str, Any]:
    deadline = deadline_of(area, year)
    may_set = request.user.has_perm("programmes.set_deadline", area)
    initial = {"last_day": deadline.last_day if deadline else today() + timedelta(days=30)}
    own = administered(request.user)
    near = neighbours_of(request.user)
    rows = progress_of(area, year)
    return {
        "area": area,
        "areas": areas_in_order(),
        "year": year,
        "year_address": year_in_address(year),
        "years": years_to_choose(members, year),
        "deadline": deadline,
        "is_late": deadline is not None and deadline.last_day < today(),
        "deadline_form": form or (DeadlineForm(bodies=own, initial=initial) if may_set else None),
        "deadline_address": f"{reverse('reporting_deadline')}?omrade={area.slug}&lasar={year_in_address(year)}",
        "rows": [
            {
                "member": row.member,
                "whole": row.whole,
                "reminded": row.reminded,
                "may_remind": row.member.municipality.pk in near,
                "reminded_lately": row.reminded and row.reminded.sent_at > now() - REMIND_AGAIN_AFTER,
                "schools": [
                    (one, request.user.has_perm("programmes.report_offering", one.school)) for one in row.member.schools
                ],
                "may_report_no_school": request.user.has_perm("programmes.report_no_school", row.member.municipality),
            }
            for row in rows
        ],
        "done": sum(row.member.is_complete for row in rows),
        "may_import": bool(own),
    }


@require_POST
def deadline(request: Request) -> HttpResponse:
    area = area_chosen(request)
    require(request.user, "programmes.set_deadline", area)
    members = members_chosen(area, request)
    year = year_chosen(request, members)
    form = DeadlineForm(request.POST, bodies=administered(request.user))
    if not form.is_valid():
        return render(request, "programmes/reporting.html", _reporting(request, area, members, year, form))
    set_deadline(area, year, last_day=form.cleaned_data["last_day"], by=request.user, on_behalf_of=form.body)
    messages.success(request, _("The last day to report is saved and is shown to all members."))
    return redirect(f"{reverse('reporting')}?omrade={area.slug}&lasar={year_in_address(year)}")


def _back(request: Request, year: SchoolYear) -> HttpResponse:
    slug = request.POST.get("omrade", "")
    area = f"&omrade={slug}" if CollaborationArea.objects.filter(slug=slug).exists() else ""
    return redirect(f"{reverse('reporting')}?lasar={year_in_address(year)}{area}")


@require_POST
def remind(request: Request, pk: int, school_year: str) -> HttpResponse:
    municipality = get_permitted(Municipality.objects, request.user, "programmes.remind", pk=pk)
    year = year_named(school_year)
    own = administered(request.user)
    body = next((one for one in own if one.pk == municipality.pk), own[0]).body
    try:
        people = remind_of_offering(municipality, year, by=request.user, on_behalf_of=body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        text = ngettext(
            "%(municipality)s is reminded: mail to %(people)s person.",
            "%(municipality)s is reminded: mail to %(people)s people.",
            len(people),
        )
        words = {"municipality": municipality.name, "people": in_words(len(people))}
        messages.success(request, text % words)
    return _back(request, year)


@require_POST
def no_school(request: Request, pk: int, school_year: str) -> HttpResponse:
    municipality = get_permitted(Municipality.objects, request.user, "programmes.report_no_school", pk=pk)
    year = year_named(school_year)
    try:
        report_no_school(municipality, year, by=request.user, on_behalf_of=municipality.body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("It is reported that the municipality runs no school that year."))
    return _back(request, year)


@require_POST
def no_school_taken_back(request: Request, pk: int, school_year: str) -> HttpResponse:
    municipality = get_permitted(Municipality.objects, request.user, "programmes.report_no_school", pk=pk)
    year = year_named(school_year)
    take_back_no_school(municipality, year, by=request.user, on_behalf_of=municipality.body)
    messages.success(request, _("It is taken back that the municipality runs no school that year."))
    return _back(request, year)


# One school


@dataclass(frozen=True)
class ReportLine:
    """A programme or an orientation as a school's report has it."""

    programme: Programme
    orientation: Orientation | None
    cell: Cell

    @property
    def says_something(self) -> bool:
        """Whether a row of the report or an open source speaks of it, itself or through its orientations."""
        return bool(self.own or self.cell.fact or (self.orientation is None and self.cell.offerings))

    @property
    def key(self) -> str:
        return f"{self.programme.pk}-{self.orientation.pk if self.orientation else 0}"

    @property
    def label(self) -> str:
        return f"{self.programme.code} {self.orientation.name}" if self.orientation else str(self.programme)

    @property
    def own(self) -> Offering | None:
        """The report's own row about just this."""
        pk = self.orientation.pk if self.orientation else None
        return next((row for row in self.cell.offerings if row.orientation_id == pk), None)

    @property
    def numbers(self) -> list[int | None]:
        return [getattr(self.cell.figures, name) for name in FIGURES]


def _school(request: Request, pk: int) -> School:
    schools = School.objects.select_related("municipality", "provider")
    found: School = get_visible(schools, request.user, pk=pk)
    return found


@require_GET
def report(request: Request, pk: int, school_year: str) -> HttpResponse:
    school, year = _school(request, pk), year_named(school_year)
    offer = Offer(year, [(school.municipality, None)])
    one = offer.schools.get(school.pk)
    if one is None:
        raise Http404
    groups: dict[str, list[ReportLine]] = {}
    unnamed = []
    for programme, orientation in lines_of(offer):
        line = ReportLine(programme, orientation, offer.at_school(one, programme, orientation))
        if line.says_something:
            groups.setdefault(ProgrammeKind(programme.kind).plural, []).append(line)
        elif orientation is None:
            unnamed.append(line)
    context = {
        "school": school,
        "year": year,
        "year_address": year_in_address(year),
        "report": one.report,
        "groups": list(groups.items()),
        "unnamed": unnamed,
        "may_report": request.user.has_perm("programmes.report_offering", school),
        "may_correct": request.user.has_perm("records.propose_correction"),
    }
    return render(request, "programmes/report.html", context)


def change(request: Request, pk: int, school_year: str) -> HttpResponse:
    school, year = _school(request, pk), year_named(school_year)
    require(request.user, "programmes.report_offering", school)
    known = report_of(school, year)
    rows = intakes_of(known)
    last, carried = suggested_intakes(school, year) if known is None else (None, [])
    form = ReportForm(
        request.POST if request.method == "POST" else None,
        catalogue=Catalogue(year),
        rows=rows,
        report=known,
        seen=seen_of_report(known, rows),
        carried=carried,
    )
    if request.method == "POST" and form.is_valid():
        saved = _saved(request, form, school, year)
        if saved:
            text = (
                _("The whole offer is reported.") if saved.complete else _("The report is saved. It is not complete.")
            )
            messages.success(request, text)
            return redirect(saved)
    context = {
        "form": form,
        "school": school,
        "year": year,
        "last": last,
        "is_independent": not school.is_municipal,
        "back": OfferingReport(school=school, school_year=year).get_absolute_url(),
    }
    return render(request, "programmes/report_change.html", context)


def _saved(request: Request, form: ReportForm, school: School, year: SchoolYear) -> OfferingReport | None:
    said = form.cleaned_data
    try:
        return report_offering(
            school,
            year,
            form.intakes,
            complete=said["complete"],
            by=request.user,
            on_behalf_of=body_for(request.user, school),
            seen=said["seen"],
            source_note=said["source_note"],
            checked=said["checked"],
        )
    except IntakeRefused as refused:
        form.blame(refused)
    except ReportedMeanwhile as meanwhile:
        form.show_what_stands(meanwhile)
    except RuleBroken as broken:
        refuse(form, broken)
    return None

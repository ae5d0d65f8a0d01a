"""Pupil flows: a table, the net balance and a chart, with small numbers hidden from those whom they do not concern."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import require
from collab4m.clock import today
from collab4m.forms import tried
from collab4m.school_year import SchoolYear, year_named
from collab4m.tables import download
from organisations.models import CollaborationArea, RoleKind, SemesterKind
from organisations.operations import areas_in_order
from programmes import tables
from programmes.forms.flows import FlowForm
from programmes.models import Programme, year_in_address
from programmes.operations import Flows, flow_semesters, flows_of, members_of, report_flow
from programmes.views.shared import Request, area_chosen

CHART_WIDTH = 60  # of the longest bar, in the chart's own units


def _chosen(request: Request) -> tuple[CollaborationArea, Flows, SchoolYear, str, Programme | None, list[Any]]:
    area = area_chosen(request)
    municipalities = [one for one, _membership in members_of(area, SchoolYear.of(today()))]
    semesters = flow_semesters(one.pk for one in municipalities)
    year, semester = semesters[0] if semesters else (SchoolYear.of(today()), SemesterKind.AUTUMN.value)
    if text := request.GET.get("termin", ""):
        kind, _dash, school_year = text.partition("-")
        if kind not in SemesterKind.values:
            raise Http404
        year, semester = year_named(school_year), kind
    programme = None
    if code := request.GET.get("program", ""):
        programme = Programme.objects.filter(code=code).first() if code.isascii() else None
        if programme is None:
            raise Http404
    flows = flows_of(municipalities, year, semester, reader=request.user, programme=programme)
    return area, flows, year, semester, programme, semesters


@require_GET
def flows(request: Request) -> HttpResponse:
    area, found, year, semester, programme, semesters = _chosen(request)
    by_programme = found.by_programme()
    longest = max((count.least for _programme, count in by_programme), default=0)
    choices = [(f"{kind}-{year_in_address(one)}", f"{kind} {one}") for one, kind in semesters]
    context = {
        "area": area,
        "areas": areas_in_order(),
        "flows": found,
        "chart_width": CHART_WIDTH,
        "table": found.table(),
        "totals": found.totals(),
        "balances": found.balances(),
        "by_programme": [
            (one, count, round(CHART_WIDTH * count.least / longest) if longest else 0) for one, count in by_programme
        ],
        "year": year,
        "semester": semester,
        "chosen": f"{semester}-{year_in_address(year)}",
        "semesters": choices,
        "programme": programme,
        "programmes": Programme.objects.filter(pk__in={row.programme_id for row in found.rows}).in_swedish_order()
        if programme is None
        else [programme],
        "query": request.GET.urlencode(),
        "has_examples": any(row.example for row in found.rows),
        "has_hidden": any(not count.is_whole for count in found.counts.values()),
        "may_report": request.user.has_perm("programmes.report_some_flows"),
    }
    return render(request, "programmes/flows.html", context)


@require_GET
def flows_file(request: Request, kind: str) -> HttpResponse:
    area, found, year, semester, *_choices = _chosen(request)
    name = f"elevstrommar-{area.slug}-{semester.lower()}-{year_in_address(year)}"
    return download(kind, name, tables.flow_headings(), tables.flow_rows(found))


def change(request: Request) -> HttpResponse:
    require(request.user, "programmes.report_some_flows")
    own = request.user.bodies_where(RoleKind.ADMINISTRATOR)
    this_year = SchoolYear.of(today())
    years = [(str(this_year + step), str(this_year + step)) for step in range(1, -6, -1)]
    form = FlowForm(
        request.POST or None, user=request.user, years=years, initial={"home": own[0], "school_year": str(this_year)}
    )

    def report() -> None:
        report_flow(**form.facts(), by=request.user, on_behalf_of=form.body)

    if request.method == "POST" and tried(form, report):
        messages.success(request, _("The number of pupils is saved."))
        said = form.cleaned_data
        chosen = f"{said['semester']}-{said['school_year'].replace('/', '-')}"
        return redirect(f"{reverse('flows')}?termin={chosen}")
    return render(request, "programmes/flows_change.html", {"form": form})

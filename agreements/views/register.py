"""The register of agreements: a list, a timeline of when they are in force, and the list as a file."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from agreements.forms.register import RegisterFilter
from agreements.operations import (
    Choice,
    Span,
    asked_of,
    choices_of,
    entries_of,
    register_of,
    span_in,
    years_of_timeline,
)
from agreements.register_tables import register_headings, register_rows
from agreements.views.shared import Request
from collab4m.clock import today
from collab4m.tables import download

AGREEMENTS_PER_PAGE = 50
TIMELINE = "tidslinje"


def _chosen(request: Request) -> tuple[RegisterFilter, Choice]:
    areas, parties, programmes = choices_of(request.user)
    form = RegisterFilter(request.GET, areas=areas, parties=parties, programmes=programmes)
    return form, form.choice


@require_GET
def agreements(request: Request) -> HttpResponse:
    day = today()
    form, choice = _chosen(request)
    found = register_of(request.user, choice, day).select_related("area")
    page = Paginator(found, AGREEMENTS_PER_PAGE).get_page(request.GET.get("sida"))
    entries = entries_of(request.user, page.object_list, day)
    is_timeline = request.GET.get("vy") == TIMELINE
    years = years_of_timeline(day) if is_timeline else []
    context = {
        "form": form,
        "several_areas": len(form.areas) > 1,
        "is_chosen": not choice.is_empty,
        "page": page,
        "entries": entries,
        "is_timeline": is_timeline,
        "years": years,
        "timeline": [(entry, [(year, span_in(entry.validity, year, day)) for year in years]) for entry in entries],
        "spans": [span for span in Span if span],
        "day": day,
        "asked": {asked.agreement.pk for asked in asked_of(request.user)},
        "query": _query(request, "sida"),
        "rest": _query(request, "sida", "vy"),
        "may_start": request.user.has_perm("agreements.start_agreement"),
        "has_examples": any(entry.agreement.example for entry in entries),
    }
    return render(request, "agreements/agreements.html", context)


@require_GET
def agreements_file(request: Request, kind: str) -> HttpResponse:
    """The whole list that is chosen, not only the page of it that is shown."""
    day = today()
    _form, choice = _chosen(request)
    found = register_of(request.user, choice, day).select_related("area")
    entries = entries_of(request.user, found, day)
    return download(kind, f"avtal-{day.isoformat()}", register_headings(), register_rows(entries))


def _query(request: Request, *without: str) -> Any:
    query = request.GET.copy()
    for name in without:
        query.pop(name, None)
    return query.urlencode()

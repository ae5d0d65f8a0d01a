"""The library of clauses: by section, each with its wordings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import F, Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.clauses import ClauseForm, WordingForm
from agreements.models import Clause, ClauseVersion
from agreements.operations import (
    SECTIONS_WITH_CLAUSES,
    ClauseChanged,
    add_clause,
    bring_back_clause,
    retire_clause,
    write_clause,
)
from agreements.outline import BY_KEY
from agreements.views.shared import Request, acting_member, area_chosen
from collab4m.access import get_visible, require
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.swedish import swedish_order
from organisations.operations import areas_in_order

VERSIONS = Prefetch(
    "versions", ClauseVersion.objects.select_related("by", "on_behalf_of").order_by("-number"), to_attr="wordings"
)


@require_GET
def clauses(request: Request) -> HttpResponse:
    area = area_chosen(request)
    rows = Clause.objects.visible_to(request.user).of_area(area).prefetch_related(VERSIONS)
    by_section: dict[str, list[Clause]] = {}
    for row in rows.order_by("is_retired", F("area").asc(nulls_last=True), swedish_order("name"), "pk"):
        by_section.setdefault(row.section, []).append(row)
    context = {
        "area": area,
        "areas": areas_in_order(),
        "sections": [(section, by_section.get(section.key, [])) for section in SECTIONS_WITH_CLAUSES],
        "may_change": request.user.has_perm("agreements.change_clauses", area),
    }
    return render(request, "agreements/clauses.html", context)


@require_GET
def clause(request: Request, pk: int) -> HttpResponse:
    found = _clause(request, pk)
    return render(
        request,
        "agreements/clause.html",
        {
            "clause": found,
            "section": BY_KEY[found.section],
            "may_change": found.area is not None and request.user.has_perm("agreements.change_clauses", found.area),
        },
    )


def _clause(request: Request, pk: int) -> Clause:
    rows = Clause.objects.select_related("area").prefetch_related(VERSIONS)
    found: Clause = get_visible(rows, request.user, pk=pk)
    return found


def _to_change(request: Request, pk: int) -> tuple[Clause, dict[str, Any]]:
    """An area's own clause, and who acts for whom; 403 for those that come with the portal."""
    found = _clause(request, pk)
    require(request.user, "agreements.change_clauses", found.area)
    assert found.area  # nobody is permitted to change those without one
    return found, {"by": request.user, "on_behalf_of": acting_member(request.user, found.area)}


def new(request: Request) -> HttpResponse:
    area = area_chosen(request)
    require(request.user, "agreements.change_clauses", area)
    form = ClauseForm(request.POST if request.method == "POST" else None, section=request.GET.get("avsnitt", ""))
    made: list[ClauseVersion] = []

    def add() -> None:
        body = acting_member(request.user, area)
        made.append(add_clause(area, **form.cleaned_data, by=request.user, on_behalf_of=body))

    if request.method == "POST" and tried(form, add):
        messages.success(request, _("The clause is in the library."))
        return redirect(made[0].clause)
    back = f"{reverse('clauses')}?omrade={area.slug}"
    return render(request, "agreements/clause_new.html", {"form": form, "area": area, "back": back})


def change(request: Request, pk: int) -> HttpResponse:
    found, who = _to_change(request, pk)
    latest = found.wordings[0]  # type: ignore[attr-defined]  # see VERSIONS
    form = WordingForm(request.POST if request.method == "POST" else None, latest=latest)
    meanwhile: list[ClauseChanged] = []

    def write() -> None:
        try:
            write_clause(found, **form.cleaned_data, **who)
        except ClauseChanged as changed:
            meanwhile.append(changed)
            raise

    if request.method == "POST" and tried(form, write):
        messages.success(request, _("The new version is in the library. Drafts that took up an earlier one keep it."))
        return redirect(found)
    for changed in meanwhile:
        form.show_what_stands(changed)
    return render(request, "agreements/clause_change.html", {"form": form, "clause": found, "latest": latest})


@require_POST
def retire(request: Request, pk: int) -> HttpResponse:
    found, who = _to_change(request, pk)
    try:
        retire_clause(found, **who)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("New drafts no longer choose from the clause."))
    return redirect(found)


@require_POST
def bring_back(request: Request, pk: int) -> HttpResponse:
    found, who = _to_change(request, pk)
    try:
        bring_back_clause(found, **who)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("New drafts can choose the clause again."))
    return redirect(found)

"""The timeline: what is free when, of many resources at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from collab4m.clock import today
from organisations.models import Membership, User
from resources.forms.timelines import FIRST_DAY, LAST_DAY, TimelineFilter
from resources.models import Category, Resource
from resources.operations import Scale, grid_of, lines_of, list_of, window_of
from resources.operations.searching import with_children

ROWS = {Scale.DAY: 200, Scale.WEEK: 50, Scale.MONTH: 50, Scale.YEAR: 50}  # on one page


@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    shared = Resource.objects.visible_to(user).in_use()
    form = TimelineFilter(
        request.GET,
        categories=Category.objects.filter(pk__in=shared.values("category")).order_by("name_sv"),
        municipalities=[one.municipality for one in _members(user)],
    )
    rows = shared
    if form.category:
        rows = rows.filter(category__in=with_children(form.category))
    if form.municipality:
        rows = rows.filter(municipality=form.municipality)
    if form.kind:
        rows = rows.filter(kind=form.kind)
    page = Paginator(rows.in_swedish_order(), ROWS[Scale(form.scale)]).get_page(request.GET.get("sida"))
    drawn = timeline_of_page(form.scale, form.day, page.object_list, reader=user, as_list=form.is_list)
    context = {
        "form": form,
        "page": page,
        "scales": [(scale.value, scale.label) for scale in Scale],
        "before": _other(form.scale, drawn["first_day"], -1),
        "after": _other(form.scale, drawn["last_day"], 1),
        "has_today": drawn["first_day"] <= today() <= drawn["last_day"],
        "query": _query(request, "sida"),
        "without_day": _query(request, "sida", "datum"),
        "without_scale": _query(request, "sida", "vy", "datum", "form"),
        "without_form": _query(request, "sida", "form"),
        "may_share": user.has_perm("resources.share"),
        **drawn,
    }
    return render(request, "resources/timeline.html", context)


def timeline_of_page(scale: str, day: date, resources: Any, *, reader: User, as_list: bool = False) -> dict[str, Any]:
    """What `resources/_timeline.html` draws (or `_timeline_list.html`): a queryset of resources in a window of time."""
    lines = lines_of(resources, reader=reader)
    first, last = window_of(scale, day)
    return {
        "scale": scale,
        "first_day": first,
        "last_day": last,
        "lines": lines,
        "may_book": any(line.may_ask for line in lines),
        "has_examples": any(line.example for line in lines),
        "grid": None if as_list else grid_of(scale, day, lines, reader=reader),
        "list": list_of(scale, day, lines, reader=reader) if as_list else None,
    }


def _members(user: User) -> Any:
    """Those around the reader, each once, in the agreed order."""
    return Membership.objects.around(user).select_related("municipality").in_agreed_order()


def _other(scale: str, edge: date, way: int) -> date | None:
    """A day in the window before or after; none beyond the days that the timeline knows."""
    day = edge + timedelta(days=way)
    if scale == Scale.YEAR:  # whole weeks, so that two school years may share one
        day += timedelta(days=14 * way)
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _query(request: HttpRequest, *without: str) -> str:
    query = request.GET.copy()
    for name in without:
        query.pop(name, None)
    return query.urlencode()

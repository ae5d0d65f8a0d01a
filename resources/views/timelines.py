"""The timeline: what is free when, of many resources at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from collab4m.clock import today
from organisations.models import User
from resources.forms.timelines import FIRST_DAY, LAST_DAY, TimelineFilter
from resources.models import Category, Resource
from resources.operations import Scale, grid_of, lines_of, list_of, window_of
from resources.operations.searching import with_children

ROWS = {Scale.DAY: 200, Scale.WEEK: 50, Scale.MONTH: 50, Scale.YEAR: 50}  # on one page
ROWS_OF_WHOLE = {Scale.DAY: 100, Scale.WEEK: 25}  # when it has more than twice the columns


@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    shared = Resource.objects.visible_to(user).in_use()
    form = TimelineFilter(
        request.GET,
        categories=Category.objects.filter(pk__in=shared.values("category")).order_by("name_sv"),
        municipalities=[one.municipality for one in user.around_today],
    )
    rows = shared
    if form.category:
        rows = rows.filter(category__in=with_children(form.category))
    if form.municipality:
        rows = rows.filter(municipality=form.municipality)
    if form.kind:
        rows = rows.filter(kind=form.kind)
    number = (ROWS_OF_WHOLE if form.is_whole else ROWS)[Scale(form.scale)]
    page = Paginator(rows.in_swedish_order(), number).get_page(request.GET.get("sida"))
    first, last = window_of(form.scale, form.day)
    since = None if form.is_list else _since(form.scale, form.day)
    drawn = timeline_of_page(
        form.scale, form.day, page.object_list, reader=user, as_list=form.is_list, whole=form.is_whole, since=since
    )
    context = {
        "form": form,
        "page": page,
        "scales": [(scale.value, scale.label) for scale in Scale],
        "before": _other(form.scale, first, -1),
        "after": _other(form.scale, last, 1),
        "monday": first if since and since > first else None,
        "has_today": first <= today() <= last,
        "query": _query(request, "sida"),
        "without_day": _query(request, "sida", "datum"),
        "without_scale": _query(request, "sida", "vy", "datum", "form"),
        "without_form": _query(request, "sida", "form"),
        "without_whole": _query(request, "sida", "dygnet"),
        "outside": not user.around_today,
        "may_share": user.has_perm("resources.share"),
        **drawn,
    }
    return render(request, "resources/timeline.html", context)


def timeline_of_page(
    scale: str,
    day: date,
    resources: Any,
    *,
    reader: User,
    as_list: bool = False,
    whole: bool = False,
    since: date | None = None,
) -> dict[str, Any]:
    """What `resources/_timeline.html` draws (or `_timeline_list.html`): a queryset of resources in a window of time."""
    lines = lines_of(resources, reader=reader)
    first, last = window_of(scale, day)
    return {
        "scale": scale,
        "first_day": max(first, since) if since else first,
        "last_day": last,
        "lines": lines,
        "may_book": any(line.may_ask for line in lines),
        "has_examples": any(line.example for line in lines),
        "whole": whole,
        "grid": None if as_list else grid_of(scale, day, lines, reader=reader, whole=whole, since=since),
        "list": list_of(scale, day, lines, reader=reader) if as_list else None,
    }


def _since(scale: str, day: date) -> date | None:
    """From today the days of this week that are past are left out, unless one of them was asked for."""
    return day if scale == Scale.WEEK and day == today() and day.isoweekday() < 6 else None


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

"""Finding what is shared, and a page for each resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET

from collab4m.access import get_visible
from collab4m.clock import now, today
from organisations.models import User
from organisations.views.shared import Request
from records.people import speaking_for
from resources.forms.finding import SearchForm
from resources.forms.timelines import WHOLE
from resources.models import Booking, OpenRule, Resource, ResourceKind
from resources.operations import (
    Found,
    Need,
    Scale,
    blockings_of,
    calendars_of,
    catalogue,
    date_by_date,
    keep_unmet,
    other_times,
    search_resources,
    similar_resources,
    unknown_capacity,
    with_reasons,
)
from resources.operations.alternatives import nearest
from resources.operations.claiming import sharing_with
from resources.rules import keeps_something
from resources.views.timelines import timeline_of_page

HITS_PER_PAGE, SIMILAR_SHOWN, BOOKINGS_SHOWN = 20, 5, 10
FREE_LENGTH, FREE_WITHIN = timedelta(hours=2), timedelta(days=60)


@dataclass(frozen=True)
class Hit:
    """A resource that was found, with what its links need to know."""

    found: Found
    bars: list[tuple[Any, str]]
    ask: str  # what the way to asking is filled in with
    free: list[tuple[Any, str]]
    instead: list[tuple[Any, str]]


def hits_of(found: Iterable[Found], need: Need) -> list[Hit]:
    return [
        Hit(
            one,
            list(zip(need.times, one.standings, strict=True)),
            asked(need.times, need.quantity),
            [(time, asked([time], need.quantity)) for time in one.free],
            [
                ((other.starts_at, other.ends_at), asked([(other.starts_at, other.ends_at)], need.quantity))
                for other in one.instead
            ],
        )
        for one in found
    ]


def asked(times: Any, quantity: int = 1) -> str:
    """The time as the page for asking takes it: the first one, and until which day it comes back each week."""
    if not times:
        return ""
    begins, ends = (localtime(moment) for moment in times[0])
    query: dict[str, Any] = {"fran": f"{begins:%Y-%m-%dT%H:%M}", "till": f"{ends:%Y-%m-%dT%H:%M}"}
    if quantity > 1:
        query["antal"] = quantity
    if len(times) > 1:
        query |= {"varje": 1, "sista": localtime(times[-1][0]).date().isoformat()}
    return urlencode(query)


@require_GET
def resources(request: Request) -> HttpResponse:
    form = SearchForm(request.GET, user=request.user)
    context: dict[str, Any] = {"form": form, "keeps": keeps_something(request.user)}
    if form.is_valid() and form.is_chosen:
        context |= _answer(request, form.need)
    else:
        counts = catalogue(request.user)
        kinds = [
            (label, found)
            for kind, label in ResourceKind.choices
            if (found := [count for count in counts if count.category.kind == kind])
        ]
        number = sum(count.number for count in counts)
        context |= {"kinds": kinds, "number": number, "outside": not request.user.around_today}
    return render(request, "resources/resources.html", context)


def _answer(request: Request, need: Need) -> dict[str, Any]:
    """What is found, and when nothing fits whole what comes nearest; the need is kept then."""
    user = request.user
    found = search_resources(user, need)
    page = Paginator(found, HITS_PER_PAGE).get_page(request.GET.get("sida"))
    shown = list(page.object_list)
    fitting = sum(one.fits for one in found)
    dates, similar = [], []
    if is_unmet := not fitting:
        keep_unmet(need, by=user)
        dates = date_by_date(found, need)
        if len(dates) < 2 or not any(date.found for date in dates):
            dates = []
        similar = similar_resources(user, need, but=[one.pk for one in found])[:SIMILAR_SHOWN]
    named = {one.pk: one for one in [*shown, *similar, *(one for date in dates for one in date.found)]}
    with_reasons(list(named.values()), need)
    if not fitting:
        other_times(shown, need)
    query = request.GET.copy()
    query.pop("sida", None)
    return {
        "need": need,
        "page": page,
        "hits": hits_of(shown, need),
        "fitting": fitting,
        "dates": [(date, asked([date.time], need.quantity)) for date in dates],
        "similar": hits_of(similar, need),
        "unknown": unknown_capacity(user, need),
        "day": localtime(need.times[0][0]).date() if need.times else None,
        "is_kept": is_unmet,
        "has_examples": any(one.resource.example for one in named.values()),
        "query": query.urlencode(),
    }


@require_GET
def resource(request: Request, pk: int) -> HttpResponse:
    rows = Resource.objects.select_related("owner__as_school", "municipality", "category", "site", "source")
    found = get_visible(rows.prefetch_related("features", "pictures", "open_rules", "units"), request.user, pk=pk)
    rules = list(found.price_rules.order_by("valid"))
    alone, whole = Resource.objects.filter(pk=found.pk), request.GET.get("dygnet") == WHOLE
    ahead = _day_ahead()
    context = {
        "resource": found,
        "price": next((rule for rule in rules if today() in rule.valid), None),
        "coming_price": next((rule for rule in rules if rule.valid.lower and rule.valid.lower > today()), None),
        "week": _week(found),
        "shares": _shares(found, request.user),
        "free": _next_free(found),
        "bookings": _bookings(found, request.user),
        "blockings": blockings_of(found),
        "may_ask": request.user.has_perm("resources.ask", found),
        "may_change": request.user.has_perm("resources.change_resource", found),
        "may_block": request.user.has_perm("resources.block", found),
        "is_own": bool(speaking_for(request.user, found.owner)),
        "keeps": keeps_something(request.user),
        "timeline": timeline_of_page(Scale.WEEK, ahead, alone, reader=request.user, whole=whole, since=ahead),
    }
    return render(request, "resources/resource.html", context)


def _day_ahead() -> date:
    """From which day the page shows a week: today, or on a weekend the Monday after."""
    day = today()
    return day if day.isoweekday() < 6 else day + timedelta(days=8 - day.isoweekday())


def _week(found: Resource) -> list[tuple[int, int, list[Any]]]:
    """The opening rules from weekday to weekday, days alike together; none at all means never closed."""
    rules = list(found.open_rules.all())
    if not rules:
        return []
    days = [(weekday, [rule for rule in rules if rule.weekday == weekday]) for weekday in range(1, 8)]
    alike = [list(group) for _hours, group in groupby(days, key=lambda day: [_hours_of(rule) for rule in day[1]])]
    return [(group[0][0], group[-1][0], group[0][1]) for group in alike]


def _hours_of(rule: OpenRule) -> tuple[Any, ...]:
    return rule.opens, rule.closes, rule.in_breaks, rule.on_red_days


def _shares(found: Resource, user: User) -> list[tuple[str, Resource]]:
    """The wholes it is part of, its parts, and others that take up some of the same pieces."""
    own = {unit.pk for unit in found.units.all()}
    others = sharing_with(found).visible_to(user).in_use().exclude(pk=found.pk).prefetch_related("units")
    shares = []
    for other in others.in_swedish_order():
        units = {unit.pk for unit in other.units.all()}
        shares.append(("whole" if units > own else "part" if units < own else "same", other))
    return shares


def _next_free(found: Resource) -> list[tuple[Any, str]]:
    """The next times at which it can be had for two hours, or for as long as it is lent."""
    if found.is_retired:
        return []
    length = min(FREE_LENGTH, timedelta(minutes=found.longest_minutes or FREE_LENGTH.total_seconds() // 60))
    begins = now() + timedelta(minutes=found.lead_minutes)
    calendar = calendars_of([found], begins, begins + FREE_WITHIN)[found.pk]
    morning = localtime(begins).replace(hour=8, minute=0, second=0, microsecond=0)
    times = [(start, start + length) for start in nearest(calendar, morning, length)]
    return [(time, asked([time])) for time in times]


def _bookings(found: Resource, user: User) -> list[Booking]:
    """What the reader may know of, coming and under way."""
    rows = Booking.objects.visible_to(user).filter(resource=found, during__endswith__gt=now()).alive().distinct()
    return list(rows.select_related("booked_for").order_by("during", "pk")[:BOOKINGS_SHOWN])

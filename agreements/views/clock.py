"""The yearly clock: a school year month by month, and changing its days."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.clock import ClockDayForm
from agreements.models import ClockDay
from agreements.operations import add_clock_day, change_clock_day, clock_year, remove_clock_day
from agreements.views.shared import Request, acting_member, area_chosen
from collab4m.access import get_visible, require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.school_year import SchoolYear, year_named
from organisations.models import CollaborationArea
from organisations.operations import ChangedMeanwhile, areas_in_order
from programmes.models import year_in_address

YEARS_BACK, YEARS_AHEAD = 5, 2


def _year_chosen(request: Request) -> SchoolYear:
    text = request.GET.get("lasar", "")
    return year_named(text) if text else SchoolYear.of(today())


def _address(area: CollaborationArea) -> str:
    return f"{reverse('clock')}?omrade={area.slug}"


@require_GET
def clock(request: Request) -> HttpResponse:
    area, year = area_chosen(request), _year_chosen(request)
    this_year = SchoolYear.of(today())
    years = {this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)} | {year}
    found = clock_year(area, year, request.user)
    context = {
        "area": area,
        "areas": areas_in_order(),
        "clock": found,
        "year": year,
        "year_address": year_in_address(year),
        "years": [(year_in_address(one), str(one)) for one in sorted(years, reverse=True)],
        "number": sum(len(month.days) for month in found.months),
        "has_annexes": any(month.annexes for month in found.months),
        "this_month": today().replace(day=1),
        "may_change": request.user.has_perm("agreements.change_clock", area),
    }
    return render(request, "agreements/clock.html", context)


def new(request: Request) -> HttpResponse:
    area = area_chosen(request)
    require(request.user, "agreements.change_clock", area)
    form = ClockDayForm(request.POST if request.method == "POST" else None)

    def add() -> None:
        add_clock_day(area, **form.cleaned_data, by=request.user, on_behalf_of=acting_member(request.user, area))

    if request.method == "POST" and tried(form, add):
        messages.success(request, _("The day is on the clock."))
        return redirect(_address(area))
    return render(request, "agreements/clock_new.html", {"form": form, "area": area, "back": _address(area)})


def _day(request: Request, pk: int) -> ClockDay:
    found: ClockDay = get_visible(ClockDay.objects.select_related("area", "source"), request.user, pk=pk)
    require(request.user, "agreements.change_clock", found.area)
    return found


def change(request: Request, pk: int) -> HttpResponse:
    found = _day(request, pk)
    form = ClockDayForm(request.POST if request.method == "POST" else None, clock_day=found)
    meanwhile: list[ChangedMeanwhile] = []

    def save() -> None:
        who: dict[str, Any] = {"by": request.user, "on_behalf_of": acting_member(request.user, found.area)}
        try:
            change_clock_day(found, **form.cleaned_data, **who)
        except ChangedMeanwhile as changed:
            meanwhile.append(changed)
            raise

    if request.method == "POST" and tried(form, save):
        messages.success(request, _("The day is saved."))
        return redirect(_address(found.area))
    for changed in meanwhile:
        form.show_what_stands(changed)
    context = {"form": form, "clock_day": found, "area": found.area, "back": _address(found.area)}
    return render(request, "agreements/clock_change.html", context)


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    found = _day(request, pk)
    try:
        remove_clock_day(found, by=request.user, on_behalf_of=acting_member(request.user, found.area))
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The day is no longer on the clock."))
    return redirect(_address(found.area))
